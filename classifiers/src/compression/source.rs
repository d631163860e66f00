//! The compressed bytes of a sample, read in a way that tells "cut off" from "corrupt" whatever error a decoder makes of
//! either.

use std::cell::Cell;
use std::io::{BufRead, Read, Result};

/// Hands out bytes and remembers when it was asked for more than there are.
pub(super) struct Source<'a> {
    rest: Cell<&'a [u8]>,
    exhausted: Cell<bool>,
}

impl<'a> Source<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Source {
            rest: Cell::new(bytes),
            exhausted: Cell::new(false),
        }
    }

    /// Whether more was asked for than there is.
    pub(super) fn is_exhausted(&self) -> bool {
        self.exhausted.get()
    }

    /// Whether nothing but zeros is left.
    pub(super) fn rest_is_zero(&self) -> bool {
        self.rest.get().iter().all(|&b| b == 0)
    }
}

impl Read for &Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut available = self.fill_buf()?;
        let n = available.read(buffer)?;
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for &Source<'_> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        let rest = self.rest.get();
        if rest.is_empty() {
            self.exhausted.set(true);
        }
        Ok(rest)
    }

    fn consume(&mut self, n: usize) {
        self.rest.set(self.rest.get().get(n..).unwrap_or(&[]));
    }
}
