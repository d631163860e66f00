//! What is looked after now and then, by one process at a time, all of it on one page.

use std::future::Future;
use std::time::Duration;

use chrono::TimeDelta;

use crate::app::App;
use crate::error::Result;
use crate::{etl, events, queue, retention, schedules};

/// How often what is old is forgotten.
const FORGET_EVERY: TimeDelta = TimeDelta::hours(1);

/// Something to look after.
#[derive(Clone, Copy, Debug)]
enum Care {
    /// Objects that no event announced.
    Listing,
    /// Schedules that were passed over.
    Schedules,
    /// What runs left that are over without an output.
    Leftovers,
    /// What is over and old.
    Retention,
}

impl Care {
    const ALL: [Self; 4] = [Self::Listing, Self::Schedules, Self::Leftovers, Self::Retention];

    fn name(self) -> &'static str {
        match self {
            Self::Listing => "listing",
            Self::Schedules => "schedules",
            Self::Leftovers => "leftovers",
            Self::Retention => "retention",
        }
    }

    /// How long it is left alone after somebody looked after it.
    fn every(self, app: &App) -> TimeDelta {
        match self {
            Self::Retention => FORGET_EVERY,
            _ => TimeDelta::from_std(app.config.reconcile_every).unwrap_or(FORGET_EVERY),
        }
    }

    async fn take(self, app: &App) -> Result<()> {
        match self {
            Self::Listing => match events::reconcile::run(app).await? {
                0 => {}
                found => tracing::info!(found, "the listing showed changes that no event had announced"),
            },
            Self::Schedules => schedules::catch_up(app).await?,
            Self::Leftovers => etl::sweep(app).await?,
            Self::Retention => match retention::sweep(app).await? {
                0 => {}
                forgotten => tracing::info!(forgotten, "what is old is forgotten"),
            },
        }
        Ok(())
    }
}

/// Looks after everything, and again when it is due, until `shutdown`. Each is looked after at the start, whoever's turn it
/// is: much may have happened while nobody was there.
pub(super) async fn run(app: App, shutdown: impl Future<Output = ()> + Send) {
    tokio::pin!(shutdown);
    let mut due = Care::ALL.map(|care| (care, None));
    loop {
        for (care, next) in &mut due {
            let now = app.clock.now();
            if next.is_some_and(|next| now < next) {
                continue;
            }
            let is_first = next.is_none();
            let every = care.every(&app);
            *next = Some(now + every);
            let taken = async {
                // Shorter than the time until we ask again, so that it is free by then. Asked for at the start as well, so
                // that the others know.
                let turn = every * 9 / 10;
                let is_ours = queue::take_turn(&app.store, &*app.clock, care.name(), turn).await?;
                match is_ours || is_first {
                    true => care.take(&app).await,
                    false => Ok(()),
                }
            };
            if let Err(error) = taken.await {
                let care = care.name();
                tracing::warn!(
                    care,
                    "it can't be looked after: {}{}",
                    error.message,
                    error.causes()
                );
            }
        }
        let soonest = due.iter().filter_map(|(_, next)| *next).min();
        let wait = soonest.map_or(TimeDelta::zero(), |next| next - app.clock.now());
        // A clock that was set back doesn't keep us away for longer.
        let wait = wait
            .to_std()
            .unwrap_or(Duration::ZERO)
            .min(app.config.reconcile_every);
        tokio::select! {
            () = &mut shutdown => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}
