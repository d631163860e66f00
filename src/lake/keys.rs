//! Which file a key is, and which key a file.

use s3s::{S3Result, s3_error};

/// Stands for the empty segment of `a/` and `a//b`; a segment that begins so is written with this in front again.
const ESCAPE: &str = ".mastic-";
/// The longest key that S3 takes, in bytes.
const LONGEST_KEY: usize = 1024;
/// The longest file name that file systems take, in bytes.
const LONGEST_NAME: usize = 255;

/// The folders that lead to the file of a key, and the file's name.
pub(super) fn names_of(key: &str) -> S3Result<(Vec<String>, String)> {
    if key.is_empty() || key.starts_with('/') || key.contains('\0') {
        return Err(s3_error!(
            InvalidArgument,
            "a key can't be empty, begin with `/` or contain NUL"
        ));
    }
    if key.len() > LONGEST_KEY {
        return Err(s3_error!(KeyTooLongError, "Your key is too long"));
    }
    let mut names = Vec::new();
    for segment in key.split('/') {
        if matches!(segment, "." | "..") {
            return Err(s3_error!(
                InvalidArgument,
                "this store can't hold a key with the segment `.` or `..`"
            ));
        }
        let name = to_name(segment);
        if name.len() > LONGEST_NAME {
            return Err(s3_error!(
                KeyTooLongError,
                "between two slashes this store takes at most {} bytes",
                LONGEST_NAME
            ));
        }
        names.push(name);
    }
    let name = names.pop().unwrap_or_default();
    Ok((names, name))
}

/// The file name of one segment of a key.
fn to_name(segment: &str) -> String {
    if segment.is_empty() || segment.starts_with(ESCAPE) {
        format!("{ESCAPE}{segment}")
    } else {
        segment.to_owned()
    }
}

/// The segment that a file name stands for.
pub(super) fn to_segment(name: &str) -> &str {
    name.strip_prefix(ESCAPE).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::{to_name, to_segment};

    #[test]
    fn every_segment_comes_back() {
        for segment in ["", "a", ".hidden", ".mastic", ".mastic-", ".mastic-x", "ü +%="] {
            assert_eq!(to_segment(&to_name(segment)), segment);
        }
    }
}
