//! Relays that keep what is said in a file of their own.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::Relay;

/// A folder that goes with the value.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tertulia-test-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("history.db")
    }

    /// A relay without flood control that keeps its history there.
    pub(crate) fn relay(&self, flags: &[&str]) -> Relay {
        let file = self.file();
        let all = [&["--flood", "0", "--history", file.to_str().unwrap()], flags].concat();
        Relay::start(&all)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
