//! WIRE: the AWS Glue API, a service in AWS's protocol (`aws/`).
//!
//! One file for each noun. A request is checked against AWS's own model before an operation sees it; an operation calls one
//! verb and renders what comes back. Members that our model has no place for are kept beside it, as they were sent, and
//! given back.

mod answers;
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
mod job_members;
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
mod wording;

use serde_json::Value;

use answers::{Answers, Asked};

use crate::access::Role;
use crate::app::App;
use crate::aws::{self, Answer, Body, Exception, Model};
use crate::error::ErrorKind;

/// The service.
#[derive(Default)]
pub(crate) struct Glue {
    /// What clients ask for more often than for all else: tables.
    tables: Answers,
}

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

    fn role(&self, operation: &str) -> Option<Role> {
        role(operation)
    }

    async fn perform(&self, app: &App, operation: &str, request: Value) -> Answer<Body> {
        let asked = (operation == "GetTable" && tables::is_whole(&request))
            .then(|| Asked::now(app, &request))
            .flatten();
        if let Some(body) = asked.as_ref().and_then(|asked| self.tables.recall(asked)) {
            return Ok(body);
        }
        // On the heap: the future is as large as the largest of all operations', and was moved about otherwise.
        let body = Box::pin(perform(app, operation, request)).await?;
        if let Some(asked) = asked {
            self.tables.remember(app, asked, body.text());
        }
        Ok(body)
    }
}

/// Makes of the page of operations who may ask for each, and what does it.
macro_rules! operations {
    ($($role:ident $name:literal => $operation:path;)+) => {
        fn role(operation: &str) -> Option<Role> {
            match operation {
                $($name => Some(Role::$role),)+
                _ => None,
            }
        }

        async fn perform(app: &App, operation: &str, request: Value) -> Answer<Body> {
            match operation {
                $($name => $operation(app, aws::read(request)?).await.map(Body::from),)+
                _ => Err(aws::not_supported(operation)),
            }
        }
    };
}

// Every operation on one page, and the role that it needs: a viewer reads, an editor changes the catalog and definitions, an
// operator starts and stops. (No operation reads data. The passwords of connections are for admins alone; others get a
// connection without.)
operations! {
    Editor "CreateDatabase" => databases::create;
    Editor "UpdateDatabase" => databases::update;
    Viewer "GetDatabase" => databases::get;
    Viewer "GetDatabases" => databases::list;
    Editor "DeleteDatabase" => databases::delete;

    Editor "CreateTable" => tables::create;
    Editor "UpdateTable" => tables::update;
    Viewer "GetTable" => tables::get;
    Viewer "GetTables" => tables::list;
    Viewer "SearchTables" => tables::search;
    Editor "DeleteTable" => tables::delete;
    Editor "BatchDeleteTable" => tables::delete_many;

    Viewer "GetTableVersion" => table_versions::get;
    Viewer "GetTableVersions" => table_versions::list;
    Editor "DeleteTableVersion" => table_versions::delete;
    Editor "BatchDeleteTableVersion" => table_versions::delete_many;

    Editor "CreatePartition" => partitions::create;
    Editor "BatchCreatePartition" => partitions::create_many;
    Editor "UpdatePartition" => partitions::update;
    Editor "BatchUpdatePartition" => partitions::update_many;
    Viewer "GetPartition" => partitions::get;
    Viewer "BatchGetPartition" => partitions::get_many;
    Viewer "GetPartitions" => partitions::list;
    Editor "DeletePartition" => partitions::delete;
    Editor "BatchDeletePartition" => partitions::delete_many;

    Editor "CreatePartitionIndex" => partition_indexes::create;
    Viewer "GetPartitionIndexes" => partition_indexes::list;
    Editor "DeletePartitionIndex" => partition_indexes::delete;

    Viewer "GetColumnStatisticsForTable" => column_statistics::get;
    Editor "UpdateColumnStatisticsForTable" => column_statistics::update;
    Editor "DeleteColumnStatisticsForTable" => column_statistics::delete;
    Viewer "GetColumnStatisticsForPartition" => column_statistics::get;
    Editor "UpdateColumnStatisticsForPartition" => column_statistics::update;
    Editor "DeleteColumnStatisticsForPartition" => column_statistics::delete;

    Editor "CreateUserDefinedFunction" => functions::create;
    Editor "UpdateUserDefinedFunction" => functions::update;
    Viewer "GetUserDefinedFunction" => functions::get;
    Viewer "GetUserDefinedFunctions" => functions::list;
    Editor "DeleteUserDefinedFunction" => functions::delete;

    Editor "CreateConnection" => connections::create;
    Editor "UpdateConnection" => connections::update;
    Viewer "GetConnection" => connections::get;
    Viewer "GetConnections" => connections::list;
    Editor "DeleteConnection" => connections::delete;
    Editor "BatchDeleteConnection" => connections::delete_many;
    Operator "TestConnection" => connections::test;

    Editor "TagResource" => tags::change;
    Editor "UntagResource" => tags::change;
    Viewer "GetTags" => tags::list;

    Editor "CreateCrawler" => crawlers::create;
    Viewer "GetCrawler" => crawlers::get;
    Viewer "GetCrawlers" => crawlers::list;
    Viewer "ListCrawlers" => crawlers::list_names;
    Viewer "BatchGetCrawlers" => crawlers::get_many;
    Editor "UpdateCrawler" => crawlers::update;
    Operator "StartCrawler" => crawlers::start;
    Operator "StopCrawler" => crawlers::stop;
    Editor "UpdateCrawlerSchedule" => crawlers::set_schedule;
    Operator "StartCrawlerSchedule" => crawlers::start_schedule;
    Operator "StopCrawlerSchedule" => crawlers::stop_schedule;
    Editor "DeleteCrawler" => crawlers::delete;
    Viewer "ListCrawls" => crawls::list;
    Viewer "GetCrawlerMetrics" => crawls::metrics;

    Editor "CreateClassifier" => classifiers::create;
    Editor "UpdateClassifier" => classifiers::update;
    Viewer "GetClassifier" => classifiers::get;
    Viewer "GetClassifiers" => classifiers::list;
    Editor "DeleteClassifier" => classifiers::delete;

    Editor "CreateJob" => jobs::create;
    Viewer "GetJob" => jobs::get;
    Viewer "GetJobs" => jobs::list;
    Viewer "ListJobs" => jobs::list_names;
    Viewer "BatchGetJobs" => jobs::get_many;
    Editor "UpdateJob" => jobs::update;
    Editor "DeleteJob" => jobs::delete;

    Operator "StartJobRun" => runs::start;
    Viewer "GetJobRun" => runs::get;
    Viewer "GetJobRuns" => runs::list;
    Operator "BatchStopJobRun" => runs::stop;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_and_the_model_name_the_same_operations() {
        let missing: Vec<&str> = model::MODEL
            .served()
            .filter(|name| role(name).is_none())
            .collect();
        assert_eq!(missing, Vec::<&str>::new());
    }
}
