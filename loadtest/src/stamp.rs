//! What every line carries: who sent it, which of the sender's lines it is, when it was due, and how to see that
//! not a byte of it changed.
//!
//! A stamp is text that any chat carries as it is: `~`, sender (4 hexadecimal digits), sequence (8), due time in
//! microseconds since the run began (10), a check over all that (4), and filler up to the wanted size.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Bytes of the smallest stamp.
pub const STAMP_BYTES_MIN: usize = 27;

/// Bytes of the largest stamp: a line of the relay has place for it.
pub const STAMP_BYTES_MAX: usize = 16_000;

/// Senders that stamps can tell apart.
pub const SENDERS_MAX: usize = 0x1_0000;

/// What a stamp begins with.
pub const MARK: u8 = b'~';
const FILLER: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

/// Who says what when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Number of the sender, from 0.
    pub sender: u16,
    /// Which of the sender's lines, from 0.
    pub sequence: u32,
    /// When the line was to be sent, in microseconds since the run began. 40 bits: twelve days.
    pub due_us: u64,
}

/// What stands where a stamp should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unstamped {
    /// Something that no sender of this run wrote: a notice, an answer.
    Foreign,
    /// A stamp of which bytes were changed, are missing or were added.
    Corrupt,
}

/// How long the texts are: each from `min_bytes` to `max_bytes`, spread evenly. Which length a line has follows from
/// who says it and how many it has said, so that whoever hears it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    /// Of the shortest text.
    pub min_bytes: usize,
    /// Of the longest.
    pub max_bytes: usize,
}

impl Sizes {
    /// All texts alike.
    pub fn of(bytes: usize) -> Self {
        Self { min_bytes: bytes, max_bytes: bytes }
    }

    /// Bytes of this text of this sender, within what a stamp can have.
    pub fn bytes(self, sender: u16, sequence: u32) -> usize {
        let range = (self.max_bytes.saturating_sub(self.min_bytes) + 1) as u64;
        let mixed = mix((u64::from(sender) << 32) ^ u64::from(sequence));
        let bytes = self.min_bytes + (mixed >> 16) as usize % range as usize;
        bytes.clamp(STAMP_BYTES_MIN, STAMP_BYTES_MAX)
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { min_bytes, max_bytes } if min_bytes == max_bytes => write!(f, "{min_bytes}"),
            Self { min_bytes, max_bytes } => write!(f, "{min_bytes}-{max_bytes}"),
        }
    }
}

/// The multiplier of splitmix64: every bit that goes in reaches the upper ones.
fn mix(bits: u64) -> u64 {
    bits.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

impl Stamp {
    /// Appends the stamp, as long as `sizes` says.
    pub fn write(&self, sizes: Sizes, line: &mut Vec<u8>) {
        let end = line.len() + sizes.bytes(self.sender, self.sequence);
        line.push(MARK);
        put_hex(u64::from(self.sender), 4, line);
        put_hex(u64::from(self.sequence), 8, line);
        put_hex(self.due_us, 10, line);
        put_hex(u64::from(self.check()), 4, line);
        let mut from = self.filler_start();
        while line.len() < end {
            let piece = FILLER.get(from..).unwrap_or(FILLER);
            line.extend_from_slice(piece.get(..end - line.len()).unwrap_or(piece));
            from = 0;
        }
    }

    /// Reads a stamp that fills `text`, as long as `sizes` says.
    pub fn read(text: &[u8], sizes: Sizes) -> Result<Self, Unstamped> {
        let stamp = Self::read_head(text)?;
        let filler = text.get(STAMP_BYTES_MIN..).unwrap_or_default();
        let is_whole = text.len() == sizes.bytes(stamp.sender, stamp.sequence) && stamp.is_filler(filler);
        if is_whole { Ok(stamp) } else { Err(Unstamped::Corrupt) }
    }

    /// Reads the stamp that `text` begins with, and does not look at what follows it.
    pub fn read_head(text: &[u8]) -> Result<Self, Unstamped> {
        let Some((&MARK, rest)) = text.split_first() else { return Err(Unstamped::Foreign) };
        let field = |from: usize, to: usize| rest.get(from..to).and_then(hex).ok_or(Unstamped::Corrupt);
        let stamp =
            Self { sender: field(0, 4)? as u16, sequence: field(4, 12)? as u32, due_us: field(12, 22)? };
        if field(22, 26)? == u64::from(stamp.check()) { Ok(stamp) } else { Err(Unstamped::Corrupt) }
    }

    /// Whether `text` would begin with a stamp if its first byte were the mark.
    pub fn is_head_but_for_mark(text: &[u8]) -> bool {
        let rest = text.get(1..STAMP_BYTES_MIN).unwrap_or_default();
        Self::read_head(&[&[MARK], rest].concat()).is_ok()
    }

    fn is_filler(&self, mut filler: &[u8]) -> bool {
        let mut from = self.filler_start();
        while !filler.is_empty() {
            let piece = FILLER.get(from..).unwrap_or(FILLER);
            let length = piece.len().min(filler.len());
            if piece.get(..length) != filler.get(..length) {
                return false;
            }
            filler = filler.get(length..).unwrap_or_default();
            from = 0;
        }
        true
    }

    /// Neighbours have different filler, so that a line glued together from two is seen.
    fn filler_start(&self) -> usize {
        (self.sequence as usize).wrapping_add(usize::from(self.sender) * 7) % FILLER.len()
    }

    fn check(&self) -> u16 {
        let all = (u64::from(self.sender) << 48) ^ (u64::from(self.sequence) << 24) ^ self.due_us;
        (mix(all) >> 48) as u16
    }
}

fn put_hex(number: u64, digits: u32, line: &mut Vec<u8>) {
    for digit in (0..digits).rev() {
        let value = (number >> (4 * digit) & 0xF) as u8;
        line.push(if value < 10 { b'0' + value } else { b'a' + value - 10 });
    }
}

fn hex(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u64::from(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stamps() -> impl Strategy<Value = Stamp> {
        (any::<u16>(), any::<u32>(), 0..1u64 << 40).prop_map(|(sender, sequence, due_us)| Stamp {
            sender,
            sequence,
            due_us,
        })
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_again_at_any_size(stamp in stamps(), bytes in 0usize..400) {
            let mut line = Vec::new();
            stamp.write(Sizes::of(bytes), &mut line);
            prop_assert_eq!(line.len(), bytes.max(STAMP_BYTES_MIN));
            prop_assert_eq!(Stamp::read(&line, Sizes::of(bytes)), Ok(stamp));
        }

        #[test]
        fn a_length_of_a_range_lies_within_it(stamp in stamps(), min in 27usize..400, more in 0usize..400) {
            let sizes = Sizes { min_bytes: min, max_bytes: min + more };
            let mut line = Vec::new();
            stamp.write(sizes, &mut line);
            prop_assert!((min..=min + more).contains(&line.len()));
            prop_assert_eq!(Stamp::read(&line, sizes), Ok(stamp));
            line.pop();
            prop_assert_eq!(Stamp::read(&line, sizes), Err(Unstamped::Corrupt));
        }

        #[test]
        fn one_changed_byte_behind_the_mark_is_corrupt(
            stamp in stamps(), bytes in 27usize..200, at in any::<prop::sample::Index>(), by in 1u8..=255,
        ) {
            let mut line = Vec::new();
            stamp.write(Sizes::of(bytes), &mut line);
            let at = 1 + at.index(line.len() - 1);
            line[at] ^= by;
            // The check has 16 bits: by chance, one change in 65,536 of the fields goes through as another stamp.
            prop_assume!(!(at < 23 && Stamp::read(&line, Sizes::of(bytes)).is_ok()));
            prop_assert_eq!(Stamp::read(&line, Sizes::of(bytes)), Err(Unstamped::Corrupt));
        }

        #[test]
        fn a_stamp_cut_short_or_with_another_behind_it_is_corrupt(stamp in stamps(), cut in 1usize..27) {
            let mut line = Vec::new();
            let sizes = Sizes::of(0);
            stamp.write(sizes, &mut line);
            prop_assert_eq!(Stamp::read(&line[..cut], sizes), Err(Unstamped::Corrupt));
            stamp.write(sizes, &mut line);
            prop_assert_eq!(Stamp::read(&line, sizes), Err(Unstamped::Corrupt));
        }
    }

    #[test]
    fn what_does_not_begin_with_the_mark_is_none_of_ours() {
        assert_eq!(Stamp::read(b"Ana se ha unido al chat.", Sizes::of(64)), Err(Unstamped::Foreign));
        assert_eq!(Stamp::read(b"", Sizes::of(64)), Err(Unstamped::Foreign));
    }
}
