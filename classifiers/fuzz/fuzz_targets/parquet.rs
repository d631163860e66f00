//! A footer.
#![no_main]

use classifiers::{Sample, classify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|footer: &[u8]| {
    let length = (footer.len() as u32).to_le_bytes();
    let head = [b"PAR1", footer, &length, b"PAR1"].concat();
    let size = head.len() as u64;
    let _any = classify(&Sample {
        name: "a.parquet",
        size,
        head: &head,
        tail: &[],
    });
});
