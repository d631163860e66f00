//! The logs that Glue knows without being told: the same names, in its order, with types where the format has them.

use std::sync::LazyLock;

use super::{Grok, LinesVerdict, judge};
use crate::GrokLayout;

/// A log format: its classification, and the patterns that its lines may have.
struct Log {
    classification: &'static str,
    /// What every line holds. Compiling a pattern takes longer than to look for this.
    mark: &'static str,
    pattern: &'static str,
    custom_patterns: &'static str,
    grok: LazyLock<Option<Grok>>,
}

macro_rules! log {
    ($classification:literal, $mark:literal, $pattern:expr) => {
        log!($classification, $mark, $pattern, "")
    };
    ($classification:literal, $mark:literal, $pattern:expr, $custom:expr) => {
        Log {
            classification: $classification,
            mark: $mark,
            pattern: $pattern,
            custom_patterns: $custom,
            grok: LazyLock::new(|| Grok::trusted($pattern, $custom).ok()),
        }
    };
}

/// Seconds since the kernel started, always with microseconds.
const UPTIME: &str = r"UPTIME [0-9]+\.[0-9]{6}";

static LOGS: [Log; 10] = [
    log!(
        "combined_apache",
        r#"] ""#,
        r"^%{COMMONAPACHELOG_DATATYPED} %{QS:referrer} %{QS:agent}\s*$"
    ),
    log!("apache", r#"] ""#, r"^%{COMMONAPACHELOG_DATATYPED}\s*$"),
    log!(
        "linux_kernel",
        " kernel: ",
        r"^%{SYSLOGTIMESTAMP:timestamp} %{SYSLOGHOST:logsource} kernel: (?:\[ *%{UPTIME:uptime:double}\] )?%{GREEDYDATA:message}$",
        UPTIME
    ),
    log!(
        "linux_kernel",
        "] ",
        r"^\[ *%{UPTIME:uptime:double}\] %{GREEDYDATA:message}$",
        UPTIME
    ),
    log!(
        "microsoft_log",
        ", ",
        r"^%{IPORHOST:clientip}, %{DATA:username}, %{DATE_US:date}, %{TIME:time}, %{NOTSPACE:service}, %{DATA:servername}, %{IPORHOST:serverip}, %{INT:timetaken:long}, %{INT:bytesreceived:long}, %{INT:bytessent:long}, %{INT:status:int}, %{INT:windowsstatus:long}, %{WORD:verb}, %{DATA:target}, %{DATA:parameters},?\s*$"
    ),
    log!(
        "ruby_logger",
        " -- ",
        r"^%{WORD:severity_id}, \[%{TIMESTAMP_ISO8601:timestamp} #%{POSINT:pid:int}\] +%{LOGLEVEL:loglevel} -- ?%{DATA:progname}: %{GREEDYDATA:message}$"
    ),
    log!(
        "squid",
        "/",
        r"^%{NUMBER:timestamp:double} +%{INT:elapsed:long} %{IPORHOST:clientip} %{WORD:result_code}/%{INT:status:int} %{INT:bytes:long} %{NOTSPACE:verb} %{NOTSPACE:url} %{NOTSPACE:user} %{WORD:hierarchy_code}/%{NOTSPACE:server} %{NOTSPACE:content_type}\s*$"
    ),
    log!(
        "redismonlog",
        r#"] ""#,
        r#"^%{NUMBER:timestamp:double} \[%{INT:database:int} (?:%{IPORHOST:client}:%{POSINT:port:int}|%{NOTSPACE:client})\] "%{WORD:command}" ?%{GREEDYDATA:parameters}$"#
    ),
    log!(
        "redislog",
        ":",
        r"^%{POSINT:pid:int}:%{WORD:role} (?<timestamp>%{MONTHDAY} %{MONTH}(?: %{YEAR})? %{TIME}) (?<level>[.*#-]) %{GREEDYDATA:message}$"
    ),
    log!(
        "redislog",
        ":",
        r"^\[%{POSINT:pid:int}\] (?<timestamp>%{MONTHDAY} %{MONTH}(?: %{YEAR})? %{TIME}) (?<level>[.*#-]) %{GREEDYDATA:message}$"
    ),
];

/// What a text is as a log.
pub(crate) struct LogVerdict {
    pub(crate) classification: &'static str,
    pub(crate) layout: GrokLayout,
    pub(crate) lines: LinesVerdict,
}

/// Judges a text; `whole` says that it is all there is. `None` when no log is like it.
pub(crate) fn classify(text: &str, whole: bool) -> Option<LogVerdict> {
    if let Some(verdict) = w3c(text, whole) {
        return Some(verdict);
    }
    let first: Vec<&str> = text.lines().take(20).collect();
    LOGS.iter().find_map(|log| {
        if !first.iter().any(|line| line.contains(log.mark)) {
            return None;
        }
        let lines = judge(log.grok.as_ref()?, text, whole, |_| false);
        lines.matches().then(|| LogVerdict {
            classification: log.classification,
            layout: GrokLayout {
                pattern: log.pattern.to_owned(),
                custom_patterns: (!log.custom_patterns.is_empty()).then(|| log.custom_patterns.to_owned()),
            },
            lines,
        })
    })
}

/// The extended log format of IIS: a line of `#Fields:` says what the others hold. (W3C, "Extended Log File Format".)
fn w3c(text: &str, whole: bool) -> Option<LogVerdict> {
    let start = text.trim_start();
    if !start.starts_with('#') {
        return None;
    }
    let fields = start
        .lines()
        .take_while(|line| line.starts_with('#'))
        .find_map(|line| line.strip_prefix("#Fields:"))?;
    let pattern: Vec<String> = fields.split_whitespace().map(w3c_field).collect();
    let pattern = format!("^{}\\s*$", pattern.join(" "));
    let grok = Grok::new(&pattern, "").ok()?;
    let lines = judge(&grok, text, whole, |line| line.starts_with('#'));
    lines.matches().then_some(LogVerdict {
        classification: "microsoft_log",
        layout: GrokLayout {
            pattern,
            custom_patterns: None,
        },
        lines,
    })
}

/// A dash stands for nothing.
fn w3c_field(name: &str) -> String {
    let clean: String = name
        .chars()
        .filter(|c| *c != ')')
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect();
    match name {
        "date" | "time" => format!("%{{NOTSPACE:{clean}}}"),
        "s-port" | "sc-status" | "sc-substatus" | "c-port" => format!("(?:-|%{{INT:{clean}:int}})"),
        "sc-win32-status" | "sc-bytes" | "cs-bytes" | "time-taken" => format!("(?:-|%{{INT:{clean}:long}})"),
        _ => format!("(?:-|%{{NOTSPACE:{clean}}})"),
    }
}
