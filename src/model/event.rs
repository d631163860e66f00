//! An event: one object was written or removed, as somebody told us.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What happened to the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// It was written: for the first time, or anew.
    Created,
    /// It was removed.
    Removed,
}

/// Who tells us of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The embedded store, of its own objects.
    Lake,
    /// Somebody who calls our endpoint.
    Webhook,
    /// A listing that showed what nobody had told.
    Listing,
    /// A person who wants it acted on again.
    Replay,
}

impl Source {
    /// The name that is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lake => "lake",
            Self::Webhook => "webhook",
            Self::Listing => "listing",
            Self::Replay => "replay",
        }
    }

    /// Whether its word on an object's version counts. Who passes on what a store said leaves entity tags out, or spells
    /// them as no listing does, and may be late: the store itself is asked then.
    pub fn knows_the_version(self) -> bool {
        match self {
            Self::Lake | Self::Listing | Self::Replay => true,
            Self::Webhook => false,
        }
    }
}

/// One object's change, whoever told us of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectEvent {
    /// The bucket.
    pub bucket: String,
    /// The key, decoded.
    pub key: String,
    /// What happened.
    pub kind: EventKind,
    /// The object's size in bytes, where it was told.
    pub size: Option<i64>,
    /// The object's entity tag without quotes, where it was told.
    pub etag: Option<String>,
    /// The store's own order of the events of one key: hexadecimal, compared after padding the shorter with zeros on the
    /// right (S3 User Guide, event message structure).
    pub sequencer: Option<String>,
    /// Who told us.
    pub source: Source,
}

impl ObjectEvent {
    /// The event with its entity tag in the one spelling that everything here compares: without quotes, and without the
    /// mark of a weak one. S3's are lower-case hexadecimal, which some senders write in capitals.
    #[must_use]
    pub fn normalized(mut self) -> Self {
        self.etag = self.etag.as_deref().and_then(etag_of);
        self
    }
}

/// An entity tag as [`ObjectEvent::normalized`] spells it; absent where it is empty.
pub fn etag_of(text: &str) -> Option<String> {
    let text = text.trim();
    let bare = text.strip_prefix("W/").unwrap_or(text).trim_matches('"');
    let is_hexadecimal = bare.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    let spelled = if is_hexadecimal {
        bare.to_ascii_lowercase()
    } else {
        bare.to_owned()
    };
    (!spelled.is_empty()).then_some(spelled)
}

/// A subscription of SNS that waits for somebody to visit an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// The topic's ARN.
    pub topic: String,
    /// The address that confirms it. Nothing here visits it.
    pub url: String,
}

/// What goes with an event and isn't the sender's to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// The jobs whose runs led to it, the first first; none where no run wrote the object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<String>,
    /// Whether the version is still to be learned from the store, which couldn't be asked when the event came.
    #[serde(default)]
    pub unverified: bool,
}

/// An event as it was taken down.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its id; ids sort by arrival.
    pub id: String,
    /// What happened.
    pub object: ObjectEvent,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
    /// What each trigger made of it.
    pub outcomes: Vec<Outcome>,
}

/// What a trigger made of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The trigger's name; absent where no trigger matched.
    pub trigger: Option<String>,
    /// What became of it.
    pub state: OutcomeState,
    /// The run that acts on it, once there is one.
    pub run: Option<String>,
    /// More, in words.
    pub detail: Option<String>,
}

/// What became of an event at a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeState {
    /// It waits for the batch window to close.
    Batched,
    /// The other inputs of the run that it would start aren't there yet.
    Waiting,
    /// A run acts on it.
    Started,
    /// This very version of the object was seen before.
    Duplicate,
    /// It tells of an older state of the object than is known.
    Superseded,
    /// No trigger is interested in it.
    Unmatched,
    /// The trigger matched, but no run can be started for it; the detail says why.
    Rejected,
}

/// Whether `new` comes before `known`, both being sequencers of the same key.
pub fn is_older(new: &str, known: &str) -> bool {
    let width = new.len().max(known.len());
    let pad = |text: &str| format!("{:0<width$}", text.to_ascii_lowercase());
    pad(new) < pad(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entity_tags_have_one_spelling() {
        for text in ["\"0AbC-2\"", "0abc-2", "W/\"0abc-2\"", " 0ABC-2 "] {
            assert_eq!(etag_of(text).as_deref(), Some("0abc-2"), "{text}");
        }
        assert_eq!(etag_of("\"Ceph-Tag\"").as_deref(), Some("Ceph-Tag"));
        assert_eq!((etag_of(""), etag_of("\"\"")), (None, None));
    }

    #[test]
    fn sequencers_compare_padded_on_the_right() {
        assert!(is_older("0055AED6DCD90281E5", "0055AED6DCD90281E6"));
        assert!(is_older("0055", "00551"));
        assert!(!is_older("0055", "00550"));
        assert!(!is_older("0056", "00551"));
    }
}
