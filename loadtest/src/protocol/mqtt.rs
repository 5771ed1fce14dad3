//! MQTT 5.0: one topic, quality of service 0, no-local, so that nobody hears itself.

use super::{Kind, PIECE_BYTES_MAX, Piece, ROOM};

/// Packet types, section 2.1.2, with the flags of those that have them, section 2.1.3.
const CONNECT: u8 = 0x10;
const CONNACK: u8 = 0x20;
const PUBLISH: u8 = 0x30;
const SUBSCRIBE: u8 = 0x82;
const SUBACK: u8 = 0x90;
const DISCONNECT: u8 = 0xE0;
/// What a client sends and a server never does: 0 is no packet, then CONNECT, SUBSCRIBE, UNSUBSCRIBE, PINGREQ.
const NEVER_FROM_SERVER: [u8; 5] = [0x00, 0x10, 0x80, 0xA0, 0xC0];
/// Reason codes from this on are failures, section 2.4.
const FAILURE_MIN: u8 = 0x80;
const NONSENSE: &[u8] = b"what came is no MQTT";
/// Subscription options, section 3.8.3.1: no local, quality of service 0.
const NO_LOCAL: u8 = 0x04;

pub(super) fn hello(name: &str) -> Vec<u8> {
    let mut connect = Vec::new();
    put_string(b"MQTT", &mut connect);
    // Version 5, clean start, keep alive 0: never, no properties.
    connect.extend_from_slice(&[5, 0x02, 0, 0, 0]);
    put_string(name.as_bytes(), &mut connect);
    // Packet identifier 1, no properties.
    let mut subscribe = vec![0, 1, 0];
    put_string(ROOM.as_bytes(), &mut subscribe);
    subscribe.push(NO_LOCAL);
    let mut out = Vec::new();
    put_packet(CONNECT, &connect, &mut out);
    put_packet(SUBSCRIBE, &subscribe, &mut out);
    out
}

pub(super) fn say(text: &[u8], out: &mut Vec<u8>) {
    let mut publish = Vec::with_capacity(text.len() + 16);
    put_string(ROOM.as_bytes(), &mut publish);
    publish.push(0);
    publish.extend_from_slice(text);
    put_packet(PUBLISH, &publish, out);
}

pub(super) fn split(bytes: &[u8]) -> Option<Piece<'_>> {
    let (kind, rest) = bytes.split_first()?;
    if NEVER_FROM_SERVER.contains(&(kind & 0xF0)) {
        return Some(nonsense(bytes));
    }
    let Some((length, digits)) = length(rest)? else { return Some(nonsense(bytes)) };
    let body = rest.get(digits..digits + length);
    if length > PIECE_BYTES_MAX {
        return Some(nonsense(bytes));
    }
    Some(Piece { bytes: 1 + digits + length, kind: packet(*kind, body?) })
}

fn nonsense(bytes: &[u8]) -> Piece<'_> {
    Piece { bytes: bytes.len(), kind: Kind::Complaint(NONSENSE) }
}

fn packet(kind: u8, body: &[u8]) -> Kind<'_> {
    match kind & 0xF0 {
        PUBLISH => published(body).map_or(Kind::Complaint(NONSENSE), |text| Kind::Said { name: None, text }),
        SUBACK if body.last().is_some_and(|reason| *reason < FAILURE_MIN) => Kind::Ready,
        SUBACK => Kind::Complaint(b"SUBACK: the subscription is refused"),
        CONNACK if body.get(1).is_none_or(|reason| *reason >= FAILURE_MIN) => {
            Kind::Complaint(b"CONNACK: the connection is refused")
        }
        DISCONNECT => Kind::Complaint(b"DISCONNECT"),
        _ => Kind::Other,
    }
}

/// The payload of a PUBLISH: behind the topic, and properties that are skipped.
fn published(body: &[u8]) -> Option<&[u8]> {
    let (topic_bytes, rest) = body.split_first_chunk::<2>()?;
    let rest = rest.get(usize::from(u16::from_be_bytes(*topic_bytes))..)?;
    let (properties, digits) = length(rest)??;
    rest.get(digits + properties..)
}

/// A variable byte integer, section 1.5.5, and how many bytes it has. None: there are too few; `Some(None)`: it is
/// none.
#[allow(clippy::option_option, reason = "not yet and never are two things")]
fn length(bytes: &[u8]) -> Option<Option<(usize, usize)>> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Some(Some((value, index + 1)));
        }
    }
    if bytes.len() < 4 { None } else { Some(None) }
}

fn put_packet(kind: u8, body: &[u8], out: &mut Vec<u8>) {
    out.push(kind);
    let mut left = body.len();
    loop {
        let digit = (left % 128) as u8;
        left /= 128;
        out.push(if left > 0 { digit | 0x80 } else { digit });
        if left == 0 {
            break;
        }
    }
    out.extend_from_slice(body);
}

fn put_string(text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(text.len() as u16).to_be_bytes());
    out.extend_from_slice(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_is_heard_whatever_its_length() {
        for length in [27, 127, 128, 16_000] {
            let text = vec![b'x'; length];
            let mut bytes = Vec::new();
            say(&text, &mut bytes);
            let piece = split(&bytes).unwrap();
            assert_eq!(piece, Piece { bytes: bytes.len(), kind: Kind::Said { name: None, text: &text } });
            assert_eq!(split(&bytes[..bytes.len() - 1]), None);
        }
    }

    #[test]
    fn answers_are_told_apart_from_refusals() {
        assert_eq!(split(&[CONNACK, 3, 0, 0, 0]).unwrap().kind, Kind::Other);
        assert!(matches!(split(&[CONNACK, 3, 0, 0x87, 0]).unwrap().kind, Kind::Complaint(_)));
        assert_eq!(split(&[SUBACK, 4, 0, 1, 0, 0]).unwrap().kind, Kind::Ready);
        assert!(matches!(split(&[SUBACK, 4, 0, 1, 0, 0x80]).unwrap().kind, Kind::Complaint(_)));
        assert!(matches!(split(&[0x30, 0xFF, 0xFF, 0xFF, 0xFF]).unwrap().kind, Kind::Complaint(_)));
    }

    #[test]
    fn what_no_server_sends_is_a_complaint_at_once() {
        for bytes in [&[0][..], &[CONNECT], &[SUBSCRIBE, 2, 0, 0], &[PUBLISH, 2, 0, 9]] {
            let piece = split(bytes).unwrap();
            assert_eq!(piece, Piece { bytes: bytes.len(), kind: Kind::Complaint(NONSENSE) });
        }
    }
}
