//! What a program says, line by line, as lines of the run's log.

use std::io::{BufRead, BufReader, Read};
use std::process::Child;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::model::run::LogLevel;
use crate::task::speech::log;

/// The longest line that is kept as one, in bytes; what is longer is cut into several.
const MAX_LINE: u64 = 8 << 10;
/// How long what was said last may take to arrive, after everybody who could say it is gone.
const LAST_MOMENTS: Duration = Duration::from_secs(2);

/// The lines of one program.
pub(super) struct Lines {
    said: Arc<Said>,
    ended: Receiver<()>,
}

/// What both streams share.
struct Said {
    left: AtomicU64,
    kept: u64,
    is_full: AtomicBool,
    last_error: Mutex<String>,
}

impl Lines {
    /// Begins to listen to a program.
    pub(super) fn of(child: &mut Child, kept: u64) -> Self {
        let said = Arc::new(Said {
            left: AtomicU64::new(kept),
            kept,
            is_full: AtomicBool::new(false),
            last_error: Mutex::default(),
        });
        let (sender, ended) = channel();
        if let Some(stdout) = child.stdout.take() {
            listen(stdout, LogLevel::Info, Arc::clone(&said), sender.clone());
        }
        if let Some(stderr) = child.stderr.take() {
            listen(stderr, LogLevel::Warn, Arc::clone(&said), sender);
        }
        Self { said, ended }
    }

    /// Waits for what is still on its way; the last line that was said of what went wrong.
    pub(super) fn finish(self) -> String {
        // Each stream ends once, and is gone then.
        while self.ended.recv_timeout(LAST_MOMENTS).is_ok() {}
        let last = self
            .said
            .last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        last.clone()
    }
}

fn listen(stream: impl Read + Send + 'static, level: LogLevel, said: Arc<Said>, ended: Sender<()>) {
    std::thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        loop {
            line.clear();
            match stream.by_ref().take(MAX_LINE).read_until(b'\n', &mut line) {
                Ok(1..) => said.line(level, &line),
                Ok(0) | Err(_) => break,
            }
        }
        let _nobody_waits = ended.send(());
    });
}

impl Said {
    fn line(&self, level: LogLevel, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches(['\n', '\r']);
        if level == LogLevel::Warn && !text.trim().is_empty() {
            let mut last = self.last_error.lock().unwrap_or_else(PoisonError::into_inner);
            text.trim().clone_into(&mut last);
        }
        let length = line.len() as u64;
        let take = |left: u64| left.checked_sub(length);
        match self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take) {
            Ok(_) => log(level, text),
            Err(_) if !self.is_full.swap(true, Ordering::Relaxed) => log(
                LogLevel::Warn,
                format!(
                    "the script has said more than {} bytes: the rest is not kept (engines.log_kib)",
                    self.kept
                ),
            ),
            Err(_) => {}
        }
    }
}
