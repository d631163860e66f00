//! Tags.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use crate::app::App;
use crate::aws::{Answer, nothing};
use crate::catalog::tags;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    resource_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Change {
    resource_arn: String,
    #[serde(default)]
    tags_to_add: BTreeMap<String, String>,
    #[serde(default)]
    tags_to_remove: Vec<String>,
}

pub(super) async fn list(app: &App, request: Named) -> Answer {
    let resource = tags::resource(&request.resource_arn, &app.config.catalog.account_id)?;
    Ok(json!({ "Tags": tags::list(app, &resource).await? }))
}

pub(super) async fn change(app: &App, request: Change) -> Answer {
    let resource = tags::resource(&request.resource_arn, &app.config.catalog.account_id)?;
    tags::change(app, &resource, &request.tags_to_add, &request.tags_to_remove).await?;
    Ok(nothing())
}
