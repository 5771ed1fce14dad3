//! The client protocol of NATS: one subject, echo off, so that nobody hears itself.

use super::{Kind, PIECE_BYTES_MAX, Piece, ROOM, line};

pub(super) fn hello(name: &str) -> Vec<u8> {
    let options = format!(r#"{{"verbose":false,"pedantic":false,"echo":false,"name":"{name}"}}"#);
    format!("CONNECT {options}\r\nSUB {ROOM} 1\r\nPING\r\n").into_bytes()
}

pub(super) fn say(text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("PUB {ROOM} {}\r\n", text.len()).as_bytes());
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}

pub(super) fn split(bytes: &[u8]) -> Option<Piece<'_>> {
    let (line, length) = line(bytes)?;
    let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let kind = match words.next().unwrap_or_default() {
        b"MSG" => return said(bytes, length, words.next_back().unwrap_or_default()),
        b"PING" => Kind::Ask(b"PONG\r\n".to_vec()),
        b"PONG" => Kind::Ready,
        b"-ERR" => Kind::Complaint(line),
        _ => Kind::Other,
    };
    Some(Piece { bytes: length, kind })
}

/// The bytes that the line announced, and the end of line behind them.
fn said<'a>(bytes: &'a [u8], begin: usize, announced: &[u8]) -> Option<Piece<'a>> {
    let nonsense = Piece { bytes: bytes.len(), kind: Kind::Complaint(b"what came is no NATS") };
    let announced = std::str::from_utf8(announced).ok().and_then(|word| word.parse::<usize>().ok());
    let Some(announced) = announced.filter(|announced| *announced <= PIECE_BYTES_MAX) else {
        return Some(nonsense);
    };
    let end = begin + announced;
    if bytes.get(end..end + 2)? != b"\r\n" {
        return Some(nonsense);
    }
    Some(Piece { bytes: end + 2, kind: Kind::Said { name: None, text: bytes.get(begin..end)? } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_as_long_as_its_line_says() {
        let bytes = b"MSG carga 1 5\r\n~a\r\nb\r\nPING\r\n";
        let piece = split(bytes).unwrap();
        assert_eq!(piece, Piece { bytes: 22, kind: Kind::Said { name: None, text: b"~a\r\nb" } });
        assert_eq!(split(&bytes[22..]).unwrap().kind, Kind::Ask(b"PONG\r\n".to_vec()));
        assert_eq!(split(&bytes[..21]), None);
    }

    #[test]
    fn the_answer_to_the_first_ping_says_that_the_subscription_stands() {
        assert_eq!(split(b"INFO {}\r\n").unwrap().kind, Kind::Other);
        assert_eq!(split(b"PONG\r\n").unwrap().kind, Kind::Ready);
        assert!(matches!(split(b"-ERR 'Slow Consumer'\r\n").unwrap().kind, Kind::Complaint(_)));
        assert!(matches!(split(b"MSG carga 1 many\r\n").unwrap().kind, Kind::Complaint(_)));
        assert!(matches!(split(b"MSG carga 1 2\r\nabcdef\r\n").unwrap().kind, Kind::Complaint(_)));
    }
}
