//! Jobs as AWS's clients make them: whatever they say is kept and given back, and the script needn't be there.

use aws_sdk_glue::operation::create_job::builders::CreateJobFluentBuilder;
use aws_sdk_glue::types::{
    ConnectionsList, ExecutionClass, ExecutionProperty, Job, JobCommand, JobMode, JobRunState, JobUpdate,
    NotificationProperty, SourceControlDetails, WorkerType,
};

use super::{ACCOUNT, Client, client, refusal, saying};
use crate::both_databases;
use crate::harness::{Database, TestApp};

both_databases! {
    a_job_of_spark_is_given_back_as_it_was_made,
    a_job_is_changed_as_a_whole,
    jobs_are_found_by_their_tags,
    arguments_have_an_order,
}

fn command(name: &str) -> JobCommand {
    JobCommand::builder()
        .name(name)
        .script_location("s3://lake/scripts/not-there-yet.py")
        .build()
}

fn create(glue: &Client, name: &str) -> CreateJobFluentBuilder {
    let role = "arn:aws:iam::123456789012:role/Glue";
    glue.create_job()
        .name(name)
        .role(role)
        .command(command("glueetl"))
}

async fn get(glue: &Client, name: &str) -> Job {
    let found = glue.get_job().job_name(name).send().await.unwrap();
    found.job.unwrap()
}

fn arn(job: &str) -> String {
    format!("arn:aws:glue:us-east-1:{ACCOUNT}:job/{job}")
}

async fn a_job_of_spark_is_given_back_as_it_was_made(database: Database) {
    let app = TestApp::start_on(database).await;
    let glue = client(&app);
    let with_everything = || {
        create(&glue, "Nightly load (eu)")
            .description("Loads what came")
            .log_uri("s3://lake/logs/")
            .job_mode(JobMode::Visual)
            .job_run_queuing_enabled(true)
            .execution_property(ExecutionProperty::builder().max_concurrent_runs(3).build())
            .default_arguments("--TempDir", "s3://lake/tmp/")
            .default_arguments("--enable-metrics", "")
            .default_arguments("--engine", "postgres")
            .non_overridable_arguments("--stage", "prod")
            .connections(ConnectionsList::builder().connections("shop").build())
            .max_retries(2)
            .timeout(90)
            .security_configuration("secure")
            .notification_property(NotificationProperty::builder().notify_delay_after(5).build())
            .glue_version("4.0")
            .number_of_workers(3)
            .worker_type(WorkerType::G2X)
            .execution_class(ExecutionClass::Flex)
            .source_control_details(SourceControlDetails::builder().folder("jobs").build())
            .maintenance_window("Sun:1")
            .tags("team", "sales")
    };
    let made = with_everything().send().await.unwrap();
    assert_eq!(made.name(), Some("Nightly load (eu)"));

    let job = get(&glue, "Nightly load (eu)").await;
    assert_eq!(job.command(), Some(&command("glueetl")));
    assert_eq!(job.role(), Some("arn:aws:iam::123456789012:role/Glue"));
    assert_eq!(job.description(), Some("Loads what came"));
    assert_eq!(job.log_uri(), Some("s3://lake/logs/"));
    assert_eq!(
        (job.job_mode(), job.job_run_queuing_enabled()),
        (Some(&JobMode::Visual), Some(true))
    );
    assert_eq!(job.execution_property().unwrap().max_concurrent_runs(), 3);
    assert_eq!(job.default_arguments().unwrap()["--enable-metrics"], "");
    assert_eq!(job.default_arguments().unwrap()["--engine"], "postgres");
    assert_eq!(job.non_overridable_arguments().unwrap()["--stage"], "prod");
    assert_eq!(job.connections().unwrap().connections(), ["shop"]);
    assert_eq!((job.max_retries(), job.timeout()), (2, Some(90)));
    assert_eq!(job.security_configuration(), Some("secure"));
    assert_eq!(job.notification_property().unwrap().notify_delay_after(), Some(5));
    assert_eq!(job.glue_version(), Some("4.0"));
    assert_eq!(
        (job.number_of_workers(), job.worker_type()),
        (Some(3), Some(&WorkerType::G2X))
    );
    assert_eq!(job.max_capacity(), Some(6.0), "three workers of two units");
    assert_eq!(job.execution_class(), Some(&ExecutionClass::Flex));
    assert_eq!(job.source_control_details().unwrap().folder(), Some("jobs"));
    assert_eq!(job.maintenance_window(), Some("Sun:1"));
    assert!(job.created_on().is_some() && job.last_modified_on().is_some());

    // The very same again is the job that there is; anything else under its name isn't.
    with_everything().send().await.unwrap();
    let other = with_everything().timeout(91).send().await;
    assert_eq!(refusal(other).0, "IdempotentParameterMismatchException");
    assert_eq!(get(&glue, "Nightly load (eu)").await, job);

    assert_eq!(glue.get_jobs().send().await.unwrap().jobs(), [job]);
    let run = glue.start_job_run().job_name("Nightly load (eu)").send().await;
    app.run_tasks().await;
    let id = run.unwrap().job_run_id.unwrap();
    let run = glue.get_job_run().job_name("Nightly load (eu)").run_id(id);
    let run = run.send().await.unwrap().job_run.unwrap();
    assert_eq!(
        run.job_run_state(),
        Some(&JobRunState::Failed),
        "there is no script"
    );
}

#[tokio::test]
async fn what_is_not_said_is_as_aws_has_it() {
    let app = TestApp::start().await;
    let glue = client(&app);
    create(&glue, "spark").send().await.unwrap();
    let job = get(&glue, "spark").await;
    assert_eq!(job.execution_property().unwrap().max_concurrent_runs(), 1);
    assert_eq!((job.max_retries(), job.timeout()), (0, Some(480)));
    assert_eq!(job.job_mode(), Some(&JobMode::Script));
    assert_eq!(job.execution_class(), Some(&ExecutionClass::Standard));
    assert_eq!(
        (job.max_capacity(), job.glue_version()),
        (Some(10.0), Some("6.0"))
    );

    let old = create(&glue, "old").glue_version("3.0");
    old.send().await.unwrap();
    assert_eq!(get(&glue, "old").await.timeout(), Some(2880));
    let shell = create(&glue, "shell").command(command("pythonshell"));
    shell.send().await.unwrap();
    assert_eq!(get(&glue, "shell").await.max_capacity(), Some(0.0625));
    let stream = create(&glue, "stream").command(command("gluestreaming"));
    stream.send().await.unwrap();
    assert_eq!(get(&glue, "stream").await.timeout(), None, "it goes on");
    let ray = create(&glue, "ray").command(command("glueray"));
    ray.send().await.unwrap();
    let run = glue.start_job_run().job_name("ray").send().await.unwrap();
    app.run_tasks().await;
    let run = glue.get_job_run().job_name("ray").run_id(run.job_run_id.unwrap());
    let run = run.send().await.unwrap().job_run.unwrap();
    let said = run.error_message().unwrap();
    assert!(said.contains("the engine ray can't be run"), "{said}");
}

#[tokio::test]
async fn what_cannot_be_a_job_is_refused() {
    let app = TestApp::start().await;
    let glue = client(&app);
    let invalid = |message: &str| saying("InvalidInputException", message);
    let both = create(&glue, "j").max_capacity(2.0).number_of_workers(2);
    let both = both.worker_type(WorkerType::G1X).send().await;
    assert_eq!(
        refusal(both),
        invalid("Please do not set Max Capacity if using Worker Type and Number of Workers.")
    );
    let nameless = create(&glue, "j").command(JobCommand::builder().build());
    assert_eq!(
        refusal(nameless.send().await),
        invalid("Command name should not be null or empty.")
    );
    let unknown = create(&glue, "j").command(command("gluehadoop")).send().await;
    assert!(
        refusal(unknown)
            .1
            .contains("glueetl, gluestreaming, pythonshell or glueray")
    );
    let long = create(&glue, "j").timeout(20_000).send().await;
    assert_eq!(
        refusal(long),
        invalid("Timeout is 20000, and 1 to 10080 are allowed.")
    );
    let none = ExecutionProperty::builder().max_concurrent_runs(-1).build();
    let none = create(&glue, "j").execution_property(none).send().await;
    assert_eq!(
        refusal(none),
        invalid("MaxConcurrentRuns is -1, and it is 1 at least.")
    );
    let large = create(&glue, "j").default_arguments("--text", "x".repeat(270_000));
    let (exception, message) = refusal(large.send().await);
    assert_eq!(exception, "InvalidInputException");
    assert!(message.starts_with("The arguments have 270004 bytes together, and 266240 are allowed."));
    let outcome = glue.get_job().job_name("j").send().await;
    assert_eq!(refusal(outcome).0, "EntityNotFoundException");
}

async fn a_job_is_changed_as_a_whole(database: Database) {
    let app = TestApp::start_on(database).await;
    let glue = client(&app);
    let update = |name: &str, update: JobUpdate| glue.update_job().job_name(name).job_update(update).send();
    let whole = || JobUpdate::builder().role("other").command(command("pythonshell"));
    let outcome = update("load", whole().build()).await;
    assert_eq!(
        refusal(outcome),
        saying("EntityNotFoundException", "Job load not found.")
    );

    let made = create(&glue, "load").description("first").timeout(7);
    made.tags("team", "sales").send().await.unwrap();
    let changed = update("load", whole().max_retries(1).build()).await.unwrap();
    assert_eq!(changed.job_name(), Some("load"));
    let job = get(&glue, "load").await;
    assert_eq!((job.role(), job.max_retries()), (Some("other"), 1));
    assert_eq!(job.command(), Some(&command("pythonshell")));
    assert_eq!(
        (job.description(), job.timeout()),
        (None, Some(2880)),
        "what isn't said is as at the beginning"
    );
    let nothing = update("load", JobUpdate::builder().role("other").build()).await;
    assert_eq!(
        refusal(nothing),
        saying(
            "InvalidInputException",
            "Command name should not be null or empty."
        )
    );
    let tags = glue.get_tags().resource_arn(arn("load")).send().await.unwrap();
    assert_eq!(tags.tags().unwrap()["team"], "sales");

    let names = ["nobody", "load"].map(str::to_owned).to_vec();
    let many = glue
        .batch_get_jobs()
        .set_job_names(Some(names))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (many.jobs(), many.jobs_not_found()),
        (&[job][..], &["nobody".to_owned()][..])
    );

    // A job of a job.toml isn't lost by an update that doesn't know it.
    app.register(
        "sum",
        "engine = \"sql\"\nscript = \"s.sql\"\n[output]\nlocation = \"s3://lake/o/\"\nformat = \"csv\"",
        "SELECT 1 AS x",
    )
    .await
    .unwrap();
    let (exception, message) = refusal(update("sum", whole().build()).await);
    assert_eq!(exception, "InvalidInputException");
    assert!(
        message.contains("is made of a job.toml, which would be lost"),
        "{message}"
    );
}

async fn jobs_are_found_by_their_tags(database: Database) {
    let app = TestApp::start_on(database).await;
    let glue = client(&app);
    for (name, team) in [("a", "sales"), ("b", "ops"), ("c", "sales"), ("d", "sales")] {
        create(&glue, name).tags("team", team).send().await.unwrap();
    }
    let tag = glue.tag_resource().resource_arn(arn("d"));
    tag.tags_to_add("stage", "prod").send().await.unwrap();
    let untag = glue.untag_resource().resource_arn(arn("c"));
    untag.tags_to_remove("team").send().await.unwrap();
    let listed = async |tags: &[(&str, &str)], token: Option<String>| {
        let mut list = glue.list_jobs().max_results(1).set_next_token(token);
        for (key, value) in tags {
            list = list.tags(*key, *value);
        }
        let list = list.send().await.unwrap();
        (list.job_names().join(" "), list.next_token)
    };
    let (first, next) = listed(&[("team", "sales")], None).await;
    assert_eq!(first, "a");
    assert_eq!(listed(&[("team", "sales")], next).await, ("d".to_owned(), None));
    let both = listed(&[("team", "sales"), ("stage", "prod")], None).await;
    assert_eq!(both, ("d".to_owned(), None));
    assert_eq!(listed(&[("team", "x")], None).await.0, "");

    for _ in 0..2 {
        glue.delete_job().job_name("d").send().await.unwrap();
    }
    create(&glue, "d").send().await.unwrap();
    let tags = glue.get_tags().resource_arn(arn("d")).send().await.unwrap();
    assert_eq!(
        tags.tags().map(|tags| tags.len()),
        Some(0),
        "tags go with their job"
    );
}

async fn arguments_have_an_order(database: Database) {
    let app = TestApp::start_on(database).await;
    let glue = client(&app);
    create(&glue, "load")
        .default_arguments("--day", "today")
        .default_arguments("--stage", "test")
        .default_arguments("--empty", "")
        .non_overridable_arguments("--stage", "prod")
        .send()
        .await
        .unwrap();
    let start = glue.start_job_run().job_name("load");
    let start = start.arguments("--day", "2024-05-31").arguments("--stage", "dev");
    let run = start.arguments("--more", "x\ny").send().await.unwrap();
    let run = glue
        .get_job_run()
        .job_name("load")
        .run_id(run.job_run_id.unwrap());
    let run = run.send().await.unwrap().job_run.unwrap();
    let mut arguments: Vec<(&str, &str)> = run
        .arguments()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    arguments.sort_unstable();
    assert_eq!(
        arguments,
        [
            ("--day", "2024-05-31"),
            ("--empty", ""),
            ("--more", "x\ny"),
            ("--stage", "prod"),
        ]
    );
    let large = glue.start_job_run().job_name("load");
    let large = large.arguments("--text", "x".repeat(270_000)).send().await;
    assert!(refusal(large).1.contains("266240 are allowed"));
}
