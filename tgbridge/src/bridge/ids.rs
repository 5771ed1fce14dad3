//! Which message of Telegram is which line of the chat, so that replies find their way in both directions; and which lines
//! were heard already. Bounded, and kept in the state file.

use std::collections::{BTreeSet, VecDeque};

/// Pairs that are remembered of each link: some days of a lively group. A reply to something older is told with its first
/// words instead.
pub(super) const PAIRS_MAX: usize = 512;

/// Keys of lines that are remembered of each link: more than can be on its way to the disk when a relay is killed, so that
/// a line that comes again under another id is known.
pub(super) const KEYS_MAX: usize = 512;

/// In place of a line, for a message that holds none of the room.
pub(super) const NO_LINE: u64 = 0;

/// What is remembered of a link.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Ids {
    /// Message, line; oldest first.
    #[serde(default)]
    pairs: VecDeque<(i64, u64)>,
    /// Of lines heard; oldest first.
    #[serde(default)]
    keys: VecDeque<u64>,
}

impl Ids {
    /// A line stands in a message. A Bot API that gives its messages no numbers is not asked to answer one.
    pub(super) fn pair(&mut self, message: i64, line: u64) {
        if message == 0 || self.pairs.back() == Some(&(message, line)) {
            return;
        }
        self.pairs.push_back((message, line));
        if self.pairs.len() > PAIRS_MAX {
            self.pairs.pop_front();
        }
    }

    /// The message in which a line stands, the first where it stands in several.
    pub(super) fn message_of(&self, line: u64) -> Option<i64> {
        self.pairs.iter().find(|(_, paired)| *paired == line).map(|(message, _)| *message)
    }

    /// The lines that stand in a message, in their order.
    pub(super) fn lines_of(&self, message: i64) -> Vec<u64> {
        let of_message = self.pairs.iter().filter(|(paired, line)| *paired == message && *line != NO_LINE);
        of_message.map(|(_, line)| *line).collect()
    }

    /// Whether a message is one of those that are remembered, said by whomever.
    pub(super) fn has_message(&self, message: i64) -> bool {
        self.pairs.iter().any(|(paired, _)| *paired == message)
    }

    /// The chat numbers its messages anew.
    pub(super) fn forget_messages(&mut self) {
        self.pairs.clear();
    }

    /// The same without the keys of lines that are still to be sent: after a restart they are new.
    pub(super) fn without(&self, waiting: &BTreeSet<u64>) -> Self {
        let keys = self.keys.iter().copied().filter(|key| !waiting.contains(key)).collect();
        Self { pairs: self.pairs.clone(), keys }
    }

    /// Notes a key. False: it is known.
    pub(super) fn is_new(&mut self, key: u64) -> bool {
        if self.keys.contains(&key) {
            return false;
        }
        self.keys.push_back(key);
        if self.keys.len() > KEYS_MAX {
            self.keys.pop_front();
        }
        true
    }
}

/// A line's key as a number that is the same in every version of this program: FNV-1a, 64 bits, behind a salt that nobody else
/// knows.
pub(super) fn key_number(salt: u64, sid: u64, label: &str) -> u64 {
    let bytes = [salt.to_le_bytes(), sid.to_le_bytes()];
    bytes.iter().flatten().chain(label.as_bytes()).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_pairs_and_keys_go() {
        let mut ids = Ids::default();
        for number in 0..2000 {
            ids.pair(number, u64::try_from(number).unwrap() * 10);
            assert!(ids.is_new(key_number(9, 1, &number.to_string())));
        }
        assert_eq!((ids.pairs.len(), ids.keys.len()), (PAIRS_MAX, KEYS_MAX));
        assert_eq!(ids.message_of(19_990), Some(1999));
        assert_eq!(ids.message_of(10), None);
        assert!(!ids.is_new(key_number(9, 1, "1999")));
        assert!(ids.is_new(key_number(8, 1, "1999")));
    }

    #[test]
    fn a_message_without_a_number_is_never_answered() {
        let mut ids = Ids::default();
        ids.pair(0, 10);
        assert_eq!(ids.message_of(10), None);
    }

    #[test]
    fn a_message_may_hold_several_lines_and_a_line_several_messages() {
        let mut ids = Ids::default();
        [(1, 10), (1, 11), (2, 12), (3, 12)].into_iter().for_each(|(message, line)| ids.pair(message, line));
        ids.pair(4, NO_LINE);
        assert_eq!((ids.lines_of(4), ids.has_message(4), ids.has_message(5)), (vec![], true, false));
        assert_eq!(ids.lines_of(1), [10, 11]);
        assert_eq!(ids.message_of(12), Some(2));
    }
}
