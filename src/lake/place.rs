//! Folders that are held open, and what is in them. Each step goes from a folder to a name in it and never through a
//! link, so no link inside a bucket leads anywhere, not even one that takes a folder's place meanwhile.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

/// What a name in a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    Link,
    /// A pipe, a device, a socket.
    Other,
}

impl From<FileType> for Kind {
    fn from(kind: FileType) -> Self {
        match kind {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Folder,
            FileType::Symlink => Self::Link,
            _ => Self::Other,
        }
    }
}

/// What the disk says of a file or a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) size: u64,
    pub(super) modified: SystemTime,
    /// What tells it from every other, with the time.
    pub(super) inode: u64,
}

impl Facts {
    /// Those of a file that is open.
    pub(super) fn of(metadata: &Metadata) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt;
        Ok(Self {
            size: metadata.len(),
            modified: metadata.modified()?,
            inode: metadata.ino(),
        })
    }
}

impl From<&Stat> for Facts {
    fn from(stat: &Stat) -> Self {
        let seconds = Duration::from_secs(u64::try_from(stat.st_mtime).unwrap_or_default());
        let nanos = Duration::from_nanos(stat.st_mtime_nsec);
        Self {
            size: u64::try_from(stat.st_size).unwrap_or_default(),
            modified: UNIX_EPOCH + seconds + nanos,
            inode: stat.st_ino,
        }
    }
}

/// Whether a step failed because it would have led through a link.
pub(super) fn is_link(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::LOOP)
}

/// Whether there is nothing at the end of the way.
pub(super) fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// A folder, held open.
pub(super) struct Dir(OwnedFd);

impl Dir {
    /// The folder at a path that is trusted.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(fs::open(path, flags, Mode::empty())?))
    }

    /// The folder `name` in this one. A link is refused as such.
    pub(super) fn child(&self, name: &str) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match fs::openat(&self.0, name, flags, Mode::empty()) {
            Ok(folder) => Ok(Self(folder)),
            Err(Errno::NOTDIR) if self.kind(name)? == Some(Kind::Link) => Err(Errno::LOOP.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// The folder at the end of `names`.
    pub(super) fn below(&self, names: &[String]) -> io::Result<Self> {
        let mut folder = self.again()?;
        for name in names {
            folder = folder.child(name)?;
        }
        Ok(folder)
    }

    /// The folder at the end of `names`, which is made, durably, where it is missing.
    pub(super) fn make_below(&self, names: &[String]) -> io::Result<Self> {
        let mut folder = self.again()?;
        for name in names {
            folder = folder.make_child(name)?;
        }
        Ok(folder)
    }

    fn make_child(&self, name: &str) -> io::Result<Self> {
        loop {
            match self.child(name) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                found => return found,
            }
            match fs::mkdirat(&self.0, name, Mode::from_raw_mode(0o777)) {
                Ok(()) => self.sync()?,
                // Somebody else did.
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn again(&self) -> io::Result<Self> {
        Ok(Self(self.0.try_clone()?))
    }

    /// What `name` is, if there is such a name.
    pub(super) fn kind(&self, name: &str) -> io::Result<Option<Kind>> {
        let stat = self.stat(name)?;
        Ok(stat.map(|stat| FileType::from_raw_mode(stat.st_mode).into()))
    }

    fn stat(&self, name: &str) -> io::Result<Option<Stat>> {
        match fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The facts of the file `name`, if it is one. A link is refused as such.
    pub(super) fn look(&self, name: &str) -> io::Result<Option<Facts>> {
        let Some(stat) = self.stat(name)? else {
            return Ok(None);
        };
        match FileType::from_raw_mode(stat.st_mode).into() {
            Kind::File => Ok(Some(Facts::from(&stat))),
            Kind::Link => Err(Errno::LOOP.into()),
            Kind::Folder | Kind::Other => Ok(None),
        }
    }

    /// The file `name`, open, if it is one. A link is refused as such.
    pub(super) fn open_file(&self, name: &str) -> io::Result<Option<(File, Facts)>> {
        // Opening a pipe would wait for somebody to write.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        if self.look(name)?.is_none() {
            return Ok(None);
        }
        let file = match fs::openat(&self.0, name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let metadata = file.metadata()?;
        match metadata.is_file() {
            true => Ok(Some((file, Facts::of(&metadata)?))),
            false => Ok(None),
        }
    }

    /// Gives the file at `path`, which is trusted, the name `name` in this folder.
    pub(super) fn take(&self, path: &Path, name: &str) -> io::Result<()> {
        Ok(fs::renameat(fs::CWD, path, &self.0, name)?)
    }

    pub(super) fn remove_file(&self, name: &str) -> io::Result<()> {
        Ok(fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Removes a folder that is empty.
    pub(super) fn remove_folder(&self, name: &str) -> io::Result<()> {
        Ok(fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
    }

    /// Makes what this folder says about its files durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        Ok(fs::fsync(&self.0)?)
    }

    /// Its own facts.
    pub(super) fn facts(&self) -> io::Result<Facts> {
        Ok(Facts::from(&fs::fstat(&self.0)?))
    }

    /// The names in it, and what they are. One that isn't Unicode can't be part of a key.
    pub(super) fn entries(&self) -> io::Result<Vec<(String, Kind)>> {
        let mut entries = Vec::new();
        for entry in fs::Dir::read_from(&self.0)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else {
                continue;
            };
            if matches!(name, "." | "..") {
                continue;
            }
            let kind = match entry.file_type() {
                // Some file systems don't say.
                FileType::Unknown => match self.kind(name)? {
                    Some(kind) => kind,
                    None => continue,
                },
                kind => kind.into(),
            };
            entries.push((name.to_owned(), kind));
        }
        Ok(entries)
    }

    /// The folders at and below the end of `names`, each before those in it, or none if there is anything else among
    /// them. Only one of them is open at a time.
    pub(super) fn empty_folders(&self, names: &[String]) -> io::Result<Option<Vec<Vec<String>>>> {
        let mut found = vec![names.to_vec()];
        let mut next = 0;
        while let Some(names) = found.get(next).cloned() {
            let entries = match self.below(&names) {
                Err(error) if is_absence(&error) => Vec::new(),
                folder => folder?.entries()?,
            };
            for (name, kind) in entries {
                if kind != Kind::Folder {
                    return Ok(None);
                }
                found.push([names.as_slice(), &[name]].concat());
            }
            next += 1;
        }
        Ok(Some(found))
    }

    /// Removes the folders at and below the end of `names`, if there is nothing else; false if there is.
    pub(super) fn remove_empty_folders(&self, names: &[String]) -> io::Result<bool> {
        let Some(folders) = self.empty_folders(names)? else {
            return Ok(false);
        };
        for folder in folders.iter().rev() {
            let Some((name, above)) = folder.split_last() else {
                continue;
            };
            match self.below(above).and_then(|above| above.remove_folder(name)) {
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => return Ok(false),
                Err(error) if is_absence(&error) => {}
                done => done?,
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.split('/').map(str::to_owned).collect()
    }

    #[test]
    fn a_link_is_no_way_and_no_file() {
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("x"), "secret").unwrap();
        std::os::unix::fs::symlink(outside.path(), root.path().join("folder")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("x"), root.path().join("file")).unwrap();
        let dir = Dir::open(root.path()).unwrap();
        assert!(is_link(&dir.child("folder").err().unwrap()));
        assert!(is_link(&dir.make_below(&names("folder/a")).err().unwrap()));
        assert!(is_link(&dir.look("file").err().unwrap()));
        assert!(is_link(&dir.open_file("file").err().unwrap()));
        assert!(dir.empty_folders(&[]).unwrap().is_none());
    }

    #[test]
    fn only_empty_folders_go() {
        let root = tempfile::tempdir().unwrap();
        let dir = Dir::open(root.path()).unwrap();
        let deep = names(&vec!["d"; 300].join("/"));
        dir.make_below(&deep).unwrap();
        dir.make_below(&names("e/f")).unwrap();
        std::fs::write(root.path().join("e/f/x"), "").unwrap();
        assert!(dir.remove_empty_folders(&names("d")).unwrap());
        assert!(!dir.remove_empty_folders(&names("e")).unwrap());
        assert_eq!(dir.entries().unwrap(), [("e".to_owned(), Kind::Folder)]);
        assert!(root.path().join("e/f/x").exists());
    }
}
