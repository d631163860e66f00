//! WIRE: the AWS Glue API.

/// Placeholder until the operations land.
pub async fn handle(_: &crate::app::App, _: &axum::http::HeaderMap, _: axum::body::Bytes) -> axum::response::Response {
    axum::response::IntoResponse::into_response(axum::http::StatusCode::NOT_IMPLEMENTED)
}
