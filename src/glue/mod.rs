//! WIRE: the AWS Glue API, a service in AWS's protocol (`aws/`).
//!
//! One file for each noun. A request is checked against AWS's own model before an operation sees it; an operation calls one
//! verb and renders what comes back. Members that our model has no place for are kept beside it, as they were sent, and
//! given back.

mod classifiers;
mod column_statistics;
mod connections;
mod crawler_targets;
mod crawlers;
mod crawls;
mod databases;
mod error;
mod functions;
mod iceberg_metadata;
mod jobs;
mod model;
mod partition_indexes;
mod partitions;
mod runs;
mod storage;
mod table_names;
mod table_versions;
mod tables;
mod tags;

use serde_json::Value;

use crate::app::App;
use crate::aws::{self, Answer, Body, Exception, Model};
use crate::error::ErrorKind;

/// The service.
pub(crate) struct Glue;

#[async_trait::async_trait]
impl aws::Service for Glue {
    fn name(&self) -> &'static str {
        "Glue"
    }

    fn prefix(&self) -> &'static str {
        "AWSGlue"
    }

    fn signing_name(&self) -> &'static str {
        "glue"
    }

    fn model(&self) -> &'static Model {
        &model::MODEL
    }

    fn exception(&self, kind: ErrorKind) -> Exception {
        error::exception(kind)
    }

    async fn perform(&self, app: &App, operation: &str, request: Value) -> Answer<Body> {
        perform(app, operation, request).await
    }
}

/// Every operation on one page.
async fn perform(app: &App, operation: &str, request: Value) -> Answer<Body> {
    macro_rules! read {
        () => {
            aws::read(request)?
        };
    }
    let answer = match operation {
        "CreateDatabase" => databases::create(app, read!()).await,
        "UpdateDatabase" => databases::update(app, read!()).await,
        "GetDatabase" => databases::get(app, read!()).await,
        "GetDatabases" => databases::list(app, read!()).await,
        "DeleteDatabase" => databases::delete(app, read!()).await,

        "CreateTable" => tables::create(app, read!()).await,
        "UpdateTable" => tables::update(app, read!()).await,
        "GetTable" => return tables::get(app, read!()).await,
        "GetTables" => return tables::list(app, read!()).await,
        "SearchTables" => return tables::search(app, read!()).await,
        "DeleteTable" => tables::delete(app, read!()).await,
        "BatchDeleteTable" => tables::delete_many(app, read!()).await,

        "GetTableVersion" => table_versions::get(app, read!()).await,
        "GetTableVersions" => table_versions::list(app, read!()).await,
        "DeleteTableVersion" => table_versions::delete(app, read!()).await,
        "BatchDeleteTableVersion" => table_versions::delete_many(app, read!()).await,

        "CreatePartition" => partitions::create(app, read!()).await,
        "BatchCreatePartition" => partitions::create_many(app, read!()).await,
        "UpdatePartition" => partitions::update(app, read!()).await,
        "BatchUpdatePartition" => partitions::update_many(app, read!()).await,
        "GetPartition" => partitions::get(app, read!()).await,
        "BatchGetPartition" => partitions::get_many(app, read!()).await,
        "GetPartitions" => return partitions::list(app, read!()).await,
        "DeletePartition" => partitions::delete(app, read!()).await,
        "BatchDeletePartition" => partitions::delete_many(app, read!()).await,

        "CreatePartitionIndex" => partition_indexes::create(app, read!()).await,
        "GetPartitionIndexes" => partition_indexes::list(app, read!()).await,
        "DeletePartitionIndex" => partition_indexes::delete(app, read!()).await,

        "GetColumnStatisticsForTable" => column_statistics::get(app, read!()).await,
        "UpdateColumnStatisticsForTable" => column_statistics::update(app, read!()).await,
        "DeleteColumnStatisticsForTable" => column_statistics::delete(app, read!()).await,
        "GetColumnStatisticsForPartition" => column_statistics::get(app, read!()).await,
        "UpdateColumnStatisticsForPartition" => column_statistics::update(app, read!()).await,
        "DeleteColumnStatisticsForPartition" => column_statistics::delete(app, read!()).await,

        "CreateUserDefinedFunction" => functions::create(app, read!()).await,
        "UpdateUserDefinedFunction" => functions::update(app, read!()).await,
        "GetUserDefinedFunction" => functions::get(app, read!()).await,
        "GetUserDefinedFunctions" => functions::list(app, read!()).await,
        "DeleteUserDefinedFunction" => functions::delete(app, read!()).await,

        "CreateConnection" => connections::create(app, read!()).await,
        "UpdateConnection" => connections::update(app, read!()).await,
        "GetConnection" => connections::get(app, read!()).await,
        "GetConnections" => connections::list(app, read!()).await,
        "DeleteConnection" => connections::delete(app, read!()).await,
        "BatchDeleteConnection" => connections::delete_many(app, read!()).await,
        "TestConnection" => connections::test(app, read!()).await,

        "TagResource" => tags::change(app, read!()).await,
        "UntagResource" => tags::change(app, read!()).await,
        "GetTags" => tags::list(app, read!()).await,

        "CreateCrawler" => crawlers::create(app, read!()).await,
        "GetCrawler" => crawlers::get(app, read!()).await,
        "GetCrawlers" => crawlers::list(app, read!()).await,
        "ListCrawlers" => crawlers::list_names(app, read!()).await,
        "BatchGetCrawlers" => crawlers::get_many(app, read!()).await,
        "UpdateCrawler" => crawlers::update(app, read!()).await,
        "StartCrawler" => crawlers::start(app, read!()).await,
        "StopCrawler" => crawlers::stop(app, read!()).await,
        "UpdateCrawlerSchedule" => crawlers::set_schedule(app, read!()).await,
        "StartCrawlerSchedule" => crawlers::start_schedule(app, read!()).await,
        "StopCrawlerSchedule" => crawlers::stop_schedule(app, read!()).await,
        "DeleteCrawler" => crawlers::delete(app, read!()).await,
        "ListCrawls" => crawls::list(app, read!()).await,
        "GetCrawlerMetrics" => crawls::metrics(app, read!()).await,

        "CreateClassifier" => classifiers::create(app, read!()).await,
        "UpdateClassifier" => classifiers::update(app, read!()).await,
        "GetClassifier" => classifiers::get(app, read!()).await,
        "GetClassifiers" => classifiers::list(app, read!()).await,
        "DeleteClassifier" => classifiers::delete(app, read!()).await,

        "CreateJob" => jobs::create(app, read!()).await,
        "GetJob" => jobs::get(app, read!()).await,
        "GetJobs" => jobs::list(app, read!()).await,
        "ListJobs" => jobs::list_names(app, read!()).await,
        "DeleteJob" => jobs::delete(app, read!()).await,

        "StartJobRun" => runs::start(app, read!()).await,
        "GetJobRun" => runs::get(app, read!()).await,
        "GetJobRuns" => runs::list(app, read!()).await,
        "BatchStopJobRun" => runs::stop(app, read!()).await,

        _ => Err(aws::not_supported(operation)),
    };
    answer.map(Body::from)
}
