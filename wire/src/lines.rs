//! Bytes to lines. Knows no socket: whoever reads hands over what it read, cut anywhere.
//!
//! A line that lies whole in the bytes handed over is given back as a part of them, without a copy; memory is
//! held only while a line is incomplete.

use crate::limits::LINE_BYTES_MAX;
use crate::secret::Secret;

/// Bytes that are kept of a line that is too long, for whoever refuses it: enough for the tags that one begins with.
pub const START_BYTES_MAX: usize = 512;

/// What [`Lines::next`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'a> {
    /// A line without its ending (LF, and a CR before it).
    Whole(&'a [u8]),
    /// A line passed the limit. Said once, when it is noticed; the rest of that line is swallowed.
    TooLong,
}

/// Assembles lines of at most `max` bytes (the ending not counted) from pieces.
#[derive(Debug, Clone)]
pub struct Lines {
    /// What it is, `state` says.
    held: Secret<Vec<u8>>,
    max: u32,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// `held` is the start of an incomplete line, or empty.
    Holding,
    /// `held` was given out as a line and is released by the next call.
    GivenOut,
    /// The line was too long; `held` is how it began, and is released by the next call.
    Refused,
    /// The same, and its end has not arrived: everything up to that is dropped.
    Swallowing,
}

impl Default for Lines {
    fn default() -> Self {
        Self::new(LINE_BYTES_MAX)
    }
}

impl Lines {
    /// Lines of at most `max` bytes, the ending not counted.
    pub fn new(max: usize) -> Self {
        let max = u32::try_from(max).unwrap_or(u32::MAX);
        Self { held: Secret::default(), max, state: State::Holding }
    }

    fn max(&self) -> usize {
        self.max as usize
    }

    /// Takes the next line off `input`, which is moved behind what was used. `None`: all of `input` is used,
    /// and what it held of an incomplete line is kept.
    pub fn next<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Option<Line<'s>> {
        if matches!(self.state, State::GivenOut | State::Refused) {
            self.held = Secret::default();
            self.state = State::Holding;
        }
        self.swallow(input);
        let Some(end) = memchr::memchr(b'\n', input) else {
            return self.keep(std::mem::take(input));
        };
        let (head, rest) = input.split_at_checked(end)?;
        *input = rest.get(1..).unwrap_or_default();
        if self.held.is_empty() {
            let line = without_cr(head);
            if line.len() > self.max() {
                return Some(self.refuse(head, State::Refused));
            }
            return Some(Line::Whole(line));
        }
        if self.held.len() + head.len() > self.max() + 1 {
            return Some(self.refuse(head, State::Refused));
        }
        self.held.extend_from_slice(head);
        self.state = State::GivenOut;
        if without_cr(&self.held).len() > self.max() {
            return Some(self.refuse(&[], State::Refused));
        }
        Some(Line::Whole(without_cr(&self.held)))
    }

    /// Moves `input` behind the rest of a line that was too long. [`Lines::next`] does so by itself; a caller
    /// that wants to know first whether `input` holds a line's end does it before it looks.
    pub fn swallow(&mut self, input: &mut &[u8]) {
        if self.state != State::Swallowing {
            return;
        }
        self.held = Secret::default();
        match memchr::memchr(b'\n', input) {
            Some(end) => {
                self.state = State::Holding;
                *input = input.get(end + 1..).unwrap_or_default();
            }
            None => *input = &[],
        }
    }

    /// The line that ends where the input ends, without a line ending.
    pub fn finish(&mut self) -> Option<Line<'_>> {
        match self.state {
            State::Holding if !self.held.is_empty() => {
                self.state = State::GivenOut;
                if without_cr(&self.held).len() > self.max() {
                    return Some(self.refuse(&[], State::Refused));
                }
                Some(Line::Whole(without_cr(&self.held)))
            }
            _ => None,
        }
    }

    /// Bytes of memory held for an incomplete line.
    pub fn held_bytes(&self) -> usize {
        self.held.capacity()
    }

    /// The start of the incomplete line.
    pub fn incomplete(&self) -> &[u8] {
        if self.state == State::Holding { &self.held } else { &[] }
    }

    /// Takes the start of the incomplete line away; the next byte starts a line.
    pub fn take_incomplete(&mut self) -> Vec<u8> {
        if self.state == State::Holding { std::mem::take(&mut self.held) } else { Vec::new() }
    }

    fn keep(&mut self, piece: &[u8]) -> Option<Line<'_>> {
        if self.state == State::Swallowing || piece.is_empty() {
            return None;
        }
        // One byte more may be the CR of an ending that is still on its way.
        let length = self.held.len() + piece.len();
        let ends_in_cr = piece.last() == Some(&b'\r');
        if length > self.max() + usize::from(ends_in_cr) {
            return Some(self.refuse(piece, State::Swallowing));
        }
        self.held.extend_from_slice(piece);
        None
    }

    /// What is held, and this behind it, is too long.
    fn refuse(&mut self, piece: &[u8], state: State) -> Line<'static> {
        let start = self.held.iter().chain(piece).take(START_BYTES_MAX);
        self.held = Secret(start.copied().collect());
        self.state = state;
        Line::TooLong
    }

    /// Right behind [`Line::TooLong`]: how that line began, its first [`START_BYTES_MAX`] bytes. Given once.
    pub fn take_start(&mut self) -> Secret<Vec<u8>> {
        let is_refused = matches!(self.state, State::Refused | State::Swallowing);
        if is_refused { std::mem::take(&mut self.held) } else { Secret::default() }
    }
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(max: usize, pieces: &[&[u8]]) -> Vec<Result<Vec<u8>, ()>> {
        let mut lines = Lines::new(max);
        let mut found = Vec::new();
        for piece in pieces {
            let mut input = *piece;
            while let Some(line) = lines.next(&mut input) {
                found.push(match line {
                    Line::Whole(text) => Ok(text.to_vec()),
                    Line::TooLong => Err(()),
                });
            }
        }
        if let Some(Line::Whole(text)) = lines.finish() {
            found.push(Ok(text.to_vec()));
        }
        found
    }

    #[test]
    fn a_line_that_lies_whole_in_the_input_is_not_copied() {
        let text = b"uno\ndos\n".to_vec();
        let mut lines = Lines::default();
        let mut input = &text[..];
        let Some(Line::Whole(first)) = lines.next(&mut input) else { panic!("no line") };
        assert_eq!(first.as_ptr(), text.as_ptr());
        assert_eq!(lines.held_bytes(), 0);
    }

    #[test]
    fn memory_is_held_only_while_a_line_is_incomplete() {
        let mut lines = Lines::default();
        let mut input: &[u8] = b"mitad";
        assert_eq!(lines.next(&mut input), None);
        assert!(lines.held_bytes() > 0);
        let mut input: &[u8] = b" y mitad\n";
        assert_eq!(lines.next(&mut input), Some(Line::Whole(b"mitad y mitad")));
        assert_eq!(lines.next(&mut input), None);
        assert_eq!(lines.held_bytes(), 0);
    }

    #[test]
    fn a_line_of_the_limit_passes_and_one_byte_more_is_too_long_with_lf_and_with_crlf() {
        for ending in ["\n", "\r\n"] {
            let fits = format!("1234{ending}x\n");
            assert_eq!(all(4, &[fits.as_bytes()]), [Ok(b"1234".to_vec()), Ok(b"x".to_vec())]);
            let over = format!("12345{ending}x\n");
            assert_eq!(all(4, &[over.as_bytes()]), [Err(()), Ok(b"x".to_vec())]);
        }
    }

    #[test]
    fn an_endless_line_is_reported_once_and_holds_no_memory() {
        let mut lines = Lines::new(10);
        let mut reports = 0;
        for _ in 0..1000 {
            let mut input: &[u8] = b"xxxxxxxx";
            while let Some(line) = lines.next(&mut input) {
                assert_eq!(line, Line::TooLong);
                reports += 1;
            }
        }
        assert_eq!((reports, lines.held_bytes()), (1, 0));
        let mut input: &[u8] = b"end\nnext\n";
        assert_eq!(lines.next(&mut input), Some(Line::Whole(b"next")));
    }

    proptest! {
        #[test]
        fn any_cut_of_a_byte_stream_gives_the_same_lines(
            text in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>(), Just(b'a')], 0..200),
            cuts in proptest::collection::vec(0usize..200, 0..12),
            max in 1usize..40,
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
            prop_assert_eq!(all(max, &pieces), all(max, &[&text]));
        }
    }
}
