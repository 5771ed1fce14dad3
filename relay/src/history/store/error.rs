//! What can be wrong with the file, as sentences.

use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode::{
    ConstraintViolation, DatabaseBusy, DatabaseCorrupt, DatabaseLocked, DiskFull, NotADatabase,
    OperationInterrupted,
};
use rusqlite::ffi;

/// What is wrong with the file.
#[derive(Debug)]
pub struct StoreError {
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Sqlite(rusqlite::Error),
    Foreign,
    Newer(usize),
    JournalRefused(String),
    Taken,
    Thread(String),
}

impl StoreError {
    fn new(path: &Path, kind: Kind) -> Self {
        Self { path: path.to_owned(), kind }
    }

    pub(super) fn sqlite(path: &Path, error: rusqlite::Error) -> Self {
        Self::new(path, Kind::Sqlite(error))
    }

    pub(super) fn foreign(path: &Path) -> Self {
        Self::new(path, Kind::Foreign)
    }

    pub(super) fn newer(path: &Path, version: usize) -> Self {
        Self::new(path, Kind::Newer(version))
    }

    pub(super) fn journal_refused(path: &Path, mode: String) -> Self {
        Self::new(path, Kind::JournalRefused(mode))
    }

    pub(in crate::history) fn taken(path: &Path) -> Self {
        Self::new(path, Kind::Taken)
    }

    pub(in crate::history) fn thread(path: &Path, error: &std::io::Error) -> Self {
        Self::new(path, Kind::Thread(error.to_string()))
    }

    fn code(&self) -> Option<rusqlite::ErrorCode> {
        let Kind::Sqlite(error) = &self.kind else { return None };
        error.sqlite_error_code()
    }

    /// The file itself is damaged, or is no database.
    pub fn is_damaged(&self) -> bool {
        matches!(self.code(), Some(DatabaseCorrupt | NotADatabase))
    }

    /// Another program has the file, and kept it for longer than was waited.
    pub fn is_busy(&self) -> bool {
        matches!(self.code(), Some(DatabaseBusy | DatabaseLocked))
    }

    /// There is no place on the disk, or none for this file.
    pub(super) fn is_full(&self) -> bool {
        let Kind::Sqlite(error) = &self.kind else { return false };
        let extended = error.sqlite_error().map(|error| error.extended_code);
        self.code() == Some(DiskFull) || extended == Some(ffi::SQLITE_IOERR_WRITE)
    }

    /// A search was given up because it cost too much.
    pub fn is_costly(&self) -> bool {
        self.code() == Some(OperationInterrupted)
    }

    /// Something with the same number is there already.
    pub(super) fn is_conflict(&self) -> bool {
        self.code() == Some(ConstraintViolation)
    }

    /// The file system does not do what this kind of journal needs: another kind may do.
    pub(super) fn refuses_journal(&self) -> bool {
        let Kind::Sqlite(error) = &self.kind else { return matches!(self.kind, Kind::JournalRefused(_)) };
        let of_shared_memory = [
            ffi::SQLITE_IOERR_SHMOPEN,
            ffi::SQLITE_IOERR_SHMSIZE,
            ffi::SQLITE_IOERR_SHMLOCK,
            ffi::SQLITE_IOERR_SHMMAP,
            ffi::SQLITE_PROTOCOL,
        ];
        error.sqlite_error().is_some_and(|error| {
            of_shared_memory.contains(&error.extended_code)
                || error.extended_code & 0xff == ffi::SQLITE_CANTOPEN
        })
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.kind {
            Kind::Sqlite(_) if self.is_damaged() => write!(
                f,
                "the history {path} is damaged; --history-repair moves it aside and begins a new one, --history none \
                 does without"
            ),
            Kind::Sqlite(_) if self.is_busy() => write!(f, "the history {path} is locked by another program"),
            Kind::Sqlite(error) => write!(f, "the history {path}: {error}"),
            Kind::Thread(error) => write!(f, "the history {path}: no thread to write it: {error}"),
            Kind::Taken => write!(
                f,
                "the history {path} is that of another relay which runs; choose another --history FILE, or --history none"
            ),
            Kind::Foreign => {
                write!(f, "{path} is a database of another program; choose another --history FILE")
            }
            Kind::Newer(version) => {
                write!(f, "the history {path} was written by a newer relay (schema {version})")
            }
            Kind::JournalRefused(mode) => {
                write!(
                    f,
                    "the history {path}: its file system allows no journal but {mode}; choose another --history FILE"
                )
            }
        }
    }
}

impl std::error::Error for StoreError {}
