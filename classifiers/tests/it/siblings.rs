//! What files of one table tell of one another's headers.

use classifiers::{Verdict, settle_headers};

use crate::support::classify_bytes;

/// The verdicts on files, each beside all the others.
fn together(files: &[&str]) -> Vec<Verdict> {
    let alone: Vec<Verdict> = files
        .iter()
        .map(|file| classify_bytes("part.csv", file.as_bytes()).expect("a verdict"))
        .collect();
    let verdicts: Vec<&Verdict> = alone.iter().collect();
    let settled = settle_headers(&verdicts);
    alone
        .iter()
        .zip(settled)
        .map(|(alone, settled)| settled.unwrap_or_else(|| alone.clone()))
        .collect()
}

fn has_header(verdict: &Verdict) -> bool {
    verdict.csv().expect("CSV").dialect.header
}

fn names(verdict: &Verdict) -> Vec<&str> {
    verdict
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect()
}

#[test]
fn a_first_record_that_files_share_names_their_columns() {
    let files = [
        "haus,boot\nkatze,hund\nbaum,stein\n",
        "haus,boot\nmaus,igel\n",
        "haus,boot\nbuch,heft\ntor,zaun\n",
    ];
    let alone = classify_bytes("part.csv", files[0].as_bytes()).expect("a verdict");
    assert!(!has_header(&alone), "alone it looks like rows");
    assert_eq!(alone.row_count, Some(3));
    let together = together(&files);
    for verdict in &together {
        assert_eq!(names(verdict), ["haus", "boot"]);
        assert_eq!(
            verdict.reasons.last().expect("a reason"),
            "header: 3 of 3 files of text begin with this record, so it names the columns"
        );
    }
    let rows: Vec<_> = together.iter().map(|verdict| verdict.row_count).collect();
    assert_eq!(rows, [Some(2), Some(1), Some(2)]);
}

#[test]
fn the_names_of_a_file_beyond_doubt_are_the_names_of_one_in_doubt() {
    let together = together(&["tier,bein\nhund,ja\namsel,nein\n", "tier,bein\nhund,4\namsel,2\n"]);
    assert_eq!(names(&together[0]), ["tier", "bein"]);
    assert!(together.iter().all(has_header));
}

#[test]
fn snapshots_that_begin_with_the_same_rows_have_no_header() {
    let day = |last: &str| format!("alabama,south\nalaska,west\narizona,west\n{last}\n");
    let (first, second) = (day("utah,west"), day("texas,south"));
    let together = together(&[&first, &second]);
    assert!(together.iter().all(|verdict| !has_header(verdict)));
}

#[test]
fn a_record_that_looked_like_names_beside_files_that_begin_with_rows() {
    let files = [
        "name,city\nAnna,Oslo\nBert,Bonn\n",
        "Carl,Rom\nDora,Bern\nEmil,Graz\n",
        "Fred,Kiel\nGina,Wien\nHans,Linz\n",
    ];
    assert!(has_header(
        &classify_bytes("part.csv", files[0].as_bytes()).expect("a verdict")
    ));
    let together = together(&files);
    assert!(
        together.iter().all(|verdict| !has_header(verdict)),
        "they begin unlike one another"
    );
    assert_eq!(names(&together[0]), ["col0", "col1"]);
    assert_eq!(together[0].row_count, Some(3));
    assert_eq!(
        together[0].reasons.last().expect("a reason"),
        "header: none, because 2 other files begin with rows, and none with \"name\""
    );
}

#[test]
fn numbers_decide_whatever_others_begin_with() {
    let together = together(&[
        "maker,model\nSaab,900\nVolvo,240\n",
        "Fiat,500\nOpel,101\n",
        "Skoda,120\nLada,2101\n",
    ]);
    assert!(has_header(&together[0]));
    assert!(!has_header(&together[1]));
}
