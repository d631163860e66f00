//! Any bytes under any name.
#![no_main]

use classifiers::{Sample, classify};
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 8] = [
    "a",
    "a.csv",
    "a.json",
    "a.xml",
    "a.snappy",
    "a.lz4",
    "a.zip",
    "a.parquet",
];

fuzz_target!(|data: &[u8]| {
    let Some((which, head)) = data.split_first() else {
        return;
    };
    let name = NAMES[usize::from(*which) % NAMES.len()];
    let size = head.len() as u64;
    let tail = &[];
    let _any = classify(&Sample {
        name,
        size,
        head,
        tail,
    });
});
