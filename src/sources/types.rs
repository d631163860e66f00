//! The types of other databases as Hive spells them. No value of a source's type is out of the range of Hive's.

/// The largest precision that Hive's decimal has.
const MAX_PRECISION: u32 = 38;

/// A type as PostgreSQL's `format_type` writes it.
pub(super) fn of_postgres(raw: &str) -> String {
    if let Some(element) = raw.strip_suffix("[]") {
        return format!("array<{}>", of_postgres(element));
    }
    let (name, arguments) = parts(raw);
    let hive = match name.as_str() {
        "boolean" => "boolean",
        "smallint" => "smallint",
        "integer" => "int",
        "bigint" => "bigint",
        // Unsigned, of 32 bits.
        "oid" | "xid" => "bigint",
        "real" => "float",
        "double precision" => "double",
        "numeric" => return decimal(&arguments),
        "money" => "decimal(19,2)",
        "date" => "date",
        "bytea" => "binary",
        "hstore" => "map<string,string>",
        name if name.starts_with("timestamp") => "timestamp",
        // Text of all kinds, json, uuid, times of day, intervals, addresses, shapes, enums and what extensions bring.
        _ => "string",
    };
    hive.to_owned()
}

/// A type as MySQL's `column_type` writes it.
pub(super) fn of_mysql(raw: &str) -> String {
    let raw = raw.to_ascii_lowercase();
    let (name, arguments) = parts(&raw);
    let is_unsigned = raw.contains(" unsigned") || raw.contains(" zerofill");
    let hive = match (name.as_str(), is_unsigned) {
        ("tinyint", false) if arguments == [1] => "boolean",
        ("bit", _) if arguments == [1] => "boolean",
        ("tinyint", false) => "tinyint",
        // A type larger than the signed one, which lacks the upper half.
        ("tinyint", true) | ("smallint", false) => "smallint",
        ("smallint", true) | ("mediumint", _) | ("int" | "integer", false) | ("year", _) => "int",
        ("int" | "integer", true) | ("bigint", false) => "bigint",
        ("bigint", true) => "decimal(20,0)",
        ("float", _) => "float",
        ("double" | "real", _) => "double",
        ("decimal" | "numeric" | "dec" | "fixed", _) => return decimal(&arguments),
        ("date", _) => "date",
        ("datetime" | "timestamp", _) => "timestamp",
        (
            "bit" | "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" | "geometry"
            | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring" | "multipolygon"
            | "geometrycollection",
            _,
        ) => "binary",
        // Text of all kinds, json, enum, set, time, uuid, inet6.
        _ => "string",
    };
    hive.to_owned()
}

/// A type's name without its arguments, and those that are numbers. `timestamp(3) without time zone` keeps its last words.
fn parts(raw: &str) -> (String, Vec<u32>) {
    let Some((before, rest)) = raw.split_once('(') else {
        let name = raw.split(" unsigned").next().unwrap_or(raw);
        return (name.trim_end_matches(" zerofill").trim().to_owned(), Vec::new());
    };
    let (inside, behind) = rest.split_once(')').unwrap_or((rest, ""));
    let arguments = inside.split(',').filter_map(|number| number.trim().parse().ok()).collect();
    let words = behind.replace(" unsigned", "").replace(" zerofill", "");
    (format!("{}{}", before.trim(), words.trim_end()), arguments)
}

fn decimal(arguments: &[u32]) -> String {
    match arguments {
        [precision, scale] if *precision <= MAX_PRECISION && scale <= precision => {
            format!("decimal({precision},{scale})")
        }
        [precision] if *precision <= MAX_PRECISION => format!("decimal({precision},0)"),
        // Without limits, or with more digits than Hive has: nothing may be lost.
        _ => "string".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgresqls_types() {
        for (raw, hive) in [
            ("smallint", "smallint"),
            ("integer", "int"),
            ("bigint", "bigint"),
            ("numeric(10,2)", "decimal(10,2)"),
            ("numeric(5)", "decimal(5,0)"),
            ("numeric", "string"),
            ("numeric(100,20)", "string"),
            ("real", "float"),
            ("double precision", "double"),
            ("character varying(20)", "string"),
            ("text[]", "array<string>"),
            ("integer[]", "array<int>"),
            ("timestamp(3) without time zone", "timestamp"),
            ("timestamp with time zone", "timestamp"),
            ("time without time zone", "string"),
            ("bytea", "binary"),
            ("jsonb", "string"),
            ("public.mood", "string"),
        ] {
            assert_eq!(of_postgres(raw), hive, "{raw}");
        }
    }

    #[test]
    fn mysqls_types() {
        for (raw, hive) in [
            ("tinyint(1)", "boolean"),
            ("tinyint(4)", "tinyint"),
            ("tinyint(3) unsigned", "smallint"),
            ("int(11)", "int"),
            ("int(10) unsigned zerofill", "bigint"),
            ("int unsigned", "bigint"),
            ("bigint(20)", "bigint"),
            ("bigint unsigned", "decimal(20,0)"),
            ("decimal(12,4)", "decimal(12,4)"),
            ("decimal(65,30)", "string"),
            ("double unsigned", "double"),
            ("year(4)", "int"),
            ("datetime(6)", "timestamp"),
            ("varchar(20)", "string"),
            ("enum('a','b')", "string"),
            ("varbinary(16)", "binary"),
            ("bit(8)", "binary"),
            ("json", "string"),
        ] {
            assert_eq!(of_mysql(raw), hive, "{raw}");
        }
    }
}
