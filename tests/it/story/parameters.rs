//! What runs may be told: parameters with types and choices.

use mastic::etl::runs;
use mastic::model::pattern::Captures;

use crate::harness::TestApp;

fn job(parameter: &str) -> String {
    format!(
        r#"
engine = "sql"
script = "copy.sql"
[parameters.p]
{parameter}
[output]
location = "s3://lake/out/p={{p}}/"
format = "csv"
"#
    )
}

/// What a run is refused with that is told this; nothing where it is started.
async fn told(app: &TestApp, value: &str) -> Option<String> {
    let parameters = Captures::from([("p".to_owned(), value.to_owned())]);
    let refused = runs::start(app.app(), "a", &parameters, None).await.err()?;
    Some(format!(
        "{} | {}",
        refused.message,
        refused.hint.unwrap_or_default()
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_none_of_its_type_is_refused_at_the_start() {
    let app = TestApp::start().await;
    for (kind, good, wrong) in [
        ("string", &["x", "1"][..], &[][..]),
        ("integer", &["1", "-20"], &["1.5", "one", "99999999999999999999"]),
        ("number", &["1", "-2.5", "1e3"], &["one", "NaN", "inf", "1,5"]),
        ("boolean", &["true", "false"], &["True", "1", "yes"]),
        (
            "date",
            &["2024-02-29"],
            &["2023-02-29", "2024-2-9", "29.02.2024", "2024-02-29T00:00:00"],
        ),
        (
            "timestamp",
            &[
                "2024-02-29T12:00:00",
                "2024-02-29T12:00:00.5",
                "2024-02-29T12:00:00Z",
                "2024-02-29T12:00:00+02:00",
            ],
            &["2024-02-29", "2024-02-29T25:00:00Z", "noon"],
        ),
    ] {
        app.register("a", &job(&format!("type = \"{kind}\"")), "SELECT 1 AS x")
            .await
            .unwrap();
        for value in good {
            assert_eq!(told(&app, value).await, None, "{kind} {value}");
        }
        for value in wrong {
            let said = told(&app, value).await.unwrap();
            let wanted = format!("the parameter p is '{value}', and its type is {kind} | write ");
            assert!(said.starts_with(&wanted), "{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_none_of_the_choices_is_refused_with_them() {
    let app = TestApp::start().await;
    let definition = job("type = \"integer\"\nchoices = [1, 2, \"3\"]\ndefault = 2");
    app.register("a", &definition, "SELECT 1 AS x").await.unwrap();
    assert_eq!(told(&app, "3").await, None);
    assert_eq!(
        told(&app, "4").await.as_deref(),
        Some("the parameter p is '4', which is none of its choices | it may be: 1, 2, 3")
    );
    let run = runs::start(app.app(), "a", &Captures::new(), None).await.unwrap();
    assert_eq!(run.body.parameters["p"], "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_together_is_refused_when_it_is_registered() {
    let app = TestApp::start().await;
    for (parameter, said) in [
        (
            "type = \"date\"\ndefault = \"today\"",
            "parameters.p.default: the parameter p is 'today', and its type is date",
        ),
        (
            "choices = [\"a\", \"b\"]\ndefault = \"c\"",
            "parameters.p.default: the parameter p is 'c', which is none of its choices",
        ),
        (
            "type = \"boolean\"\nchoices = [\"yes\", \"no\"]",
            "parameters.p.choices: the parameter p is 'yes', and its type is boolean",
        ),
        (
            "pattern = '\\d+'\nchoices = [\"x\"]",
            "parameters.p.choices: the parameter p is 'x', which does not match",
        ),
        ("type = \"float\"", "unknown variant `float`"),
    ] {
        let refused = app
            .register("a", &job(parameter), "SELECT 1 AS x")
            .await
            .unwrap_err();
        assert!(refused.message.contains(said), "{}", refused.message);
    }
}
