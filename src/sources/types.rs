//! The types of other databases as Hive spells them. Every value of the source's type fits into Hive's, or it is a string.

/// The largest precision that Hive's decimal has.
const MAX_PRECISION: i32 = 38;

/// A type in Hive's spelling, and why, where it isn't plain.
type Mapped = (String, Option<&'static str>);

/// A type as PostgreSQL's `format_type` writes it. `kind` is its `typtype`, and `dimensions` are as they were declared.
pub(super) fn of_postgres(raw: &str, kind: &str, dimensions: i16) -> Mapped {
    if let Some(element) = raw.strip_suffix("[]") {
        let (element, why) = of_postgres(element, "b", 0);
        let depth = usize::try_from(dimensions.max(1)).unwrap_or(1);
        let array = format!("{}{element}{}", "array<".repeat(depth), ">".repeat(depth));
        return (array, why);
    }
    let why = match kind {
        "e" => Some("an enum"),
        "c" => Some("a composite, as text"),
        "r" | "m" => Some("ranges, as text"),
        _ => None,
    };
    if why.is_some() {
        return plain("string", why);
    }
    let (name, arguments) = parts(raw);
    // A type of an extension is written with its schema.
    match name.rsplit('.').next().unwrap_or_default() {
        "boolean" => plain("boolean", None),
        "smallint" => plain("smallint", None),
        "integer" => plain("int", None),
        "bigint" => plain("bigint", None),
        "oid" | "xid" | "cid" => plain("bigint", Some("unsigned, of 32 bits")),
        "xid8" => plain("decimal(20,0)", Some("unsigned, of 64 bits")),
        "real" => plain("float", None),
        "double precision" => plain("double", None),
        "numeric" => decimal(&arguments),
        "money" => plain("decimal(19,2)", Some("an amount in cents, of 64 bits")),
        "date" => plain("date", None),
        "timestamp without time zone" => plain("timestamp", None),
        "timestamp with time zone" => plain("timestamp", Some("a moment, in UTC")),
        "bytea" => plain("binary", None),
        "hstore" => plain("map<string,string>", None),
        "json" | "jsonb" | "xml" => plain("string", Some("a document, as text")),
        "interval" => plain("string", Some("Hive's columns hold no intervals")),
        "time without time zone" | "time with time zone" => plain("string", Some("Hive has no times of day")),
        "bit" | "bit varying" => plain("string", Some("bits, as 0 and 1")),
        "character varying" | "character" | "text" | "name" | "uuid" => plain("string", None),
        // Networks, shapes, text searches and what extensions bring.
        _ => plain("string", Some("Hive has no such type")),
    }
}

/// A type as MySQL's `column_type` writes it.
pub(super) fn of_mysql(raw: &str) -> Mapped {
    let raw = raw.to_ascii_lowercase();
    // Columns of old servers have a remark behind their types.
    let raw = raw.split(" /*").next().unwrap_or_default();
    let is_unsigned = raw.contains(" unsigned") || raw.contains(" zerofill");
    let wide = is_unsigned.then_some("unsigned, so a size larger");
    let (name, arguments) = parts(&raw.replace(" unsigned", "").replace(" zerofill", ""));
    let name = name.as_str();
    match (name, is_unsigned) {
        ("tinyint", false) if arguments == [1] => plain("boolean", Some("MySQL's BOOLEAN")),
        ("bit", _) if arguments == [1] => plain("boolean", None),
        ("tinyint", false) => plain("tinyint", None),
        ("tinyint", true) => plain("smallint", wide),
        ("smallint", false) => plain("smallint", None),
        ("smallint", true) => plain("int", wide),
        // Of 24 bits, with a sign or without.
        ("mediumint", _) => plain("int", None),
        ("int" | "integer", false) => plain("int", None),
        ("int" | "integer", true) => plain("bigint", wide),
        ("bigint", false) => plain("bigint", None),
        ("bigint", true) => plain("decimal(20,0)", wide),
        ("year", _) => plain("int", None),
        ("float", _) => plain("float", None),
        ("double" | "real" | "double precision", _) => plain("double", None),
        ("decimal" | "numeric" | "dec" | "fixed", _) => decimal(&arguments),
        ("date", _) => plain("date", None),
        ("datetime", _) => plain("timestamp", None),
        ("timestamp", _) => plain("timestamp", Some("a moment, in UTC")),
        ("time", _) => plain("string", Some("Hive has no times of day")),
        ("binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob", _) => {
            plain("binary", None)
        }
        ("bit", _) => plain("binary", Some("bits, as bytes")),
        (
            "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring"
            | "multipolygon" | "geometrycollection" | "geomcollection" | "vector",
            _,
        ) => plain("binary", Some("as the server keeps it")),
        ("char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "uuid", _) => {
            plain("string", None)
        }
        ("enum" | "set", _) => plain("string", Some("its values by name")),
        ("json", _) => plain("string", Some("a document, as text")),
        _ => plain("string", Some("Hive has no such type")),
    }
}

fn plain(hive: &str, why: Option<&'static str>) -> Mapped {
    (hive.to_owned(), why)
}

/// A type's name without its arguments, and those that are numbers. `timestamp(3) without time zone` keeps its last words.
fn parts(raw: &str) -> (String, Vec<i32>) {
    let Some((before, rest)) = raw.split_once('(') else {
        return (raw.trim().to_owned(), Vec::new());
    };
    let (inside, behind) = rest.rsplit_once(')').unwrap_or((rest, ""));
    let arguments = inside.split(',').filter_map(|number| number.trim().parse().ok());
    (
        format!("{}{}", before.trim(), behind.trim_end()),
        arguments.collect(),
    )
}

/// The least decimal that holds a number of so many digits, so many of them behind the point. PostgreSQL's scale may be
/// negative, or larger than the precision.
fn decimal(arguments: &[i32]) -> Mapped {
    let (precision, scale) = match arguments {
        [precision] => (*precision, 0),
        [precision, scale] => (*precision, *scale),
        _ => {
            return plain(
                "string",
                Some("without bounds, so that no decimal of Hive's holds it"),
            );
        }
    };
    let (precision, scale) = if scale < 0 {
        (precision - scale, 0)
    } else {
        (precision.max(scale), scale)
    };
    if precision > MAX_PRECISION {
        return plain("string", Some("Hive's decimal ends at 38 digits"));
    }
    (format!("decimal({precision},{scale})"), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgresqls_types() {
        for (raw, hive) in [
            ("boolean", "boolean"),
            ("smallint", "smallint"),
            ("integer", "int"),
            ("bigint", "bigint"),
            ("oid", "bigint"),
            ("xid8", "decimal(20,0)"),
            ("numeric(10,2)", "decimal(10,2)"),
            ("numeric(5)", "decimal(5,0)"),
            ("numeric(38,38)", "decimal(38,38)"),
            ("numeric(5,-2)", "decimal(7,0)"),
            ("numeric(3,5)", "decimal(5,5)"),
            ("numeric", "string"),
            ("numeric(39,2)", "string"),
            ("money", "decimal(19,2)"),
            ("real", "float"),
            ("double precision", "double"),
            ("character varying(20)", "string"),
            ("character(3)", "string"),
            ("\"char\"", "string"),
            ("text[]", "array<string>"),
            ("integer[]", "array<int>"),
            ("numeric(10,2)[]", "array<decimal(10,2)>"),
            ("timestamp(3) without time zone", "timestamp"),
            ("timestamp with time zone", "timestamp"),
            ("time without time zone", "string"),
            ("interval day to second(3)", "string"),
            ("date", "date"),
            ("bytea", "binary"),
            ("jsonb", "string"),
            ("uuid", "string"),
            ("bit(1)", "string"),
            ("inet", "string"),
            ("public.hstore", "map<string,string>"),
            ("public.geometry(Point,4326)", "string"),
        ] {
            assert_eq!(of_postgres(raw, "b", 0).0, hive, "{raw}");
        }
        assert_eq!(of_postgres("integer[]", "b", 2).0, "array<array<int>>");
        assert_eq!(
            of_postgres("public.mood", "e", 0),
            ("string".into(), Some("an enum"))
        );
        assert_eq!(
            of_postgres("numeric", "b", 0).1,
            Some("without bounds, so that no decimal of Hive's holds it")
        );
    }

    #[test]
    fn mysqls_types() {
        for (raw, hive) in [
            ("tinyint(1)", "boolean"),
            ("tinyint(4)", "tinyint"),
            ("tinyint", "tinyint"),
            ("tinyint(3) unsigned", "smallint"),
            ("smallint(5) unsigned", "int"),
            ("mediumint(8) unsigned", "int"),
            ("int(11)", "int"),
            ("int(10) unsigned zerofill", "bigint"),
            ("int unsigned", "bigint"),
            ("bigint(20)", "bigint"),
            ("bigint unsigned", "decimal(20,0)"),
            ("decimal(12,4)", "decimal(12,4)"),
            ("decimal(10,2) unsigned", "decimal(10,2)"),
            ("decimal(65,30)", "string"),
            ("double unsigned", "double"),
            ("double(10,2)", "double"),
            ("float", "float"),
            ("year(4)", "int"),
            ("datetime(6)", "timestamp"),
            ("timestamp /* mariadb-5.3 */", "timestamp"),
            ("time", "string"),
            ("varchar(20)", "string"),
            ("enum('a','b)')", "string"),
            ("enum('a unsigned')", "string"),
            ("varbinary(16)", "binary"),
            ("bit(1)", "boolean"),
            ("bit(8)", "binary"),
            ("json", "string"),
            ("point", "binary"),
            ("inet6", "string"),
        ] {
            assert_eq!(of_mysql(raw).0, hive, "{raw}");
        }
        assert_eq!(
            of_mysql("bigint(20) unsigned").1,
            Some("unsigned, so a size larger")
        );
    }
}
