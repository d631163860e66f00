//! A catalog moves: out of one Mastic, into another, to Hive and to Terraform.

use std::path::Path;

use crate::both_databases;
use crate::harness::Database;
use crate::harness::process::ServeProcess;

both_databases! {
    an_import_of_an_export_is_the_same_catalog,
    an_import_goes_on_where_it_was_interrupted,
}

/// A catalog as an export writes it, with something of every kind.
const CATALOG: &str = r#"{"CreateDatabase":{"DatabaseInput":{"Description":"it's ${ours}","LocationUri":"s3://lake/shop/","Name":"shop","Parameters":{"owner":"ada"}}}}
{"TagResource":{"ResourceArn":"arn:aws:glue:us-east-1:123456789012:database/shop","TagsToAdd":{"team":"retail"}}}
{"CreateTable":{"DatabaseName":"shop","PartitionIndexes":[{"IndexName":"by_year","Keys":["year"]}],"TableInput":{"Description":"what was sold","Name":"sales","Owner":"ada","Parameters":{"classification":"csv","skip.header.line.count":"1"},"PartitionKeys":[{"Name":"year","Type":"int"},{"Comment":"two digits","Name":"month","Type":"string"}],"Retention":0,"StorageDescriptor":{"BucketColumns":["id"],"Columns":[{"Comment":"the key; it's unique","Name":"id","Parameters":{"pii":"no"},"Type":"bigint"},{"Name":"amount","Type":"decimal(10,2)"}],"Compressed":true,"InputFormat":"org.apache.hadoop.mapred.TextInputFormat","Location":"s3://lake/shop/sales/","NumberOfBuckets":4,"OutputFormat":"org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat","Parameters":{"a":"b"},"SerdeInfo":{"Name":"csv","Parameters":{"field.delim":","},"SerializationLibrary":"org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"},"SortColumns":[{"Column":"id","SortOrder":1}],"StoredAsSubDirectories":false},"TableType":"EXTERNAL_TABLE"}}}
{"TagResource":{"ResourceArn":"arn:aws:glue:us-east-1:123456789012:table/shop/sales","TagsToAdd":{"pii":"no"}}}
{"UpdateColumnStatisticsForTable":{"ColumnStatisticsList":[{"AnalyzedTime":1700000000.0,"ColumnName":"id","ColumnType":"bigint","StatisticsData":{"LongColumnStatisticsData":{"MaximumValue":9,"MinimumValue":1,"NumberOfDistinctValues":9,"NumberOfNulls":0},"Type":"LONG"}}],"DatabaseName":"shop","TableName":"sales"}}
{"BatchCreatePartition":{"DatabaseName":"shop","PartitionInputList":[{"Parameters":{},"StorageDescriptor":{"Columns":[{"Name":"id","Type":"bigint"}],"Compressed":false,"Location":"s3://lake/shop/sales/year=2022/month=01/","NumberOfBuckets":0,"StoredAsSubDirectories":false},"Values":["2022","01"]},{"Parameters":{"rows":"5"},"Values":["2022","__HIVE_DEFAULT_PARTITION__"]}],"TableName":"sales"}}
{"UpdateColumnStatisticsForPartition":{"ColumnStatisticsList":[{"AnalyzedTime":1700000000.0,"ColumnName":"id","ColumnType":"bigint","StatisticsData":{"LongColumnStatisticsData":{"NumberOfDistinctValues":3,"NumberOfNulls":0},"Type":"LONG"}}],"DatabaseName":"shop","PartitionValues":["2022","01"],"TableName":"sales"}}
{"CreateTable":{"DatabaseName":"shop","TableInput":{"Name":"totals","Parameters":{},"PartitionKeys":[],"Retention":0,"TableType":"VIRTUAL_VIEW","ViewExpandedText":"SELECT 1","ViewOriginalText":"SELECT 1"}}}
{"CreateUserDefinedFunction":{"DatabaseName":"shop","FunctionInput":{"ClassName":"org.shop.Vat","FunctionName":"vat","OwnerName":"ada","OwnerType":"USER","ResourceUris":[{"ResourceType":"JAR","Uri":"s3://lake/vat.jar"}]}}}
{"CreateDatabase":{"DatabaseInput":{"Name":"spare","Parameters":{}}}}
{"CreateConnection":{"ConnectionInput":{"ConnectionProperties":{"JDBC_CONNECTION_URL":"jdbc:postgresql://127.0.0.1:5432/shop","PASSWORD":"secret","USERNAME":"ada"},"ConnectionType":"JDBC","Name":"shop-db","PhysicalConnectionRequirements":{"AvailabilityZone":"us-east-1a"}}}}
"#;

const HIVE: &str = r"CREATE DATABASE IF NOT EXISTS `shop`
COMMENT 'it\'s ${ours}'
LOCATION 's3://lake/shop/'
WITH DBPROPERTIES ('owner' = 'ada');

CREATE EXTERNAL TABLE `shop`.`sales` (
  `id` bigint COMMENT 'the key; it\'s unique',
  `amount` decimal(10,2)
)
COMMENT 'what was sold'
PARTITIONED BY (
  `year` int,
  `month` string COMMENT 'two digits'
)
CLUSTERED BY (`id`) SORTED BY (`id`) INTO 4 BUCKETS
";

async fn an_import_of_an_export_is_the_same_catalog(database: Database) {
    let folder = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let urls = [database.url(&folder).await, database.url(&other).await];
    tokio::task::spawn_blocking(move || {
        let first = ServeProcess::start(folder.path(), &urls[0]);
        let second = ServeProcess::start(other.path(), &urls[1]);
        let file = folder.path().join("catalog.jsonl");
        std::fs::write(&file, CATALOG).unwrap();
        let (_, said, code) = first.mastic(&["import", "glue-json", file.to_str().unwrap()]);
        assert_eq!((code, said.as_str()), (0, IMPORTED), "{said}");
        assert_eq!(exported(&first, "glue-json"), CATALOG);

        // From one server to another, as from AWS.
        let state = other.path().join("state");
        let import = ["import", "glue", "--endpoint-url", &first.url, "--state", state.to_str().unwrap()];
        let (_, said, code) = signed(&second, &import);
        assert_eq!((code, said.as_str()), (0, IMPORTED), "{said}");
        assert_eq!(exported(&second, "glue-json"), CATALOG);
        assert!(!state.exists(), "what is done needs no note");

        // Once more, over what is there.
        let (_, said, code) = signed(&second, &import);
        assert_eq!((code, said.as_str()), (0, IMPORTED), "{said}");
        assert_eq!(exported(&second, "glue-json"), CATALOG);

        let hive = exported(&second, "hive-ddl");
        assert!(hive.starts_with(HIVE), "{hive}");
        assert!(
            hive.contains("PARTITION (`year` = '2022', `month` = '01') LOCATION 's3://lake/shop/sales/year=2022/month=01/'"),
            "{hive}"
        );
        assert!(hive.contains("CREATE VIEW `shop`.`totals` AS\nSELECT 1;"), "{hive}");
        let terraform: serde_json::Value = serde_json::from_str(&exported(&second, "terraform")).unwrap();
        let database = &terraform["resource"]["aws_glue_catalog_database"]["shop"];
        assert_eq!(database["description"], "it's $${ours}", "Terraform would take ${{…}} for its own");
        let table = &terraform["resource"]["aws_glue_catalog_table"]["shop_sales"];
        assert_eq!(table["storage_descriptor"]["columns"][1]["type"], "decimal(10,2)");
        assert_eq!(table["partition_index"][0]["keys"][0], "year");
    })
    .await
    .unwrap();
}

const IMPORTED: &str = "imported databases: 2, tables: 2, partitions: 2, others: 6\n";

async fn an_import_goes_on_where_it_was_interrupted(database: Database) {
    let folder = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let urls = [database.url(&folder).await, database.url(&other).await];
    tokio::task::spawn_blocking(move || {
        let first = ServeProcess::start(folder.path(), &urls[0]);
        let second = ServeProcess::start(other.path(), &urls[1]);
        let file = folder.path().join("catalog.jsonl");
        // The last line is cut off: what is above it comes in, and the error says where it was.
        let cut = CATALOG.trim_end().strip_suffix("}}").unwrap();
        std::fs::write(&file, cut).unwrap();
        let import = ["import", "glue-json", file.to_str().unwrap()];
        let (_, said, code) = first.mastic(&import);
        assert_eq!(code, 1);
        assert!(
            said.contains("catalog.jsonl, line 11: this is no Glue request"),
            "{said}"
        );
        let (exported_so_far, rest) = CATALOG.split_at(CATALOG.trim_end().rfind('\n').unwrap() + 1);
        assert_eq!(exported(&first, "glue-json"), exported_so_far);
        std::fs::write(&file, rest).unwrap();
        assert_eq!(first.mastic(&import).2, 0);

        // An import was killed behind the table shop.sales, in the middle of writing its next note.
        let state = other.path().join("state");
        let (_, _, code) = signed(&second, &from(&first, &state, &["--database", "spare"]));
        assert_eq!(code, 0);
        let note = format!(
            "{} - - -> {}\ndatabase shop\ntable shop.sales\ntable sh",
            first.url, second.url
        );
        std::fs::write(&state, note).unwrap();
        let (_, said, code) = signed(&second, &from(&first, &state, &[]));
        assert_eq!(code, 1, "the database that is noted isn't here");
        assert!(
            said.contains("Database shop not found") && said.contains("run the same command again"),
            "{said}"
        );
        let (_, said, code) = signed(&second, &from(&first, &other.path().join("fresh"), &[]));
        assert_eq!((code, said.as_str()), (0, IMPORTED), "{said}");
        let (_, said, code) = signed(&second, &from(&first, &state, &[]));
        assert_eq!(code, 0, "{said}");
        assert!(said.ends_with("; 2 had come over before\n"), "{said}");
        assert_eq!(exported(&second, "glue-json"), CATALOG);

        // A note of another import is not mistaken for this one's.
        std::fs::write(&state, "elsewhere - - -> here\n").unwrap();
        let (_, said, code) = signed(&second, &from(&first, &state, &[]));
        assert_eq!(code, 1);
        assert!(said.contains("is of another import"), "{said}");
    })
    .await
    .unwrap();
}

fn from<'a>(first: &'a ServeProcess, state: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    let state = state.to_str().unwrap();
    let import = ["import", "glue", "--endpoint-url", &first.url, "--state", state];
    [&import, more].concat()
}

/// Runs a command with keys for what speaks like AWS.
fn signed(server: &ServeProcess, arguments: &[&str]) -> (String, String, i32) {
    server.mastic_with(
        &[
            ("AWS_ACCESS_KEY_ID", "any"),
            ("AWS_SECRET_ACCESS_KEY", "thing"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ],
        arguments,
    )
}

fn exported(server: &ServeProcess, format: &str) -> String {
    let (text, said, code) = server.mastic(&["export", "--format", format]);
    assert_eq!(code, 0, "{said}");
    text
}
