//! The file: SQLite, its schema, and what is asked of it. The only module that names rusqlite.

mod accounts;
mod count;
mod error;
mod labels;
mod lagging;
mod lines;
mod prune;
mod rooms;
mod schema;
mod search;
mod sessions;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::parcel::Parcel;
use crate::batch::{Batch, Durability};
use count::Count;
pub use error::StoreError;
use lagging::Lag;
pub use prune::{CLOCK_SET_MS, Pruned, Sweep};
use schema::Schema;
pub use search::INDEX_LEAP_LINES;
pub(super) use search::{Backlog, INDEX_LAG_LINES_MAX, INDEX_STEP_LINES};

/// How long a write waits for another program that has the file.
pub const BUSY_WAIT: Duration = Duration::from_secs(30);

/// Memory for pages of the file, while writing and while reading.
const WRITE_CACHE_KIB: u32 = 1024;
const READ_CACHE_KIB: u32 = 512;

/// A commit writes whole pages, and few lines come at once: small ones halve what is written, and a line that comes
/// alone costs a third.
const PAGE_BYTES: u32 = 1024;

/// Pages of the journal that go into the file at once: what changed often in between goes once.
const JOURNAL_PAGES: u32 = 4000;

/// What is left on the disk of the journal when nothing is written.
const JOURNAL_BYTES_MAX: u32 = 8 * 1024 * 1024;

/// How a write is made whole. What a file system can do is found out at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Journal {
    /// A log beside the file, and memory shared with other programs that have it open.
    #[default]
    Wal,
    /// The log without shared memory: nobody else can open the file meanwhile.
    WalAlone,
    /// What is overwritten is copied first: works everywhere, and writes more.
    Truncate,
}

impl Journal {
    /// All of them, the best first, with the words of the start-up line.
    pub const ALL: [(&str, Self); 3] = [
        ("WAL", Self::Wal),
        ("WAL, held by this relay alone", Self::WalAlone),
        ("rollback journal", Self::Truncate),
    ];

    /// As it is told.
    pub fn words(self) -> &'static str {
        Self::ALL.iter().find(|(_, journal)| *journal == self).map_or("", |(words, _)| words)
    }

    /// Another connection may read while one writes.
    pub fn has_readers(self) -> bool {
        self == Self::Wal
    }
}

/// How the file is opened.
#[derive(Debug, Clone, Copy)]
pub struct Opening {
    /// When a commit is done.
    pub durability: Durability,
    /// The first to try; what follows is tried where the file system refuses it.
    pub journal: Journal,
    /// How long to wait for another program that has the file.
    pub busy_wait: Duration,
}

impl Default for Opening {
    fn default() -> Self {
        Self { durability: Durability::Commit, journal: Journal::Wal, busy_wait: BUSY_WAIT }
    }
}

/// How many lines are kept, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Older lines go; zero is no limit.
    pub age_max: Duration,
    /// The oldest go beyond so many; 0 is no limit.
    pub rows_max: u64,
}

/// What a look at the whole file found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The first fault, in the database's words.
    pub fault: Option<String>,
    /// Lines.
    pub rows: u64,
    /// Rooms in which something was said.
    pub rooms: u64,
    /// Sessions that may come back.
    pub sessions: u64,
    /// Lines that a search finds by its index; the others are read one by one.
    pub indexed: u64,
    /// Lines up to this id may be gone, because they were too old or too many; 0 where none are.
    pub pruned_to: u64,
    /// When the oldest and the newest line were said, in milliseconds since 1970.
    pub span: Option<(u64, u64)>,
    /// Size of the file.
    pub bytes: u64,
}

/// What came of lines that were to be taken in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TakenIn {
    /// Lines that were not there.
    pub rows: u64,
    /// Places in the batch of those whose id another line has, which stays as it is.
    pub refused: Vec<usize>,
    /// Place in the batch of the first line that had to leave its key out.
    pub keyless: Option<usize>,
}

/// An open history.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    connection: Connection,
    journal: Journal,
    count: Count,
    lag: Lag,
}

impl Store {
    /// Opens the file to write, and makes it if there is none.
    pub fn open(path: &Path, opening: Opening) -> Result<Self, StoreError> {
        let kinds = Journal::ALL.iter().map(|(_, journal)| *journal);
        let mut outcome = Self::open_with(path, opening, opening.journal);
        for journal in kinds.skip_while(|journal| *journal != opening.journal).skip(1) {
            match outcome {
                Err(error) if error.refuses_journal() => outcome = Self::open_with(path, opening, journal),
                _ => break,
            }
        }
        let mut store = outcome?;
        store.migrate()?;
        store.fill_lagging()?;
        store.recount()?;
        Ok(store)
    }

    /// Opens the file to read. One of an earlier relay is brought up to date first.
    pub fn open_to_read(path: &Path, busy_wait: Duration) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || {
            let connection = Connection::open_with_flags(path, flags)?;
            connection.busy_timeout(busy_wait)?;
            connection.execute_batch(&format!(
                "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -{READ_CACHE_KIB}"
            ))?;
            let schema = Schema::of(&connection)?;
            Ok((connection, schema))
        };
        let opening = Opening { busy_wait, ..Opening::default() };
        match open().map_err(|error| StoreError::sqlite(path, error)) {
            Ok((_, Schema::Foreign)) => Err(StoreError::foreign(path)),
            Ok((_, Schema::Newer(version))) => Err(StoreError::newer(path, version)),
            Ok((_, Schema::Older(_))) => Self::open(path, opening),
            Ok((connection, Schema::Current)) => Ok(Self {
                path: path.to_owned(),
                connection,
                journal: Journal::Wal,
                count: Count::unknown(),
                lag: Lag::default(),
            }),
            // To read it alone, it must be opened to write.
            Err(error) if error.refuses_journal() => Self::open(path, opening),
            Err(error) => Err(error),
        }
    }

    fn open_with(path: &Path, opening: Opening, journal: Journal) -> Result<Self, StoreError> {
        make_private(path);
        let connection = Connection::open(path).map_err(|error| StoreError::sqlite(path, error))?;
        let (path_owned, count, lag) = (path.to_owned(), Count::unknown(), Lag::default());
        let store = Self { path: path_owned, connection, journal, count, lag };
        let mode = store.told(store.prepare(opening))?;
        let expected = if journal == Journal::Truncate { "truncate" } else { "wal" };
        if mode == expected { Ok(store) } else { Err(StoreError::journal_refused(path, mode)) }
    }

    /// Gives the kind of journal that the file has now.
    fn prepare(&self, opening: Opening) -> Result<String, rusqlite::Error> {
        let set = |name: &str, value: &str| {
            let query = format!("PRAGMA {name} = {value}");
            self.connection.query_row(&query, [], |row| row.get::<_, String>(0))
        };
        self.connection.busy_timeout(opening.busy_wait)?;
        // A room goes only where no line is left in it, which its index says; the database would look through all lines.
        self.connection.execute_batch("PRAGMA foreign_keys = OFF")?;
        // Of a new file; one that is there keeps its own.
        self.connection.execute_batch(&format!("PRAGMA page_size = {PAGE_BYTES}"))?;
        let mode = match self.journal {
            Journal::Wal => set("journal_mode", "WAL")?,
            Journal::WalAlone => {
                set("locking_mode", "EXCLUSIVE")?;
                set("journal_mode", "WAL")?
            }
            Journal::Truncate => {
                // Only who is alone can end the log of an earlier run without shared memory.
                set("locking_mode", "EXCLUSIVE")?;
                let mode = set("journal_mode", "TRUNCATE")?;
                set("locking_mode", "NORMAL")?;
                mode
            }
        };
        let synchronous = if opening.durability == Durability::Sync { "FULL" } else { "NORMAL" };
        self.connection.execute_batch(&format!(
            "PRAGMA synchronous = {synchronous}; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -{WRITE_CACHE_KIB}; \
             PRAGMA journal_size_limit = {JOURNAL_BYTES_MAX}; PRAGMA wal_autocheckpoint = {JOURNAL_PAGES}"
        ))?;
        // The first look at the file maps the shared memory, and gives up a lock that is not to be held.
        self.connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(mode)
    }

    fn migrate(&mut self) -> Result<(), StoreError> {
        match self.told(Schema::of(&self.connection))? {
            Schema::Current => Ok(()),
            Schema::Foreign => Err(StoreError::foreign(&self.path)),
            Schema::Newer(version) => Err(StoreError::newer(&self.path, version)),
            Schema::Older(_) => self.write(|transaction| {
                // Another program may have been faster.
                match Schema::of(transaction)? {
                    Schema::Older(seen) => schema::migrate(transaction, seen),
                    _ => Ok(()),
                }
            }),
        }
    }

    /// Does all or nothing of it. What it waits for, it waits for at the beginning.
    fn write<T>(
        &mut self,
        what: impl FnOnce(&Transaction<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<T, StoreError> {
        let all = || {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let outcome = what(&transaction)?;
            transaction.commit()?;
            Ok(outcome)
        };
        let outcome = all();
        self.count.is_unsure |= outcome.is_err();
        self.told(outcome)
    }

    fn told<T>(&self, outcome: Result<T, rusqlite::Error>) -> Result<T, StoreError> {
        outcome.map_err(|error| {
            let error = StoreError::sqlite(&self.path, error);
            if error.is_damaged() {
                self.leave_log();
            }
            error
        })
    }

    /// The file is damaged: its log is to stay beside it at the end, since what can be read of either is not for us to mix.
    fn leave_log(&self) {
        // Where that is refused, the end is as usual.
        let _ = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    }

    /// Keeps what is in the parcel, all or nothing. Returns only when it is as durable as was asked. Where somebody took lines
    /// in whose ids were still to be given, what was said here stays, because it was heard under that id. Gives how many
    /// lines had to go for that.
    pub fn keep(&mut self, parcel: &Parcel) -> Result<u64, StoreError> {
        let written = self.write(|transaction| {
            accounts::write(transaction, parcel.changes.values())?;
            sessions::insert(transaction, parcel)?;
            lines::insert(transaction, &parcel.lines)
        });
        let (rows, gone, others) = match written {
            Err(error) if error.is_conflict() => self.write(|transaction| {
                accounts::write(transaction, parcel.changes.values())?;
                sessions::insert(transaction, parcel)?;
                let (gone, others) = lines::there(transaction, &parcel.lines)?;
                search::remove(transaction, &gone)?;
                lagging::remove(transaction, &gone)?;
                lagging::remove_labels(transaction, &gone)?;
                lines::remove(transaction, &gone)?;
                Ok((lines::insert(transaction, &parcel.lines)?, gone.len() as u64, others))
            })?,
            written => (written?, 0, 0),
        };
        self.count.add(rows);
        self.count.subtract(gone);
        self.note_lag(rows, parcel.bytes());
        Ok(others)
    }

    /// Takes lines in whose ids are not there yet; without their keys once a relay has sessions here.
    pub fn insert_new(&mut self, batch: &Batch) -> Result<TakenIn, StoreError> {
        let taken = self.write(|transaction| {
            // Numbers of sessions mean something only beside those who have them: with others there, a line could be taken
            // for one that another session said.
            let takes_keys = !sessions::is_in_use(transaction)?;
            lines::insert_new(transaction, batch, takes_keys)
        })?;
        self.count.add(taken.rows);
        self.note_lag(taken.rows, batch.bytes());
        Ok(taken)
    }

    /// How its writes are made whole.
    pub fn journal(&self) -> Journal {
        self.journal
    }
}

/// A file that is not there yet is made for its owner alone; what the database puts beside it is as the file is. Where
/// that fails, the database says why.
fn make_private(path: &Path) {
    let _ = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
}

/// As the database has it. Ids are below 2^63 for some thousand years yet.
fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
