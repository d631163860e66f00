//! The Glue API, in the words of AWS's own client.

mod batches;
mod clients_jobs;
mod commits;
mod costs;
mod crawlers;
mod databases;
mod jobs;
mod partitions;
mod protocol;
mod runs;
mod tables;

use aws_sdk_glue::Client;
use aws_sdk_glue::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_glue::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_glue::operation::create_crawler::builders::CreateCrawlerFluentBuilder;
use aws_sdk_glue::types::{
    Column, Crawler, CrawlerTargets, DatabaseInput, S3Target, StorageDescriptor, TableInput,
};

use crate::harness::TestApp;

/// The account that the catalog calls itself by default.
const ACCOUNT: &str = "123456789012";

pub(crate) fn client(app: &TestApp) -> Client {
    let config = aws_sdk_glue::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(app.glue_url())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("any", "thing", None, None, "test"))
        .build();
    Client::from_conf(config)
}

/// What went wrong, as the client tells it: the exception's name and the message.
#[track_caller]
pub(crate) fn refusal<T: std::fmt::Debug, E>(outcome: Result<T, SdkError<E>>) -> (String, String)
where
    E: ProvideErrorMetadata + std::fmt::Debug,
{
    let SdkError::ServiceError(error) = outcome.unwrap_err() else {
        panic!("it is no answer of the service")
    };
    let error = error.into_err();
    (
        error.code().unwrap_or_default().to_owned(),
        error.message().unwrap_or_default().to_owned(),
    )
}

/// What `refusal` gives, made easy to compare with.
pub(crate) fn saying(exception: &str, message: &str) -> (String, String) {
    (exception.to_owned(), message.to_owned())
}

/// Asks for a crawler of a path into a database; what else is said of it comes behind.
pub(crate) fn create_crawler(
    glue: &Client,
    name: &str,
    path: &str,
    database: &str,
) -> CreateCrawlerFluentBuilder {
    let target = S3Target::builder().path(path).build();
    glue.create_crawler()
        .name(name)
        .role("any")
        .database_name(database)
        .targets(CrawlerTargets::builder().s3_targets(target).build())
}

/// A crawler that is there.
pub(crate) async fn crawler_named(glue: &Client, name: &str) -> Crawler {
    let answer = glue.get_crawler().name(name).send().await.unwrap();
    answer.crawler.unwrap()
}

async fn make_database(glue: &Client, name: &str) {
    let input = DatabaseInput::builder().name(name).build().unwrap();
    glue.create_database().database_input(input).send().await.unwrap();
}

fn column(name: &str, data_type: &str) -> Column {
    Column::builder().name(name).r#type(data_type).build().unwrap()
}

fn a_table(name: &str) -> TableInput {
    let storage = StorageDescriptor::builder()
        .columns(column("id", "bigint"))
        .location("s3://lake/x/")
        .build();
    TableInput::builder()
        .name(name)
        .storage_descriptor(storage)
        .build()
        .unwrap()
}

async fn make_table(glue: &Client, database: &str, name: &str) {
    glue.create_table()
        .database_name(database)
        .table_input(a_table(name))
        .send()
        .await
        .unwrap();
}
