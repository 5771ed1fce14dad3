//! What has happened to the rows of a transcript, so that a view keeps the heights it knows.

/// Changes that are kept one by one; beyond it the view begins anew.
pub const CHANGES_MAX: usize = 256;

/// A change of the rows. Positions are counted from the top, as they are once all changes before it were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowChange {
    /// New rows, before the row that stood there.
    Inserted {
        /// Where.
        at: usize,
        /// How many.
        count: usize,
    },
    /// Rows that are gone.
    Removed {
        /// Where.
        at: usize,
        /// How many.
        count: usize,
    },
    /// A row that may look other than before.
    Changed {
        /// Where.
        at: usize,
    },
    /// All of them may.
    Reset,
}

/// The changes since they were taken last.
#[derive(Debug, Default)]
pub(super) struct Changes {
    changes: Vec<RowChange>,
}

impl Changes {
    pub(super) fn inserted(&mut self, position: usize) {
        if let Some(RowChange::Inserted { at, count }) = self.changes.last_mut() {
            if *at + *count == position {
                *count += 1;
                return;
            }
        }
        self.push(RowChange::Inserted { at: position, count: 1 });
    }

    pub(super) fn removed(&mut self, at: usize, count: usize) {
        if count > 0 {
            self.push(RowChange::Removed { at, count });
        }
    }

    pub(super) fn changed(&mut self, at: usize) {
        if self.changes.last() != Some(&RowChange::Changed { at }) {
            self.push(RowChange::Changed { at });
        }
    }

    pub(super) fn reset(&mut self) {
        self.changes.clear();
        self.changes.push(RowChange::Reset);
    }

    pub(super) fn take(&mut self) -> Vec<RowChange> {
        std::mem::take(&mut self.changes)
    }

    fn push(&mut self, change: RowChange) {
        if self.changes.first() == Some(&RowChange::Reset) {
            return;
        }
        if self.changes.len() >= CHANGES_MAX {
            return self.reset();
        }
        self.changes.push(change);
    }
}
