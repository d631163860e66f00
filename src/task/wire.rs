//! What a child says, read with limits: whatever it says, it costs the server a line or a piece of memory, and no more.

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

use super::Message;
use crate::error::{Error, Result};

/// The longest line, in bytes.
const MAX_LINE: usize = 16 << 20;
/// The largest piece of a result, in bytes.
pub(super) const MAX_PIECE: usize = 256 << 10;

/// The child's end of a conversation. A call of [`Wire::next`] that is given up loses nothing.
pub(super) struct Wire<R> {
    reader: R,
    /// What has come of the line or the piece.
    held: Vec<u8>,
    /// How many bytes the piece has that is coming.
    piece: Option<usize>,
}

impl<R: AsyncBufRead + Unpin> Wire<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            held: Vec::new(),
            piece: None,
        }
    }

    /// What the child says next; nothing where it says nothing any more.
    ///
    /// # Errors
    /// Limit where a line or a piece is too long; Internal where it can't be understood.
    pub(super) async fn next(&mut self) -> Result<Option<Message>> {
        loop {
            if let Some(length) = self.piece {
                if !self.hold_bytes(length).await {
                    return Ok(None);
                }
                self.piece = None;
                let text = std::mem::take(&mut self.held);
                return Ok(Some(Message::Rows { length, text }));
            }
            if !self.hold_line().await? {
                return Ok(None);
            }
            let line = std::mem::take(&mut self.held);
            let message = serde_json::from_slice(&line).map_err(|cause| {
                Error::internal("a child process said something unintelligible").source(cause)
            })?;
            match message {
                Message::Rows { length, .. } if length > MAX_PIECE => {
                    return Err(too_long("a piece", MAX_PIECE));
                }
                Message::Rows { length, .. } => self.piece = Some(length),
                message => return Ok(Some(message)),
            }
        }
    }

    /// Reads up to the end of a line; false where nothing more comes.
    async fn hold_line(&mut self) -> Result<bool> {
        loop {
            let Ok(arrived) = self.reader.fill_buf().await else {
                return Ok(false);
            };
            if arrived.is_empty() {
                return Ok(false);
            }
            let end = arrived.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(arrived.len(), |end| end + 1);
            if self.held.len() + taken > MAX_LINE {
                return Err(too_long("a line", MAX_LINE));
            }
            self.held.extend_from_slice(&arrived[..taken]);
            self.reader.consume(taken);
            if end.is_some() {
                return Ok(true);
            }
        }
    }

    /// Reads until `length` bytes are held; false where nothing more comes.
    async fn hold_bytes(&mut self, length: usize) -> bool {
        while self.held.len() < length {
            let Ok(arrived) = self.reader.fill_buf().await else {
                return false;
            };
            if arrived.is_empty() {
                return false;
            }
            let taken = arrived.len().min(length - self.held.len());
            self.held.extend_from_slice(&arrived[..taken]);
            self.reader.consume(taken);
        }
        true
    }
}

fn too_long(what: &str, limit: usize) -> Error {
    Error::limit(format!(
        "the process at work said {what} of more than {limit} bytes"
    ))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, BufReader};

    use super::*;
    use crate::error::ErrorKind;

    async fn first(said: &[u8]) -> Result<Option<Message>> {
        Wire::new(said).next().await
    }

    #[tokio::test]
    async fn an_endless_line_is_refused_before_it_costs_memory() {
        let mut wire = Wire::new(BufReader::new(tokio::io::repeat(b'x')));
        let error = wire.next().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Limit);
        assert!(
            error.message.contains("a line of more than 16777216 bytes"),
            "{error}"
        );
        assert!(wire.held.capacity() <= 2 * MAX_LINE);
    }

    #[tokio::test]
    async fn a_line_may_be_as_long_as_the_limit_and_no_longer() {
        let spaces = |count: usize| tokio::io::repeat(b' ').take(count as u64);
        let log = br#"{"say":"need_tables","names":[]}"#;
        for (padding, is_fine) in [(MAX_LINE - log.len() - 1, true), (MAX_LINE - log.len(), false)] {
            let said = spaces(padding).chain(&log[..]).chain(&b"\n"[..]);
            let heard = Wire::new(BufReader::new(said)).next().await;
            assert_eq!(heard.is_ok(), is_fine, "{padding}");
        }
    }

    #[tokio::test]
    async fn pieces_come_whole_and_what_follows_them_is_understood() {
        let said = b"{\"say\":\"rows\",\"length\":5}\n[\n\"\n]{\"say\":\"rows\",\"length\":0}\n{\"say\":\"need_tables\",\"names\":[]}\n";
        let mut wire = Wire::new(&said[..]);
        let Some(Message::Rows { text, .. }) = wire.next().await.unwrap() else {
            panic!("no rows");
        };
        assert_eq!(text, b"[\n\"\n]");
        assert!(matches!(
            wire.next().await,
            Ok(Some(Message::Rows { length: 0, .. }))
        ));
        assert!(matches!(wire.next().await, Ok(Some(Message::NeedTables { .. }))));
        assert!(matches!(wire.next().await, Ok(None)));
    }

    #[tokio::test]
    async fn a_large_piece_half_a_piece_and_nonsense_are_not_taken() {
        let large = format!("{{\"say\":\"rows\",\"length\":{}}}\n", MAX_PIECE + 1);
        assert_eq!(first(large.as_bytes()).await.unwrap_err().kind, ErrorKind::Limit);
        let half = b"{\"say\":\"rows\",\"length\":9}\n[1";
        assert!(first(half).await.unwrap().is_none());
        assert!(first(b"{\"say\":\"do").await.unwrap().is_none());
        assert_eq!(first(b"\n").await.unwrap_err().kind, ErrorKind::Internal);
        assert!(first(b"").await.unwrap().is_none());
    }
}
