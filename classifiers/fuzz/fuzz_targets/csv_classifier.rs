//! A definition of delimited text as JSON, and a text.
#![no_main]

use classifiers::{CustomClassifier, Sample, classify_with};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    let (definition, text) = data.split_once('\n').unwrap_or((r#"{"Name":"c"}"#, data));
    let definition = format!(r#"{{"CsvClassifier":{definition}}}"#);
    let Ok(custom) = serde_json::from_str::<CustomClassifier>(&definition) else {
        return;
    };
    let size = text.len() as u64;
    let _any = classify_with(
        &Sample {
            name: "a",
            size,
            head: text.as_bytes(),
            tail: &[],
        },
        &[custom],
    );
});
