//! Glue's library, as scripts import it: `awsglue`, of our own, on Spark's DataFrames alone.

/// The module's name.
const NAME: &str = "awsglue";

macro_rules! files {
    ($($name:literal)*) => {
        [$((concat!("awsglue/", $name), include_str!(concat!("pyspark/awsglue/", $name)))),*]
    };
}

/// Its files: their names in a script's folder, and their texts.
pub(super) const FILES: [(&str, &str); 17] = files!(
    "__init__.py"
    "catalog.py"
    "collections.py"
    "context.py"
    "dynamicframe.py"
    "formats.py"
    "gluetypes.py"
    "job.py"
    "kinds.py"
    "reading.py"
    "refusals.py"
    "relational.py"
    "resolving.py"
    "shapes.py"
    "transforms.py"
    "utils.py"
    "writing.py"
);

/// Whether a script imports it.
pub(super) fn is_imported_by(script: &str) -> bool {
    let imports = |line: &str| {
        let line = line.trim_start();
        let name = line.strip_prefix("from ").or(line.strip_prefix("import "));
        name.is_some_and(|name| name.trim_start().split(['.', ' ', ',']).next() == Some(NAME))
    };
    script.lines().any(imports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_of_it_is_left_out() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/etl/engines/pyspark/awsglue");
        let entries = std::fs::read_dir(folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names
            .filter(|name| name.ends_with(".py"))
            .map(|name| format!("{NAME}/{name}"))
            .collect();
        names.sort();
        assert_eq!(names, FILES.map(|(name, _)| name));
    }

    #[test]
    fn a_script_says_whether_it_needs_it() {
        assert!(is_imported_by(
            "import sys\n    from awsglue.utils import getResolvedOptions\n"
        ));
        assert!(is_imported_by("import awsglue"));
        assert!(!is_imported_by(
            "import awsgluey\n# from awsglue\nfrom x import awsglue\n"
        ));
    }
}
