//! Types: their text, their merge, and the type of one value.

use classifiers::{DataType, Field};
use proptest::prelude::*;

#[track_caller]
fn merged(a: &str, b: &str) -> String {
    let (a, b): (DataType, DataType) = (a.parse().expect("a type"), b.parse().expect("a type"));
    format!("{:#}", a.merge(b))
}

#[test]
fn merge_widens_as_far_as_it_must() {
    for (a, b, expected) in [
        ("void", "date", "date"),
        ("int", "bigint", "bigint"),
        ("bigint", "double", "double"),
        ("smallint", "float", "float"),
        ("int", "float", "double"),
        ("int", "decimal(4,2)", "decimal(12,2)"),
        ("decimal(38,0)", "decimal(38,38)", "double"),
        ("date", "timestamp", "timestamp"),
        ("bigint", "date", "string"),
        ("boolean", "int", "string"),
        ("array<int>", "array<void>", "array<int>"),
        ("array<int>", "int", "string"),
        ("map<string,int>", "map<string,double>", "map<string,double>"),
        (
            "struct<b:int,a:int>",
            "struct<b:bigint,a:void>",
            "struct<b:bigint,a:int>",
        ),
        (
            "struct<b:int,a:int>",
            "struct<c:date,B:string>",
            "struct<a:int,B:string,c:date>",
        ),
    ] {
        assert_eq!(merged(a, b), expected, "{a} with {b}");
        assert_eq!(merged(b, a), expected, "{b} with {a}");
    }
}

#[test]
fn text_of_types() {
    for (text, shown) in [
        ("INT", "int"),
        (
            " array < struct < a : int , b c : map<string, varchar(20)> > > ",
            "array<struct<a:int,b c:map<string,string>>>",
        ),
        (
            "struct<`a:b`:char(1),`c``d`:decimal(5)>",
            "struct<`a:b`:string,`c``d`:decimal(5,0)>",
        ),
        ("void", "string"),
        ("struct<>", "struct<>"),
    ] {
        assert_eq!(text.parse::<DataType>().expect(text).to_string(), shown);
    }
    for text in [
        "",
        "integr",
        "array<int",
        "array<>",
        "decimal(39,0)",
        "decimal(2,3)",
        "int int",
        "struct<a>",
        "struct<:int>",
    ] {
        assert!(text.parse::<DataType>().is_err(), "{text:?} is no type");
    }
    let deep = "array<".repeat(100_000);
    assert!(
        deep.parse::<DataType>()
            .expect_err("too deep")
            .to_string()
            .contains("deep")
    );
}

#[test]
fn an_error_says_where() {
    let error = "struct<a:int,b:strng>".parse::<DataType>().expect_err("misspelt");
    assert_eq!(error.to_string(), "expected a type at byte 15, found \"strng>\"");
}

#[test]
fn void_becomes_string_in_a_catalog() {
    let data_type: DataType = "struct<a:array<void>,b:map<string,void>>"
        .parse()
        .expect("a type");
    assert_eq!(
        format!("{:#}", data_type.concrete()),
        "struct<a:array<string>,b:map<string,string>>"
    );
    assert_eq!(serde_json::to_string(&DataType::Null).expect("JSON"), "\"void\"");
}

#[test]
fn types_of_values() {
    for (expected, values) in [
        ("void", &["", " ", "NULL", "null", "\\N"] as &[&str]),
        ("boolean", &["true", "FALSE", " True "]),
        ("bigint", &["0", "-1", "42", "9223372036854775807", "-0"]),
        (
            "double",
            &[
                "0.5",
                "+0.5",
                "007e0",
                "-1.5e10",
                ".5",
                "5.",
                "1E5",
                "100000000000000000000.5",
            ],
        ),
        (
            "date",
            &["2020-02-29", "1999/12/31", "2020-1-1", "2020-12-1", "2020/1/31"],
        ),
        (
            "timestamp",
            &[
                "2020-01-01 00:00:00",
                "2020-01-01T23:59:59Z",
                "2020/01/01 10:00:00.123456789",
                "2020-01-01 10:00:00+05:30",
                "2020-01-01 10:00:00.5 -0800",
                "2020-01-01 10:00:00 UTC",
            ],
        ),
        (
            "string",
            &[
                "abc",
                "NA",
                "NaN",
                "#DIV/0!",
                "None",
                "inf",
                "yes",
                "00501",
                "+1",
                "12345678901234567890",
                "1,000",
                "$5",
                "1e999",
                "2021-02-29",
                "2020-13-01",
                "01/02/2020",
                "2020-13-1",
                "2020-2-30",
                "2020-1-",
                "2020-1-1 10:00:00",
                "2020-01-01 25:00",
                "2020-01-01 10:00 PM",
                "2020-01-01 10:00",
                "2020-01-01 10:00:00 CET",
                "10:30",
                "0x1F",
                "1_000",
                "-",
                ".",
                "e5",
                "1e",
                "--1",
                "2020-01/01",
                "٣",
            ],
        ),
    ] {
        for value in values {
            assert_eq!(format!("{:#}", DataType::of_text(value)), expected, "{value:?}");
        }
    }
}

fn any_type() -> impl Strategy<Value = DataType> {
    let decimal = (1_u8..=38).prop_flat_map(|p| (Just(p), 0..=p));
    let leaf = prop_oneof![
        Just(DataType::Null),
        Just(DataType::Boolean),
        Just(DataType::TinyInt),
        Just(DataType::SmallInt),
        Just(DataType::Int),
        Just(DataType::BigInt),
        Just(DataType::Float),
        Just(DataType::Double),
        decimal.prop_map(|(precision, scale)| DataType::Decimal { precision, scale }),
        Just(DataType::String),
        Just(DataType::Binary),
        Just(DataType::Date),
        Just(DataType::Timestamp),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        let field =
            ("[a-cA-C]|[:`<, x]{1,2}", inner.clone()).prop_map(|(name, data_type)| Field { name, data_type });
        prop_oneof![
            inner.clone().prop_map(|t| DataType::Array(Box::new(t))),
            (inner.clone(), inner).prop_map(|(k, v)| DataType::Map(Box::new(k), Box::new(v))),
            prop::collection::vec(field, 0..4).prop_map(DataType::Struct),
        ]
    })
}

/// Numbers alone, because between any two types the answer is mostly "string".
fn any_number() -> impl Strategy<Value = DataType> {
    any_type().prop_filter("a number", DataType::is_numeric)
}

proptest! {
    #[test]
    fn merge_commutes(a in any_type(), b in any_type()) {
        prop_assert_eq!(a.clone().merge(b.clone()), b.merge(a));
    }

    #[test]
    fn merge_associates(a in any_type(), b in any_type(), c in any_type()) {
        let left = a.clone().merge(b.clone()).merge(c.clone());
        prop_assert_eq!(left, a.merge(b.merge(c)));
    }

    #[test]
    fn merge_of_numbers_associates(a in any_number(), b in any_number(), c in any_number()) {
        let left = a.clone().merge(b.clone()).merge(c.clone());
        prop_assert_eq!(left, a.merge(b.merge(c)));
    }

    #[test]
    fn merge_is_idempotent(a in any_type(), b in any_type()) {
        prop_assert_eq!(a.clone().merge(a.clone()), a.clone());
        let merged = a.merge(b.clone());
        prop_assert_eq!(merged.clone().merge(b), merged);
    }

    #[test]
    fn text_reads_back(a in any_type()) {
        prop_assert_eq!(format!("{a:#}").parse::<DataType>().expect("its own text"), a);
    }

    #[test]
    fn no_text_is_too_strange(text in "[a-z<>:,()` 0-9]{0,40}") {
        let _either = text.parse::<DataType>();
        let _any = DataType::of_text(&text);
    }
}
