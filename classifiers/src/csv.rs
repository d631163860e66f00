//! CSV.
use crate::{ClassifyError, CsvDialect, Scanned};
/// Types every value of a CSV file.
#[derive(Debug)]
pub struct CsvScanner;
impl CsvScanner {
    /// Starts a file.
    pub fn new(_dialect: &CsvDialect) -> Self {
        CsvScanner
    }
    /// Takes the next bytes.
    pub fn feed(&mut self, _bytes: &[u8]) -> Result<(), ClassifyError> {
        Ok(())
    }
    /// Ends the file.
    pub fn finish(self) -> Result<Scanned, ClassifyError> {
        Ok(Scanned { columns: Vec::new(), rows: 0 })
    }
}
