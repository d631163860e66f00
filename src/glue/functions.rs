//! User-defined functions.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::aws::{
    Answer, Failure, Members, check_catalog, nothing, page, required, seconds, token, with_kept,
};
use crate::catalog::functions;
use crate::error::{Error, ErrorKind};
use crate::model::function::{Function, FunctionInput};

use super::error::ALREADY_EXISTS;
use super::table_names;

/// The most functions of a page (`CatalogGetterPageSize`).
const MAX_PAGE: u32 = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    catalog_id: Option<String>,
    database_name: String,
    function_input: Input,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Update {
    catalog_id: Option<String>,
    database_name: String,
    function_name: String,
    function_input: Input,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    function_name: Option<String>,
    #[serde(flatten)]
    kept: Members,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    catalog_id: Option<String>,
    database_name: String,
    function_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    catalog_id: Option<String>,
    database_name: Option<String>,
    pattern: String,
    function_type: Option<String>,
    next_token: Option<String>,
    max_results: Option<u32>,
}

pub(super) async fn create(app: &App, request: Create) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    let input = FunctionInput {
        name: required(request.function_input.function_name, "functionInput.functionName")?,
        other: request.function_input.kept,
    };
    functions::create(app, &request.database_name, input)
        .await
        .map_err(worded)?;
    Ok(nothing())
}

pub(super) async fn update(app: &App, request: Update) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    let input = FunctionInput {
        name: request
            .function_input
            .function_name
            .unwrap_or_else(|| request.function_name.clone()),
        other: request.function_input.kept,
    };
    functions::update(app, &request.database_name, &request.function_name, input)
        .await
        .map_err(worded)?;
    Ok(nothing())
}

pub(super) async fn get(app: &App, request: Named) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    let function = functions::get(app, &request.database_name, &request.function_name).await?;
    Ok(json!({ "UserDefinedFunction": rendered(app, &function) }))
}

pub(super) async fn list(app: &App, request: List) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    let page = page(request.max_results, request.next_token.as_deref(), MAX_PAGE)?;
    let pattern = table_names::pattern(&request.pattern)?;
    let found = functions::list(app, request.database_name.as_deref(), pattern.as_ref(), &page).await?;
    let wanted = |function: &&Function| {
        let own = function.input.other.get("FunctionType").and_then(Value::as_str);
        request
            .function_type
            .as_deref()
            .is_none_or(|wanted| own == Some(wanted))
    };
    let list: Vec<Value> = found
        .items
        .iter()
        .filter(wanted)
        .map(|function| rendered(app, function))
        .collect();
    Ok(json!({ "UserDefinedFunctions": list, "NextToken": token(found.next) }))
}

pub(super) async fn delete(app: &App, request: Named) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    functions::delete(app, &request.database_name, &request.function_name).await?;
    Ok(nothing())
}

fn worded(error: Error) -> Failure {
    let message = "Function already exists.";
    Failure::worded(error, ErrorKind::AlreadyExists, ALREADY_EXISTS, message)
}

fn rendered(app: &App, function: &Function) -> Value {
    let own = json!({
        "FunctionName": function.input.name,
        "DatabaseName": function.database,
        "CreateTime": seconds(function.created_at),
        "CatalogId": app.config.catalog.account_id,
    });
    with_kept(own, &function.input.other)
}
