//! A disk that is full, and a database whose file goes away.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use mastic::error::ErrorKind;
use mastic::model::database::DatabaseInput;
use mastic::store::{self, Store};

use crate::harness::start_of_time;

/// A small file system of its own, for as long as it lives.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"])
            .arg(folder.path())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then_some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn fill(&self) {
        let mut file = std::fs::File::create(self.path().join("filler")).unwrap();
        while std::io::Write::write_all(&mut file, &[0; 4096]).is_ok() {}
    }

    fn make_room(&self) {
        std::fs::remove_file(self.path().join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

async fn write(store: &Store, name: &str) -> mastic::error::Result<()> {
    let mut input = DatabaseInput {
        name: name.to_owned(),
        ..DatabaseInput::default()
    };
    input.parameters.insert("long".to_owned(), "x".repeat(200_000));
    let mut tx = store.write().await?;
    store::databases::insert(&mut tx, &input, start_of_time()).await?;
    tx.commit().await
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_full_disk_the_next_write_works() {
    let Some(disk) = SmallDisk::mount() else {
        println!("skipped: can't mount a small file system");
        return;
    };
    let url = format!("sqlite://{}", disk.path().join("mastic.db").display());
    let store = Store::open(&url).await.unwrap();
    write(&store, "before").await.unwrap();
    for round in 0..3 {
        disk.fill();
        let mut refused = 0;
        for number in 0..5 {
            if let Err(error) = write(&store, &format!("full{round}_{number}")).await {
                assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
                refused += 1;
            }
        }
        assert!(refused > 0, "the disk was not full");
        disk.make_room();
        let asked = Instant::now();
        write(&store, &format!("after{round}")).await.unwrap();
        assert!(asked.elapsed() < Duration::from_secs(2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_to_a_database_that_was_removed_or_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mastic.db");
    let store = Store::open(&format!("sqlite://{}", path.display()))
        .await
        .unwrap();
    write(&store, "before").await.unwrap();
    let aside = folder.path().join("aside.db");
    std::fs::rename(&path, &aside).unwrap();
    let error = write(&store, "removed").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.message.ends_with("was removed"), "{error}");
    std::fs::copy(&aside, &path).unwrap();
    let error = write(&store, "replaced").await.unwrap_err();
    assert!(error.message.ends_with("was replaced by another"), "{error}");
    std::fs::rename(&aside, &path).unwrap();
    write(&store, "after").await.unwrap();
}
