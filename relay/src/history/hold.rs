//! One relay for one file: two would give the same ids to different lines.

use std::fs::File;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::store::{Opening, Store, StoreError};

/// How long a relay that was just killed may take to be gone, and how often that is looked at.
const ENDING_WAIT: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// As long as this lives, no other relay has the file. The kernel ends that with the process, however it ends.
///
/// Closing a file takes away the locks that the database has on it in this process, so this goes after the database.
#[derive(Debug)]
pub struct Hold(#[expect(dead_code, reason = "it is held, and no more")] Option<File>);

impl Hold {
    /// Holds a file, where there is one.
    pub fn of(path: &Path) -> Result<Self, StoreError> {
        hold(path).map(Self)
    }

    /// Opens the file to write, as [`Store::open`] does, for this relay alone.
    pub(super) fn open(path: &Path, opening: Opening) -> Result<(Self, Store), StoreError> {
        let held = hold(path)?;
        let store = Store::open(path, opening)?;
        // A new file is there only now.
        let held = match held {
            None => hold(path)?,
            held => held,
        };
        Ok((Self(held), store))
    }
}

/// None: there is no such file, or none that can be held; what is wrong with it, the database says.
fn hold(path: &Path) -> Result<Option<File>, StoreError> {
    let Ok(file) = File::open(path) else { return Ok(None) };
    let until = Instant::now() + ENDING_WAIT;
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) if Instant::now() < until => thread::sleep(LOOK_EVERY),
            Err(Errno::WOULDBLOCK) => return Err(StoreError::taken(path)),
            // There are file systems that have no such locks.
            Err(_) => return Ok(None),
            Ok(()) => return Ok(Some(file)),
        }
    }
}
