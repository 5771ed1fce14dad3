//! Whether those that leave come back. Knows no socket: it is told.

/// What became of the clients that were to leave and come back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Returns {
    /// Those that left.
    pub left: u64,
    /// Those whose time it was, and that did not leave, as the generator had no time for it.
    pub missed: u64,
    /// Of those that left, the ones whose connect failed.
    pub failed: u64,
    /// Why the first of those failed.
    pub why: Option<String>,
}

impl Returns {
    /// Another one did not come back.
    pub(crate) fn note_failed(&mut self, why: String) {
        self.failed += 1;
        self.why.get_or_insert(why);
    }

    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            left: self.left + other.left,
            missed: self.missed + other.missed,
            failed: self.failed + other.failed,
            why: self.why.or(other.why),
        }
    }
}
