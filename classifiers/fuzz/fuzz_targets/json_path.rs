//! A path and documents.
#![no_main]

use classifiers::{ClassifierDefinition, CustomClassifier, JsonClassifier, Sample, classify_with};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    let (path, text) = data.split_once('\n').unwrap_or(("$.a[*]", data));
    let definition = ClassifierDefinition::Json(JsonClassifier {
        name: "j".to_owned(),
        json_path: path.to_owned(),
    });
    let Ok(custom) = CustomClassifier::new(definition) else {
        return;
    };
    for size in [text.len() as u64, 1 << 40] {
        let sample = Sample {
            name: "a",
            size,
            head: text.as_bytes(),
            tail: &[],
        };
        let _any = classify_with(&sample, std::slice::from_ref(&custom));
    }
});
