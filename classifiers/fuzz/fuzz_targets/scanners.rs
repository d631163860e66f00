//! The scanners of whole files, fed in two pieces.
#![no_main]

use classifiers::{CsvDialect, CsvScanner, JsonDocuments, JsonScanner};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((at, data)) = data.split_first() else {
        return;
    };
    let (one, two) = data.split_at(usize::from(*at).min(data.len()));
    let mut csv = CsvScanner::new(&CsvDialect::default());
    if csv.feed(one).and_then(|()| csv.feed(two)).is_ok() {
        let _any = csv.finish();
    }
    for layout in [JsonDocuments::Lines, JsonDocuments::Array, JsonDocuments::Concatenated] {
        let mut json = JsonScanner::new(layout);
        if json.feed(one).and_then(|()| json.feed(two)).is_ok() {
            let _any = json.finish();
        }
    }
});
