//! IRC: RFC 2812. One channel, PRIVMSG, and numerics 001 and 366 on the way in.

use super::{Kind, Piece, ROOM, line};

pub(super) fn hello(name: &str) -> Vec<u8> {
    format!("NICK {name}\r\nUSER {name} 0 * :{name}\r\n").into_bytes()
}

pub(super) fn say(text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"PRIVMSG #");
    out.extend_from_slice(ROOM.as_bytes());
    out.extend_from_slice(b" :");
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}

pub(super) fn split(bytes: &[u8]) -> Option<Piece<'_>> {
    let (line, length) = line(bytes)?;
    Some(Piece { bytes: length, kind: kind(line) })
}

/// `[:PREFIX ]COMMAND PARAMETERS [:TRAILING]`, section 2.3.1.
fn kind(line: &[u8]) -> Kind<'_> {
    let (prefix, rest) = match line.strip_prefix(b":") {
        Some(rest) => word(rest),
        None => (&b""[..], line),
    };
    let (command, parameters) = word(rest);
    match command {
        b"PRIVMSG" => {
            let (_, trailing) = word(parameters);
            let nick = prefix.split(|byte| *byte == b'!').next();
            Kind::Said { name: nick, text: trailing.strip_prefix(b":").unwrap_or(trailing) }
        }
        b"PING" => Kind::Ask([b"PONG ", parameters, b"\r\n"].concat()),
        b"001" => Kind::Ask(format!("JOIN #{ROOM}\r\n").into_bytes()),
        b"366" => Kind::Ready,
        b"ERROR" => Kind::Complaint(line),
        // There is no message of the day.
        b"422" => Kind::Other,
        [b'4' | b'5', _, _] => Kind::Complaint(line),
        _ => Kind::Other,
    }
}

/// The first word, and what follows the space behind it.
fn word(bytes: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b' ', bytes).and_then(|at| bytes.split_at_checked(at)) {
        Some((word, rest)) => (word, rest.get(1..).unwrap_or_default()),
        None => (bytes, b""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &[u8]) -> Kind<'_> {
        split(line).unwrap().kind
    }

    #[test]
    fn what_is_said_comes_with_the_nick_of_its_prefix() {
        let said = one(b":s0001!~u@127.0.0.1 PRIVMSG #carga :~00 11\r\n");
        assert_eq!(said, Kind::Said { name: Some(b"s0001"), text: b"~00 11" });
    }

    #[test]
    fn the_way_in_is_001_join_366_and_pings_are_answered() {
        assert_eq!(one(b":host 001 s0001 :Welcome\r\n"), Kind::Ask(b"JOIN #carga\r\n".to_vec()));
        assert_eq!(one(b":host 366 s0001 #carga :End\r\n"), Kind::Ready);
        assert_eq!(one(b"PING :abc\r\n"), Kind::Ask(b"PONG :abc\r\n".to_vec()));
        assert_eq!(one(b":host 422 s0001 :no motd\r\n"), Kind::Other);
        assert!(matches!(one(b":host 433 * s0001 :Nickname already in use\r\n"), Kind::Complaint(_)));
        assert!(matches!(one(b"ERROR :Closing connection\r\n"), Kind::Complaint(_)));
    }
}
