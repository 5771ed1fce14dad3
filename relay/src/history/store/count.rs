//! How many lines there are. Our own writes are added up; whenever somebody else may have written, they are counted.

use rusqlite::Connection;

use super::lagging::ROOMS;
use super::{Store, StoreError};

/// The lines of the file, as far as known.
#[derive(Debug)]
pub(super) struct Count {
    pub(super) rows: u64,
    /// What the database said of the commits of others when they were counted.
    version: i64,
    /// A write of our own failed since, of which nobody knows what is in the file.
    pub(super) is_unsure: bool,
}

impl Count {
    /// Nothing was counted yet.
    pub(super) fn unknown() -> Self {
        Self { rows: 0, version: 0, is_unsure: true }
    }

    pub(super) fn add(&mut self, rows: u64) {
        self.rows = self.rows.saturating_add(rows);
    }

    pub(super) fn subtract(&mut self, rows: u64) {
        self.rows = self.rows.saturating_sub(rows);
    }
}

impl Store {
    /// Lines kept, as of the last own write or [`Store::recount`].
    pub fn rows(&self) -> u64 {
        self.count.rows
    }

    /// Counts the lines again if another program has written since they were counted, or a write of our own failed. Says
    /// whether it did.
    pub fn recount(&mut self) -> Result<bool, StoreError> {
        let counted = self.told(self.count_changed())?;
        let is_changed = counted.is_some();
        self.count = counted.unwrap_or(Count { ..self.count });
        Ok(is_changed)
    }

    fn count_changed(&self) -> Result<Option<Count>, rusqlite::Error> {
        // What is counted is what was there at that version.
        let _moment = self.connection.unchecked_transaction()?;
        let mut version = self.connection.prepare_cached("PRAGMA data_version")?;
        let version = version.query_row([], |row| row.get(0))?;
        if version == self.count.version && !self.count.is_unsure {
            return Ok(None);
        }
        Ok(Some(Count { rows: lines(&self.connection)?, version, is_unsure: false }))
    }
}

/// The index of rooms is read sooner than the lines are.
fn lines(connection: &Connection) -> Result<u64, rusqlite::Error> {
    let query = "SELECT (SELECT count(*) FROM room_line) + (SELECT count(*) FROM line WHERE id > ?1)";
    connection.prepare_cached(query)?.query_row([ROOMS.to(connection)?], |row| row.get(0))
}

/// What is wrong with the index of rooms, which must have each line up to where it reaches. None: nothing is.
pub(super) fn fault(connection: &Connection) -> Result<Option<String>, rusqlite::Error> {
    let count =
        |query: &str| connection.query_row(query, [ROOMS.to(connection)?], |row| row.get::<_, u64>(0));
    let indexed = count("SELECT count(*) FROM room_line WHERE id <= ?1")?;
    let there = count("SELECT count(*) FROM line WHERE id <= ?1")?;
    let sentence = format!("the index of rooms has {indexed} lines of {there}");
    Ok((indexed != there).then_some(sentence))
}
