//! What can be done with tags.

use std::collections::BTreeMap;

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::name::TableRef;
use crate::store::{self, Read, Write};

/// The most tags of a resource (AWS's limit).
const MAX_TAGS: usize = 50;

/// A resource: the part of its ARN behind the account, `table/shop/sales`.
///
/// # Errors
/// Invalid where `arn` is no ARN of Glue's, or of another account than `account`.
pub fn resource(arn: &str, account: &str) -> Result<String> {
    let mut parts = arn.splitn(6, ':');
    let wrong = || {
        Error::invalid(format!("'{arn}' is not the ARN of a resource here"))
            .hint("write it as arn:aws:glue:REGION:ACCOUNT:table/DATABASE/TABLE")
    };
    let (scheme, service) = (parts.next(), parts.nth(1));
    let (owner, resource) = (parts.nth(1), parts.next());
    match (scheme, service, owner, resource) {
        (Some("arn"), Some("glue"), Some(owner), Some(resource)) if owner == account => {
            let is_folded = ["database/", "table/", "userDefinedFunction/"]
                .iter()
                .any(|kind| resource.starts_with(kind));
            Ok(match resource.split_once('/') {
                Some((kind, name)) if is_folded => format!("{kind}/{}", name.to_lowercase()),
                _ => resource.to_owned(),
            })
        }
        _ => Err(wrong()),
    }
}

/// The tags of a resource.
///
/// # Errors
/// NotFound where the resource isn't there.
pub async fn list(app: &App, resource: &str) -> Result<BTreeMap<String, String>> {
    let mut tx = app.store.read().await?;
    require(&mut tx, resource).await?;
    store::tags::list(&mut tx, resource).await
}

/// Changes the tags of a resource: adds `added`, removes those with the keys `removed`.
///
/// # Errors
/// NotFound where the resource isn't there; Limit for too many tags.
pub async fn change(
    app: &App,
    resource: &str,
    added: &BTreeMap<String, String>,
    removed: &[String],
) -> Result<()> {
    let mut tx = app.store.write().await?;
    require(&mut tx, resource).await?;
    put(&mut tx, resource, added).await?;
    for key in removed {
        store::tags::delete(&mut tx, resource, key).await?;
    }
    if let Some((database, name)) = resource
        .strip_prefix("table/")
        .and_then(|rest| rest.split_once('/'))
    {
        let name = TableRef {
            database: database.to_owned(),
            name: name.to_owned(),
        };
        if let Some(table) = store::tables::find(&mut tx, &name).await? {
            store::search::put(&mut tx, &table.id, &table.input).await?;
        }
    }
    tx.commit().await
}

/// Adds tags to a resource that is there, inside a transaction.
///
/// # Errors
/// Limit for too many tags.
pub async fn put(tx: &mut Write, resource: &str, tags: &BTreeMap<String, String>) -> Result<()> {
    for (key, value) in tags {
        store::tags::upsert(tx, resource, key, value).await?;
    }
    if !tags.is_empty() && store::tags::list(tx, resource).await?.len() > MAX_TAGS {
        return Err(Error::new(
            crate::error::ErrorKind::Limit,
            format!("{resource} would have more than {MAX_TAGS} tags"),
        ));
    }
    Ok(())
}

/// Tags a resource that is being made.
///
/// # Errors
/// As [`put`].
pub async fn put_new(app: &App, resource: &str, tags: &BTreeMap<String, String>) -> Result<()> {
    if tags.is_empty() {
        return Ok(());
    }
    let mut tx = app.store.write().await?;
    put(&mut tx, resource, tags).await?;
    tx.commit().await
}

async fn require(tx: &mut Read, resource: &str) -> Result<()> {
    let (kind, name) = resource.split_once('/').unwrap_or((resource, ""));
    let is_there = match kind {
        "catalog" => true,
        "database" => store::databases::find(tx, name).await?.is_some(),
        "table" => match name.split_once('/') {
            Some((database, table)) => {
                let name = TableRef {
                    database: database.to_owned(),
                    name: table.to_owned(),
                };
                store::tables::find(tx, &name).await?.is_some()
            }
            None => false,
        },
        "userDefinedFunction" => match name.split_once('/') {
            Some((database, function)) => store::functions::find(tx, database, function).await?.is_some(),
            None => false,
        },
        "connection" => store::connections::find(tx, name).await?.is_some(),
        "crawler" => store::crawls::find_crawler(tx, name).await?.is_some(),
        "job" => store::jobs::find(tx, name).await?.is_some(),
        "trigger" => store::triggers::find(tx, name).await?.is_some(),
        _ => false,
    };
    if is_there {
        return Ok(());
    }
    Err(Error::not_found(format!("{resource} not found")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_lead_to_resources() {
        let resource = |arn: &str| resource(arn, "123456789012").ok();
        let found = |text: &str| Some(text.to_owned());
        assert_eq!(
            resource("arn:aws:glue:eu-west-1:123456789012:table/Shop/Sales"),
            found("table/shop/sales")
        );
        assert_eq!(
            resource("arn:aws-cn:glue:cn-north-1:123456789012:job/Nightly"),
            found("job/Nightly")
        );
        assert_eq!(
            resource("arn:aws:glue:us-east-1:123456789012:catalog"),
            found("catalog")
        );
        assert_eq!(resource("arn:aws:glue:us-east-1:999999999999:job/x"), None);
        assert_eq!(resource("arn:aws:s3:us-east-1:123456789012:job/x"), None);
        assert_eq!(resource("table/shop/sales"), None);
    }
}
