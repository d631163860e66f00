//! A pattern, patterns of one's own, and a text, one behind the other.
#![no_main]

use classifiers::{ClassifierDefinition, CustomClassifier, GrokClassifier, Sample, classify_with};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    let mut parts = data.splitn(3, '\u{1}');
    let (pattern, custom, text) = (parts.next(), parts.next(), parts.next().unwrap_or("1 a\n2 b\n"));
    let definition = ClassifierDefinition::Grok(GrokClassifier {
        name: "g".to_owned(),
        classification: "g".to_owned(),
        grok_pattern: pattern.unwrap_or_default().to_owned(),
        custom_patterns: custom.map(str::to_owned),
    });
    let Ok(custom) = CustomClassifier::new(definition) else {
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
