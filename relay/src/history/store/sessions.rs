//! Sessions, and the numbers that must never be given twice.

use rusqlite::{Connection, OptionalExtension, params};
use tertulia_wire::limits::TOKEN_LAPSES_AFTER;

use super::lines::{RECENT_BYTES_MAX, newest_id};
use super::{Store, StoreError, labels, number};
use crate::batch::{ID_COUNTER_BITS, SessionRow};
use crate::chat::{Remembered, SESSIONS_MAX, SIDS_AHEAD, ceiling_ahead};
use crate::history::parcel::Parcel;

/// Sessions in the file: as many as a relay knows. Beyond it those unused for longest go.
const SESSIONS_KEPT_MAX: u64 = SESSIONS_MAX as u64;

/// No name of a room holds it.
const BETWEEN_ROOMS: &str = " ";

/// Names in the table `value`.
const ID_CEILING: &str = "id_ceiling";
const LAST_SID: &str = "last_sid";

impl Store {
    /// A relay starts: what it must know, and ids and numbers set apart for it, so that none that it gives is given again,
    /// whatever becomes of it. Where that cannot be written, none are set apart, and it starts all the same.
    pub fn begin(&mut self, unix_ms: u64) -> Result<Remembered, StoreError> {
        let mut remembered = self.remembered(self.present_at_start(unix_ms)?)?;
        let ids = ceiling_ahead(unix_ms.max(remembered.newest >> ID_COUNTER_BITS));
        let written = self.write(|transaction| {
            // Since they were looked at, somebody may have taken lines in with other numbers; from now on nobody does.
            let last = last_sid(transaction)?;
            set_value(transaction, ID_CEILING, ids)?;
            set_value(transaction, LAST_SID, last.saturating_add(SIDS_AHEAD))?;
            Ok(last)
        });
        if let Ok(last) = written {
            (remembered.id_ceiling, remembered.last_sid) = (ids, last);
            remembered.sid_ceiling = last.saturating_add(SIDS_AHEAD);
        }
        Ok(remembered)
    }

    /// What was kept. Sessions whose tokens have lapsed are left out.
    pub fn remembered(&self, unix_ms: u64) -> Result<Remembered, StoreError> {
        let newest = || {
            let greatest = newest_id(&self.connection)?;
            Ok(value(&self.connection, ID_CEILING)?.max(greatest).unwrap_or_default())
        };
        let (recent, recent_after) = self.recent(RECENT_BYTES_MAX)?;
        let (newest, last_sid) = (self.told(newest())?, self.told(last_sid(&self.connection))?);
        Ok(Remembered {
            newest,
            id_ceiling: newest,
            last_sid,
            sid_ceiling: last_sid,
            sessions: self.told(self.sessions(unix_ms))?,
            recent,
            recent_after,
            accounts: self.accounts()?,
        })
    }

    /// Whoever was there when the relay ended is among them, however long ago that was: it may have been used to the end.
    fn sessions(&self, unix_ms: u64) -> Result<Vec<SessionRow>, rusqlite::Error> {
        let mut statement = self.connection.prepare(
            "SELECT token_hash, sid, name, rooms, is_present, used_unix_ms, account, muted_until_unix_ms,
                    token_epoch FROM session
             WHERE used_unix_ms >= ?1 OR is_present ORDER BY is_present DESC, used_unix_ms DESC LIMIT ?2",
        )?;
        let rows =
            statement.query_map(params![lapsed_before(unix_ms), number(SESSIONS_KEPT_MAX)], |row| {
                let rooms: String = row.get(3)?;
                Ok(SessionRow {
                    token_hash: row.get(0)?,
                    sid: row.get(1)?,
                    name: row.get(2)?,
                    rooms: rooms
                        .split(BETWEEN_ROOMS)
                        .filter(|room| !room.is_empty())
                        .map(str::to_owned)
                        .collect(),
                    is_present: row.get(4)?,
                    used_unix_ms: row.get(5)?,
                    account: row.get(6)?,
                    muted_until_unix_ms: row.get::<_, Option<u64>>(7)?.unwrap_or_default(),
                    token_epoch: row.get(8)?,
                })
            })?;
        rows.collect()
    }

    /// Drops the sessions that nobody can take up any more. Gives how many went.
    pub fn prune_sessions(&mut self, unix_ms: u64) -> Result<u64, StoreError> {
        let lapsed = "used_unix_ms < ?1 AND NOT is_present";
        let count = format!("SELECT count(*), count(*) FILTER (WHERE {lapsed}) FROM session");
        let before = lapsed_before(unix_ms);
        let counts = self.connection.query_row(&count, [before], |row| Ok((row.get(0)?, row.get(1)?)));
        let (all, gone): (u64, u64) = self.told(counts)?;
        let too_many = all.saturating_sub(gone).saturating_sub(SESSIONS_KEPT_MAX);
        if gone == 0 && too_many == 0 {
            return Ok(0);
        }
        self.write(|transaction| {
            // Their numbers are not to be given again.
            set_value(transaction, LAST_SID, last_sid(transaction)?)?;
            let delete = format!("DELETE FROM session WHERE {lapsed}");
            let mut gone = transaction.execute(&delete, [before])?;
            gone += transaction.execute(
                "DELETE FROM session WHERE sid IN (SELECT sid FROM session ORDER BY is_present, used_unix_ms LIMIT ?1)",
                [number(too_many)],
            )?;
            Ok(gone as u64)
        })
    }
}

/// Whether a relay ever gave a token or an id that it keeps here.
pub(super) fn is_in_use(connection: &Connection) -> Result<bool, rusqlite::Error> {
    let query = "SELECT EXISTS (SELECT 1 FROM session) OR EXISTS (SELECT 1 FROM value WHERE name = ?1)";
    connection.prepare_cached(query)?.query_row([ID_CEILING], |row| row.get(0))
}

/// Writes sessions and the ceilings, and drops who is forgotten. Gives nothing back: a session is there already or is now.
pub(super) fn insert(connection: &Connection, parcel: &Parcel) -> Result<(), rusqlite::Error> {
    for (name, ceiling) in [(ID_CEILING, parcel.id_ceiling), (LAST_SID, parcel.sid_ceiling)] {
        if let Some(ceiling) = ceiling {
            set_value(connection, name, ceiling)?;
        }
    }
    let mut session = connection
        .prepare_cached("INSERT OR REPLACE INTO session VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
    for row in parcel.sessions.values() {
        let rooms = row.rooms.join(BETWEEN_ROOMS);
        let used = number(row.used_unix_ms);
        let (sid, account) = (number(row.sid), row.account.map(number));
        let muted = Some(row.muted_until_unix_ms).filter(|until| *until > 0).map(number);
        session.execute(params![
            sid,
            row.token_hash,
            row.name,
            rooms,
            row.is_present,
            used,
            account,
            muted,
            number(row.token_epoch),
        ])?;
    }
    if let Some(newest) = parcel.forgotten.last() {
        // Their numbers are not to be given again.
        set_value(connection, LAST_SID, *newest)?;
        let mut delete = connection.prepare_cached("DELETE FROM session WHERE sid = ?1")?;
        parcel.forgotten.iter().try_for_each(|sid| delete.execute([number(*sid)]).map(drop))?;
    }
    Ok(())
}

/// A number that was written under a name.
pub(super) fn value(connection: &Connection, name: &str) -> Result<Option<u64>, rusqlite::Error> {
    let mut statement = connection.prepare_cached("SELECT value FROM value WHERE name = ?1")?;
    Ok(statement.query_row([name], optional_number).optional()?.flatten())
}

/// Writes a number under a name; a greater one that is there stays.
pub(super) fn set_value(connection: &Connection, name: &str, value: u64) -> Result<(), rusqlite::Error> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO value VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value
         WHERE excluded.value > value.value",
    )?;
    statement.execute(params![name, number(value)])?;
    Ok(())
}

fn last_sid(connection: &Connection) -> Result<u64, rusqlite::Error> {
    let max = |query: &str| connection.query_row(query, [], optional_number);
    let of_lines = labels::last_sid(connection)?;
    let of_sessions = max("SELECT max(sid) FROM session")?;
    Ok(value(connection, LAST_SID)?.max(of_lines).max(of_sessions).unwrap_or_default())
}

pub(super) fn optional_number(row: &rusqlite::Row<'_>) -> Result<Option<u64>, rusqlite::Error> {
    row.get(0)
}

fn lapsed_before(unix_ms: u64) -> i64 {
    let lapses_after = u64::try_from(TOKEN_LAPSES_AFTER.as_millis()).unwrap_or(u64::MAX);
    number(unix_ms.saturating_sub(lapses_after))
}
