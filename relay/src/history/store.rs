//! The file: SQLite, its schema, and what is asked of it. The only module that names rusqlite.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use crate::batch::{Batch, Kept};

/// Marks a file as one of ours (`PRAGMA application_id`): `tert`.
const APPLICATION_ID: i32 = 0x7465_7274;

/// How long a write waits for another program that has the file.
const BUSY_WAIT: Duration = Duration::from_secs(30);

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

/// The schema, step by step; a file's `user_version` says how many of them it has seen. Steps are only ever added.
const MIGRATIONS: [&str; 1] = ["
    CREATE TABLE room (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE line (
        id INTEGER PRIMARY KEY,
        room INTEGER NOT NULL REFERENCES room,
        name TEXT NOT NULL,
        quote TEXT,
        text TEXT NOT NULL
    ) STRICT;
    CREATE INDEX line_by_room ON line (room, id);
"];

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
    Thread(String),
}

impl StoreError {
    pub(super) fn thread(path: &Path, error: &std::io::Error) -> Self {
        Self { path: path.to_owned(), kind: Kind::Thread(error.to_string()) }
    }

    /// The file itself is damaged, or is no database.
    pub fn is_damaged(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        let Kind::Sqlite(error) = &self.kind else { return false };
        matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
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
            Kind::Sqlite(error) => write!(f, "the history {path}: {error}"),
            Kind::Thread(error) => write!(f, "the history {path}: no thread to write it: {error}"),
            Kind::Foreign => {
                write!(f, "{path} is a database of another program; choose another --history FILE")
            }
            Kind::Newer(version) => {
                write!(f, "the history {path} was written by a newer relay (schema {version})")
            }
        }
    }
}

impl std::error::Error for StoreError {}

/// When a line counts as kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Once it was handed to the system: survives the relay's own death.
    #[default]
    Commit,
    /// Once it is on the disk: survives a power cut.
    Sync,
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
    /// Ids of the oldest and the newest line.
    pub span: Option<(u64, u64)>,
    /// Size of the file.
    pub bytes: u64,
}

/// An open history.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    connection: Connection,
    rows: u64,
}

impl Store {
    /// Opens the file to write, and makes it if there is none.
    pub fn open(path: &Path, durability: Durability) -> Result<Self, StoreError> {
        let connection = Connection::open(path).map_err(|error| sqlite(path, error))?;
        let mut store = Self { path: path.to_owned(), connection, rows: 0 };
        store.prepare(durability).map_err(|error| sqlite(path, error))?;
        store.migrate()?;
        let count = "SELECT count(*) FROM line";
        store.rows = store.connection.query_row(count, [], |row| row.get(0)).map_err(|e| sqlite(path, e))?;
        Ok(store)
    }

    /// Opens the file to read.
    pub fn open_to_read(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || {
            let connection = Connection::open_with_flags(path, flags)?;
            connection.busy_timeout(BUSY_WAIT)?;
            connection.execute_batch(&format!("PRAGMA cache_size = -{READ_CACHE_KIB}"))?;
            Ok(connection)
        };
        let connection = open().map_err(|error| sqlite(path, error))?;
        Ok(Self { path: path.to_owned(), connection, rows: 0 })
    }

    fn prepare(&mut self, durability: Durability) -> Result<(), rusqlite::Error> {
        self.connection.busy_timeout(BUSY_WAIT)?;
        // Of a new file; one that is there keeps its own.
        self.connection.execute_batch(&format!("PRAGMA page_size = {PAGE_BYTES}"))?;
        let mode = "PRAGMA journal_mode = WAL";
        let _: String = self.connection.query_row(mode, [], |row| row.get(0))?;
        let synchronous = match durability {
            Durability::Commit => "PRAGMA synchronous = NORMAL",
            Durability::Sync => "PRAGMA synchronous = FULL",
        };
        self.connection.execute_batch(synchronous)?;
        self.connection.execute_batch(&format!(
            "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -{WRITE_CACHE_KIB}; \
             PRAGMA journal_size_limit = {JOURNAL_BYTES_MAX}; PRAGMA wal_autocheckpoint = {JOURNAL_PAGES}"
        ))
    }

    fn migrate(&mut self) -> Result<(), StoreError> {
        let path = self.path.clone();
        let fail = |error| sqlite(&path, error);
        let number = |name: &str| -> Result<i64, rusqlite::Error> {
            self.connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
        };
        let (application, version) =
            (number("application_id").map_err(fail)?, number("user_version").map_err(fail)?);
        let tables = "SELECT count(*) FROM sqlite_schema";
        let tables: i64 = self.connection.query_row(tables, [], |row| row.get(0)).map_err(fail)?;
        if tables > 0 && application != i64::from(APPLICATION_ID) {
            return Err(StoreError { path, kind: Kind::Foreign });
        }
        let version = usize::try_from(version).unwrap_or(usize::MAX);
        let Some(steps) = MIGRATIONS.get(version..) else {
            return Err(StoreError { path, kind: Kind::Newer(version) });
        };
        if steps.is_empty() {
            return Ok(());
        }
        let all = format!(
            "BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION_ID}; {}; PRAGMA user_version = {}; COMMIT",
            steps.join(";"),
            MIGRATIONS.len()
        );
        self.connection.execute_batch(&all).map_err(fail)
    }

    /// Keeps lines, all or none.
    pub fn insert(&mut self, batches: &[Batch]) -> Result<(), StoreError> {
        let rows =
            insert(&mut self.connection, batches, INSERT).map_err(|error| sqlite(&self.path, error))?;
        self.rows += rows;
        Ok(())
    }

    /// The id of the newest line.
    pub fn newest(&self) -> Result<Option<u64>, StoreError> {
        let newest = self.connection.query_row("SELECT max(id) FROM line", [], |row| row.get(0));
        newest.map_err(|error| sqlite(&self.path, error))
    }

    /// The last lines of a room, before an id where one is given, in ascending order.
    pub fn last(&self, room: &str, before: Option<u64>, limit: u32) -> Result<Batch, StoreError> {
        self.read_last(room, before, limit).map_err(|error| sqlite(&self.path, error))
    }

    fn read_last(&self, room: &str, before: Option<u64>, limit: u32) -> Result<Batch, rusqlite::Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, line.name, quote, text FROM line
             WHERE room = (SELECT number FROM room WHERE name = ?1) AND id < ?2 ORDER BY id DESC LIMIT ?3",
        )?;
        let before = before.map_or(i64::MAX, |id| i64::try_from(id).unwrap_or(i64::MAX));
        let mut rows = statement.query(params![room, before, limit])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let (id, name, text): (u64, String, String) = (row.get(0)?, row.get(1)?, row.get(3)?);
            found.push((id, name, row.get::<_, Option<String>>(2)?, text));
        }
        let mut batch = Batch::default();
        for (id, name, quote, text) in found.iter().rev() {
            batch.push(Kept { id: *id, room, name, quote: quote.as_deref(), text });
        }
        Ok(batch)
    }

    /// Takes lines in whose ids are not there yet.
    pub fn insert_new(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let rows = insert(&mut self.connection, std::slice::from_ref(batch), INSERT_NEW);
        self.rows += rows.map_err(|error| sqlite(&self.path, error))?;
        Ok(())
    }

    /// Shows all lines in the order in which they were said, until `show` says no.
    pub fn each(&self, mut show: impl FnMut(Kept<'_>) -> bool) -> Result<(), StoreError> {
        let mut read = || {
            let mut statement = self.connection.prepare(
                "SELECT id, room.name, line.name, quote, text FROM line JOIN room ON number = room ORDER BY id",
            )?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let word = |index: usize| row.get_ref(index)?.as_str().map_err(rusqlite::Error::from);
                let quote = row.get_ref(3)?.as_str_or_null()?;
                let line = Kept { id: row.get(0)?, room: word(1)?, name: word(2)?, quote, text: word(4)? };
                if !show(line) {
                    break;
                }
            }
            Ok(())
        };
        read().map_err(|error| sqlite(&self.path, error))
    }

    /// Looks at every page of the file.
    pub fn check(&self) -> Result<Checked, StoreError> {
        let read = || {
            let one = |query: &str| self.connection.query_row(query, [], |row| row.get::<_, Option<u64>>(0));
            let verdict: String =
                self.connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
            let (first, last) = (one("SELECT min(id) FROM line")?, one("SELECT max(id) FROM line")?);
            Ok(Checked {
                fault: (verdict != "ok").then_some(verdict),
                rows: one("SELECT count(*) FROM line")?.unwrap_or_default(),
                rooms: one("SELECT count(*) FROM room")?.unwrap_or_default(),
                span: first.zip(last),
                bytes: one("PRAGMA page_count")?.unwrap_or_default()
                    * one("PRAGMA page_size")?.unwrap_or_default(),
            })
        };
        read().map_err(|error| sqlite(&self.path, error))
    }

    /// Drops what is to be kept no longer, at most `limit` lines. Gives how many went.
    pub fn prune(&mut self, retention: Retention, unix_ms: u64, limit: u64) -> Result<u64, StoreError> {
        let age_ms = u64::try_from(retention.age_max.as_millis()).unwrap_or(u64::MAX);
        let oldest_id = if age_ms == 0 { 0 } else { unix_ms.saturating_sub(age_ms) << 16 };
        let too_many = if retention.rows_max == 0 { 0 } else { self.rows.saturating_sub(retention.rows_max) };
        let path = &self.path;
        let mut gone = 0;
        if too_many > 0 {
            gone += self
                .connection
                .execute(
                    "DELETE FROM line WHERE id IN (SELECT id FROM line ORDER BY id LIMIT ?1)",
                    [too_many.min(limit)],
                )
                .map_err(|error| sqlite(path, error))?;
        }
        gone += self
            .connection
            .execute(
                "DELETE FROM line WHERE id IN (SELECT id FROM line WHERE id < ?1 ORDER BY id LIMIT ?2)",
                [oldest_id, limit],
            )
            .map_err(|error| sqlite(path, error))?;
        self.rows = self.rows.saturating_sub(gone as u64);
        Ok(gone as u64)
    }

    /// Lines kept.
    pub fn rows(&self) -> u64 {
        self.rows
    }
}

const INSERT: &str = "INSERT INTO line VALUES (?1, ?2, ?3, ?4, ?5)";
const INSERT_NEW: &str = "INSERT OR IGNORE INTO line VALUES (?1, ?2, ?3, ?4, ?5)";

fn insert(connection: &mut Connection, batches: &[Batch], statement: &str) -> Result<u64, rusqlite::Error> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let mut rows = 0u64;
    {
        let mut line = transaction.prepare_cached(statement)?;
        let mut room: Option<(&str, i64)> = None;
        for kept in batches.iter().flat_map(Batch::iter) {
            let number = match room {
                Some((name, number)) if name == kept.room => number,
                _ => room_number(&transaction, kept.room)?,
            };
            room = Some((kept.room, number));
            rows += line.execute(params![kept.id, number, kept.name, kept.quote, kept.text])? as u64;
        }
    }
    transaction.commit()?;
    Ok(rows)
}

/// The number of a room, which gets one if it has none.
fn room_number(connection: &Connection, name: &str) -> Result<i64, rusqlite::Error> {
    let mut find = connection.prepare_cached("SELECT number FROM room WHERE name = ?1")?;
    if let Some(number) = find.query_row([name], |row| row.get(0)).optional()? {
        return Ok(number);
    }
    connection.prepare_cached("INSERT INTO room (name) VALUES (?1)")?.execute([name])?;
    Ok(connection.last_insert_rowid())
}

fn sqlite(path: &Path, error: rusqlite::Error) -> StoreError {
    StoreError { path: path.to_owned(), kind: Kind::Sqlite(error) }
}
