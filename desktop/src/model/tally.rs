//! Who came and went, several together as one entry.

/// Names that one entry tells; further ones are counted.
pub const NAMES_TOLD_MAX: usize = 5;

/// Comings and goings that follow each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Of everybody.
    pub(crate) all: Counts,
    /// Of those who had said something lately.
    pub(crate) smart: Counts,
}

/// Both directions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) joined: Names,
    pub(crate) left: Names,
}

/// Some names, and how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// At most [`NAMES_TOLD_MAX`].
    pub(crate) told: Vec<Box<str>>,
    /// All of them, those told included.
    pub(crate) count: u64,
}

impl Names {
    fn add(&mut self, name: &str) {
        if self.told.iter().any(|told| **told == *name) {
            return;
        }
        self.count = self.count.saturating_add(1);
        if self.told.len() < NAMES_TOLD_MAX {
            self.told.push(name.into());
        }
    }

    fn remove(&mut self, name: &str) {
        let told = self.told.len();
        self.told.retain(|told| **told != *name);
        self.count = self.count.saturating_sub((told - self.told.len()) as u64);
    }

    fn add_unnamed(&mut self, count: u64) {
        self.count = self.count.saturating_add(count);
    }

    fn bytes(&self) -> usize {
        self.told.iter().map(|name| name.len() + std::mem::size_of::<Box<str>>()).sum()
    }
}

impl Counts {
    fn add(&mut self, name: &str, has_joined: bool) {
        let (names, others) = match has_joined {
            true => (&mut self.joined, &mut self.left),
            false => (&mut self.left, &mut self.joined),
        };
        // What counts is where somebody is in the end.
        others.remove(name);
        names.add(name);
    }

    /// Whether there is anything to tell.
    pub(crate) fn is_empty(&self) -> bool {
        self.joined.count == 0 && self.left.count == 0
    }
}

impl Tally {
    /// Somebody came or went.
    pub(super) fn add(&mut self, name: &str, has_joined: bool, has_spoken: bool) {
        self.all.add(name, has_joined);
        if has_spoken {
            self.smart.add(name, has_joined);
        }
    }

    /// So many came and went, unnamed.
    pub(super) fn add_storm(&mut self, joined: u64, left: u64) {
        self.all.joined.add_unnamed(joined);
        self.all.left.add_unnamed(left);
    }

    pub(super) fn bytes(&self) -> usize {
        let counts = |counts: &Counts| counts.joined.bytes() + counts.left.bytes();
        std::mem::size_of::<Self>() + counts(&self.all) + counts(&self.smart)
    }
}
