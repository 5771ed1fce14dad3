//! The languages of the servers that can be loaded: what a client says first, how a line goes out, and how what
//! comes back falls into pieces. No sockets: bytes in, bytes out.

mod extended;
mod irc;
mod mqtt;
mod nats;
mod plain;
mod redis;
mod unframed;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tertulia_wire::heard::Greeting;

use crate::answers::Answer;
use crate::stamp::{STAMP_BYTES_MAX, Sizes};

pub use extended::id;

/// The room, channel, topic or subject of all clients.
const ROOM: &str = "carga";

/// Bytes of one piece beyond which a server is not believed: its bytes are then not of this protocol.
pub const PIECE_BYTES_MAX: usize = 64 * 1024;

/// A language that servers speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Tertulia's plain mode: `NAME: text` and a line feed.
    Plain,
    /// Tertulia's extended mode: labels out, ids and acknowledgements back.
    Extended,
    /// The programs of old: the same without a line feed.
    Unframed,
    /// IRC, RFC 2812: PRIVMSG to one channel.
    Irc,
    /// MQTT 5.0: PUBLISH with quality of service 0 to one topic, no-local.
    Mqtt,
    /// NATS client protocol: PUB to one subject, echo off.
    Nats,
    /// Redis RESP3: PUBLISH to one channel; whoever publishes hears it as well.
    Redis,
}

/// One piece of what a server sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// Bytes of the whole piece, its end included.
    pub bytes: usize,
    /// What it is.
    pub kind: Kind<'a>,
}

/// What a server's piece is.
#[derive(Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// Somebody said this. The name, where the protocol tells it.
    Said {
        /// Who is said to have said it.
        name: Option<&'a [u8]>,
        /// What was said.
        text: &'a [u8],
    },
    /// A line with the tags that a sender's has.
    Tagged {
        /// Id and key.
        tags: Tags,
        /// Who is said to have said it.
        name: &'a [u8],
        /// What was said.
        text: &'a [u8],
    },
    /// The server speaks of a line that this client said.
    Answered {
        /// The client's number for it.
        number: u64,
        /// What became of it.
        answer: Answer,
        /// The same in the server's words.
        words: &'a [u8],
    },
    /// The client is known now.
    Greeted(Greeting<'a>),
    /// The client is in the room: what others say reaches it from now on.
    Ready,
    /// The server greets nobody of that name without a log-in, in its words.
    LoginNeeded(&'a [u8]),
    /// The client has logged in.
    LoggedIn,
    /// The server waits for this answer.
    Ask(Vec<u8>),
    /// The server refuses something, in its words.
    Complaint(&'a [u8]),
    /// The server tells a client that it is called otherwise than it asked for.
    Renamed(&'a [u8]),
    /// Anything else: a notice, an acknowledgement.
    Other,
}

/// Which line it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tags {
    /// The server's own number for it.
    pub id: u64,
    /// The number of the session that said it.
    pub sid: u64,
    /// That client's number for it.
    pub number: u64,
}

impl Protocol {
    /// All of them, in the order of the help.
    pub const ALL: [Self; 7] =
        [Self::Plain, Self::Extended, Self::Unframed, Self::Irc, Self::Mqtt, Self::Nats, Self::Redis];

    /// What a client says as soon as it is connected. `is_sender`: it is going to send lines.
    pub fn hello(self, name: &str, is_sender: bool) -> Vec<u8> {
        match self {
            Self::Plain => plain::hello(name, is_sender),
            Self::Extended => extended::hello(name, None),
            Self::Unframed => unframed::hello(name),
            Self::Irc => irc::hello(name),
            Self::Mqtt => mqtt::hello(name),
            Self::Nats => nats::hello(name),
            Self::Redis => redis::hello(),
        }
    }

    /// The same of a client that was here before, and was given this token.
    pub fn come_back(self, name: &str, token: &str) -> Vec<u8> {
        match self {
            Self::Extended => extended::hello(name, Some(token)),
            _ => self.hello(name, false),
        }
    }

    /// Whether the server tells a client that it is in the room ([`Kind::Ready`]); elsewhere a client is once it
    /// has said hello.
    pub fn says_ready(self) -> bool {
        !matches!(self, Self::Plain | Self::Unframed)
    }

    /// Whether the server tells a sender that its line is kept ([`Kind::Answered`]).
    pub fn acknowledges(self) -> bool {
        self == Self::Extended
    }

    /// Appends a line that the client of that name says to the room. `number`: no other line of it has that.
    pub fn say(self, name: &str, number: u64, text: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Plain => plain::say(name, text, out),
            Self::Extended => extended::say(number, text, out),
            Self::Unframed => unframed::say(name, text, out),
            Self::Irc => irc::say(text, out),
            Self::Mqtt => mqtt::say(text, out),
            Self::Nats => nats::say(text, out),
            Self::Redis => redis::say(text, out),
        }
    }

    /// The first piece of what a server sent; none where more bytes are needed.
    pub fn split(self, bytes: &[u8], sizes: Sizes) -> Option<Piece<'_>> {
        match self {
            Self::Plain => plain::split(bytes),
            Self::Extended => extended::split(bytes),
            Self::Unframed => unframed::split(bytes, sizes),
            Self::Irc => irc::split(bytes),
            Self::Mqtt => mqtt::split(bytes),
            Self::Nats => nats::split(bytes),
            Self::Redis => redis::split(bytes),
        }
    }

    /// Whether a sender hears what it said itself.
    pub fn hears_itself(self) -> bool {
        self == Self::Redis
    }

    /// Bytes of the longest text that goes through.
    pub fn text_bytes_max(self) -> usize {
        match self {
            // A line has 512 bytes, and the server writes the sender's whole address before the text.
            Self::Irc => 384,
            // A read of 1,000 bytes or more is taken for one that goes on.
            Self::Unframed => 900,
            _ => STAMP_BYTES_MAX,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Extended => "extended",
            Self::Unframed => "unframed",
            Self::Irc => "irc",
            Self::Mqtt => "mqtt",
            Self::Nats => "nats",
            Self::Redis => "redis",
        })
    }
}

impl FromStr for Protocol {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|protocol| protocol.to_string() == text);
        known.ok_or_else(|| {
            let names = Self::ALL.map(|protocol| protocol.to_string()).join(", ");
            format!("no protocol {text}; there are {names}")
        })
    }
}

/// The first line, without its end (LF or CR LF), and how many bytes it takes with it.
fn line(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let end = memchr::memchr(b'\n', bytes)?;
    let line = bytes.get(..end).unwrap_or_default();
    Some((line.strip_suffix(b"\r").unwrap_or(line), end + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stamp::Stamp;

    /// Lines as they come back from a server that passes them on.
    fn relayed(protocol: Protocol, lines: u32, sizes: Sizes) -> Vec<u8> {
        let mut bytes = Vec::new();
        for sequence in 0..lines {
            let mut text = Vec::new();
            Stamp { sender: 1, sequence, due_us: 5 }.write(sizes, &mut text);
            match protocol {
                Protocol::Irc => {
                    bytes.extend_from_slice(b":s0001!~s@h ");
                    protocol.say("s0001", 0, &text, &mut bytes);
                }
                Protocol::Extended => {
                    bytes.extend_from_slice(b"@id=7;room=general;key=1.00000000 s0001: ");
                    bytes.extend_from_slice(&text);
                    bytes.push(b'\n');
                }
                Protocol::Nats => {
                    bytes.extend_from_slice(format!("MSG {ROOM} 1 {}\r\n", text.len()).as_bytes());
                    bytes.extend_from_slice(&text);
                    bytes.extend_from_slice(b"\r\n");
                }
                Protocol::Redis => {
                    bytes.extend_from_slice(b">3\r\n$7\r\nmessage\r\n$5\r\ncarga\r\n");
                    bytes.extend_from_slice(format!("${}\r\n", text.len()).as_bytes());
                    bytes.extend_from_slice(&text);
                    bytes.extend_from_slice(b"\r\n");
                }
                _ => protocol.say("s0001", 0, &text, &mut bytes),
            }
        }
        bytes
    }

    /// The sequences of all that was said, when the bytes come in two reads.
    fn said(protocol: Protocol, bytes: &[u8], cut: usize, sizes: Sizes) -> Vec<u32> {
        let mut sequences = Vec::new();
        let mut begin = 0;
        for end in [cut, bytes.len()] {
            while let Some(piece) = protocol.split(&bytes[begin..end], sizes) {
                begin += piece.bytes;
                if let Kind::Said { text, .. } | Kind::Tagged { text, .. } = piece.kind {
                    sequences.push(Stamp::read(text, sizes).unwrap().sequence);
                }
            }
        }
        sequences
    }

    #[test]
    fn wherever_a_stream_is_cut_the_same_lines_are_heard() {
        let sizes = Sizes { min_bytes: 27, max_bytes: 140 };
        for protocol in Protocol::ALL {
            let bytes = relayed(protocol, 4, sizes);
            for cut in 0..=bytes.len() {
                assert_eq!(said(protocol, &bytes, cut, sizes), [0, 1, 2, 3], "{protocol}, cut at {cut}");
            }
        }
    }

    #[test]
    fn every_protocol_has_a_name_that_is_read_again() {
        for protocol in Protocol::ALL {
            assert_eq!(protocol.to_string().parse(), Ok(protocol));
        }
        assert!("smtp".parse::<Protocol>().unwrap_err().contains("plain, extended, unframed, irc"));
    }

    proptest! {
        #[test]
        fn whatever_bytes_come_a_piece_is_never_empty_and_never_more_than_there_is(
            bytes in prop::collection::vec(prop_oneof![
                any::<u8>(), Just(b'\n'), Just(b'~'), Just(b'>'), Just(b'$'), Just(b'0'), Just(b'3'), Just(b'\r'),
            ], 0..200),
        ) {
            for protocol in Protocol::ALL {
                if let Some(piece) = protocol.split(&bytes, Sizes::of(64)) {
                    prop_assert!(piece.bytes > 0 && piece.bytes <= bytes.len(), "{}", protocol);
                }
            }
        }
    }
}
