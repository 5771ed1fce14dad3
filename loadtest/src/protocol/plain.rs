//! Tertulia's plain mode: `NAME: text` and a line feed.

use super::{Kind, Piece, line};
use crate::stamp::MARK;

/// How the relay begins to tell somebody that the name asked for was taken.
const RENAMED: &[u8] = b"* NOTE JOIN RENAMED ";

/// How the relay begins to tell somebody that the password was right.
const LOGGED_IN: &[u8] = b"* NOTE LOGIN DONE ";

pub(super) fn hello(name: &str, is_sender: bool) -> Vec<u8> {
    if is_sender { format!("{name} se ha unido al chat.\n").into_bytes() } else { Vec::new() }
}

pub(super) fn say(name: &str, text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(text);
    out.push(b'\n');
}

pub(super) fn split(bytes: &[u8]) -> Option<Piece<'_>> {
    let (line, length) = line(bytes)?;
    Some(Piece { bytes: length, kind: kind(line) })
}

/// What a line is. Where there is a stamp that is not behind a name, the name is left out, so that the line counts as
/// changed.
fn kind(line: &[u8]) -> Kind<'_> {
    if line.starts_with(b"* FAIL") {
        return Kind::Complaint(line);
    }
    if line.starts_with(LOGGED_IN) {
        return Kind::LoggedIn;
    }
    if let Some(rest) = line.strip_prefix(RENAMED) {
        return Kind::Renamed(rest.split(|byte| *byte == b' ').next().unwrap_or_default());
    }
    said(line)
}

/// What somebody said, or a notice.
pub(super) fn said(line: &[u8]) -> Kind<'_> {
    let Some((before, text)) = memchr::memchr(MARK, line).and_then(|at| line.split_at_checked(at)) else {
        return without_mark(line);
    };
    match before.strip_suffix(b": ") {
        Some(name) => Kind::Said { name: Some(name), text },
        None => Kind::Said { name: Some(b""), text },
    }
}

/// What somebody said that bears no mark, or a notice.
fn without_mark(line: &[u8]) -> Kind<'_> {
    let end = memchr::memmem::find(line, b": ");
    let said = end.and_then(|end| Some((line.get(..end)?, line.get(end + 2..)?)));
    said.map_or(Kind::Other, |(name, text)| Kind::Said { name: Some(name), text })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &[u8]) -> Kind<'_> {
        let piece = split(line).unwrap();
        assert_eq!(piece.bytes, line.len());
        piece.kind
    }

    #[test]
    fn a_line_is_what_somebody_said_a_refusal_or_something_else() {
        assert_eq!(one(b"s0001: ~00\n"), Kind::Said { name: Some(b"s0001"), text: b"~00" });
        assert_eq!(one(b"s0001 ~00\n"), Kind::Said { name: Some(b""), text: b"~00" });
        assert_eq!(one(b"s0001: hola\n"), Kind::Said { name: Some(b"s0001"), text: b"hola" });
        assert_eq!(one(b"s0001 se ha unido al chat.\n"), Kind::Other);
        assert_eq!(one(b"* NOTE JOIN RENAMED s0001_2 :so\n"), Kind::Renamed(b"s0001_2"));
        assert_eq!(one(b"* NOTE LOGIN DONE name=s0001 role=user :so\n"), Kind::LoggedIn);
        assert_eq!(one(b"* FAIL SLOW :no\r\n"), Kind::Complaint(b"* FAIL SLOW :no"));
        assert_eq!(split(b"s0001: ~00"), None);
    }
}
