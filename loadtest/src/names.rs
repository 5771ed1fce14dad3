//! What the clients of a run are called. Two runs have no name in common, since a server may still hold those of the
//! run before. Knows no clock: what sets runs apart is given.

use std::str::FromStr;

use crate::plan::{Joins, Plan};
use crate::stamp::{Stamp, Unstamped};

/// What the first senders say until everybody has heard it; no line of the run.
pub(crate) const PROBE: &[u8] = b"?se oye?";

/// Of the name of a sender: a tag that sets the run apart, and four hexadecimal digits.
pub const NAME_BYTES: usize = TAG_BYTES + 4;
const TAG_BYTES: usize = 3;

/// Without letters and digits that look alike: servers may take such names for the same.
const LETTERS: &[u8] = b"abcdefghjkpqrstuvxyz";
const DIGITS: &[u8] = b"23456789";

/// The names of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Names {
    tag: [u8; TAG_BYTES],
}

impl Names {
    /// Those of the run with this number; neighbours differ, and so do any two of some ten thousand.
    pub fn new(run: u64) -> Self {
        let mut rest = run;
        let mut tag = [0; TAG_BYTES];
        for (index, place) in tag.iter_mut().enumerate() {
            // Nicknames of IRC begin with a letter.
            let digits = if index == 0 { 0 } else { DIGITS.len() };
            let count = (LETTERS.len() + digits) as u64;
            *place = LETTERS.iter().chain(DIGITS).nth((rest % count) as usize).copied().unwrap_or(b'a');
            rest /= count;
        }
        Self { tag }
    }

    /// What the n-th client is called in the room.
    pub fn of(self, number: usize) -> String {
        format!("{}{number:04x}", String::from_utf8_lossy(&self.tag))
    }

    /// Whose name this is; none where it is nobody's of this run.
    pub fn number(self, name: &[u8]) -> Option<usize> {
        let digits = std::str::from_utf8(name.strip_prefix(&self.tag)?).ok()?;
        usize::from_str_radix(digits, 16).ok().filter(|number| self.of(*number).as_bytes() == name)
    }

    /// What a text without the mark is. The first so many clients, which send, say nothing but their lines and the
    /// probe.
    pub fn unstamped(self, senders: usize, name: Option<&[u8]>, text: &[u8]) -> Unstamped {
        let is_senders = match name {
            Some(name) => self.number(name).is_some_and(|number| number < senders),
            None => Stamp::is_head_but_for_mark(text),
        };
        if is_senders && !text.starts_with(PROBE) { Unstamped::Corrupt } else { Unstamped::Foreign }
    }
}

/// What a client is to say first.
pub fn hello(plan: &Plan, names: Names, number: usize) -> Vec<u8> {
    let says_so = match plan.joins {
        Joins::Senders => number < plan.senders,
        Joins::All => true,
        Joins::None => false,
    };
    plan.protocol.hello(&names.of(number), says_so)
}

impl FromStr for Names {
    type Err = String;

    /// Names that begin with these signs: letters and digits, as many as the tag of a run has.
    fn from_str(text: &str) -> Result<Self, String> {
        let tag = <[u8; TAG_BYTES]>::try_from(text.as_bytes()).ok();
        let tag = tag.filter(|tag| tag.iter().all(u8::is_ascii_alphanumeric));
        tag.map(|tag| Self { tag }).ok_or_else(|| {
            format!("expected {TAG_BYTES} letters or digits: with abc, the clients are abc0000, abc0001, … in hexadecimal")
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn runs_with_numbers_near_each_other_have_no_name_in_common() {
        let names: HashSet<String> = (0..10_000).map(|run| Names::new(u64::MAX - run).of(1)).collect();
        assert_eq!(names.len(), 10_000);
        assert!(names.iter().all(|name| name.len() == NAME_BYTES));
        assert!(names.iter().all(|name| name.starts_with(|c: char| c.is_ascii_lowercase())));
    }

    #[test]
    fn a_name_tells_whose_it_is_and_that_of_another_run_nobody() {
        let names = Names::new(7);
        for number in [0, 10, 0xffff, 0x1_0000] {
            assert_eq!(names.number(names.of(number).as_bytes()), Some(number));
        }
        let other = Names::new(8).of(1);
        for name in [other.as_bytes(), b"", b"Ana", &[names.of(1).as_bytes(), b"_2"].concat()] {
            assert_eq!(names.number(name), None);
        }
    }

    #[test]
    fn what_a_sender_says_without_the_mark_is_a_changed_line_unless_it_is_the_probe() {
        let names = Names::new(7);
        let kind = |number: usize, text: &[u8]| names.unstamped(2, Some(names.of(number).as_bytes()), text);
        assert_eq!(kind(1, b"!0000"), Unstamped::Corrupt);
        assert_eq!(kind(1, PROBE), Unstamped::Foreign);
        assert_eq!(kind(2, b"hola"), Unstamped::Foreign);
        assert_eq!(names.unstamped(2, Some(b"Ana"), b"hola"), Unstamped::Foreign);
        // Where the protocol tells no names.
        let mut text = Vec::new();
        Stamp { sender: 1, sequence: 2, due_us: 3 }.write(crate::stamp::Sizes::of(40), &mut text);
        text[0] = b'!';
        assert_eq!(names.unstamped(2, None, &text), Unstamped::Corrupt);
        assert_eq!(names.unstamped(2, None, b"hola"), Unstamped::Foreign);
    }
}
