//! Which lines are of which session. The newest ones are read one by one, the others found by an index.

use rusqlite::{Connection, params};
use tertulia_wire::limits::LABELS_KEPT;

use super::lines::reversed;
use super::sessions::{optional_number, set_value, value};
use super::{Store, StoreError, number};
use crate::batch::Batch;

/// Lines that go into the index at once. With so many, a page of it is written for some lines of its session and not for
/// each; and so many are read one by one in some milliseconds.
pub(super) const LABEL_STEP_LINES: u64 = 32_768;

/// Lines that are dropped before the index is looked through for them.
pub(super) const SWEEP_LINES: u64 = 100_000;

/// Name in the table `value`: lines up to this id are in the index.
const LABELED_TO: &str = "labeled_to";

/// A line without what was said, which nobody asks for here and may be long.
const LABELS: &str = "SELECT id, unix_ms, '', '', NULL, NULL, sid, label, hash, '' FROM line";

impl Store {
    /// The newest labeled lines of a session, in ascending order, without their words.
    pub fn labeled(&self, sid: u64) -> Result<Batch, StoreError> {
        let read = || {
            // What is indexed and what is not are the same moment's.
            let _moment = self.connection.unchecked_transaction()?;
            let limit = i64::try_from(LABELS_KEPT).unwrap_or(i64::MAX);
            let to = labeled_to(&self.connection)?;
            let query = format!("{LABELS} WHERE id > ?1 AND sid = ?2 ORDER BY id DESC LIMIT ?3");
            let mut newest = self.select(&query, params![to, number(sid), limit])?;
            let indexed = "SELECT id FROM label WHERE sid = ?1 AND id <= ?2 ORDER BY id DESC LIMIT ?3";
            let query = format!("{LABELS} WHERE id IN ({indexed}) ORDER BY id DESC");
            let missing = limit.saturating_sub(i64::try_from(newest.len()).unwrap_or(i64::MAX));
            let older = self.select(&query, params![number(sid), to, missing])?;
            older.iter().for_each(|line| newest.push(line));
            Ok(reversed(&newest))
        };
        self.told(read())
    }

    /// Whether there are lines that are not in the index.
    pub(super) fn lacks_labels(&self) -> Result<bool, StoreError> {
        let exists = |to: i64| {
            let query = "SELECT EXISTS (SELECT 1 FROM line WHERE id > ?1)";
            self.connection.query_row(query, [to], |row| row.get(0))
        };
        self.told(labeled_to(&self.connection).and_then(exists))
    }

    /// Takes all lines into the index that are not in it.
    pub(super) fn index_labels(&mut self) -> Result<(), StoreError> {
        self.write(|transaction| {
            let newest = transaction.query_row("SELECT max(id) FROM line", [], optional_number)?;
            let insert = "INSERT OR IGNORE INTO label SELECT sid, id FROM line WHERE id > ?1 AND sid IS NOT NULL ORDER BY sid";
            transaction.prepare_cached(insert)?.execute([labeled_to(transaction)?])?;
            set_value(transaction, LABELED_TO, newest.unwrap_or_default())
        })?;
        self.not_labeled = 0;
        Ok(())
    }

    /// Drops from the index what is there no more.
    pub(super) fn sweep_labels(&mut self) -> Result<(), StoreError> {
        let sweep = "DELETE FROM label WHERE id < (SELECT min(id) FROM line)";
        self.write(|transaction| transaction.execute(sweep, []).map(drop))?;
        self.not_swept = 0;
        Ok(())
    }
}

fn labeled_to(connection: &Connection) -> Result<i64, rusqlite::Error> {
    Ok(value(connection, LABELED_TO)?.map_or(0, number))
}

/// Takes a line into the index.
pub(super) fn add(connection: &Connection, id: u64, sid: u64) -> Result<(), rusqlite::Error> {
    let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO label VALUES (?1, ?2)")?;
    insert.execute(params![number(sid), number(id)]).map(drop)
}

/// The highest number of a session that said a line.
pub(super) fn last_sid(connection: &Connection) -> Result<Option<u64>, rusqlite::Error> {
    let max = |query: &str, from: i64| connection.query_row(query, [from], optional_number);
    let fresh = max("SELECT max(sid) FROM line WHERE id > ?1", labeled_to(connection)?)?;
    Ok(fresh.max(max("SELECT max(sid) FROM label WHERE sid > ?1", i64::MIN)?))
}
