//! Lines that begin like those of the logs that are known.
#![no_main]

use classifiers::{Sample, classify};
use libfuzzer_sys::fuzz_target;

const STARTS: [&str; 6] = [
    "10.0.0.7 - - [10/Oct/2000:13:55:38 -0700] \"GET / HTTP/1.1\" 200 5 ",
    "Mar  3 08:01:02 web1 kernel: ",
    "#Fields: date time s-ip\n",
    "I, [2024-01-05T10:11:12.123456 #4711]  INFO -- : ",
    "1066036250.603    310 192.168.0.2 TCP_MISS/200 1120 GET http://a/ - DIRECT/1.2.3.4 ",
    "7:M 02 Jan 2024 10:00:00.123 * ",
];

fuzz_target!(|data: &[u8]| {
    let Some((which, rest)) = data.split_first() else {
        return;
    };
    let start = STARTS[usize::from(*which) % STARTS.len()].as_bytes();
    let head = [start, rest, b"\n"].concat().repeat(3);
    let size = head.len() as u64;
    let _any = classify(&Sample {
        name: "a.log",
        size,
        head: &head,
        tail: &[],
    });
});
