//! How many may do something at once, and how many may wait for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, Result};

/// A door that lets so many queries in at once, and so many wait before it, in the order in which they came.
#[derive(Debug)]
pub(super) struct Door {
    places: Arc<Semaphore>,
    at_once: usize,
    queue: Semaphore,
    queue_length: usize,
    wait: Duration,
}

/// A place behind the door. Dropping it lets the next one in.
pub(super) type Place = OwnedSemaphorePermit;

impl Door {
    pub(super) fn new(at_once: usize, queue_length: usize, wait: Duration) -> Self {
        let bounded = |count: usize| count.min(Semaphore::MAX_PERMITS);
        Self {
            places: Arc::new(Semaphore::new(bounded(at_once))),
            at_once,
            queue: Semaphore::new(bounded(queue_length)),
            queue_length,
            wait,
        }
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// Unavailable where too many wait, or the wait took too long.
    pub(super) async fn enter(&self) -> Result<Place> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(place);
        }
        let Ok(_waiting) = self.queue.try_acquire() else {
            return Err(Error::unavailable(format!(
                "too many queries: {} are at work and {} wait",
                self.at_once, self.queue_length
            ))
            .hint("try again in some seconds; query.at_once and query.queue say how many there may be"));
        };
        match tokio::time::timeout(self.wait, Arc::clone(&self.places).acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) => Err(Error::unavailable("the server is stopping")),
            Err(_) => Err(Error::unavailable(format!(
                "the query waited {} seconds for its turn: {} others are at work",
                self.wait.as_secs_f64(),
                self.at_once
            ))
            .hint("try again later; query.at_once and query.wait_seconds say how many there may be and how long they wait")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[tokio::test]
    async fn one_goes_in_one_waits_and_the_next_is_refused() {
        let door = Door::new(1, 1, Duration::from_secs(3600));
        let inside = door.enter().await.unwrap();
        let mut waiting = Box::pin(door.enter());
        assert!(futures::poll!(&mut waiting).is_pending());
        let refused = door.enter().await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Unavailable);
        assert_eq!(refused.message, "too many queries: 1 are at work and 1 wait");
        // Whoever gives up waiting makes room in the queue.
        drop(waiting);
        let mut waiting = Box::pin(door.enter());
        assert!(futures::poll!(&mut waiting).is_pending());
        drop(inside);
        let inside = waiting.await.unwrap();
        let mut late = Box::pin(door.enter());
        assert!(futures::poll!(&mut late).is_pending());
        drop(inside);
        drop(late.await.unwrap());
    }

    #[tokio::test]
    async fn nobody_waits_longer_than_allowed() {
        let door = Door::new(1, 1, Duration::from_millis(1));
        let _inside = door.enter().await.unwrap();
        let refused = door.enter().await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Unavailable);
        assert!(
            refused.message.contains("waited 0.001 seconds for its turn"),
            "{refused}"
        );
    }
}
