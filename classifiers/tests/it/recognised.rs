//! What is known by its bytes and not read: said so, in words that tell what to do.

use crate::support::{classify_bytes, show};

fn reason(name: &str, bytes: &[u8]) -> String {
    let shown = show(&classify_bytes(name, bytes));
    let (first, rest) = shown.split_once('\n').expect("a line");
    assert_eq!(first, "UNKNOWN 0 0 rows sampled");
    rest.trim().to_owned()
}

/// `{"_id": 7, "name": "Anna", "tags": {"a": true}}` as BSON.
fn document() -> Vec<u8> {
    let mut inside = b"\x08a\0\x01".to_vec();
    inside = [&(inside.len() as u32 + 5).to_le_bytes()[..], &inside, b"\0"].concat();
    let values = [
        b"\x10_id\0\x07\0\0\0\x02name\0\x05\0\0\0Anna\0\x03tags\0".as_slice(),
        &inside,
    ]
    .concat();
    [&(values.len() as u32 + 5).to_le_bytes()[..], &values, b"\0"].concat()
}

#[test]
fn bson_is_known_by_its_structure() {
    let dump = document().repeat(3);
    let bson = "because it is BSON, as MongoDB dumps it (write it anew as JSON, as with bsondump, to have it read), which is \
                recognised but not read";
    assert_eq!(reason("people.bson", &dump), bson);
    assert_eq!(reason("a", &dump), bson, "whatever its name is");
    let mut damaged = dump;
    damaged[4] = 0x60;
    assert!(
        reason("people.bson", &damaged).contains("binary"),
        "there is no such type"
    );
}

#[test]
fn ion_is_known_by_its_version_marker() {
    assert!(
        reason("a.ion", b"\xe0\x01\x00\xea\xd3\x8a\x21\x01").starts_with("because it is binary Amazon Ion")
    );
    assert!(reason("a.ion", b"$ion_1_0\n{id: 1, name: \"Anna\"}\n").starts_with("because it is Amazon Ion"));
}
