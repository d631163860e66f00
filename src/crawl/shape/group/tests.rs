//! Trees of folders, and the tables that they come to.

use super::*;
use crate::crawl::shape::sample::wanted;
use crate::crawl::shape::tree::tests::tree;

/// A file's verdict, by its format and columns: `csv a,b`.
fn verdict(what: &str) -> classifiers::Verdict {
    let (format, columns) = what.split_once(' ').unwrap();
    let columns: Vec<serde_json::Value> = columns
        .split(',')
        .map(|name| serde_json::json!({"name": name, "type": "bigint", "nullable": false, "reason": ""}))
        .collect();
    serde_json::from_value(serde_json::json!({
        "classification": format, "certainty": 1.0, "classifier": format, "compression": "none",
        "rows_sampled": 1, "columns": columns, "reasons": [],
    }))
    .unwrap()
}

/// The groups of files, each with what it is: `root+suffix [keys] values`.
fn grouped(target: &str, rules: Rules, files: &[(&str, &str)]) -> (Vec<String>, usize) {
    let keys: Vec<&str> = files.iter().map(|(key, _)| *key).collect();
    let tree = tree(target, &keys);
    let target = Location::parse(target).unwrap();
    let mut looks = Looks::default();
    loop {
        let (groups, aside) = group(&target, &tree, rules, &looks);
        let wanted = wanted(&tree, &groups, None, &looks);
        if wanted.is_empty() {
            let shown = groups.iter().map(|group| {
                let values: Vec<String> = group.leaves.iter().map(|leaf| leaf.values.join("/")).collect();
                format!(
                    "{}+{} [{}] {}",
                    group.root,
                    group.suffix,
                    group.key_names().join(","),
                    values.join(" ")
                )
            });
            return (shown.collect(), aside.into_list().len());
        }
        for at in wanted {
            let folder = &tree.folders[at.0];
            let key = folder.key(&folder.file(at.1).unwrap());
            let (_, what) = files.iter().find(|(known, _)| *known == key).unwrap();
            looks.insert(at, Ok(verdict(what)));
        }
    }
}

#[track_caller]
fn ours(files: &[(&str, &str)], expected: &[&str]) {
    assert_eq!(grouped("s3://lake/raw/", Rules::default(), files).0, expected);
}

#[test]
fn words_are_tables_however_alike_and_named_folders_are_partitions() {
    let orders = "csv id,price,day";
    ours(
        &[
            ("raw/customers/a.csv", orders),
            ("raw/orders/a.csv", orders),
            ("raw/sales/Year=2017/m=1/x.csv", orders),
            ("raw/sales/Year=2018/m=a%2Fb/x.csv", "csv other"),
        ],
        &[
            "raw/customers/+ [] ",
            "raw/orders/+ [] ",
            "raw/sales/+ [year,m] 2017/1 2018/a/b",
        ],
    );
}

#[test]
fn dates_are_partitions_wherever_they_are() {
    let log = "json at,what";
    ours(
        &[
            ("raw/app/2022/01/31/a.json", log),
            ("raw/app/2022/02/01/a.json", log),
            ("raw/daily/2022-01-31/a.json", log),
            ("raw/one/v2/10/a.json", log),
        ],
        &[
            "raw/app/+ [partition_0,partition_1,partition_2] 2022/01/31 2022/02/01",
            "raw/daily/+ [partition_0] 2022-01-31",
            "raw/one/v2/10/+ [] ",
        ],
    );
}

#[test]
fn tables_within_dates_are_tables_across_them() {
    let (orders, customers) = ("csv id,price", "csv name,street,town");
    ours(
        &[
            ("raw/2022/orders/a.csv", orders),
            ("raw/2022/customers/a.csv", customers),
            ("raw/2023/orders/a.csv", orders),
        ],
        &[
            "raw/+customers/ [partition_0] 2022",
            "raw/+orders/ [partition_0] 2022 2023",
        ],
    );
    // Alike, they are parts of each partition.
    ours(
        &[
            ("raw/d=1/x/a.csv", orders),
            ("raw/d=1/y/a.csv", orders),
            ("raw/d=2/x/a.csv", orders),
        ],
        &["raw/+ [d] 1 2 1"],
    );
}

#[test]
fn numbers_are_partitions_where_files_are_alike_and_hashes_say_nothing() {
    let (a, b) = ("csv id,price", "csv name,street,town");
    ours(
        &[("raw/t/1/a.csv", a), ("raw/t/2/a.csv", a), ("raw/t/10/a.csv", a)],
        &["raw/t/+ [partition_0] 1 10 2"],
    );
    ours(
        &[("raw/t/1/a.csv", a), ("raw/t/2/a.csv", b)],
        &["raw/t/2/+ [] ", "raw/t/1/+ [] "],
    );
    ours(
        &[
            ("raw/t/9f86d081884c7d65/a.csv", a),
            ("raw/t/123e4567-e89b-12d3-a456-426614174000/a.csv", a),
        ],
        &["raw/t/+ []  "],
    );
}

#[test]
fn what_lies_beside_partitions_is_left_aside() {
    let a = "csv id,price";
    let files = [
        ("raw/t/readme.csv", a),
        ("raw/t/d=1/a.csv", a),
        ("raw/t/d=2/a.csv", a),
        ("raw/t/d=3/e=1/a.csv", a),
    ];
    let (groups, aside) = grouped("s3://lake/raw/", Rules::default(), &files);
    assert_eq!(groups, ["raw/t/+ [d] 1 2"]);
    assert_eq!(aside, 2);
}

#[track_caller]
fn glues(target: &str, combine: bool, level: Option<usize>, files: &[(&str, &str)], expected: &[&str]) {
    let rules = Rules {
        compatibility: Compatibility::Glue,
        combine,
        table_level: level,
    };
    assert_eq!(grouped(target, rules, files).0, expected);
}

#[test]
fn glues_worked_examples_come_out_as_documented() {
    let years = [
        ("table1/year=2017/data1.json", "json a,b"),
        ("table1/year=2018/data2.json", "json c,d"),
    ];
    let apart = ["table1/year=2017/+ [] ", "table1/year=2018/+ [] "];
    glues("s3://b/table1/", false, None, &years, &apart);
    glues(
        "s3://b/table1/",
        true,
        None,
        &years,
        &["table1/+ [year] 2017 2018"],
    );

    let names: Vec<String> = ["table1", "table2"]
        .iter()
        .flat_map(|table| (1..=5).map(move |at| format!("folder1/{table}/partition{at}/file.txt")))
        .collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "csv a,b,c")).collect();
    let (groups, _) = grouped(
        "s3://bucket01/folder1/",
        Rules {
            compatibility: Compatibility::Glue,
            ..Rules::default()
        },
        &files,
    );
    assert_eq!(groups.len(), 1, "{groups:?}");
    assert!(
        groups[0].starts_with("folder1/+ [partition_0,partition_1] table1/partition1 table1/partition2"),
        "{groups:?}"
    );
    assert!(groups[0].ends_with("table2/partition5"));
}

#[test]
fn glue_wants_more_than_seven_tenths_of_the_columns_and_a_majority() {
    let ten = "csv a,b,c,d,e,f,g,h,i,j";
    let seven = "csv a,b,c,d,e,f,g,x,y,z";
    let eight = "csv a,b,c,d,e,f,g,h,y,z";
    glues(
        "s3://b/t/",
        false,
        None,
        &[("t/one/x", ten), ("t/two/x", seven)],
        &["t/one/+ [] ", "t/two/+ [] "],
    );
    glues(
        "s3://b/t/",
        false,
        None,
        &[("t/one/x", ten), ("t/three/x", "csv q"), ("t/two/x", eight)],
        &["t/+ [partition_0] one two", "t/three/+ [] "],
    );
    glues(
        "s3://b/t/",
        false,
        None,
        &[("t/2022/01/x", ten), ("t/2022/02/x", ten)],
        &["t/+ [partition_0,partition_1] 2022/01 2022/02"],
    );
    glues(
        "s3://bucket/bronze/",
        false,
        Some(3),
        &[
            ("bronze/customers/eu/x", "csv a,b"),
            ("bronze/customers/us/x", "csv c,d"),
            ("bronze/orders/2022/x", "csv a,b"),
            ("bronze/stray", "csv a,b"),
        ],
        &[
            "bronze/customers/+ [partition_0] eu us",
            "bronze/orders/+ [partition_0] 2022",
        ],
    );
}
