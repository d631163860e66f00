//! One column of text: what its values were, and what that makes of the column.

use crate::formats::Formats;
use crate::values::{Kind, kind_of};
use crate::{Column, DataType};

/// Characters of a value that a reason quotes.
const EXAMPLE_CHARS: usize = 40;

/// The first value of a kind.
#[derive(Debug, Clone)]
struct Example {
    text: String,
    row: u64,
}

/// Counts of what a column's values look like. Its size doesn't depend on how many there were.
#[derive(Debug, Clone, Default)]
pub(crate) struct ColumnSummary {
    counts: [u64; Kind::ALL.len()],
    firsts: [Option<Example>; Kind::ALL.len()],
    /// Values that would be a number, date or boolean only once their surrounding blanks are gone.
    padded: u64,
    /// How all values that are text are written, where they share a way.
    formats: Formats,
    /// The first text that broke a way all texts before it shared.
    stranger: Option<Box<(Formats, Example)>>,
}

impl ColumnSummary {
    /// Counts one value. Rows are numbered from 1.
    pub(crate) fn observe(&mut self, text: &str, row: u64) {
        let kind = kind_of(text);
        let at = kind.index();
        self.counts[at] += 1;
        if self.firsts[at].is_none() {
            self.firsts[at] = Some(Example {
                text: quoted(text.trim()),
                row,
            });
        }
        if kind == Kind::Text && !self.formats.is_empty() {
            let narrowed = self.formats.narrow(text);
            if narrowed.is_empty() && self.formats != Formats::default() {
                let text = quoted(text.trim());
                self.stranger = Some(Box::new((self.formats, Example { text, row })));
            }
            self.formats = narrowed;
        }
        let typed = !matches!(kind, Kind::Null | Kind::Text);
        if typed && (text.starts_with([' ', '\t']) || text.ends_with([' ', '\t'])) {
            self.padded += 1;
        }
    }

    /// Counts values that rows too short for this column don't have.
    pub(crate) fn observe_missing(&mut self, rows: u64) {
        self.counts[Kind::Null.index()] += rows;
    }

    pub(crate) fn count(&self, kind: Kind) -> u64 {
        self.counts[kind.index()]
    }

    /// Values that are not null.
    pub(crate) fn values(&self) -> u64 {
        self.counts.iter().sum::<u64>() - self.count(Kind::Null)
    }

    pub(crate) fn padded(&self) -> u64 {
        self.padded
    }

    /// Whether every value is the number of a payment card, and there is more than one.
    fn holds_card_numbers(&self) -> bool {
        let cards = self.count(Kind::CardNumber);
        cards > 1 && cards == self.values()
    }

    /// The type that holds every value.
    pub(crate) fn data_type(&self) -> DataType {
        if self.holds_card_numbers() {
            return DataType::String;
        }
        let soft = self.count(Kind::NullWord) + self.count(Kind::InfinityWord);
        let firm = Kind::ALL
            .iter()
            .filter(|kind| self.count(**kind) > 0 && !matches!(kind, Kind::NullWord | Kind::InfinityWord))
            .fold(DataType::Null, |merged, kind| merged.merge(kind.data_type()));
        if self.count(Kind::ShortDate) > 0 && self.count(Kind::Timestamp) > 0 {
            return DataType::String;
        }
        match firm {
            DataType::Null if soft > 0 => DataType::String,
            firm if self.count(Kind::InfinityWord) > 0 => firm.merge(DataType::Double),
            firm => firm,
        }
    }

    /// The column that these values make.
    pub(crate) fn column(&self, name: String) -> Column {
        let data_type = self.data_type();
        let nulls = match data_type {
            DataType::String | DataType::Null => self.count(Kind::Null),
            _ => self.count(Kind::Null) + self.count(Kind::NullWord),
        };
        let mut reason = self.reason(&data_type);
        if nulls > 0 && data_type != DataType::Null {
            reason.push_str(&format!(
                "; {nulls} more {} null",
                if nulls == 1 { "is" } else { "are" }
            ));
            let words = &self.firsts[Kind::NullWord.index()];
            if let (Some(word), true) = (words, data_type != DataType::String) {
                reason.push_str(&format!(" (such as {})", word.text));
            }
        }
        Column {
            name,
            nullable: nulls > 0,
            data_type,
            reason,
        }
    }

    fn reason(&self, data_type: &DataType) -> String {
        let values = self.values();
        match data_type {
            DataType::Null => match self.count(Kind::Null) {
                0 => "there are no rows to go by".to_owned(),
                1 => "its one value is null".to_owned(),
                nulls => format!("all {nulls} values are null"),
            },
            DataType::String => self.reason_for_text(values),
            _ => {
                let values = values - self.count(Kind::NullWord);
                let mut reason = format!("{values} of {values} values parse as {data_type}");
                let widened = match data_type {
                    DataType::Double if self.count(Kind::Integer) + self.count(Kind::CardNumber) > 0 => {
                        let decider =
                            [Kind::Decimal, Kind::InfinityWord].map(|kind| &self.firsts[kind.index()]);
                        decider.into_iter().flatten().next()
                    }
                    DataType::Timestamp if self.count(Kind::Date) > 0 => {
                        self.firsts[Kind::Timestamp.index()].as_ref()
                    }
                    _ => None,
                };
                if let Some(Example { text, row }) = widened {
                    let narrow = if *data_type == DataType::Double {
                        "an integer"
                    } else {
                        "a date"
                    };
                    reason.push_str(&format!("; {text} (row {row}) is more than {narrow}"));
                }
                reason
            }
        }
    }

    /// Why a column is text although some of its values look like something else.
    fn reason_for_text(&self, values: u64) -> String {
        if self.holds_card_numbers() {
            return format!(
                "{values} of {values} values have the digits of payment cards, which are no numbers"
            );
        }
        let format = self.formats.describe().filter(|_| self.count(Kind::Text) > 0);
        let candidates = [
            Kind::Integer,
            Kind::Decimal,
            Kind::Date,
            Kind::Timestamp,
            Kind::Boolean,
        ];
        let numbers = self.count(Kind::Integer) + self.count(Kind::CardNumber) + self.count(Kind::Decimal);
        let dates = self.count(Kind::Date) + self.count(Kind::ShortDate) + self.count(Kind::Timestamp);
        let best = candidates
            .into_iter()
            .max_by_key(|kind| match kind {
                Kind::Integer if self.count(Kind::Decimal) == 0 => numbers,
                Kind::Decimal if self.count(Kind::Decimal) > 0 => numbers,
                Kind::Date if self.count(Kind::Timestamp) == 0 => dates,
                Kind::Timestamp if self.count(Kind::Timestamp) > 0 => dates,
                Kind::Boolean => self.count(Kind::Boolean),
                _ => 0,
            })
            .unwrap_or(Kind::Integer);
        let matching = match best {
            Kind::Integer | Kind::Decimal => numbers,
            Kind::Date | Kind::Timestamp => dates,
            _ => self.count(best),
        };
        let spoiler = [
            (Kind::Text, "is text"),
            (Kind::LeadingZero, "has a leading zero that a number would lose"),
            (Kind::LeadingPlus, "has a leading plus that a number would lose"),
            (Kind::LongDigits, "has more digits than a number holds exactly"),
            (Kind::NullWord, "is text"),
            (Kind::InfinityWord, "is text"),
        ]
        .into_iter()
        .filter_map(|(kind, why)| Some((kind, self.firsts[kind.index()].as_ref()?, why)))
        .next();
        match spoiler {
            Some((kind, Example { text, row }, why)) if matching > 0 => {
                let mut reason = format!(
                    "{matching} of {values} values parse as {}, but {text} (row {row}) {why}",
                    best.data_type()
                );
                if let Some(format) = format.filter(|_| kind == Kind::Text) {
                    reason.push_str(&format!("; all that are text are {format}"));
                }
                reason
            }
            Some((kind, Example { text, row }, why)) if kind != Kind::Text => {
                format!("{text} (row {row}) {why}")
            }
            Some((_, Example { text, row }, _)) => match format {
                Some(format) if self.count(Kind::Text) == values => format!(
                    "{values} of {values} values are {format}, such as {text} (row {row}): only text holds them as written"
                ),
                _ => {
                    let mut reason = format!("{values} of {values} values are text");
                    if let Some((formats, Example { text, row })) = self.stranger.as_deref()
                        && let Some(format) = formats.describe()
                    {
                        reason.push_str(&format!(
                            "; they begin as {format}, but {text} (row {row}) is not one"
                        ));
                    }
                    reason
                }
            },
            None => self.reason_for_mixture(values),
        }
    }

    /// Text only because the kinds have nothing in common.
    fn reason_for_mixture(&self, values: u64) -> String {
        let mut seen: Vec<(u64, String)> = Kind::ALL
            .iter()
            .filter_map(|kind| {
                let Example { text, row } = self.firsts[kind.index()].as_ref()?;
                let kind_type = kind.data_type();
                (kind_type != DataType::Null).then(|| (*row, format!("{text} (row {row}) is {kind_type}")))
            })
            .collect();
        seen.sort();
        let seen: Vec<String> = seen.into_iter().map(|(_, words)| words).collect();
        format!(
            "{values} values of types that only text holds: {}",
            seen.join(", ")
        )
    }
}

/// A value as a reason shows it.
pub(crate) fn quoted(text: &str) -> String {
    let mut chars = text.chars();
    let mut shown: String = chars.by_ref().take(EXAMPLE_CHARS).collect();
    if chars.next().is_some() {
        shown.push('…');
    }
    format!("{shown:?}")
}
