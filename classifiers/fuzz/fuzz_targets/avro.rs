//! A schema in a header, and blocks.
#![no_main]

use classifiers::{Sample, classify};
use libfuzzer_sys::fuzz_target;

fn length(mut n: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    n <<= 1;
    while n >= 0x80 {
        bytes.push(n as u8 | 0x80);
        n >>= 7;
    }
    bytes.push(n as u8);
    bytes
}

fuzz_target!(|data: &[u8]| {
    let split = data.iter().position(|b| *b == 0).unwrap_or(data.len());
    let (schema, blocks) = data.split_at(split);
    let head = [
        b"Obj\x01\x02\x16avro.schema",
        length(schema.len()).as_slice(),
        schema,
        &[0; 17],
        blocks,
    ]
    .concat();
    for head in [head, [b"Obj\x01", data].concat()] {
        let size = head.len() as u64;
        let _any = classify(&Sample {
            name: "a.avro",
            size,
            head: &head,
            tail: &[],
        });
    }
});
