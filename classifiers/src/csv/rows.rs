//! Records to a table: which of them is the header, and which are no data.

use std::collections::VecDeque;

use super::frame::FOOTER_RECORDS;
use super::records::Record;
use crate::CsvDialect;

/// Takes the records of a file in order, and says which of them are rows. Keeps no more of them than a footer may have.
#[derive(Debug)]
pub(crate) struct Rows {
    wants_header: bool,
    header: Option<Record>,
    /// Records below the header still to be left out.
    below_header: u64,
    footer: u64,
    /// The last records, which may be the footer.
    held: VecDeque<Record>,
}

impl Rows {
    pub(crate) fn new(dialect: &CsvDialect) -> Rows {
        Rows {
            wants_header: dialect.header,
            header: None,
            below_header: dialect.skip_after_header,
            footer: dialect.skip_footer.min(FOOTER_RECORDS as u64),
            held: VecDeque::new(),
        }
    }

    /// Takes the next record; calls `each` with a row that is now known to be one.
    pub(crate) fn observe(&mut self, record: &Record, each: &mut dyn FnMut(&Record)) {
        if self.wants_header && self.header.is_none() {
            self.header = Some(record.clone());
        } else if self.below_header > 0 {
            self.below_header -= 1;
        } else if self.footer == 0 {
            each(record);
        } else {
            self.held.push_back(record.clone());
            if self.held.len() as u64 > self.footer
                && let Some(row) = self.held.pop_front()
            {
                each(&row);
            }
        }
    }

    pub(crate) fn header(&self) -> Option<&Record> {
        self.header.as_ref()
    }
}
