//! The OpenAPI document that the frontend's client is generated from is the one that the server gives.

#[test]
fn the_frontends_document_is_the_servers() {
    let ours = mastic::api::document().unwrap();
    let theirs =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/frontend/openapi.json")).unwrap();
    assert!(
        ours.trim() == theirs.trim(),
        "frontend/openapi.json is out of date: run `make openapi` and commit what changes"
    );
}
