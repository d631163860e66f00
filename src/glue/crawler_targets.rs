//! What a crawler crawls: objects (`S3Targets`) and tables of other databases (`JdbcTargets`).

use serde::Deserialize;
use serde_json::{Value, json};

use crate::aws::{Answer, Members, read_value, required, with_kept};
use crate::model::crawl::{AdditionalMetadata, CrawlTarget, CrawlerInput};

use super::error::invalid;

/// Where what was sent with the targets is kept.
pub(super) const TARGETS: &str = "Targets";
/// Prefixes of object stores.
const S3_TARGETS: &str = "S3Targets";
/// Tables of databases.
const JDBC_TARGETS: &str = "JdbcTargets";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct S3Target {
    path: Option<String>,
    #[serde(default)]
    exclusions: Vec<String>,
    sample_size: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct JdbcTarget {
    connection_name: Option<String>,
    #[serde(default)]
    path: String,
    #[serde(default)]
    exclusions: Vec<String>,
    #[serde(default)]
    enable_additional_metadata: Vec<AdditionalMetadata>,
}

/// The targets that were sent.
pub(super) fn read(sent: &Members) -> Answer<Vec<CrawlTarget>> {
    let has_items = |list: &Value| list.as_array().is_none_or(|items| !items.is_empty());
    let is_known = |kind: &str| kind == S3_TARGETS || kind == JDBC_TARGETS;
    if let Some((kind, _)) = sent
        .iter()
        .find(|(kind, list)| !is_known(kind) && has_items(list))
    {
        return Err(invalid(format!(
            "{kind} can't be crawled yet: give S3Targets and JdbcTargets only."
        )));
    }
    let mut targets = Vec::new();
    let objects: Vec<S3Target> = items(sent, S3_TARGETS)?;
    for (index, target) in objects.into_iter().enumerate() {
        let member = format!("targets.s3Targets.{}.member.path", index + 1);
        targets.push(CrawlTarget {
            path: required(target.path, &member)?,
            exclusions: target.exclusions,
            sample_size: target.sample_size,
            ..CrawlTarget::default()
        });
    }
    let databases: Vec<JdbcTarget> = items(sent, JDBC_TARGETS)?;
    for (index, target) in databases.into_iter().enumerate() {
        let member = format!("targets.jdbcTargets.{}.member.connectionName", index + 1);
        targets.push(CrawlTarget {
            path: target.path,
            exclusions: target.exclusions,
            connection: Some(required(target.connection_name, &member)?),
            additional_metadata: target.enable_additional_metadata,
            ..CrawlTarget::default()
        });
    }
    if targets.is_empty() {
        return Err(invalid(
            "The crawler has no targets: give S3Targets, each with a Path, or JdbcTargets, each with a ConnectionName.",
        ));
    }
    Ok(targets)
}

fn items<T: serde::de::DeserializeOwned>(sent: &Members, kind: &str) -> Answer<Vec<T>> {
    sent.get(kind).map_or(Ok(Vec::new()), read_value)
}

/// The targets with what was sent with each: queues and the like.
pub(super) fn rendered(input: &CrawlerInput) -> Value {
    let sent = |kind: &str| {
        let list = input.other.get(TARGETS).and_then(|targets| targets.get(kind));
        list.and_then(Value::as_array)
    };
    let kept = |path: &str| {
        let target = sent(S3_TARGETS)?
            .iter()
            .find(|target| target.get("Path").and_then(Value::as_str) == Some(path))?;
        target.as_object()
    };
    let (mut objects, mut databases) = (Vec::new(), Vec::new());
    for target in &input.targets {
        let mut own = json!({ "Path": target.path, "Exclusions": target.exclusions });
        if let Some(connection) = &target.connection {
            own["ConnectionName"] = json!(connection);
            own["EnableAdditionalMetadata"] = json!(target.additional_metadata);
            databases.push(own);
            continue;
        }
        if let Some(size) = target.sample_size {
            own["SampleSize"] = json!(size);
        }
        objects.push(match kept(&target.path) {
            Some(members) => with_kept(own, members),
            None => own,
        });
    }
    json!({ S3_TARGETS: objects, JDBC_TARGETS: databases })
}
