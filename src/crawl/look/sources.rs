//! Tables of other databases: what their catalogs say becomes tables as any crawl finds them.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use super::session::Session;
use super::target::LookedAt;
use crate::catalog::connections;
use crate::crawl::shape::found::{DatabaseTable, FoundFormat, FoundTable, Place};
use crate::crawl::shape::tree::SetAsides;
use crate::error::{Error, Result};
use crate::model::crawl::{AdditionalMetadata, CrawlTarget, PlannedColumn};
use crate::model::crawl_options::{CrawlOptions, RecrawlBehavior};
use crate::model::globs;
use crate::model::source::{Engine, IncludePath, SourceColumn, SourcePlace, SourceTable};
use crate::model::table::{Column, Parameters};
use crate::sources::Source;
use crate::store;

/// The longest comment of a column that Glue takes, in characters.
const LONGEST_COMMENT: usize = 255;
/// The longest description of a table that Glue takes, in characters.
const LONGEST_DESCRIPTION: usize = 2048;
/// The parameter of a column that holds its type as the database spells it.
const RAW_TYPE: &str = "rawType";
/// The parameter of a column that holds its name as the database spells it, where the catalog's is another.
const RAW_NAME: &str = "rawName";

/// Refuses targets whose connections lead to no database that can be crawled, or whose paths it can't have.
///
/// # Errors
/// NotFound for a connection that isn't there; Invalid.
pub(crate) async fn check(
    tx: &mut store::Look,
    targets: &[CrawlTarget],
    options: &CrawlOptions,
) -> Result<()> {
    for target in targets {
        let Some(name) = &target.connection else {
            if target.additional_metadata.is_empty() {
                continue;
            }
            return Err(Error::invalid(format!(
                "{} is no database's, and has no additional metadata",
                target.path
            ))
            .hint("name the connection that leads to the database"));
        };
        let connection = store::connections::find(tx, name)
            .await?
            .ok_or_else(|| Error::not_found(format!("connection {name} not found")))?;
        let source = Source::of(&connection.input)?;
        IncludePath::parse(source.engine, &target.path)?;
        if target.sample_size.is_some() || target.inventory.is_some() {
            return Err(Error::invalid(
                "the tables of a database have neither a sample size nor an inventory",
            )
            .hint("leave them out: no row is read"));
        }
        if options.recrawl != RecrawlBehavior::CrawlEverything {
            return Err(Error::invalid(
                "a database can only be crawled as a whole: it has neither folders nor events",
            )
            .hint("set the recrawl behavior to CRAWL_EVERYTHING"));
        }
    }
    Ok(())
}

/// Looks at a target that is tables of a database.
///
/// # Errors
/// Those of the connection; NotFound for a database that isn't there.
pub(crate) async fn target(
    session: &Session<'_>,
    target: &CrawlTarget,
    connection: &str,
) -> Result<LookedAt> {
    let source = Source::of(&connections::get(session.app, connection).await?.input)?;
    let path = IncludePath::parse(source.engine, &target.path)?;
    let within = |error: Error| error.within(format!("connection {connection}"));
    let mut tables = source.tables(&path).await.map_err(within)?;
    let listed = tables.len();
    let exclusions = globs::exclusions(&target.exclusions)?;
    tables.retain(|table| !is_excluded(&exclusions, table));
    let mut set_aside = SetAsides::default();
    if tables.is_empty() {
        let reason = match listed {
            0 => format!(
                "{source} shows {} no table or view that the path names; upper and lower case matter",
                source.user
            ),
            _ => format!("the exclusions leave none of {listed} tables"),
        };
        set_aside.add(format!("{connection}: {}", target.path), reason);
    }
    let found = tables
        .into_iter()
        .map(|table| found_table(source.engine, connection, target, table))
        .collect();
    Ok(LookedAt {
        found,
        set_aside,
        seen: None,
    })
}

/// Exclusions are relative to the path, whose fixed part may end before the schema or before the table.
fn is_excluded(exclusions: &[Regex], table: &SourceTable) -> bool {
    let schema = table.schema.as_ref().unwrap_or(&table.database);
    let with_schema = format!("{schema}/{}", table.name);
    exclusions
        .iter()
        .any(|glob| glob.is_match(&table.name) || glob.is_match(&with_schema))
}

fn found_table(engine: Engine, connection: &str, target: &CrawlTarget, table: SourceTable) -> FoundTable {
    let takes = |what| target.additional_metadata.contains(&what);
    let place = SourcePlace::of(connection, &table);
    let (planned, columns) = columns_of(
        engine,
        &table,
        takes(AdditionalMetadata::RawTypes),
        takes(AdditionalMetadata::Comments),
    );
    let names = table.columns.iter().zip(&columns);
    let key = |wanted: &String| {
        let mut names = names.clone();
        names.find_map(|(raw, column)| (raw.name == *wanted).then(|| column.name.clone()))
    };
    let primary_key: Vec<String> = table.primary_key.iter().filter_map(key).collect();
    let noun = if table.is_view { "view" } else { "table" };
    let mut reasons = vec![format!("{connection} leads to the {noun} {place} of {engine}")];
    if let Some(rows) = table.rows {
        reasons.push(format!("{engine} believes that it has {rows} rows"));
    }
    let description = table.comment.filter(|_| takes(AdditionalMetadata::Comments));
    FoundTable {
        name: String::new(),
        named_after: place.parts.join("_"),
        location: Place::Source(place),
        format: FoundFormat::Database(DatabaseTable {
            engine,
            connection: connection.to_owned(),
            is_view: table.is_view,
            description: description.map(|text| shortened(&text, LONGEST_DESCRIPTION)),
            columns,
            primary_key,
        }),
        compression: "none".to_owned(),
        partition_keys: Vec::new(),
        partitions: BTreeMap::new(),
        columns: planned,
        steps: BTreeMap::new(),
        files: 0,
        bytes: 0,
        rows: table.rows,
        exclusions: target.exclusions.clone(),
        reasons,
    }
}

/// The columns for the plan, and as the catalog keeps them.
fn columns_of(
    engine: Engine,
    table: &SourceTable,
    with_types: bool,
    with_comments: bool,
) -> (Vec<PlannedColumn>, Vec<Column>) {
    let mut taken = BTreeSet::new();
    table
        .columns
        .iter()
        .map(|column| {
            let name = catalog_name(&column.name, &mut taken);
            let mut parameters = Parameters::new();
            if with_types {
                parameters.insert(RAW_TYPE.to_owned(), column.raw_type.clone());
            }
            if name != column.name {
                parameters.insert(RAW_NAME.to_owned(), column.name.clone());
            }
            let comment = column.comment.as_ref().filter(|_| with_comments);
            let planned = PlannedColumn {
                name: name.clone(),
                data_type: column.data_type.clone(),
                reason: reason_of(engine, table, column, &name),
            };
            let column = Column {
                name,
                data_type: Some(column.data_type.clone()),
                // A column's comment is one line.
                comment: comment.map(|text| shortened(&text.replace(['\n', '\r'], " "), LONGEST_COMMENT)),
                parameters,
            };
            (planned, column)
        })
        .unzip()
}

/// The catalog's name of a column: in lower case, without control characters, and another than its neighbours'.
fn catalog_name(raw: &str, taken: &mut BTreeSet<String>) -> String {
    let base: String = raw
        .chars()
        .flat_map(char::to_lowercase)
        .map(|next| if next.is_control() { '_' } else { next })
        .collect();
    let mut name = base.clone();
    let mut count = 1;
    while !taken.insert(name.clone()) {
        count += 1;
        name = format!("{base}_{count}");
    }
    name
}

fn reason_of(engine: Engine, table: &SourceTable, column: &SourceColumn, name: &str) -> String {
    let mut reason = format!("{} in {engine}", column.raw_type);
    if let Some(why) = column.why {
        reason.push_str(&format!(": {why}"));
    }
    if table.primary_key.contains(&column.name) {
        reason.push_str("; of the primary key");
    } else if !column.is_nullable {
        reason.push_str("; never null");
    }
    if name != column.name {
        reason.push_str(&format!("; named \"{}\" there", column.name));
    }
    reason
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: &[&str]) -> SourceTable {
        SourceTable {
            database: "shop".to_owned(),
            schema: Some("HR".to_owned()),
            name: "Staff_Table".to_owned(),
            columns: columns
                .iter()
                .map(|name| SourceColumn {
                    name: (*name).to_owned(),
                    ..SourceColumn::default()
                })
                .collect(),
            ..SourceTable::default()
        }
    }

    #[test]
    fn exclusions_are_relative_to_the_path() {
        let is_excluded =
            |glob: &str| is_excluded(&globs::exclusions(&[glob.to_owned()]).unwrap(), &table(&[]));
        for glob in [
            "Staff*",
            "**_Table",
            "HR/*",
            "HR/**",
            "HR/Staff_Table",
            "{HR,IT}/**",
            "*_Table",
        ] {
            assert!(is_excluded(glob), "{glob}");
        }
        for glob in ["staff*", "HR*", "Staff", "IT/**"] {
            assert!(!is_excluded(glob), "{glob}");
        }
    }

    #[test]
    fn columns_that_differ_only_in_case_stay_apart() {
        let (_, columns) = columns_of(
            Engine::PostgreSql,
            &table(&["Id", "id", "ID", "a\nb"]),
            false,
            false,
        );
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["id", "id_2", "id_3", "a_b"]);
        assert_eq!(columns[2].parameters[RAW_NAME], "ID");
        assert!(columns[1].parameters.contains_key(RAW_NAME) && columns[0].parameters[RAW_NAME] == "Id");
    }

    #[test]
    fn long_comments_are_cut_to_what_glue_takes() {
        assert_eq!(shortened("naïve", 5), "naïve");
        assert_eq!(shortened("abcdef", 4), "abc…");
    }
}
