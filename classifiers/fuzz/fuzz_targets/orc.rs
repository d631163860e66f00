//! A footer under each codec.
#![no_main]

use classifiers::{Sample, classify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((codec, footer)) = data.split_first() else {
        return;
    };
    let Ok(length) = u16::try_from(footer.len()) else {
        return;
    };
    // The footer's length in three bytes of seven bits.
    let length = [
        length as u8 | 0x80,
        (length >> 7) as u8 | 0x80,
        (length >> 14) as u8,
    ];
    let postscript = [&[8], &length[..], &[16, codec % 7, 0x82, 0xf4, 0x03, 3], b"ORC"].concat();
    let head = [b"ORC\x00", footer, &postscript, &[postscript.len() as u8]].concat();
    let size = head.len() as u64;
    let _any = classify(&Sample {
        name: "a.orc",
        size,
        head: &head,
        tail: &[],
    });
});
