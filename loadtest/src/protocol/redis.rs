//! Redis: RESP3, in which one connection may both subscribe and publish. Whoever publishes hears it as well.

use super::{Kind, PIECE_BYTES_MAX, Piece, ROOM, line};

/// Values within values within values.
const DEPTH_MAX: u32 = 8;

pub(super) fn hello() -> Vec<u8> {
    let mut out = Vec::new();
    put_command(&[b"HELLO", b"3"], &mut out);
    put_command(&[b"SUBSCRIBE", ROOM.as_bytes()], &mut out);
    out
}

pub(super) fn say(text: &[u8], out: &mut Vec<u8>) {
    put_command(&[b"PUBLISH", ROOM.as_bytes(), text], out);
}

pub(super) fn split(bytes: &[u8]) -> Option<Piece<'_>> {
    let nonsense = Piece { bytes: bytes.len(), kind: Kind::Complaint(b"what came is no RESP3") };
    let length = match value_bytes(bytes, DEPTH_MAX) {
        Extent::Whole(length) => length,
        Extent::NotYet => return None,
        Extent::Nonsense => return Some(nonsense),
    };
    let value = bytes.get(..length).unwrap_or(bytes);
    let kind = match value.first() {
        Some(b'>') => pushed(value),
        Some(b'-' | b'!') => Kind::Complaint(value),
        _ => Kind::Other,
    };
    Some(Piece { bytes: length, kind })
}

/// A push: `message CHANNEL TEXT`, or `subscribe CHANNEL COUNT`.
fn pushed(value: &[u8]) -> Kind<'_> {
    let rest = line(value).and_then(|(_, length)| value.get(length..)).unwrap_or_default();
    let Some((kind, rest)) = blob(rest) else { return Kind::Other };
    match kind {
        b"subscribe" => Kind::Ready,
        b"message" => match blob(rest).and_then(|(_, rest)| blob(rest)) {
            Some((text, _)) => Kind::Said { name: None, text },
            None => Kind::Other,
        },
        _ => Kind::Other,
    }
}

/// A string with its length before it, and what follows it.
fn blob(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, begin) = line(bytes)?;
    let length = number(head.strip_prefix(b"$")?)?;
    let text = bytes.get(begin..begin + length)?;
    Some((text, bytes.get(begin + length + 2..)?))
}

/// How far a value reaches.
enum Extent {
    Whole(usize),
    NotYet,
    Nonsense,
}

/// The bytes of one value, those within it included.
fn value_bytes(bytes: &[u8], depth: u32) -> Extent {
    let Some((head, begin)) = line(bytes) else {
        return if bytes.len() > PIECE_BYTES_MAX { Extent::Nonsense } else { Extent::NotYet };
    };
    let Some((kind, rest)) = head.split_first() else { return Extent::Nonsense };
    let elements = match kind {
        b'+' | b'-' | b':' | b'_' | b',' | b'#' | b'(' => return Extent::Whole(begin),
        // Nothing, as RESP2 says it.
        b'$' | b'*' if rest == b"-1" => return Extent::Whole(begin),
        b'$' | b'!' | b'=' => {
            let Some(length) = number(rest) else { return Extent::Nonsense };
            let end = begin + length + 2;
            return match bytes.get(end - 2..end) {
                None => Extent::NotYet,
                Some(b"\r\n") => Extent::Whole(end),
                Some(_) => Extent::Nonsense,
            };
        }
        b'*' | b'~' | b'>' => number(rest),
        b'%' => number(rest).map(|pairs| pairs * 2),
        _ => None,
    };
    let Some(elements) = elements.filter(|_| depth > 0) else { return Extent::Nonsense };
    let mut end = begin;
    for _ in 0..elements {
        match value_bytes(bytes.get(end..).unwrap_or_default(), depth - 1) {
            Extent::Whole(length) => end += length,
            other => return other,
        }
    }
    Extent::Whole(end)
}

fn number(digits: &[u8]) -> Option<usize> {
    let number = std::str::from_utf8(digits).ok()?.parse::<usize>().ok()?;
    (number <= PIECE_BYTES_MAX).then_some(number)
}

fn put_command(words: &[&[u8]], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        out.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_a_push_of_three() {
        let bytes = b">3\r\n$7\r\nmessage\r\n$5\r\ncarga\r\n$4\r\n~a\r\n\r\n:1\r\n";
        let piece = split(bytes).unwrap();
        assert_eq!(piece, Piece { bytes: bytes.len() - 4, kind: Kind::Said { name: None, text: b"~a\r\n" } });
        assert_eq!(split(&bytes[piece.bytes..]).unwrap().kind, Kind::Other);
        for end in 0..piece.bytes {
            assert_eq!(split(&bytes[..end]), None, "{end}");
        }
    }

    #[test]
    fn the_way_in_is_a_map_and_a_push_that_says_subscribed() {
        let map = b"%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nmodules\r\n*0\r\n";
        assert_eq!(split(map).unwrap(), Piece { bytes: map.len(), kind: Kind::Other });
        let subscribed = b">3\r\n$9\r\nsubscribe\r\n$5\r\ncarga\r\n:1\r\n";
        assert_eq!(split(subscribed).unwrap().kind, Kind::Ready);
        assert!(matches!(split(b"-NOAUTH no\r\n").unwrap().kind, Kind::Complaint(_)));
    }

    #[test]
    fn what_is_no_value_is_a_complaint_and_nests_no_deeper_than_it_may() {
        assert!(matches!(split(b"hello\r\n").unwrap().kind, Kind::Complaint(_)));
        assert!(matches!(split(b"$2\r\nabcdef\r\n").unwrap().kind, Kind::Complaint(_)));
        assert!(matches!(split("*1\r\n".repeat(100).as_bytes()).unwrap().kind, Kind::Complaint(_)));
    }
}
