//! When something is done by the clock: Glue's `cron(Minutes Hours Day-of-month Month Day-of-week Year)`, in UTC.
//!
//! The fields are those of AWS's "Time-based schedules for jobs and crawlers". A schedule that would be due more often than
//! every five minutes is refused, as AWS refuses it.

use chrono::{DateTime, TimeDelta, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The shortest time between two of a schedule's times.
const SHORTEST: TimeDelta = TimeDelta::minutes(5);
/// How many of its times are looked at to see whether a schedule is too fast.
const LOOKED_AT: usize = 300;

/// What is done by a schedule. Written down as the kind and the name: `{"crawler": "sales"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// The crawl of the crawler with this name.
    Crawler(String),
}

impl Owner {
    /// What kind of thing it is, in a word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Crawler(_) => "crawler",
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Crawler(name) => name,
        }
    }

    /// The owner of this kind and name, where there is such a kind.
    pub fn parse(kind: &str, name: String) -> Option<Self> {
        match kind {
            "crawler" => Some(Self::Crawler(name)),
            _ => None,
        }
    }
}

/// A schedule.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    text: String,
    cron: Cron,
}

impl Schedule {
    /// Reads a schedule as AWS writes it: `cron(0/15 * * * ? *)`.
    ///
    /// # Errors
    /// Invalid, with what is wrong.
    pub fn parse(text: &str) -> Result<Self> {
        let bad = |what: &str| {
            Error::invalid(format!("the schedule '{text}' is wrong: {what}")).hint(
                "write cron(minutes hours day-of-month month day-of-week year) in UTC, as cron(0 18 ? * MON-FRI *)",
            )
        };
        let inside = text
            .trim()
            .strip_prefix("cron(")
            .and_then(|rest| rest.strip_suffix(')'));
        let inside = inside.ok_or_else(|| bad("it doesn't have the form cron(…)"))?;
        let fields: Vec<&str> = inside.split_whitespace().collect();
        let [_, _, day_of_month, _, day_of_week, _] = fields.as_slice() else {
            return Err(bad(&format!("it has {} fields instead of 6", fields.len())));
        };
        if (*day_of_month == "?") == (*day_of_week == "?") {
            return Err(bad("one of day-of-month and day-of-week must be ?, and not both"));
        }
        // The library knows more than AWS does.
        if let Some(letter) = inside.chars().find(|letter| matches!(letter, '#' | '+' | '@')) {
            return Err(bad(&format!("'{letter}' has no meaning in it")));
        }
        let parser = CronParser::builder()
            .seconds(Seconds::Required)
            .year(Year::Required)
            .alternative_weekdays(true)
            .sloppy_ranges(true)
            .build();
        let cron = parser
            .parse(&format!("0 {}", fields.join(" ")))
            .map_err(|cause| bad(&cause.to_string()))?;
        let schedule = Self {
            text: text.trim().to_owned(),
            cron,
        };
        let times: Vec<DateTime<Utc>> = schedule
            .times_after(DateTime::UNIX_EPOCH)
            .take(LOOKED_AT)
            .collect();
        if times.windows(2).any(|pair| pair[1] - pair[0] < SHORTEST) {
            return Err(bad("it is due more often than every 5 minutes"));
        }
        if times.is_empty() {
            return Err(bad("it is never due"));
        }
        Ok(schedule)
    }

    /// The first time that it is due after another; absent where there is none.
    pub fn next_after(&self, time: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.times_after(time).next()
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn times_after(&self, time: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> {
        self.cron.iter_after(time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(schedule: &str, after: &str) -> String {
        let after: DateTime<Utc> = after.parse().unwrap();
        let next = Schedule::parse(schedule).unwrap().next_after(after);
        next.map_or("never".to_owned(), |next| {
            next.format("%Y-%m-%dT%H:%M:%S").to_string()
        })
    }

    fn refusal(schedule: &str) -> String {
        Schedule::parse(schedule).unwrap_err().message
    }

    #[test]
    fn times_are_those_of_awss_examples() {
        assert_eq!(
            next("cron(0/15 * * * ? *)", "2026-11-21T10:07:30Z"),
            "2026-11-21T10:15:00"
        );
        assert_eq!(
            next("cron(0/15 * * * ? *)", "2026-11-21T10:15:00Z"),
            "2026-11-21T10:30:00"
        );
        // A Saturday: the next weekday is a Monday.
        assert_eq!(
            next("cron(0 18 ? * MON-FRI *)", "2026-11-21T10:00:00Z"),
            "2026-11-23T18:00:00"
        );
        assert_eq!(
            next("cron(15 12 * * ? *)", "2026-11-21T12:15:00Z"),
            "2026-11-22T12:15:00"
        );
        assert_eq!(
            next("cron(0 8 1 * ? *)", "2026-11-21T10:00:00Z"),
            "2026-12-01T08:00:00"
        );
        // 1 is Sunday.
        assert_eq!(
            next("cron(0 8 ? * 1 *)", "2026-11-21T10:00:00Z"),
            "2026-11-22T08:00:00"
        );
        assert_eq!(
            next("cron(0 0 L * ? *)", "2027-02-01T00:00:00Z"),
            "2027-02-28T00:00:00"
        );
        // The 15th of August 2026 is a Saturday.
        assert_eq!(
            next("cron(0 0 15W * ? *)", "2026-08-01T00:00:00Z"),
            "2026-08-14T00:00:00"
        );
        assert_eq!(
            next("cron(0 0 1 1 ? 2030)", "2026-08-01T00:00:00Z"),
            "2030-01-01T00:00:00"
        );
        assert_eq!(next("cron(0 0 1 1 ? 2030)", "2030-01-01T00:00:00Z"), "never");
    }

    #[test]
    fn what_is_no_schedule_is_refused_with_its_reason() {
        assert!(refusal("every day").contains("cron(…)"));
        assert!(refusal("cron(0 12 * * ?)").contains("5 fields instead of 6"));
        assert!(refusal("cron(0 12 * * * *)").contains("must be ?"));
        assert!(refusal("cron(0 12 ? * ? *)").contains("must be ?"));
        assert!(refusal("cron(61 12 * * ? *)").contains("is wrong"));
        assert!(refusal("cron(* * * * ? *)").contains("more often than every 5 minutes"));
        assert!(refusal("cron(0,3 12 * * ? *)").contains("more often than every 5 minutes"));
        assert!(refusal("cron(0 0 ? * MON#2 *)").contains("'#' has no meaning"));
    }
}
