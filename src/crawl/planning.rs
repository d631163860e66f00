//! How a plan comes about: every target is looked at, and what was found is held against the catalog.

use std::collections::{BTreeMap, BTreeSet};

use super::apply::slices::Planned;
use super::look::session::Session;
use super::look::{classifiers, sources, target};
use super::plan::current::{Current, Existing};
use super::plan::tables;
use super::shape::found::FoundTable;
use super::shape::naming;
use super::shape::tree::SetAsides;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::crawl::{Crawl, CrawlProgress, CrawlRequest};
use crate::model::crawl_options::{Compatibility, Writing};
use crate::model::page::{MAX_LIMIT, PageRequest};
use crate::model::partition::Partition;
use crate::model::table::Table;
use crate::queue::{Lease, Worked};
use crate::store;

/// Looks at a crawl's targets, and plans what it would change.
///
/// # Errors
/// Those of listing and reading; Limit for more tables than the configuration wants.
pub(super) async fn make_plan(app: &App, lease: &Lease, crawl: &Crawl) -> Worked<Planned> {
    let request = &crawl.request;
    let writing = Writing {
        compatibility: request
            .options
            .compatibility
            .unwrap_or(app.config.crawl_compatibility),
        configuration: request.options.checked()?,
    };
    let mut session = Session {
        app,
        lease,
        crawl,
        judges: classifiers::judges(app, &request.classifiers).await?,
        progress: CrawlProgress::default(),
    };
    let (mut found, mut seen) = (Vec::new(), Vec::new());
    let mut set_aside = SetAsides::default();
    for wanted in &request.targets {
        let looked = match &wanted.connection {
            Some(connection) => sources::target(&session, wanted, connection).await?,
            None => target::target(&mut session, wanted, &writing).await?,
        };
        found.extend(looked.found.into_iter().map(FoundTable::with_names_that_can_be));
        set_aside.extend(looked.set_aside);
        seen.extend(looked.seen);
        session.progress.tables = i64::try_from(found.len()).unwrap_or(i64::MAX);
        session.report().await?;
    }
    if let Some(most) = writing.configuration.table_threshold
        && found.len() > most
    {
        return Err(Error::limit(format!(
            "The number of tables detected by crawler: {} is greater than the table threshold value provided: {most}. \
             No table was written",
            found.len()
        ))
        .hint("look at the plan of a dry run without TableThreshold, then raise it or narrow the crawl")
        .into());
    }
    let prefix = request.table_prefix.as_deref().unwrap_or_default();
    let current = current_state(app, request, &mut found, prefix, writing.compatibility).await?;
    let (plan, steps) = tables::plan(request, &writing, found, set_aside.into_list(), &current);
    Ok(Planned {
        plan,
        steps,
        seen,
        progress: session.progress,
    })
}

/// Names what was found, and gives the tables that the plan is about as they are in the catalog now.
async fn current_state(
    app: &App,
    request: &CrawlRequest,
    found: &mut [FoundTable],
    prefix: &str,
    compatibility: Compatibility,
) -> Result<Current> {
    let mut tx = app.store.read().await?;
    let mut current = Current {
        database_exists: store::databases::find(&mut tx, &request.database)
            .await?
            .is_some(),
        tables: BTreeMap::new(),
    };
    let places: BTreeSet<String> = found.iter().map(|found| found.location.key()).collect();
    let mut names = naming::Names::default();
    let mut concerned = Vec::new();
    let mut page = PageRequest::first(MAX_LIMIT);
    loop {
        let tables = store::tables::list(&mut tx, &request.database, &page).await?;
        for table in tables.items {
            let place = naming::place_of(&table.input).map(|place| place.key());
            let same = place.filter(|place| places.contains(place));
            let is_same = same.is_some();
            match same {
                Some(place) => names
                    .kept
                    .entry(place)
                    .or_default()
                    .push(table.input.name.clone()),
                None => {
                    names.taken.insert(table.input.name.clone());
                }
            }
            if is_same || tables::is_ours(request, &table.input) {
                concerned.push(table);
            }
        }
        match tables.next {
            Some(next) => page.after = Some(next),
            None => break,
        }
    }
    naming::give_names(found, prefix, compatibility, &names);
    let found: BTreeSet<&str> = found.iter().map(|found| found.name.as_str()).collect();
    for table in concerned {
        let is_found = found.contains(table.input.name.as_str());
        if is_found || tables::is_ours(request, &table.input) {
            let existing = Existing {
                partitions: all_partitions(&mut tx, &table).await?,
                left: store::crawl_memory::table(&mut tx, &table.id).await?,
                table,
            };
            let name = existing.table.input.name.clone();
            current.tables.insert(name, existing);
        }
    }
    Ok(current)
}

async fn all_partitions(tx: &mut store::Read, table: &Table) -> Result<Vec<Partition>> {
    let mut all = Vec::new();
    let mut page = PageRequest::first(MAX_LIMIT);
    loop {
        let partitions = store::partitions::list(tx, table, &page).await?;
        all.extend(partitions.items);
        match partitions.next {
            Some(next) => page.after = Some(next),
            None => return Ok(all),
        }
    }
}
