//! Text objects as the SQL engine can read them: unpacked, in UTF-8, without the lines above and below the rows. As they
//! arrive, in bounded memory.

use std::collections::VecDeque;
use std::io::{BufReader, Read as _};

use bytes::Bytes;
use classifiers::limits::CSV_RECORD_BYTES;
use classifiers::{Compression, TextDecoder};
use futures::{Stream, TryStreamExt};
use tokio::sync::mpsc;

use crate::error::{Error, Result};

/// How much is unpacked and decoded at a time, in bytes.
const PIECE: usize = 64 << 10;
/// How many pieces wait for the reader.
const WAITING: usize = 4;

/// How an object becomes plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainText {
    /// How it is packed.
    pub compression: Compression,
    /// What it is written in; UTF-8 where nothing is said.
    pub encoding: Option<String>,
    /// What of it is left out.
    pub lines: Lines,
}

/// Lines that are no rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// How many stand above the header, or above the first row.
    pub above: u64,
    /// Whether a header comes next, which stays.
    pub header: bool,
    /// How many stand between the header and the first row.
    pub below_header: u64,
    /// How many stand at the end; blank ones don't count.
    pub footer: u64,
    /// The quote between which a header may break lines.
    pub quote: Option<u8>,
    /// Whether lines end in carriage returns alone.
    pub by_carriage_return: bool,
}

impl PlainText {
    /// Reads an object that arrives as `chunks`.
    pub fn read(
        self,
        chunks: impl Stream<Item = Result<Bytes>> + Send + Unpin + 'static,
    ) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
        let (give, take) = mpsc::channel(WAITING);
        // Decompressors wait for their input, so they get a thread to wait in.
        let packed = Arriving::new(chunks);
        tokio::task::spawn_blocking(move || {
            let told = give.clone();
            // Whoever asked is gone where it can't be given any more.
            let ended = self.unpack(packed, &|bytes| give.blocking_send(Ok(bytes)).is_ok());
            if let Err(error) = ended {
                let _nobody_listens = told.blocking_send(Err(error));
            }
        });
        futures::stream::unfold(take, |mut take| async move {
            take.recv().await.map(|piece| (piece, take))
        })
    }

    fn unpack(self, packed: impl std::io::Read, give: &dyn Fn(Bytes) -> bool) -> Result<()> {
        let compression = self.compression;
        let mut unpacked = classifiers::decompress(compression, BufReader::with_capacity(PIECE, packed));
        let name = self.encoding.as_deref().unwrap_or("utf-8");
        let mut decoder = TextDecoder::new(name)
            .ok_or_else(|| Error::invalid(format!("it is written in {name}, which can't be read")))?;
        let mut rows = Rows::new(self.lines);
        let mut piece = vec![0; PIECE];
        let mut text = String::new();
        loop {
            let length = match unpacked.read(&mut piece) {
                Ok(length) => length,
                Err(cause) if cause.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(cause) => {
                    return Err(Error::invalid(format!("it is not valid {compression}: {cause}")));
                }
            };
            text.clear();
            decoder.decode(&piece[..length], length == 0, &mut text);
            let mut kept = Vec::with_capacity(text.len());
            rows.feed(text.as_bytes(), &mut kept)?;
            if length == 0 {
                rows.finish(&mut kept);
            }
            if !kept.is_empty() && !give(Bytes::from(kept)) || length == 0 {
                return Ok(());
            }
        }
    }
}

/// A download for a reader that waits.
pub struct Arriving<S> {
    chunks: S,
    runtime: tokio::runtime::Handle,
    chunk: Bytes,
}

impl<S> Arriving<S> {
    /// Within a runtime; to be read on a thread that may wait.
    pub fn new(chunks: S) -> Self {
        Self {
            chunks,
            runtime: tokio::runtime::Handle::current(),
            chunk: Bytes::new(),
        }
    }
}

impl<S: Stream<Item = Result<Bytes>> + Unpin> std::io::Read for Arriving<S> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.chunk.is_empty() {
            match self.runtime.block_on(self.chunks.try_next()) {
                Ok(Some(chunk)) => self.chunk = chunk,
                Ok(None) => return Ok(0),
                Err(error) => return Err(std::io::Error::other(error)),
            }
        }
        let length = self.chunk.len().min(into.len());
        into[..length].copy_from_slice(&self.chunk.split_to(length));
        Ok(length)
    }
}

/// Where in the text the reading is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Above,
    Header,
    BelowHeader,
    Below,
}

/// Leaves out what is no row.
struct Rows {
    lines: Lines,
    place: Place,
    /// Lines of this place that have ended.
    ended: u64,
    is_quoted: bool,
    /// The last lines so far, which may be the footer.
    held: VecDeque<Vec<u8>>,
    /// The line that has begun.
    line: Vec<u8>,
}

impl Rows {
    fn new(lines: Lines) -> Self {
        let mut rows = Self {
            lines,
            place: Place::Above,
            ended: 0,
            is_quoted: false,
            held: VecDeque::new(),
            line: Vec::new(),
        };
        rows.go_on();
        rows
    }

    /// Leaves a place that has no more lines.
    fn go_on(&mut self) {
        loop {
            let (lines, next) = match self.place {
                Place::Above => (self.lines.above, Place::Header),
                Place::Header => (u64::from(self.lines.header), Place::BelowHeader),
                Place::BelowHeader => (self.lines.below_header, Place::Below),
                Place::Below => return,
            };
            if self.ended < lines {
                return;
            }
            self.place = next;
            self.ended = 0;
        }
    }

    fn feed(&mut self, mut text: &[u8], kept: &mut Vec<u8>) -> Result<()> {
        let line_end = if self.lines.by_carriage_return {
            b'\r'
        } else {
            b'\n'
        };
        while !text.is_empty() {
            if self.place == Place::Below && self.lines.footer == 0 {
                kept.extend_from_slice(text);
                return Ok(());
            }
            let end = text.iter().position(|byte| *byte == line_end);
            let (part, rest) = text.split_at(end.map_or(text.len(), |end| end + 1));
            text = rest;
            match self.place {
                Place::Header => {
                    kept.extend_from_slice(part);
                    let quotes = part
                        .iter()
                        .filter(|byte| Some(**byte) == self.lines.quote)
                        .count();
                    self.is_quoted ^= quotes % 2 == 1;
                }
                Place::Below => {
                    self.line.extend_from_slice(part);
                    if self.line.len() > CSV_RECORD_BYTES {
                        return Err(Error::invalid(format!(
                            "a line is longer than {} MiB",
                            CSV_RECORD_BYTES >> 20
                        )));
                    }
                    if end.is_some() {
                        self.hold(kept);
                    }
                }
                Place::Above | Place::BelowHeader => {}
            }
            if end.is_some() && self.place != Place::Below && !self.is_quoted {
                self.ended += 1;
                self.go_on();
            }
        }
        Ok(())
    }

    /// Keeps back a line that has ended, and gives the one that can't be of the footer any more.
    fn hold(&mut self, kept: &mut Vec<u8>) {
        let line = std::mem::take(&mut self.line);
        match self.held.back_mut() {
            // Between the last lines blank ones don't count.
            Some(last) if line.trim_ascii().is_empty() => last.extend(line),
            _ => self.held.push_back(line),
        }
        if self.held.len() as u64 > self.lines.footer {
            kept.extend(self.held.pop_front().unwrap_or_default());
        }
    }

    fn finish(&mut self, kept: &mut Vec<u8>) {
        if !self.line.is_empty() {
            self.hold(kept);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(lines: Lines, text: &str, step: usize) -> String {
        let mut rows = Rows::new(lines);
        let mut kept = Vec::new();
        for piece in text.as_bytes().chunks(step) {
            rows.feed(piece, &mut kept).unwrap();
        }
        rows.finish(&mut kept);
        String::from_utf8(kept).unwrap()
    }

    #[test]
    fn what_is_no_row_is_left_out_wherever_pieces_end() {
        let lines = Lines {
            above: 2,
            header: true,
            below_header: 1,
            footer: 2,
            quote: Some(b'"'),
            by_carriage_return: false,
        };
        let text = "Report\n\nid,\"na\nme\"\n--,--\n1,a\n2,b\n\nTotal: 2\n\nSource: us\n\n";
        for step in 1..text.len() {
            assert_eq!(rows(lines.clone(), text, step), "id,\"na\nme\"\n1,a\n2,b\n\n");
        }
    }

    #[test]
    fn rows_alone_stay_as_they_are() {
        for step in 1..8 {
            assert_eq!(rows(Lines::default(), "1,a\n2,b", step), "1,a\n2,b");
            let footer = Lines {
                footer: 1,
                ..Lines::default()
            };
            assert_eq!(rows(footer, "1,a\n2,b\nend", step), "1,a\n2,b\n");
        }
    }
}
