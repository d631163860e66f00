//! Compressed bytes, by each way to read them.
#![no_main]

use std::io::Read;

use classifiers::{Compression, decompress};
use libfuzzer_sys::fuzz_target;

const ALL: [Compression; 8] = [
    Compression::Gzip,
    Compression::Bzip2,
    Compression::Zstd,
    Compression::Snappy,
    Compression::HadoopSnappy,
    Compression::Lz4,
    Compression::HadoopLz4,
    Compression::Zip,
];

fuzz_target!(|data: &[u8]| {
    let Some((which, data)) = data.split_first() else {
        return;
    };
    let compression = ALL[usize::from(*which) % ALL.len()];
    let mut unpacked = Vec::new();
    let _any = decompress(compression, data)
        .take(4 << 20)
        .read_to_end(&mut unpacked);
});
