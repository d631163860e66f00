//! Markup, as a whole object and as a sample, with and without a row tag.
#![no_main]

use std::sync::LazyLock;

use classifiers::{CustomClassifier, Sample, classify_with};
use libfuzzer_sys::fuzz_target;

static ROW: LazyLock<[CustomClassifier; 1]> = LazyLock::new(|| {
    let definition = r#"{"XMLClassifier": {"Name": "x", "Classification": "x", "RowTag": "a"}}"#;
    [serde_json::from_str(definition).expect("a definition")]
});

fuzz_target!(|data: &[u8]| {
    let head = [b"<", data].concat();
    for size in [head.len() as u64, 1 << 40] {
        let sample = Sample {
            name: "a.xml",
            size,
            head: &head,
            tail: &[],
        };
        let _any = classify_with(&sample, &[]);
        let _any = classify_with(&sample, &*ROW);
    }
});
