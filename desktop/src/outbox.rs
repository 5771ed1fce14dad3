//! What a session has still to say, in a file: so that a line that was typed outlives a cut, the window and the power.
//! Decides when it is written, and says once when it cannot be.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tertulia_wire::session::{Config, Session};

use crate::files::{self, FileError, Lasting};

/// How long what was only heard may wait to be kept: what is lost of it is fetched again.
pub const HEARD_KEPT_AFTER: Duration = Duration::from_secs(5);

/// How long after a write that failed the next one is tried.
pub const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// The file of a session.
#[derive(Debug)]
pub struct Outbox {
    path: PathBuf,
    /// What stands in it; unknown after a write that failed.
    kept: Option<String>,
    due: Option<Instant>,
    is_failing: bool,
}

/// Whether what was said is kept, where that has changed.
#[derive(Debug)]
pub enum Change {
    /// It cannot be.
    Failed(FileError),
    /// It is again.
    Kept,
}

impl Outbox {
    /// The session's file, which need not be there.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), kept: None, due: None, is_failing: false }
    }

    /// What stands in the file.
    pub fn read(&self) -> Result<Option<String>, FileError> {
        files::read(&self.path)
    }

    /// The name of the session in the file, if there is one.
    pub fn last_name(&self) -> Option<String> {
        let text = self.read().ok().flatten()?;
        let session = Session::restore(Config::new("", "", &[], 0), &text).ok()?;
        Some(session.name().to_owned())
    }

    /// Moves a file that is none out of the way, and says where it is.
    pub fn set_aside(&self) -> Result<PathBuf, FileError> {
        files::set_aside(&self.path)
    }

    /// Something has changed that can be had again: it is kept before long.
    pub fn touch(&mut self, now: Instant) {
        self.due.get_or_insert(now + HEARD_KEPT_AFTER);
    }

    /// When [`Outbox::keep_if_due`] is to be called, if not before.
    pub fn next_due(&self) -> Option<Instant> {
        self.due
    }

    /// Keeps the session where it is time to.
    pub fn keep_if_due(&mut self, session: &Session, now: Instant) -> Option<Change> {
        self.due.filter(|due| *due <= now)?;
        self.keep(session, Lasting::Program, now)
    }

    /// Keeps the session now. It is tried again by itself where it fails, and that is told once.
    pub fn keep(&mut self, session: &Session, lasting: Lasting, now: Instant) -> Option<Change> {
        self.due = None;
        let text = session.saved();
        if self.kept.as_ref() == Some(&text) {
            return None;
        }
        match files::write(&self.path, &text, lasting) {
            Ok(()) => {
                self.kept = Some(text);
                std::mem::take(&mut self.is_failing).then_some(Change::Kept)
            }
            Err(error) => {
                self.kept = None;
                self.due = Some(now + AGAIN_AFTER);
                (!std::mem::replace(&mut self.is_failing, true)).then_some(Change::Failed(error))
            }
        }
    }
}
