//! Connections.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::Role;
use crate::app::App;
use crate::aws::{
    Answer, Failure, Members, check_catalog, nothing, page, required, seconds, token, with_kept,
};
use crate::catalog::{connections, tags};
use crate::error::{Error, ErrorKind};
use crate::model::connection::{Connection, ConnectionInput};
use crate::model::table::Parameters;

use super::error::{ALREADY_EXISTS, detail, invalid};

/// The most connections of a page (`PageSize`).
const MAX_PAGE: u32 = 1000;
const AUTHENTICATION: &str = "AuthenticationConfiguration";
/// What of a request for a connection is no part of the connection.
const ASKED: [&str; 2] = ["ValidateCredentials", "ValidateForComputeEnvironments"];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    catalog_id: Option<String>,
    connection_input: Input,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Update {
    catalog_id: Option<String>,
    name: String,
    connection_input: Input,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    name: Option<String>,
    connection_type: String,
    connection_properties: Parameters,
    #[serde(flatten)]
    kept: Members,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    catalog_id: Option<String>,
    #[serde(alias = "ConnectionName")]
    name: String,
    #[serde(default)]
    hide_password: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NamedMany {
    catalog_id: Option<String>,
    connection_name_list: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    catalog_id: Option<String>,
    #[serde(default)]
    filter: Filter,
    #[serde(default)]
    hide_password: bool,
    next_token: Option<String>,
    max_results: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    #[serde(default)]
    match_criteria: Vec<String>,
    connection_type: Option<String>,
    connection_schema_version: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Test {
    catalog_id: Option<String>,
    connection_name: Option<String>,
    test_connection_input: Option<Input>,
}

pub(super) async fn create(app: &App, request: Create) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    let input = request.connection_input.into_model()?;
    let resource = format!("connection/{}", input.name);
    connections::create(app, input).await.map_err(worded)?;
    tags::put_new(app, &resource, &request.tags).await?;
    Ok(json!({ "CreateConnectionStatus": "READY" }))
}

pub(super) async fn update(app: &App, request: Update) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    let input = request.connection_input.into_model()?;
    connections::update(app, &request.name, input)
        .await
        .map_err(worded)?;
    Ok(nothing())
}

pub(super) async fn get(app: &App, request: Named) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    let connection = connections::get(app, &request.name).await?;
    Ok(json!({ "Connection": rendered(app, &connection, request.hide_password) }))
}

pub(super) async fn list(app: &App, request: List) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    let page = page(request.max_results, request.next_token.as_deref(), MAX_PAGE)?;
    let filter = &request.filter;
    let wanted = |connection: &Connection| {
        let input = &connection.input;
        let own = input.other.get("MatchCriteria").and_then(Value::as_array);
        let has = |wanted: &String| own.is_some_and(|own| own.iter().any(|one| one == wanted));
        filter
            .connection_type
            .as_ref()
            .is_none_or(|wanted| *wanted == input.connection_type)
            && filter.match_criteria.iter().all(has)
            && filter
                .connection_schema_version
                .is_none_or(|wanted| wanted == schema_version(input))
    };
    let found = connections::list(app, wanted, &page).await?;
    let list: Vec<Value> = found
        .items
        .iter()
        .map(|connection| rendered(app, connection, request.hide_password))
        .collect();
    Ok(json!({ "ConnectionList": list, "NextToken": token(found.next) }))
}

pub(super) async fn delete(app: &App, request: Named) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    connections::delete(app, &request.name).await?;
    Ok(nothing())
}

pub(super) async fn delete_many(app: &App, request: NamedMany) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    let (mut succeeded, mut errors) = (Vec::new(), serde_json::Map::new());
    for name in request.connection_name_list {
        match connections::delete(app, &name).await {
            Ok(()) => succeeded.push(name),
            Err(error) => {
                errors.insert(name, detail(error.into())?);
            }
        }
    }
    Ok(json!({ "Succeeded": succeeded, "Errors": errors }))
}

pub(super) async fn test(app: &App, request: Test) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    let input = match (request.connection_name, request.test_connection_input) {
        (Some(name), _) => connections::get(app, &name).await?.input,
        (None, Some(input)) => Input {
            name: Some("test".to_owned()),
            ..input
        }
        .into_model()?,
        (None, None) => {
            return Err(invalid(
                "Either ConnectionName or TestConnectionInput must be given.",
            ));
        }
    };
    connections::try_out(&input)
        .await
        .map_err(|error| match error.kind {
            // Whatever is wrong, it is the connection's: nobody was denied the operation, and it does exist.
            ErrorKind::Unavailable | ErrorKind::Denied | ErrorKind::NotFound => {
                invalid(format!("The connection failed: {}.", error.message))
            }
            _ => error.into(),
        })?;
    Ok(nothing())
}

impl Input {
    fn into_model(self) -> Answer<ConnectionInput> {
        Ok(ConnectionInput {
            name: required(self.name, "connectionInput.name")?,
            connection_type: self.connection_type,
            properties: self.connection_properties,
            other: self.kept,
        })
    }
}

fn worded(error: Error) -> Failure {
    let message = "Connection already exists.";
    Failure::worded(error, ErrorKind::AlreadyExists, ALREADY_EXISTS, message)
}

/// Connections that sign in by an `AuthenticationConfiguration` are AWS's second kind.
fn schema_version(input: &ConnectionInput) -> i64 {
    if input.other.contains_key(AUTHENTICATION) {
        2
    } else {
        1
    }
}

fn rendered(app: &App, connection: &Connection, hide_password: bool) -> Value {
    let input = &connection.input;
    let properties: Parameters = if hide_password || app.caller.role < Role::Admin {
        let settings = input.without_secrets();
        let shown = settings.filter_map(|(name, value)| Some((name.to_owned(), value?)));
        shown.collect()
    } else {
        input.properties.clone()
    };
    let mut kept = input.other.clone();
    kept.retain(|name, _| !ASKED.contains(&name.as_str()));
    if let Some(Value::Object(authentication)) = kept.get_mut(AUTHENTICATION) {
        without_secrets(authentication);
    }
    let own = json!({
        "Name": input.name,
        "ConnectionType": input.connection_type,
        "ConnectionProperties": properties,
        "CreationTime": seconds(connection.created_at),
        "LastUpdatedTime": seconds(connection.updated_at),
        "LastUpdatedBy": format!("arn:aws:iam::{}:root", app.config.catalog.account_id),
        "Status": "READY",
        "ConnectionSchemaVersion": schema_version(input),
        "CompatibleComputeEnvironments": input.other.get("ValidateForComputeEnvironments"),
    });
    with_kept(own, &kept)
}

/// Leaves what AWS gives back of how a connection signs in: never what was entrusted to it.
fn without_secrets(authentication: &mut Members) {
    authentication.retain(|name, _| {
        matches!(
            name.as_str(),
            "AuthenticationType" | "SecretArn" | "KmsKeyArn" | "OAuth2Properties"
        )
    });
    if let Some(Value::Object(properties)) = authentication.get_mut("OAuth2Properties") {
        properties.retain(|name, _| {
            matches!(
                name.as_str(),
                "OAuth2GrantType" | "OAuth2ClientApplication" | "TokenUrl" | "TokenUrlParametersMap"
            )
        });
    }
}
