//! Runs as AWS's clients start and watch them.

use aws_sdk_glue::operation::start_job_run::builders::StartJobRunFluentBuilder;
use aws_sdk_glue::types::{
    ExecutionClass, ExecutionProperty, JobCommand, JobRun, JobRunState, JobUpdate, NotificationProperty,
    WorkerType,
};

use super::{Client, client, refusal, saying};
use crate::both_databases;
use crate::harness::{Database, TestApp};

both_databases! {
    a_run_says_what_it_was_started_with,
    more_runs_than_may_be_are_refused_or_wait,
    a_run_that_failed_is_followed_by_another,
    a_run_is_started_in_the_place_of_another,
}

/// A job whose script is nowhere, so that its runs fail.
async fn make(glue: &Client, name: &str, concurrent: i32, retries: i32) {
    let command = JobCommand::builder()
        .name("glueetl")
        .script_location("s3://lake/none.py");
    let runs = ExecutionProperty::builder().max_concurrent_runs(concurrent);
    let made = glue.create_job().name(name).role("any").command(command.build());
    let made = made.execution_property(runs.build()).max_retries(retries);
    made.glue_version("4.0").timeout(60).send().await.unwrap();
}

async fn started(start: StartJobRunFluentBuilder) -> String {
    start.send().await.unwrap().job_run_id.unwrap()
}

async fn get(glue: &Client, job: &str, id: &str) -> JobRun {
    let run = glue.get_job_run().job_name(job).run_id(id).send().await;
    run.unwrap().job_run.unwrap()
}

async fn state(glue: &Client, job: &str, id: &str) -> String {
    let run = get(glue, job, id).await;
    run.job_run_state().unwrap().to_string()
}

async fn a_run_says_what_it_was_started_with(database: Database) {
    let app = TestApp::start_on(database).await;
    let glue = client(&app);
    make(&glue, "load", 5, 0).await;
    let plain = started(glue.start_job_run().job_name("load")).await;
    let plain = get(&glue, "load", &plain).await;
    assert_eq!(
        (plain.timeout(), plain.glue_version()),
        (Some(60), Some("4.0")),
        "the job's"
    );
    assert_eq!((plain.max_capacity(), plain.attempt()), (Some(10.0), 0));
    assert_eq!(plain.job_run_state(), Some(&JobRunState::Starting));
    assert!(plain.completed_on().is_none() && plain.previous_run_id().is_none());

    let own = glue
        .start_job_run()
        .job_name("load")
        .timeout(5)
        .worker_type(WorkerType::G4X)
        .number_of_workers(2)
        .security_configuration("secure")
        .notification_property(NotificationProperty::builder().notify_delay_after(3).build())
        .execution_class(ExecutionClass::Flex)
        .job_run_queuing_enabled(true);
    let id = started(own).await;
    let own = get(&glue, "load", &id).await;
    assert_eq!(own.timeout(), Some(5));
    assert_eq!(
        (own.worker_type(), own.number_of_workers(), own.max_capacity()),
        (Some(&WorkerType::G4X), Some(2), Some(8.0))
    );
    assert_eq!(own.security_configuration(), Some("secure"));
    assert_eq!(own.notification_property().unwrap().notify_delay_after(), Some(3));
    assert_eq!(
        (own.execution_class(), own.job_run_queuing_enabled()),
        (Some(&ExecutionClass::Flex), Some(true))
    );
    assert_eq!(own.log_group_name(), Some("/aws-glue/jobs"));

    // What is said of the job later is not of its earlier runs.
    let command = JobCommand::builder().name("pythonshell").build();
    let update = JobUpdate::builder().role("any").command(command).timeout(1);
    let update = glue.update_job().job_name("load").job_update(update.build());
    update.send().await.unwrap();
    let id = plain.id().unwrap();
    assert_eq!(get(&glue, "load", id).await.timeout(), Some(60));

    let both = glue.start_job_run().job_name("load").max_capacity(1.0);
    assert_eq!(
        refusal(both.number_of_workers(2).send().await),
        saying(
            "InvalidInputException",
            "Please do not set Max Capacity if using Worker Type and Number of Workers."
        )
    );
}

async fn more_runs_than_may_be_are_refused_or_wait(database: Database) {
    let app = TestApp::start_on(database).await;
    let glue = client(&app);
    make(&glue, "load", 2, 0).await;
    let start = || glue.start_job_run().job_name("load");
    let (first, second) = (started(start()).await, started(start()).await);
    let (exception, message) = refusal(start().send().await);
    assert_eq!(exception, "ConcurrentRunsExceededException");
    assert!(
        message.starts_with("Job load may have 2 run(s) at a time, and 2 are under way."),
        "{message}"
    );
    let third = started(start().job_run_queuing_enabled(true)).await;
    let waiting = get(&glue, "load", &third).await;
    assert_eq!(waiting.job_run_state(), Some(&JobRunState::Waiting));
    assert_eq!(
        waiting.state_detail(),
        Some("the job may have 2 run(s) at a time, and 2 came before")
    );

    // A run that waits is over as soon as it is stopped; one whose turn it is, as soon as its worker hears of it.
    let stop = glue.batch_stop_job_run().job_name("load");
    let stopped = stop
        .job_run_ids(&third)
        .job_run_ids(&second)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (stopped.successful_submissions().len(), stopped.errors().len()),
        (2, 0)
    );
    assert_eq!(state(&glue, "load", &third).await, "STOPPED");
    assert_eq!(state(&glue, "load", &second).await, "STOPPING");
    let fourth = started(start().job_run_queuing_enabled(true)).await;
    app.run_tasks().await;
    assert_eq!(state(&glue, "load", &first).await, "FAILED");
    assert_eq!(state(&glue, "load", &second).await, "STOPPED");
    assert_eq!(state(&glue, "load", &fourth).await, "FAILED", "it had its turn");
    let run = get(&glue, "load", &fourth).await;
    assert!(run.completed_on().is_some() && run.state_detail().is_none());
}

async fn a_run_that_failed_is_followed_by_another(database: Database) {
    let app = TestApp::start_on(database).await;
    let glue = client(&app);
    make(&glue, "load", 1, 2).await;
    let first = glue.start_job_run().job_name("load").arguments("--day", "1");
    let first = started(first.timeout(7)).await;
    app.run_due_tasks().await;
    let runs = glue.get_job_runs().job_name("load").send().await.unwrap();
    let next = &runs.job_runs()[0];
    assert_eq!(
        (next.job_run_state(), next.attempt()),
        (Some(&JobRunState::Waiting), 1)
    );
    let said = next.state_detail().unwrap();
    let wanted = format!("run {first} failed; this is retry 1 of 2, and begins at 2023-11-14T22:13:30Z");
    assert_eq!(said, wanted);

    app.run_tasks().await;
    let runs = glue.get_job_runs().job_name("load").send().await.unwrap();
    let runs = runs.job_runs();
    let attempts: Vec<i32> = runs.iter().map(JobRun::attempt).collect();
    assert_eq!(attempts, [2, 1, 0], "the newest first");
    assert_eq!(
        (runs[0].previous_run_id(), runs[1].previous_run_id()),
        (runs[1].id(), Some(first.as_str()))
    );
    for run in runs {
        assert_eq!(run.job_run_state(), Some(&JobRunState::Failed));
        assert_eq!(
            (run.arguments().unwrap()["--day"].as_str(), run.timeout()),
            ("1", Some(7))
        );
    }
    let begun = |run: &JobRun| run.started_on().unwrap().secs();
    assert_eq!(
        (
            begun(&runs[1]) - begun(&runs[2]),
            begun(&runs[0]) - begun(&runs[1])
        ),
        (10, 20),
        "a wait that doubles"
    );
}

async fn a_run_is_started_in_the_place_of_another(database: Database) {
    let app = TestApp::start_on(database).await;
    let glue = client(&app);
    make(&glue, "load", 1, 0).await;
    let start = || glue.start_job_run().job_name("load");
    let first = started(start().arguments("--day", "1").arguments("--mode", "all")).await;
    let outcome = start().job_run_id(&first).send().await;
    let (exception, message) = refusal(outcome);
    assert_eq!(exception, "InvalidInputException");
    assert!(
        message.contains("only what failed or was stopped is retried"),
        "{message}"
    );
    app.run_tasks().await;

    let second = started(start().job_run_id(&first).arguments("--day", "2")).await;
    let run = get(&glue, "load", &second).await;
    assert_eq!((run.previous_run_id(), run.attempt()), (Some(first.as_str()), 1));
    let arguments = run.arguments().unwrap();
    assert_eq!(
        (arguments["--day"].as_str(), arguments["--mode"].as_str()),
        ("2", "all")
    );
    let unknown = start().job_run_id("none").send().await;
    assert_eq!(refusal(unknown).0, "EntityNotFoundException");
}
