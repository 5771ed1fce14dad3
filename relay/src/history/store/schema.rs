//! The schema, and how a file of an earlier one is brought to it.

use rusqlite::Connection;

/// Marks a file as one of ours (`PRAGMA application_id`): `tert`.
const APPLICATION_ID: i32 = 0x7465_7274;

/// The schema, step by step; a file's `user_version` says how many of them it has seen. Steps are only ever added.
///
/// Columns that most lines leave empty stand last, where they cost a byte each. A line's time is given only where its id
/// says another one. `word` holds no words itself, only where they are; its `room` is the number of the room. What it merges
/// only when there is much of it is written less often. `label` and `room_line` are indexes that are filled now and then:
/// many sessions that speak at once would have each page of the one written with each commit, and the other would add a
/// page to each. `label` has all that is asked of a line by its session, so that some thousand of them are read in some
/// pages and not in one each; it is filled anew where a file had another one.
const MIGRATIONS: [&str; 9] = [
    "
    CREATE TABLE room (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE line (
        id INTEGER PRIMARY KEY,
        room INTEGER NOT NULL REFERENCES room,
        name TEXT NOT NULL,
        quote TEXT,
        text TEXT NOT NULL
    ) STRICT;
    CREATE INDEX line_by_room ON line (room, id);
    ",
    "
    ALTER TABLE line ADD COLUMN unix_ms INTEGER;
    ALTER TABLE line ADD COLUMN reply INTEGER;
    ALTER TABLE line ADD COLUMN sid INTEGER;
    ALTER TABLE line ADD COLUMN label TEXT;
    ALTER TABLE line ADD COLUMN hash INTEGER;
    CREATE TABLE label (sid INTEGER, id INTEGER, PRIMARY KEY (sid, id)) STRICT, WITHOUT ROWID;
    CREATE TABLE session (
        sid INTEGER PRIMARY KEY,
        token_hash BLOB NOT NULL UNIQUE,
        name TEXT,
        rooms TEXT,
        is_present INTEGER,
        used_unix_ms INTEGER
    ) STRICT;
    CREATE TABLE value (name TEXT PRIMARY KEY, value INTEGER) STRICT, WITHOUT ROWID;
    INSERT INTO value SELECT 'labeled_to', coalesce(max(id), 0) FROM line;
    ",
    "
    CREATE VIRTUAL TABLE word USING fts5(
        room, name, text,
        content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2'
    );
    INSERT INTO word (word, rank) VALUES ('automerge', 16);
    ",
    "
    CREATE TABLE room_line (room INTEGER, id INTEGER, PRIMARY KEY (room, id)) STRICT, WITHOUT ROWID;
    INSERT INTO room_line SELECT room, id FROM line ORDER BY room, id;
    INSERT INTO value SELECT 'roomed_to', coalesce(max(id), 0) FROM line;
    DROP INDEX line_by_room;
    CREATE TABLE IF NOT EXISTS label (sid INTEGER, id INTEGER, PRIMARY KEY (sid, id)) STRICT, WITHOUT ROWID;
    INSERT OR IGNORE INTO value VALUES ('labeled_to', 0);
    DROP INDEX IF EXISTS line_by_session;
    ",
    "
    CREATE TABLE account (
        number INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        password TEXT NOT NULL,
        role TEXT NOT NULL
    ) STRICT;
    CREATE TABLE sanction (
        kind TEXT, target TEXT, until_unix_ms INTEGER, by TEXT, why TEXT, PRIMARY KEY (kind, target)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE room_access (
        room TEXT PRIMARY KEY, access TEXT NOT NULL, members TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE read_marker (
        account INTEGER, room TEXT, id INTEGER, PRIMARY KEY (account, room)
    ) STRICT, WITHOUT ROWID;
    ALTER TABLE session ADD COLUMN account INTEGER;
    ",
    "
    DROP TABLE label;
    CREATE TABLE label (
        sid INTEGER, id INTEGER, label TEXT, hash INTEGER, unix_ms INTEGER, PRIMARY KEY (sid, id)
    ) STRICT, WITHOUT ROWID;
    UPDATE value SET value = 0 WHERE name = 'labeled_to';
    ",
    "
    ALTER TABLE session ADD COLUMN muted_until_unix_ms INTEGER;
    ",
    "
    ALTER TABLE account ADD COLUMN seen_unix_ms INTEGER;
    ALTER TABLE account ADD COLUMN token_epoch INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE session ADD COLUMN token_epoch INTEGER NOT NULL DEFAULT 0;
    ",
    "
    ALTER TABLE sanction ADD COLUMN since_unix_ms INTEGER NOT NULL DEFAULT 0;
    ",
];

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Schema {
    /// As this relay writes it.
    Current,
    /// It has seen so many steps; none is also an empty file.
    Older(usize),
    /// Of a newer relay, of this schema.
    Newer(usize),
    /// Of another program.
    Foreign,
}

impl Schema {
    pub(super) fn of(connection: &Connection) -> Result<Self, rusqlite::Error> {
        let number = |query: &str| connection.query_row(query, [], |row| row.get::<_, i64>(0));
        if number("SELECT count(*) FROM sqlite_schema")? == 0 {
            return Ok(Self::Older(0));
        }
        if number("PRAGMA application_id")? != i64::from(APPLICATION_ID) {
            return Ok(Self::Foreign);
        }
        let version = usize::try_from(number("PRAGMA user_version")?).unwrap_or(usize::MAX);
        Ok(match version.cmp(&MIGRATIONS.len()) {
            std::cmp::Ordering::Less => Self::Older(version),
            std::cmp::Ordering::Equal => Self::Current,
            std::cmp::Ordering::Greater => Self::Newer(version),
        })
    }
}

/// Takes the steps that a file has not seen, all or none. The connection is in a transaction for writing.
pub(super) fn migrate(connection: &Connection, seen: usize) -> Result<(), rusqlite::Error> {
    let steps = MIGRATIONS.get(seen..).unwrap_or_default().concat();
    let (id, version) = (APPLICATION_ID, MIGRATIONS.len());
    connection
        .execute_batch(&format!("PRAGMA application_id = {id}; {steps}; PRAGMA user_version = {version}"))
}
