//! What goes: lines too many or too old, page by page, so that no write waits for long.

use super::{Retention, Store, StoreError, lagging, lines, search};

/// A look at some lines for those that are too old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sweep {
    /// It goes on behind this id.
    pub after: u64,
    /// Lines that are looked at, and lines that go, at most.
    pub limit: u64,
    /// Lines are looked at also where the id is of a time that is not too old: where the clock was set back, or lines were
    /// taken in, a line's own time may be. Else such lines are found by a later sweep.
    pub is_whole: bool,
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
        let sweep = Sweep { after: 0, limit, is_whole: true };
        self.prune_from(retention, unix_ms, sweep).map(|pruned| pruned.gone)
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
        let (aged, next) = self.told(lines::aged(&self.connection, unix_ms.saturating_sub(age_ms), sweep))?;
        Ok(Pruned { gone: gone.saturating_add(self.drop_lines(&aged)?), next })
    }

    fn drop_lines(&mut self, ids: &[i64]) -> Result<u64, StoreError> {
        if ids.is_empty() {
            return Ok(0);
        }
        self.write(|transaction| {
            search::remove(transaction, ids)?;
            lagging::remove(transaction, ids)?;
            lines::remove(transaction, ids)
        })?;
        let gone = ids.len() as u64;
        self.count.subtract(gone);
        self.lag.swept = self.lag.swept.saturating_add(gone);
        Ok(gone)
    }
}
