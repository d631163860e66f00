//! Text objects as the SQL engine can read them: unpacked and in UTF-8, as they arrive, in bounded memory.

use std::io::{BufReader, Read as _};

use bytes::Bytes;
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
        let mut piece = vec![0; PIECE];
        let mut text = String::new();
        loop {
            let length = match unpacked.read(&mut piece) {
                Ok(length) => length,
                Err(cause) if cause.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(cause) => {
                    // What the store said isn't the file's fault.
                    return Err(cause.downcast::<Error>().unwrap_or_else(|cause| {
                        Error::invalid(format!("it is not valid {compression}: {cause}"))
                    }));
                }
            };
            text.clear();
            decoder.decode(&piece[..length], length == 0, &mut text);
            if !text.is_empty() && !give(Bytes::copy_from_slice(text.as_bytes())) || length == 0 {
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
