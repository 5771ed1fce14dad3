//! The programs of old: `NAME: text` with no line ending. Where a text ends follows from the stamp it begins with.

use super::{Kind, Piece};
use crate::names::NAME_BYTES;
use crate::stamp::{MARK, STAMP_BYTES_MIN, Sizes, Stamp};

/// What notices of the programs of old end in.
const NOTICES: [&[u8]; 2] = [b" se ha unido al chat.", b" ha abandonado el chat."];

/// The name of a client of ours, and what stands behind it.
const HEAD_BYTES: usize = NAME_BYTES + 2;

pub(super) fn hello(name: &str) -> Vec<u8> {
    format!("{name} se ha unido al chat.").into_bytes()
}

pub(super) fn say(name: &str, text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(text);
}

pub(super) fn split(bytes: &[u8], sizes: Sizes) -> Option<Piece<'_>> {
    let mark = memchr::memchr(MARK, bytes);
    let before = bytes.get(..mark.unwrap_or(bytes.len())).unwrap_or_default();
    if let Some(end) = foreign_end(before) {
        return Some(Piece { bytes: end, kind: Kind::Other });
    }
    if let Some(bytes) = without_mark(before, mark.is_some(), sizes).and_then(|end| before.get(..end)) {
        return Some(Piece { bytes: bytes.len(), kind: said(bytes) });
    }
    let text = bytes.get(mark?..).unwrap_or_default();
    let head = text.get(..STAMP_BYTES_MIN)?;
    let begin = before.len();
    let Ok(stamp) = Stamp::read_head(head) else {
        let end = changed_end(text, sizes);
        return Some(Piece { bytes: begin + end, kind: Kind::Said { name: Some(b""), text } });
    };
    let text = text.get(..sizes.bytes(stamp.sender, stamp.sequence))?;
    let name = before.strip_suffix(b": ").unwrap_or_default();
    Some(Piece { bytes: begin + text.len(), kind: Kind::Said { name: Some(name), text } })
}

/// Where a text ends that has no mark: before the name that the next mark stands behind, or, where none is there yet,
/// once it is as long as the longest.
fn without_mark(before: &[u8], is_before_mark: bool, sizes: Sizes) -> Option<usize> {
    if is_before_mark {
        return before.len().checked_sub(HEAD_BYTES).filter(|end| *end > 0);
    }
    let end = HEAD_BYTES + sizes.max_bytes;
    (before.len() >= end).then_some(end)
}

fn said(bytes: &[u8]) -> Kind<'_> {
    match bytes.split_at_checked(NAME_BYTES) {
        Some((name, rest)) if rest.starts_with(b": ") => {
            Kind::Said { name: Some(name), text: rest.get(2..).unwrap_or_default() }
        }
        _ => Kind::Other,
    }
}

/// Where a text ends that begins with a stamp of which bytes were changed: where it would if it had its length, or where
/// another one begins, with the name before it. Where lengths differ, it is as long as there are bytes.
fn changed_end(text: &[u8], sizes: Sizes) -> usize {
    let length = if sizes.min_bytes == sizes.max_bytes { sizes.max_bytes } else { text.len() };
    let length = length.clamp(1, text.len().max(1));
    let behind_mark = text.get(1..length).unwrap_or_default();
    let Some(end) = memchr::memchr2(MARK, b'\n', behind_mark).map(|at| at + 1) else { return length };
    let without_name = text.get(..end).and_then(|text| text.strip_suffix(b": "));
    without_name.and_then(|text| text.len().checked_sub(NAME_BYTES)).filter(|end| *end > 0).unwrap_or(end)
}

/// Where something ends that stands before the name: a line, or a notice.
fn foreign_end(before: &[u8]) -> Option<usize> {
    if let Some(at) = memchr::memchr(b'\n', before) {
        return Some(at + 1);
    }
    NOTICES.iter().filter_map(|notice| Some(memchr::memmem::find(before, notice)? + notice.len())).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_stick_together_are_told_apart_by_their_stamps() {
        let sizes = Sizes { min_bytes: 30, max_bytes: 60 };
        let mut bytes = b"abc0001 se ha unido al chat.".to_vec();
        let mut texts = Vec::new();
        for sequence in 0..3 {
            let mut text = Vec::new();
            Stamp { sender: 1, sequence, due_us: 7 }.write(sizes, &mut text);
            say("abc0001", &text, &mut bytes);
            texts.push(text);
        }
        bytes.extend_from_slice(b"\ns0001 ha abandonado el chat.");
        let mut rest = bytes.as_slice();
        let mut kinds = Vec::new();
        while let Some(piece) = split(rest, sizes) {
            kinds.push(piece.kind);
            rest = &rest[piece.bytes..];
        }
        assert!(rest.is_empty());
        assert_eq!(kinds.len(), 6, "{kinds:?}");
        assert_eq!(kinds[0], Kind::Other);
        for (kind, text) in kinds[1..4].iter().zip(&texts) {
            assert_eq!(*kind, Kind::Said { name: Some(b"abc0001"), text });
        }
    }

    #[test]
    fn a_message_that_is_not_whole_yet_is_waited_for() {
        let sizes = Sizes::of(40);
        let mut bytes = Vec::new();
        let mut text = Vec::new();
        Stamp { sender: 1, sequence: 0, due_us: 7 }.write(sizes, &mut text);
        say("abc0001", &text, &mut bytes);
        for end in 0..bytes.len() {
            assert_eq!(split(&bytes[..end], sizes), None, "{end}");
        }
        assert_eq!(split(&bytes, sizes).unwrap().bytes, bytes.len());
    }
    #[test]
    fn a_message_that_was_changed_takes_none_of_the_next_with_it() {
        for sizes in [Sizes::of(40), Sizes { min_bytes: 30, max_bytes: 60 }] {
            let mut bytes = Vec::new();
            let mut texts = Vec::new();
            for sequence in 0..2 {
                let mut text = Vec::new();
                Stamp { sender: 1, sequence, due_us: 7 }.write(sizes, &mut text);
                say("abc0001", &text, &mut bytes);
                texts.push(text);
            }
            // A digit of the check.
            bytes[HEAD_BYTES + 24] ^= 1;
            let first = split(&bytes, sizes).unwrap();
            assert!(matches!(first.kind, Kind::Said { name: Some(b""), .. }));
            assert_eq!(first.bytes, HEAD_BYTES + texts[0].len());
            let second = split(&bytes[first.bytes..], sizes).unwrap();
            assert_eq!(second.kind, Kind::Said { name: Some(b"abc0001"), text: &texts[1] });
        }
    }

    #[test]
    fn a_message_whose_mark_was_changed_is_told_under_its_name_and_takes_none_of_the_next_with_it() {
        for sizes in [Sizes::of(40), Sizes { min_bytes: 30, max_bytes: 60 }] {
            let mut bytes = Vec::new();
            let mut texts = Vec::new();
            for sequence in 0..2 {
                let mut text = Vec::new();
                Stamp { sender: 1, sequence, due_us: 7 }.write(sizes, &mut text);
                say("abc0001", &text, &mut bytes);
                texts.push(text);
            }
            bytes[HEAD_BYTES] = b'!';
            let first = split(&bytes, sizes).unwrap();
            let Kind::Said { name, text } = first.kind else { panic!("{first:?}") };
            assert_eq!((name, &text[1..]), (Some(&b"abc0001"[..]), &texts[0][1..]));
            let second = split(&bytes[first.bytes..], sizes).unwrap();
            assert_eq!(second.kind, Kind::Said { name: Some(b"abc0001"), text: &texts[1] });
            let alone = split(&bytes[..first.bytes], Sizes::of(texts[0].len())).unwrap();
            assert_eq!((alone.bytes, matches!(alone.kind, Kind::Said { .. })), (first.bytes, true));
        }
    }
}
