//! Which lines are of which session. The newest ones are read one by one, the others found by an index.

use rusqlite::{Connection, params};
use tertulia_wire::limits::LABELS_KEPT;

use super::lagging::LABELS;
use super::lines::reversed;
use super::sessions::optional_number;
use super::{Store, StoreError, number};
use crate::batch::Batch;

/// A line without what was said, which nobody asks for here and may be long.
const LABELED: &str = "SELECT id, unix_ms, '', '', NULL, NULL, sid, label, hash, '' FROM line";

/// The same out of the index, in which the oldest ones may have gone.
const INDEXED: &str = "SELECT id, unix_ms, '', '', NULL, NULL, sid, label, hash, '' FROM label
    WHERE sid = ?1 AND id <= ?2 AND id >= (SELECT coalesce(min(id), 9223372036854775807) FROM line)
    ORDER BY id DESC LIMIT ?3";

impl Store {
    /// The newest labeled lines of a session, in ascending order, without their words. It has said none above the id `to`: of the
    /// lines that the index lacks, which others have said, none behind it is looked at.
    pub fn labeled(&self, sid: u64, to: u64) -> Result<Batch, StoreError> {
        let read = || {
            // What is indexed and what is not are the same moment's.
            let _moment = self.connection.unchecked_transaction()?;
            let sid_number = number(sid);
            let limit = i64::try_from(LABELS_KEPT).unwrap_or(i64::MAX);
            let indexed = LABELS.to(&self.connection)?;
            let query =
                format!("{LABELED} WHERE id > ?1 AND id <= ?2 AND sid = ?3 ORDER BY id DESC LIMIT ?4");
            let mut newest = self.select(&query, params![indexed, number(to), sid_number, limit])?;
            let missing = limit.saturating_sub(i64::try_from(newest.len()).unwrap_or(i64::MAX));
            let older = self.select(INDEXED, params![sid_number, indexed, missing])?;
            older.iter().for_each(|line| newest.push(line));
            Ok(reversed(&newest))
        };
        self.told(read())
    }
}

/// The highest number of a session that said a line.
pub(super) fn last_sid(connection: &Connection) -> Result<Option<u64>, rusqlite::Error> {
    let max = |query: &str, from: i64| connection.query_row(query, [from], optional_number);
    let fresh = max("SELECT max(sid) FROM line WHERE id > ?1", LABELS.to(connection)?)?;
    Ok(fresh.max(max("SELECT max(sid) FROM label WHERE sid > ?1", i64::MIN)?))
}
