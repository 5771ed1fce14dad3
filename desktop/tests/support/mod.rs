//! What the tests share: a relay as a process of its own, a folder that goes with its value, waiting with a deadline.
//!
//! Nothing here sleeps for a fixed time: what must come is awaited up to [`DEADLINE`].

#![allow(dead_code, reason = "every test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

pub(crate) mod desk;
mod relay;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

#[allow(unused_imports, reason = "not every test has a plain client")]
pub(crate) use relay::{Plain, Relay, password_of};

/// Longest wait for anything that must come: far above what a loaded machine needs. A session that was cut may wait for
/// several seconds by itself.
pub(crate) const DEADLINE: Duration = Duration::from_secs(40);

/// How often something is looked at again that cannot be waited for.
const LOOK_EVERY: Duration = Duration::from_millis(15);

/// A folder that goes with the value.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tertulia-desktop-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Looks again and again until there is something.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} has not come in {DEADLINE:?}");
        std::thread::sleep(LOOK_EVERY);
    }
}
