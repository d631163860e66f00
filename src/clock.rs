//! Time and ids. Both are passed in, so that tests are exact.

use std::future::Future;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Duration, DurationRound, Utc};
use uuid::Uuid;

/// Where the present time and new ids come from.
pub trait Clock: Send + Sync {
    /// Now, cut to whole microseconds: the precision that both databases keep.
    fn now(&self) -> DateTime<Utc>;
    /// A new id that sorts by its time (UUID version 7, RFC 9562).
    fn new_id(&self) -> String;
    /// Whether this is a machine's clock, which may be wrong: what several machines share goes by the database's then.
    fn is_machine(&self) -> bool {
        true
    }
}

/// The moment until which something is waited for, by the machine's steady clock: how long others may keep us waiting is
/// nothing that a test's clock decides.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(tokio::time::Instant);

impl Deadline {
    /// The moment that is `wait` away.
    pub fn after(wait: std::time::Duration) -> Self {
        Self(tokio::time::Instant::now() + wait)
    }

    /// Whether it has passed.
    pub fn is_over(self) -> bool {
        tokio::time::Instant::now() >= self.0
    }

    /// What `work` gives; nothing where it isn't done by then.
    pub async fn bound<T>(self, work: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout_at(self.0, work).await.ok()
    }
}

/// The machine's clock.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that asks the machine"
        )]
        let now = Utc::now();
        cut_to_micros(now)
    }

    fn new_id(&self) -> String {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that makes ids")]
        Uuid::now_v7().to_string()
    }
}

/// A clock that stands still until it is moved, and counts its ids. For tests.
#[derive(Debug)]
pub struct ManualClock {
    now: Mutex<DateTime<Utc>>,
    ids: AtomicU64,
}

impl ManualClock {
    /// A clock that shows `now`.
    pub fn at(now: DateTime<Utc>) -> Self {
        Self {
            now: Mutex::new(cut_to_micros(now)),
            ids: AtomicU64::new(0),
        }
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        let mut now = self.now.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        *now += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn new_id(&self) -> String {
        let count = self.ids.fetch_add(1, Ordering::SeqCst) + 1;
        format!("00000000-0000-7000-8000-{count:012x}")
    }

    fn is_machine(&self) -> bool {
        false
    }
}

fn cut_to_micros(time: DateTime<Utc>) -> DateTime<Utc> {
    time.duration_trunc(Duration::microseconds(1)).unwrap_or(time)
}
