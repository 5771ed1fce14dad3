//! While the disk is slower than those who speak, extended connections are not read: a line that was taken is kept. Only
//! where nothing can be kept is nobody held up. Knows no disk: it is told which work is kept.

use std::collections::VecDeque;

use super::{Chat, ClientId};
use crate::batch::Durability;

/// Memory of lines that were said and are not kept yet, beyond which extended connections are not read. Half of what the
/// history takes: plain connections, which cannot be told that a line was not kept, find place in the other half.
pub const UNKEPT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// And with how much of it they are read again: waking all of them is worth some lines of each.
const UNKEPT_BYTES_FEW: usize = UNKEPT_BYTES_MAX / 2;

/// Lines that were handed over and are not kept yet.
#[derive(Debug, Default)]
pub(super) struct Unkept {
    /// Memory of the lines of each work, by its number.
    works: VecDeque<(u64, usize)>,
    bytes: usize,
    is_pressed: bool,
}

impl Unkept {
    /// Work is handed over. Of one without lines nothing is noted.
    pub(super) fn add(&mut self, number: u64, bytes: usize) {
        if bytes > 0 {
            self.works.push_back((number, bytes));
            self.bytes = self.bytes.saturating_add(bytes);
        }
    }

    fn remove_up_to(&mut self, number: u64) {
        while let Some((_, bytes)) = self.works.front().copied().filter(|(first, _)| *first <= number) {
            self.works.pop_front();
            self.bytes = self.bytes.saturating_sub(bytes);
        }
    }

    fn remove(&mut self, number: u64) {
        let found = self.works.binary_search_by_key(&number, |(number, _)| *number);
        let removed = found.ok().and_then(|index| self.works.remove(index));
        self.bytes = self.bytes.saturating_sub(removed.map_or(0, |(_, bytes)| bytes));
    }
}

impl Chat {
    /// Whether extended connections are not read, because so much is still to be kept.
    pub(super) fn is_pressed(&self) -> bool {
        self.keeping.as_ref().is_some_and(|keeping| keeping.unkept.is_pressed)
    }

    /// A line was said: perhaps it is too many of them.
    pub(super) fn note_pressure(&mut self) {
        let Some(keeping) = &mut self.keeping else { return };
        let bytes = keeping.unkept.bytes.saturating_add(keeping.gathered_bytes());
        if bytes >= UNKEPT_BYTES_MAX && !keeping.is_in_trouble && keeping.durability != Durability::None {
            keeping.unkept.is_pressed = true;
        }
    }

    /// Work up to this number is kept, or never will be.
    pub(super) fn note_kept(&mut self, number: u64) {
        if let Some(keeping) = &mut self.keeping {
            keeping.unkept.remove_up_to(number);
            self.relieve_if_few();
        }
    }

    /// The work with this number never will be kept.
    pub(super) fn note_lost(&mut self, number: u64) {
        if let Some(keeping) = &mut self.keeping {
            keeping.unkept.remove(number);
            self.relieve_if_few();
        }
    }

    fn relieve_if_few(&mut self) {
        let has_few = |keeping: &super::history::Keeping| keeping.unkept.bytes <= UNKEPT_BYTES_FEW;
        if self.keeping.as_ref().is_some_and(|keeping| has_few(keeping)) {
            self.relieve();
        }
    }

    /// Extended connections are read again.
    pub(super) fn relieve(&mut self) {
        let Some(keeping) = &mut self.keeping else { return };
        if !std::mem::take(&mut keeping.unkept.is_pressed) {
            return;
        }
        for index in 0..u32::try_from(self.clients.len()).unwrap_or(u32::MAX) {
            let client = ClientId(index);
            if self.is_extended(client) {
                self.resumed.push_back(client);
            }
        }
    }
}
