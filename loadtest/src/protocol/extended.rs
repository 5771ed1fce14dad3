//! Tertulia's extended mode, PROTOCOL.md section 7: `@label=N text` out, `@id=…;key=SID.N NAME: text` and
//! `* ACK label=N id=…` back.
//!
//! What the relay says itself is read by [`tertulia_wire::heard`]. Lines with tags are taken apart here, by bytes:
//! [`tertulia_wire::session`] would read each as text, remember its id and key, and make an event of it, for each
//! receiver anew, which is several times what a delivery may cost a generator of ten thousands of clients.

use tertulia_wire::extended::{Hello, VERSION};
use tertulia_wire::heard::Heard;
use tertulia_wire::limits::ROOM_DEFAULT;
use tertulia_wire::secret::Secret;

use super::{Kind, Piece, Tags, line, plain};
use crate::answers::Answer;
use crate::stamp::MARK;

/// Asks for extended mode. `token`: of the session that is to come back.
pub(super) fn hello(name: &str, token: Option<&str>) -> Vec<u8> {
    let hello = Hello {
        version: Some(VERSION.into()),
        name: Some(name.into()),
        resume: token.map(|token| Secret(token.into())),
        ..Hello::default()
    };
    format!("{hello}\n").into_bytes()
}

/// Hexadecimal digits of a label: all lines of a run have as many, so that they are as long.
const LABEL_DIGITS: usize = 8;
/// Those of the greatest number.
const LABEL_DIGITS_MAX: usize = 16;

/// Says a line under its number.
pub(super) fn say(number: u64, text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("@label={number:0LABEL_DIGITS$x} ").as_bytes());
    out.extend_from_slice(text);
    out.push(b'\n');
}

pub(super) fn split(bytes: &[u8]) -> Option<Piece<'_>> {
    let (line, length) = line(bytes)?;
    let kind = if line.starts_with(b"@") { tagged(line) } else { own(line) };
    Some(Piece { bytes: length, kind })
}

/// The id that a line with tags begins with.
pub fn id(line: &[u8]) -> Option<u64> {
    let rest = line.strip_prefix(b"@id=")?;
    let end = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    decimal(rest.get(..end)?)
}

/// A line with tags. Where there is a stamp behind tags that a line of a sender cannot have, the name is left out, so
/// that the line counts as changed.
fn tagged(line: &[u8]) -> Kind<'_> {
    let end = memchr::memchr(b' ', line).unwrap_or(line.len());
    let tags = read(line.get(1..end).unwrap_or_default());
    match (tags, plain::said(line.get(end + 1..).unwrap_or_default())) {
        (Read::Notice, _) => Kind::Other,
        (Read::Line(tags), Kind::Said { name: Some(name), text }) => Kind::Tagged { tags, name, text },
        (Read::Other, Kind::Said { text, .. }) if text.starts_with(&[MARK]) => {
            Kind::Said { name: Some(b""), text }
        }
        (_, kind) => kind,
    }
}

/// What tags say of their line.
enum Read {
    /// It is one of a sender.
    Line(Tags),
    /// It tells who came or went.
    Notice,
    /// It is none of a sender: a tag is missing, or cannot be.
    Other,
}

fn read(tags: &[u8]) -> Read {
    let (mut id, mut key, mut is_in_room) = (None, None, false);
    let mut begin = 0;
    for end in memchr::memchr_iter(b';', tags).chain([tags.len()]) {
        let tag = tags.get(begin..end).unwrap_or_default();
        begin = end + 1;
        if let Some(value) = tag.strip_prefix(b"id=") {
            id = decimal(value);
        } else if let Some(value) = tag.strip_prefix(b"key=") {
            key = read_key(value);
        } else if let Some(value) = tag.strip_prefix(b"room=") {
            is_in_room = value == ROOM_DEFAULT.as_bytes();
        } else if tag.starts_with(b"notice=") {
            return Read::Notice;
        }
    }
    match (id, key) {
        (Some(id), Some((sid, number))) if is_in_room => Read::Line(Tags { id, sid, number }),
        _ => Read::Other,
    }
}

/// `SID.LABEL`.
fn read_key(key: &[u8]) -> Option<(u64, u64)> {
    let (sid, label) = key.split_at_checked(memchr::memchr(b'.', key)?)?;
    Some((decimal(sid)?, number(label.get(1..)?)?))
}

/// Without a sign, and with a digit at least.
fn decimal(digits: &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for digit in digits {
        let value = digit.wrapping_sub(b'0');
        if value > 9 {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(u64::from(value))?;
    }
    (!digits.is_empty()).then_some(number)
}

/// What was said with a label of ours: as [`say`] writes it.
fn number(label: &[u8]) -> Option<u64> {
    let is_longer = (LABEL_DIGITS..=LABEL_DIGITS_MAX).contains(&label.len()) && label.first() != Some(&b'0');
    if label.len() != LABEL_DIGITS && !is_longer {
        return None;
    }
    label.iter().try_fold(0u64, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u64::from(value))
    })
}

/// What the relay says itself. Lines without tags are those from before the greeting: they count for nobody.
fn own(line: &[u8]) -> Kind<'_> {
    let Ok(text) = std::str::from_utf8(line) else { return Kind::Other };
    let answered = |label: &str, answer| {
        number(label.as_bytes()).map_or(Kind::Other, |number| Kind::Answered { number, answer, words: line })
    };
    match Heard::parse(text) {
        Heard::Hello(greeting) => Kind::Greeted(greeting),
        Heard::Joined { .. } => Kind::Ready,
        Heard::Ping { word } => Kind::Ask(format!("/pong {word}\n").into_bytes()),
        Heard::Ack { label, id, .. } => answered(label, Answer::Acked(id)),
        Heard::SayRefused { label, .. } => answered(label, Answer::Refused),
        Heard::NotKept { label, id } => answered(label, Answer::NotKept(id)),
        Heard::LoggedIn { .. } => Kind::LoggedIn,
        Heard::HelloRefused { code: "NAME_REGISTERED" | "LOGIN_NEEDED", .. } => Kind::LoginNeeded(line),
        Heard::HelloRefused { .. }
        | Heard::LoginRefused { .. }
        | Heard::TakenOver
        | Heard::JoinRefused { .. }
        | Heard::Gap { .. } => Kind::Complaint(line),
        Heard::Other { words, .. } if words.starts_with("FAIL ") => Kind::Complaint(line),
        _ => Kind::Other,
    }
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
    fn a_line_is_a_senders_with_its_tags_or_counts_as_changed() {
        let tags = Tags { id: 42, sid: 7, number: 0x1f };
        let line = b"@id=42;time=2026-11-22T16:37:00.123Z;room=general;key=7.0000001f s0001: ~00\n";
        assert_eq!(one(line), Kind::Tagged { tags, name: b"s0001", text: b"~00" });
        assert_eq!(id(line), Some(42));
        let changed = Kind::Said { name: Some(b""), text: b"~00" };
        for tags in [
            "id=42;room=general",
            "id=42;room=cocina;key=7.0000001f",
            "id=x;room=general;key=7.0000001f",
            "id=;room=general;key=7.0000001f",
            "room=general;key=7.0000001f",
            "id=42;room=general;key=7.0000001F",
            "id=42;room=general;key=7",
        ] {
            assert_eq!(one(format!("@{tags} s0001: ~00\n").as_bytes()), changed, "{tags}");
        }
        let plain = Kind::Said { name: Some(b"Ana"), text: b"hola" };
        assert_eq!(one(b"@id=42;room=general Ana: hola\n"), plain);
        assert_eq!(one(b"@id=1;room=general;notice=join Ana se ha unido al chat.\n"), Kind::Other);
        assert_eq!(one(b"s0001: ~00\n"), Kind::Other);
    }

    #[test]
    fn what_the_relay_says_itself_is_an_answer_a_question_or_a_complaint() {
        let answered = |number, answer, words| Kind::Answered { number, answer, words };
        let ack = b"* ACK label=0000001f id=42 time=2026-11-22T16:37:00.123Z\n";
        assert_eq!(one(ack), answered(0x1f, Answer::Acked(42), &ack[..ack.len() - 1]));
        let refused = b"* FAIL SAY EMPTY label=00000001 :so\n";
        assert_eq!(one(refused), answered(1, Answer::Refused, &refused[..refused.len() - 1]));
        let not_kept = b"* NOTE SAY NOT_KEPT label=00000001 id=9 :so\n";
        assert_eq!(one(not_kept), answered(1, Answer::NotKept(9), &not_kept[..not_kept.len() - 1]));
        assert_eq!(one(b"* PING w\n"), Kind::Ask(b"/pong w\n".to_vec()));
        assert_eq!(one(b"* JOINED room=general last=0 :so\n"), Kind::Ready);
        assert_eq!(one(b"* NOTE LOGIN DONE name=s0001 role=user :so\n"), Kind::LoggedIn);
        assert_eq!(one(b"* FAIL LOGIN REFUSED :so\n"), Kind::Complaint(b"* FAIL LOGIN REFUSED :so"));
        let gap = b"* WARN GAP room=general from=1 to=2 :so\n";
        assert_eq!(one(gap), Kind::Complaint(&gap[..gap.len() - 1]));
        assert!(matches!(one(b"* HELLO v=1 name=a token=t sid=3 line=16384 burst=0 rate=0\n"),
            Kind::Greeted(greeting) if greeting.sid == 3));
        assert_eq!(one(b"* FAIL SAY LABEL_NEEDED :so\n"), Kind::Complaint(b"* FAIL SAY LABEL_NEEDED :so"));
    }

    #[test]
    fn a_number_is_read_again_and_nothing_else_is_one() {
        for expected in [0, 7, 0xffff_ffff, 0x1_0000_0000, u64::MAX] {
            let mut line = Vec::new();
            say(expected, b"x", &mut line);
            let label = line.strip_prefix(b"@label=").and_then(|rest| rest.strip_suffix(b" x\n"));
            assert_eq!(number(label.unwrap()), Some(expected));
        }
        for label in ["", "7", "0000000", "000000007", "0000000g", "0000000A", "10000000000000000"] {
            assert_eq!(number(label.as_bytes()), None, "{label}");
        }
    }

    #[test]
    fn a_client_asks_for_extended_mode_under_its_name_and_comes_back_with_its_token() {
        assert_eq!(hello("s0001", None), b"/hello v=1 name=s0001\n");
        assert_eq!(hello("s0001", Some("t")), b"/hello v=1 name=s0001 resume=t\n");
    }
}
