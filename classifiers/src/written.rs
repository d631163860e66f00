//! A verdict as it is written down: flat, with a member for each thing that may be known of a file. `mastic infer` shows it
//! so, and databases keep it so.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::custom::CsvSerde;
use crate::{
    AvroLayout, Column, Compression, CsvDialect, CsvLayout, Format, GrokLayout, JsonDocuments, JsonLayout,
    Layout, RegexLayout, Verdict, XmlLayout,
};

/// The members of a verdict in their order.
#[derive(Serialize, Deserialize)]
struct Written<'a> {
    classification: Cow<'a, str>,
    certainty: f64,
    classifier: Cow<'a, str>,
    compression: Compression,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    encoding: Option<Cow<'a, str>>,
    rows_sampled: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    average_row_bytes: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    row_count: Option<u64>,
    #[serde(flatten)]
    layout: Members<'a>,
    columns: Cow<'a, [Column]>,
    reasons: Cow<'a, [String]>,
}

/// The members that a layout has; those of other formats are left out. Parquet and ORC have none: the classification says
/// it.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Members<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    csv: Option<Cow<'a, CsvDialect>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    csv_null: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    quoted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    csv_serde: Option<CsvSerde>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_record: Option<Cow<'a, [String]>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    second_record: Option<Cow<'a, [String]>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    json: Option<JsonDocuments>,
    #[serde(skip_serializing_if = "Option::is_none")]
    json_path: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    json_names: Option<Cow<'a, BTreeMap<String, String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    avro: Option<Cow<'a, AvroLayout>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    xml: Option<Cow<'a, XmlLayout>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grok: Option<Cow<'a, GrokLayout>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    regex: Option<Cow<'a, RegexLayout>>,
}

impl<'a> Members<'a> {
    fn of(layout: Option<&'a Layout>) -> Self {
        let mut members = Self::default();
        match layout {
            Some(Layout::Csv(csv)) => {
                members.csv = Some(Cow::Borrowed(&csv.dialect));
                members.csv_null = csv.null.as_deref().map(Cow::Borrowed);
                members.quoted = csv.quoted;
                members.csv_serde = csv.serde;
                members.first_record = csv.first_record.as_deref().map(Cow::Borrowed);
                members.second_record = csv.second_record.as_deref().map(Cow::Borrowed);
            }
            Some(Layout::Json(json)) => {
                members.json = Some(json.documents);
                members.json_path = json.path.as_deref().map(Cow::Borrowed);
                members.json_names = (!json.names.is_empty()).then_some(Cow::Borrowed(&json.names));
            }
            Some(Layout::Avro(avro)) => members.avro = Some(Cow::Borrowed(avro)),
            Some(Layout::Xml(xml)) => members.xml = Some(Cow::Borrowed(xml)),
            Some(Layout::Grok(grok)) => members.grok = Some(Cow::Borrowed(grok)),
            Some(Layout::Regex(regex)) => members.regex = Some(Cow::Borrowed(regex)),
            Some(Layout::Parquet | Layout::Orc) | None => {}
        }
        members
    }

    /// The layout that has these members. A custom classifier may call its files as it likes, so what they are called counts
    /// last.
    fn layout(self, classification: &str) -> Option<Layout> {
        if let Some(grok) = self.grok {
            return Some(Layout::Grok(grok.into_owned()));
        }
        if let Some(xml) = self.xml {
            return Some(Layout::Xml(xml.into_owned()));
        }
        if let Some(avro) = self.avro {
            return Some(Layout::Avro(avro.into_owned()));
        }
        if let Some(regex) = self.regex {
            return Some(Layout::Regex(regex.into_owned()));
        }
        if let Some(documents) = self.json {
            return Some(Layout::Json(JsonLayout {
                documents,
                path: self.json_path.map(Cow::into_owned),
                names: self.json_names.map(Cow::into_owned).unwrap_or_default(),
            }));
        }
        if let Some(dialect) = self.csv {
            return Some(Layout::Csv(Box::new(CsvLayout {
                dialect: dialect.into_owned(),
                null: self.csv_null.map(Cow::into_owned),
                quoted: self.quoted,
                serde: self.csv_serde,
                first_record: self.first_record.map(Cow::into_owned),
                second_record: self.second_record.map(Cow::into_owned),
            })));
        }
        let of_footer = [(Format::Parquet, Layout::Parquet), (Format::Orc, Layout::Orc)];
        let own = of_footer
            .into_iter()
            .find(|(format, _)| format.as_str() == classification);
        own.map(|(_, layout)| layout)
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = Written {
            classification: Cow::Borrowed(&self.classification),
            certainty: self.certainty,
            classifier: Cow::Borrowed(&self.classifier),
            compression: self.compression,
            encoding: self.encoding.as_deref().map(Cow::Borrowed),
            rows_sampled: self.rows_sampled,
            average_row_bytes: self.average_row_bytes,
            row_count: self.row_count,
            layout: Members::of(self.layout.as_ref()),
            columns: Cow::Borrowed(&self.columns),
            reasons: Cow::Borrowed(&self.reasons),
        };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Verdict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        Ok(Verdict {
            layout: written.layout.layout(&written.classification),
            classification: written.classification.into_owned(),
            certainty: written.certainty,
            classifier: written.classifier.into_owned(),
            compression: written.compression,
            encoding: written.encoding.map(Cow::into_owned),
            rows_sampled: written.rows_sampled,
            average_row_bytes: written.average_row_bytes,
            row_count: written.row_count,
            columns: written.columns.into_owned(),
            reasons: written.reasons.into_owned(),
        })
    }
}
