//! What a Spark script asks for that only Spark itself has. Spark Connect, and so Sail, has DataFrames and SQL: no RDDs, no
//! MLlib on them, and no Java to reach into.

/// What is asked of a session, a context or a frame.
const ATTRIBUTES: [&str; 17] = [
    "_jdf",
    "_jsparkSession",
    "_jvm",
    "accumulator",
    "binaryFiles",
    "emptyRDD",
    "hadoopFile",
    "hadoopRDD",
    "newAPIHadoopFile",
    "newAPIHadoopRDD",
    "parallelize",
    "pickleFile",
    "rdd",
    "sequenceFile",
    "textFile",
    "toJSON",
    "wholeTextFiles",
];
/// Modules of `pyspark`.
const MODULES: [&str; 4] = ["ml", "mllib", "rdd", "streaming"];
/// Names that stand for themselves.
const NAMES: [&str; 3] = ["RDD", "StreamingContext", "graphframes"];

/// A place in a script.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Need {
    /// Its line, counted from 1.
    pub(super) line: usize,
    /// What stands there.
    pub(super) what: String,
}

/// The first thing in a script that only Spark itself has. It is a look at the words, so it can be wrong: a script of
/// which this says nothing may still meet its like when it runs.
pub(super) fn of(script: &str) -> Option<Need> {
    let code = code(script);
    code.lines().enumerate().find_map(|(index, line)| {
        let what = in_line(line)?;
        Some(Need {
            line: index + 1,
            what,
        })
    })
}

fn in_line(line: &str) -> Option<String> {
    let is_of_a_word = |sign: char| sign.is_alphanumeric() || sign == '_';
    let mut before = String::new();
    let mut rest = line;
    loop {
        rest = rest.trim_start();
        let first = rest.chars().next()?;
        let length = match is_of_a_word(first) {
            true => rest.find(|sign| !is_of_a_word(sign)).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        let (word, after) = rest.split_at(length);
        if before.ends_with('.') && ATTRIBUTES.contains(&word) {
            return Some(format!(".{word}"));
        }
        if before == "pyspark." && MODULES.contains(&word) {
            return Some(format!("pyspark.{word}"));
        }
        if NAMES.contains(&word) {
            return Some(word.to_owned());
        }
        before = match word {
            "." => before + ".",
            word => word.to_owned(),
        };
        rest = after;
    }
}

/// A script without its comments and without what stands in quotes, line for line.
fn code(script: &str) -> String {
    let mut code = String::with_capacity(script.len());
    let mut rest = script;
    while let Some(sign) = rest.chars().next() {
        let length = match sign {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' => quoted(rest),
            _ => {
                code.push(sign);
                sign.len_utf8()
            }
        };
        let (skipped, after) = rest.split_at(length);
        if matches!(sign, '#' | '"' | '\'') {
            code.extend(skipped.matches('\n'));
        }
        rest = after;
    }
    code
}

/// How long the quoted text is that this begins with, in bytes.
fn quoted(text: &str) -> usize {
    let quote = &text[..1];
    let triple = quote.repeat(3);
    let (end, is_long) = match text.starts_with(&triple) {
        true => (triple.as_str(), true),
        false => (quote, false),
    };
    let mut at = end.len();
    while let Some(rest) = text.get(at..) {
        match rest.chars().next() {
            _ if rest.starts_with(end) => return at + end.len(),
            Some('\\') => at += 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
            // It has no end, which Python will say.
            Some('\n') if !is_long => return at,
            Some(sign) => at += sign.len_utf8(),
            None => break,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(script: &str) -> Option<(usize, String)> {
        of(script).map(|need| (need.line, need.what))
    }

    #[test]
    fn what_only_spark_has_is_found_with_its_line() {
        for (script, what) in [
            ("a = 1\nb = df . rdd.map(f)", (2, ".rdd")),
            ("from pyspark.ml.feature import Tokenizer", (1, "pyspark.ml")),
            ("import pyspark.mllib as m", (1, "pyspark.mllib")),
            ("x = '''\n\n''' ; sc.parallelize([1])", (3, ".parallelize")),
            ("from pyspark import RDD", (1, "RDD")),
            ("spark._jvm.java.lang", (1, "._jvm")),
            (r#"a = "it\"s"; sc.textFile("x")"#, (1, ".textFile")),
            ("s = 'é\\é'\nf.toJSON()", (2, ".toJSON")),
        ] {
            assert_eq!(need(script), Some((what.0, what.1.to_owned())), "{script}");
        }
    }

    #[test]
    fn other_words_are_not() {
        for script in [
            "# df.rdd\nrdd = spark.table('a.rdd')",
            "\"\"\"\nuses df.rdd.\n\"\"\"\nparallelize(1)",
            "from pyspark.sql import functions as F\nimport mylib.ml",
            "spark.sparkContext._jsc.hadoopConfiguration().set('a', 'b')",
            "x = 'no end\ny = 1",
            "df.rdds",
            "",
        ] {
            assert_eq!(need(script), None, "{script}");
        }
    }
}
