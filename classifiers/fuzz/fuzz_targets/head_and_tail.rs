//! The two ends of an object that is larger than both.
#![no_main]

use classifiers::{Sample, classify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [at, size @ .., last] = data else { return };
    let (head, tail) = size.split_at(usize::from(*at) * size.len() / 255);
    let size = (size.len() as u64) << (last % 40);
    let _any = classify(&Sample {
        name: "a",
        size,
        head,
        tail,
    });
});
