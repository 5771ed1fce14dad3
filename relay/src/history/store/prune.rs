//! What goes: lines too many or too old, page by page, so that no write waits for long; and by which time lines are old.

use std::time::Duration;

use rusqlite::Connection;

use super::lines::newest_id;
use super::sessions::{set_value, value};
use super::{Retention, Store, StoreError, lagging, lines, search};
use crate::batch::ID_COUNTER_BITS;

/// 2025-01-01, in milliseconds since 1970. A clock that is before it was never set: this program is younger.
pub const CLOCK_SET_MS: u64 = 1_735_689_600_000;

/// How much faster than time passes, while a relay runs, the present of retention follows a clock that is ahead of it: a day
/// in an hour. What a wrong clock takes away can be noticed, and a relay that was off for a month is behind for a day.
const FOLLOWS_BY: u32 = 24;

/// How far a clock may be ahead of it and is believed at once: a relay that runs for some minutes now and then is behind as well.
const BELIEVED_MS: u64 = 24 * 60 * 60 * 1000;

/// Names in the table `value`: the present of retention, in milliseconds since 1970; lines up to this id may be gone.
const PRESENT: &str = "present";
const PRUNED_TO: &str = "pruned_to";

/// A look at some lines for those that are too old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sweep {
    /// It goes on behind this id.
    pub after: u64,
    /// Lines that are looked at, and lines that go, at most.
    pub limit: u64,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pruned {
    /// Lines that went.
    pub gone: u64,
    /// Behind which id it is to go on. None: all were looked at.
    pub next: Option<u64>,
}

impl Store {
    /// Drops lines that are to be kept no longer, of the `limit` oldest. Gives how many went.
    pub fn prune(&mut self, retention: Retention, unix_ms: u64, limit: u64) -> Result<u64, StoreError> {
        let sweep = Sweep { after: 0, limit };
        self.prune_from(retention, unix_ms, sweep).map(|pruned| pruned.gone)
    }

    /// The time by which a running relay judges what is too old, in milliseconds since 1970: never ahead of the clock, and not
    /// moved far by a wrong one. `passed`: how long the relay has run since it asked last. None: the clock was never set,
    /// and nothing is too old.
    pub fn present(&mut self, clock_ms: u64, passed: Duration) -> Result<Option<u64>, StoreError> {
        let Some(before) = self.known_present(clock_ms)? else { return Ok(None) };
        let passed = passed.saturating_mul(FOLLOWS_BY.saturating_add(1)).as_millis();
        let present = before.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX));
        // One that is there and greater stays: a clock that is set back changes nothing for good.
        self.write(|transaction| set_value(transaction, PRESENT, present.min(clock_ms)))?;
        Ok(Some(clock_ms.min(present.saturating_add(BELIEVED_MS))))
    }

    /// The same before the relay has run, without a write; 0 where nothing is too old.
    pub(super) fn present_at_start(&self, clock_ms: u64) -> Result<u64, StoreError> {
        let known = self.known_present(clock_ms)?;
        Ok(known.map_or(0, |known| clock_ms.min(known.saturating_add(BELIEVED_MS))))
    }

    /// What was the present before. None: the clock was never set.
    fn known_present(&self, clock_ms: u64) -> Result<Option<u64>, StoreError> {
        if clock_ms < CLOCK_SET_MS {
            return Ok(None);
        }
        let known = || {
            let newest = newest_id(&self.connection)?.map(|id| id >> ID_COUNTER_BITS);
            let known = value(&self.connection, PRESENT)?.or(newest).filter(|known| *known >= CLOCK_SET_MS);
            Ok(Some(known.unwrap_or(clock_ms)))
        };
        self.told(known())
    }

    /// Drops the oldest lines where there are too many, then those of the sweep that are too old.
    pub fn prune_from(
        &mut self,
        retention: Retention,
        unix_ms: u64,
        sweep: Sweep,
    ) -> Result<Pruned, StoreError> {
        self.recount()?;
        let too_many =
            if retention.rows_max == 0 { 0 } else { self.rows().saturating_sub(retention.rows_max) };
        let excess = self.told(lines::oldest(&self.connection, too_many.min(sweep.limit)))?;
        if excess.len() as u64 == sweep.limit {
            let gone = self.drop_lines(&excess)?;
            return Ok(Pruned { gone, next: Some(sweep.after) });
        }
        let age_ms = u64::try_from(retention.age_max.as_millis()).unwrap_or(u64::MAX);
        let gone = self.drop_lines(&excess)?;
        if age_ms == 0 {
            return Ok(Pruned { gone, next: None });
        }
        let (aged, next) = self.told(lines::aged(&self.connection, unix_ms, age_ms, sweep))?;
        Ok(Pruned { gone: gone.saturating_add(self.drop_lines(&aged)?), next })
    }

    fn drop_lines(&mut self, ids: &[i64]) -> Result<u64, StoreError> {
        if ids.is_empty() {
            return Ok(0);
        }
        self.write(|transaction| {
            search::remove(transaction, ids)?;
            lagging::remove(transaction, ids)?;
            lines::remove(transaction, ids)?;
            let last = ids.iter().max().and_then(|id| u64::try_from(*id).ok());
            set_value(transaction, PRUNED_TO, last.unwrap_or_default())
        })?;
        let gone = ids.len() as u64;
        self.count.subtract(gone);
        self.lag.swept = self.lag.swept.saturating_add(gone);
        Ok(gone)
    }
}

/// Lines up to this id may be gone, because they were too old or too many.
pub(super) fn pruned_to(connection: &Connection) -> Result<u64, rusqlite::Error> {
    Ok(value(connection, PRUNED_TO)?.unwrap_or_default())
}
