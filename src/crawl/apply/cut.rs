//! Cuts the steps of a plan into slices of bounded size. Pure.
//!
//! The steps stay in their order, so that what readers see between two slices is always the beginning of the plan: the
//! database, then table by table, each before its partitions, those in the order of their values, and last what the crawler
//! remembers of folders. A table's own change is in one slice with the first of its partitions.

use crate::model::crawl_steps::Step;

/// A step that is about a table itself is some statements of its own, which take as long as so many partitions among others.
const TABLE: usize = 20;

/// The slices, each with about `most` partitions, or with what takes as long.
pub(super) fn cut(steps: Vec<Step>, most: usize) -> Vec<Vec<Step>> {
    let mut slices = vec![Vec::new()];
    let mut room = most;
    for step in steps {
        let mut rest = Some(step);
        while let Some(mut step) = rest.take() {
            if room == 0 || room < most && is_of_table(&step) && room <= TABLE {
                slices.push(Vec::new());
                room = most;
            }
            let size = size(&step);
            if size > room {
                rest = split_off(&mut step, room);
            }
            room = room.saturating_sub(size);
            if let Some(slice) = slices.last_mut() {
                slice.push(step);
            }
        }
    }
    slices
}

fn is_of_table(step: &Step) -> bool {
    !matches!(step, Step::Partitions { .. } | Step::Folders { .. })
}

/// As how many partitions a step counts.
fn size(step: &Step) -> usize {
    match step {
        Step::Partitions { work, .. } => work.count(),
        Step::Folders { seen, gone, .. } => seen.len() + gone.len(),
        // It goes with the first table.
        Step::Database => 0,
        _ => TABLE,
    }
}

/// Leaves the first `at` partitions or folders of a step in it, and gives the others; nothing of a step that is one piece.
fn split_off(step: &mut Step, at: usize) -> Option<Step> {
    match step {
        Step::Partitions { table, work } => Some(Step::Partitions {
            table: table.clone(),
            work: work.split_off(at),
        }),
        Step::Folders { bucket, seen, gone } => {
            let others = seen.split_off(at.min(seen.len()));
            let at = at - seen.len();
            Some(Step::Folders {
                bucket: bucket.clone(),
                seen: others,
                gone: gone.split_off(at.min(gone.len())),
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::crawl_steps::{PartitionWork, StepTable};

    fn table(name: &str) -> StepTable {
        StepTable {
            name: name.to_owned(),
            id: None,
            version: None,
        }
    }

    fn index(name: &str) -> Step {
        Step::Index { table: table(name) }
    }

    fn follow(name: &str, values: std::ops::Range<usize>) -> Step {
        Step::Partitions {
            table: table(name),
            work: PartitionWork::Follow {
                from: Box::default(),
                to: Box::default(),
                values: values.map(|value| vec![value.to_string()]).collect(),
            },
        }
    }

    #[test]
    fn what_is_small_is_one_slice() {
        let steps = vec![index("a"), follow("a", 0..80)];
        assert_eq!(cut(steps.clone(), 100), [steps]);
        assert_eq!(cut(Vec::new(), 100), [Vec::new()]);
    }

    #[test]
    fn partitions_are_cut_and_a_table_is_with_the_first_of_its_own() {
        let steps = vec![index("a"), follow("a", 0..160), index("b"), follow("b", 0..90)];
        assert_eq!(
            cut(steps, 100),
            [
                vec![index("a"), follow("a", 0..80)],
                vec![follow("a", 80..160)],
                vec![index("b"), follow("b", 0..80)],
                vec![follow("b", 80..90)],
            ]
        );
    }

    #[test]
    fn a_slice_that_is_smaller_than_a_table_holds_one() {
        let steps = vec![index("a"), follow("a", 0..2)];
        assert_eq!(
            cut(steps, 1),
            [vec![index("a")], vec![follow("a", 0..1)], vec![follow("a", 1..2)]]
        );
    }
}
