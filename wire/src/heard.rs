//! What the relay says, as an extended client hears it. Grammar only: what a line means for a session is
//! [`crate::session`]'s to decide.
//!
//! PROTOCOL.md, "Extended mode"; FAIL, WARN and NOTE follow IRCv3 standard-replies.

mod greeting;
mod said;

use std::borrow::Cow;

use crate::extended::is_label;
use crate::message::RelayLine;
use crate::secret::Secret;
use crate::tags::unescape;
use crate::text::is_dirty;
use crate::time::unix_ms;
pub use greeting::Greeting;
pub use said::{Key, Notice, Said};

/// A line of the relay, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard<'a> {
    /// What somebody said, or that somebody came or went.
    Said(Said<'a>),
    /// `* HELLO …`: extended mode begins.
    Hello(Greeting<'a>),
    /// `* FAIL HELLO CODE …`: it does not; another `/hello` may follow.
    HelloRefused {
        /// Why, as a word for machines.
        code: &'a str,
        /// Why, for people.
        sentence: &'a str,
    },
    /// `* NOTE HELLO WAIT`: the relay has still to keep the new token.
    HelloWaits,
    /// `* NOTE HELLO TOKEN token=T`: the session has logged in, and has another token from now on.
    NewToken(Secret<Cow<'a, str>>),
    /// `* WARN HELLO RESUME_UNKNOWN`: the token is not known; a HELLO with a new one follows.
    ResumeUnknown,
    /// `* FAIL HELLO RESUMED`: another connection has taken this session over.
    TakenOver,
    /// `* NOTE LOGIN DONE name=NAME role=ROLE`: the password was right.
    LoggedIn {
        /// The account's name.
        name: Cow<'a, str>,
        /// What it may do besides speaking.
        role: Cow<'a, str>,
    },
    /// `* FAIL LOGIN CODE …`
    LoginRefused {
        /// Why, as a word for machines.
        code: &'a str,
        /// What stands behind that.
        words: &'a str,
        /// Why, for people.
        sentence: &'a str,
    },
    /// `* ROLE role=ROLE`: the account may do other things from now on.
    Role {
        /// What it may do besides speaking.
        role: Cow<'a, str>,
    },
    /// `* READ room=R id=ID`: up to where the account has read a room.
    Read {
        /// The room.
        room: Cow<'a, str>,
        /// The newest line that was read.
        id: u64,
    },
    /// `* JOINED room=R last=ID`
    Joined {
        /// The room.
        room: Cow<'a, str>,
        /// The newest id given in it.
        last: Option<u64>,
    },
    /// `* FAIL JOIN CODE …`
    JoinRefused {
        /// The room, where the relay says which: one that nobody has asked for just now, perhaps.
        room: Option<Cow<'a, str>>,
        /// Why, as a word for machines.
        code: &'a str,
        /// Why, for people.
        sentence: &'a str,
    },
    /// `* PARTED room=R`
    Parted {
        /// The room.
        room: Cow<'a, str>,
    },
    /// `* ACK label=L id=N time=T`: the line is kept.
    Ack {
        /// The line's label.
        label: &'a str,
        /// The line's id.
        id: u64,
        /// When it was said, in milliseconds since 1970.
        unix_ms: Option<u64>,
    },
    /// `* FAIL SAY CODE [WORDS] label=L`: the line was not said.
    SayRefused {
        /// The line's label.
        label: &'a str,
        /// Why, as a word for machines.
        code: &'a str,
        /// Why, for people.
        sentence: &'a str,
    },
    /// `* NOTE SAY NOT_KEPT label=L id=N`: the line was said and is not kept. Final.
    NotKept {
        /// The line's label.
        label: &'a str,
        /// The line's id.
        id: u64,
    },
    /// `* WARN GAP room=R from=ID to=ID`: what has these ids, both included, was missed.
    Gap {
        /// The room.
        room: Cow<'a, str>,
        /// The first.
        from: u64,
        /// The last.
        to: u64,
    },
    /// `* END HISTORY room=R more=0|1 label=L`, or `END SEARCH`: a page is whole.
    HistoryEnd {
        /// Of the question.
        label: &'a str,
        /// Whether there are more lines that way.
        is_more: bool,
    },
    /// `* FAIL HISTORY CODE label=L`, or `FAIL SEARCH`
    HistoryRefused {
        /// Of the question.
        label: &'a str,
        /// Why, as a word for machines.
        code: &'a str,
    },
    /// `* PING WORD`: to be answered `/pong WORD`.
    Ping {
        /// The rest of the line.
        word: &'a str,
    },
    /// `* PONG WORD`
    Pong {
        /// The rest of the line.
        word: &'a str,
    },
    /// `* NOTE NICK RENAMED NAME`
    Renamed {
        /// The new name.
        name: Cow<'a, str>,
    },
    /// `* FAIL NICK CODE …`
    NickRefused {
        /// Why, as a word for machines.
        code: &'a str,
        /// Why, for people.
        sentence: &'a str,
    },
    /// `* NOTE ROOM STORM room=R joined=N left=N`: so many came and went without a line each.
    Storm {
        /// The room.
        room: Cow<'a, str>,
        /// How many came.
        joined: u64,
        /// How many went.
        left: u64,
    },
    /// `* NOTE HISTORY TROUBLE` and `* NOTE HISTORY KEPT`: whether what is said is kept.
    History {
        /// It is again.
        is_kept: bool,
    },
    /// `* NOTE RELAY CLOSING`
    Closing,
    /// `* WHO room=R name=N`
    Who {
        /// Of the question.
        label: Option<&'a str>,
        /// The room.
        room: Cow<'a, str>,
        /// A name in it.
        name: Cow<'a, str>,
    },
    /// `* ROOMS room=R names=N`
    Room {
        /// Of the question.
        label: Option<&'a str>,
        /// A room.
        room: Cow<'a, str>,
        /// How many names are in it.
        names: u64,
    },
    /// `* END WHAT …`: an answer of several lines is whole.
    End {
        /// Of the question.
        label: Option<&'a str>,
        /// `WHO`, `ROOMS`, `HELP`.
        what: &'a str,
    },
    /// Any other line that starts with `* `.
    Other {
        /// The words for machines.
        words: &'a str,
        /// Of what it answers.
        label: Option<&'a str>,
        /// For people; may be empty.
        sentence: &'a str,
    },
    /// No line that an extended client hears.
    Unreadable,
}

impl<'a> Heard<'a> {
    /// Reads a line without its ending. Never fails.
    pub fn parse(line: &'a str) -> Self {
        if let Some(said) = Said::parse(line) {
            return Self::Said(said);
        }
        let Some(RelayLine { words, sentence }) = RelayLine::parse(line) else { return Self::Unreadable };
        let sentence = sentence.unwrap_or_default();
        let read = parse_words(words).or_else(|| parse_reply(words, sentence));
        read.unwrap_or(Self::Other { words, label: label(words), sentence })
    }
}

/// Lines that begin with a word of their own.
fn parse_words(words: &str) -> Option<Heard<'_>> {
    let (first, rest) = words.split_once(' ').unwrap_or((words, ""));
    match first {
        "HELLO" => Greeting::parse(rest).map(Heard::Hello),
        "JOINED" => Some(Heard::Joined { room: value(rest, "room")?, last: number(rest, "last") }),
        "READ" => Some(Heard::Read { room: value(rest, "room")?, id: number(rest, "id")? }),
        "ROLE" => Some(Heard::Role { role: value(rest, "role").filter(|role| !role.is_empty())? }),
        "PARTED" => Some(Heard::Parted { room: value(rest, "room")? }),
        "ACK" => {
            let unix_ms = raw(rest, "time").and_then(unix_ms);
            Some(Heard::Ack { label: label(rest)?, id: number(rest, "id")?, unix_ms })
        }
        "PING" => Some(Heard::Ping { word: rest }),
        "PONG" => Some(Heard::Pong { word: rest }),
        "WHO" => {
            Some(Heard::Who { label: label(rest), room: value(rest, "room")?, name: value(rest, "name")? })
        }
        "ROOMS" => {
            let names = number(rest, "names")?;
            Some(Heard::Room { label: label(rest), room: value(rest, "room")?, names })
        }
        "END" => match rest.split(' ').next()? {
            "HISTORY" | "SEARCH" => {
                Some(Heard::HistoryEnd { label: label(rest)?, is_more: raw(rest, "more") == Some("1") })
            }
            what => Some(Heard::End { label: label(rest), what }),
        },
        _ => None,
    }
}

/// `FAIL|WARN|NOTE WHAT CODE WORDS`.
fn parse_reply<'a>(words: &'a str, sentence: &'a str) -> Option<Heard<'a>> {
    let mut each = words.splitn(4, ' ');
    let (kind, what) = (each.next()?, each.next()?);
    let (code, rest) = (each.next().unwrap_or_default(), each.next().unwrap_or_default());
    match (kind, what, code) {
        ("FAIL", "HELLO", "RESUMED") => Some(Heard::TakenOver),
        ("FAIL", "HELLO", code) => Some(Heard::HelloRefused { code, sentence }),
        ("NOTE", "HELLO", "WAIT") => Some(Heard::HelloWaits),
        ("NOTE", "HELLO", "TOKEN") => value(rest, "token").map(Secret).map(Heard::NewToken),
        ("WARN", "HELLO", "RESUME_UNKNOWN") => Some(Heard::ResumeUnknown),
        ("NOTE", "LOGIN", "DONE") => {
            Some(Heard::LoggedIn { name: value(rest, "name")?, role: value(rest, "role")? })
        }
        ("FAIL", "LOGIN", code) => Some(Heard::LoginRefused { code, words: rest, sentence }),
        ("FAIL", "JOIN", code) => {
            let room = rest.split(' ').next().filter(|_| code == "NOT_ALLOWED").and_then(plain);
            Some(Heard::JoinRefused { room, code, sentence })
        }
        ("FAIL", "SAY", code) => Some(Heard::SayRefused { label: label(rest)?, code, sentence }),
        ("NOTE", "SAY", "NOT_KEPT") => Some(Heard::NotKept { label: label(rest)?, id: number(rest, "id")? }),
        ("WARN", "GAP", _) => {
            let (from, to) = (number(words, "from")?, number(words, "to")?);
            Some(Heard::Gap { room: value(words, "room")?, from, to })
        }
        ("FAIL", "HISTORY" | "SEARCH", code) => Some(Heard::HistoryRefused { label: label(rest)?, code }),
        ("NOTE", "NICK", "RENAMED") => Some(Heard::Renamed { name: plain(rest)? }),
        ("FAIL", "NICK", code) => Some(Heard::NickRefused { code, sentence }),
        ("NOTE", "ROOM", "STORM") => {
            let (joined, left) = (number(rest, "joined")?, number(rest, "left")?);
            Some(Heard::Storm { room: value(rest, "room")?, joined, left })
        }
        ("NOTE", "HISTORY", "TROUBLE" | "KEPT") => Some(Heard::History { is_kept: code == "KEPT" }),
        ("NOTE", "RELAY", "CLOSING") => Some(Heard::Closing),
        _ => None,
    }
}

fn raw<'a>(words: &'a str, key: &str) -> Option<&'a str> {
    let mut pairs = words.split(' ').filter_map(|word| word.split_once('='));
    pairs.find(|(name, _)| *name == key).map(|(_, value)| value)
}

/// A word that was escaped. None: it holds what no line may, which the escape has hidden.
fn plain(word: &str) -> Option<Cow<'_, str>> {
    Some(unescape(word)).filter(|word| !word.contains(is_dirty))
}

fn value<'a>(words: &'a str, key: &str) -> Option<Cow<'a, str>> {
    raw(words, key).and_then(plain)
}

fn number(words: &str, key: &str) -> Option<u64> {
    raw(words, key)?.parse().ok()
}

fn label(words: &str) -> Option<&str> {
    raw(words, "label").filter(|label| is_label(label))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;
    use proptest::prelude::*;

    fn said<'a>(name: &'a str, text: &'a str) -> Said<'a> {
        let name = Name::parse(name).unwrap();
        Said {
            id: None,
            unix_ms: None,
            room: None,
            key: None,
            reply: None,
            quote: None,
            is_private: false,
            to: None,
            notice: None,
            label: None,
            name,
            text,
        }
    }

    #[test]
    fn a_line_with_tags_is_read_with_all_of_them() {
        let line = "@label=q1;id=42;time=2026-11-22T16:37:00.123Z;room=cocina;key=7.a.9;reply=40;quote=Luis:\\shola Telegram - Ana: sí: no";
        let expected = Said {
            id: Some(42),
            unix_ms: Some(1_795_365_420_123),
            room: Some("cocina".into()),
            key: Some(Key { sid: 7, label: "a.9" }),
            reply: Some(40),
            quote: Some("Luis: hola".into()),
            label: Some("q1"),
            ..said("Telegram - Ana", "sí: no")
        };
        assert_eq!(Heard::parse(line), Heard::Said(expected));
        let private = Said { id: Some(5), is_private: true, ..said("Ana", "hola") };
        assert_eq!(Heard::parse("@id=5;private=1 Ana: hola"), Heard::Said(private));
        let notice =
            Said { id: Some(6), room: Some("x".into()), notice: Some(Notice::Join), ..said("Ana", "") };
        assert_eq!(Heard::parse("@id=6;room=x;notice=join Ana se ha unido al chat."), Heard::Said(notice));
        let notice = Said { room: Some("x".into()), notice: Some(Notice::Leave), ..said("Ana", "") };
        assert_eq!(Heard::parse("@room=x;notice=leave Ana ha abandonado el chat."), Heard::Said(notice));
    }

    #[test]
    fn each_line_of_the_relay_is_read() {
        let cases = [
            ("* FAIL HELLO NAME_IN_USE Ana :ya", Heard::HelloRefused { code: "NAME_IN_USE", sentence: "ya" }),
            ("* FAIL HELLO RESUMED :otra", Heard::TakenOver),
            ("* WARN HELLO RESUME_UNKNOWN :no", Heard::ResumeUnknown),
            ("* NOTE HELLO WAIT :a moment", Heard::HelloWaits),
            ("* JOINED room=a last=9 :sí", Heard::Joined { room: "a".into(), last: Some(9) }),
            ("* JOINED room=a :sí", Heard::Joined { room: "a".into(), last: None }),
            (
                "* FAIL JOIN TOO_MANY_ROOMS 9 :x",
                Heard::JoinRefused { room: None, code: "TOO_MANY_ROOMS", sentence: "x" },
            ),
            (
                "* FAIL JOIN NOT_ALLOWED junta label=q :x",
                Heard::JoinRefused { room: Some("junta".into()), code: "NOT_ALLOWED", sentence: "x" },
            ),
            ("* PARTED room=a :sí", Heard::Parted { room: "a".into() }),
            (
                "* ACK label=7 id=43 time=2026-11-22T16:37:00.123Z",
                Heard::Ack { label: "7", id: 43, unix_ms: Some(1_795_365_420_123) },
            ),
            (
                "* FAIL SAY TAG_INVALID as label=7 :x",
                Heard::SayRefused { label: "7", code: "TAG_INVALID", sentence: "x" },
            ),
            (
                "* FAIL SAY LINE_TOO_LONG 16384 :x",
                Heard::Other { words: "FAIL SAY LINE_TOO_LONG 16384", label: None, sentence: "x" },
            ),
            ("* NOTE SAY NOT_KEPT label=7 id=43 :x", Heard::NotKept { label: "7", id: 43 }),
            ("* WARN GAP room=a from=3 to=9", Heard::Gap { room: "a".into(), from: 3, to: 9 }),
            ("* END HISTORY room=a more=1 label=q2", Heard::HistoryEnd { label: "q2", is_more: true }),
            ("* FAIL HISTORY BUSY label=q2 :x", Heard::HistoryRefused { label: "q2", code: "BUSY" }),
            ("* PING a b", Heard::Ping { word: "a b" }),
            ("* PONG", Heard::Pong { word: "" }),
            ("* NOTE NICK RENAMED Ana\\sMaría :x", Heard::Renamed { name: "Ana María".into() }),
            ("* FAIL NICK NAME_IN_USE Ana :x", Heard::NickRefused { code: "NAME_IN_USE", sentence: "x" }),
            (
                "* NOTE ROOM STORM room=a joined=37 left=2 :x",
                Heard::Storm { room: "a".into(), joined: 37, left: 2 },
            ),
            ("* NOTE HISTORY TROUBLE :x", Heard::History { is_kept: false }),
            ("* NOTE HISTORY KEPT :x", Heard::History { is_kept: true }),
            ("* NOTE RELAY CLOSING :x", Heard::Closing),
            (
                "* WHO room=a name=Ana\\sMaría label=q3",
                Heard::Who { label: Some("q3"), room: "a".into(), name: "Ana María".into() },
            ),
            (
                "* ROOMS room=a names=2 label=q3",
                Heard::Room { label: Some("q3"), room: "a".into(), names: 2 },
            ),
            ("* END WHO room=a shown=1 of=1 label=q3", Heard::End { label: Some("q3"), what: "WHO" }),
            ("* SOMETHING new=1 :x", Heard::Other { words: "SOMETHING new=1", label: None, sentence: "x" }),
        ];
        for (line, expected) in cases {
            assert_eq!(Heard::parse(line), expected, "{line}");
        }
    }

    #[test]
    fn a_greeting_is_read_and_without_a_token_it_is_none() {
        let line = "* HELLO v=1 name=Ana\\sM token=T sid=7 line=16384 burst=20 rate=5 durability=commit";
        let Heard::Hello(greeting) = Heard::parse(line) else { panic!("no greeting") };
        assert_eq!((greeting.name.as_ref(), greeting.token.as_ref(), greeting.sid), ("Ana M", "T", 7));
        assert_eq!((greeting.line_bytes_max, greeting.burst, greeting.rate), (16384, 20, 5));
        assert_eq!(greeting.durability, "commit");
        for line in ["* HELLO v=1 name=Ana sid=7", "* HELLO v=1 name=Ana token= sid=7", "* HELLO"] {
            assert!(matches!(Heard::parse(line), Heard::Other { .. }), "{line}");
        }
    }

    #[test]
    fn a_role_is_read_and_one_that_is_empty_is_none() {
        let line = "* ROLE role=operator new=1 :ahora eres operador";
        assert_eq!(Heard::parse(line), Heard::Role { role: "operator".into() });
        for line in ["* ROLE", "* ROLE role=", "* ROLE role :x", "* ROLE role=a\\nb"] {
            assert!(matches!(Heard::parse(line), Heard::Other { .. }), "{line}");
        }
    }

    #[test]
    fn an_escape_hides_no_line_feed() {
        assert!(matches!(Heard::parse("* JOINED room=a\\nb last=1"), Heard::Other { .. }));
        assert!(matches!(Heard::parse("* HELLO name=Ana token=a\\nb sid=1"), Heard::Other { .. }));
        assert!(matches!(Heard::parse("* NOTE NICK RENAMED a\\nb"), Heard::Other { .. }));
        assert_eq!(Heard::parse("@id=1;room=a\\nb Ana: hola"), Heard::Unreadable);
        let quoted = Said { id: Some(1), room: Some("a".into()), ..said("Ana", "hola") };
        assert_eq!(Heard::parse("@id=1;room=a;quote=x\\ny Ana: hola"), Heard::Said(quoted));
    }

    #[test]
    fn what_lacks_an_id_a_name_or_a_text_is_unreadable() {
        let lines = [
            "Ana: hola",
            "",
            "@id=x;room=a Ana: hola",
            "@room=a Ana: hola",
            "@id=1;room=a hola",
            "@id=1;room=a * X: hola",
            "@id=1;room=a;key=x Ana: hola",
            "@id=1;room=a;key=7.ñ Ana: hola",
            "@id=1;notice=x Ana se ha unido al chat.",
            "@id=1;notice=join Ana: hola",
            "@",
            "@id=1",
        ];
        for line in lines {
            assert_eq!(Heard::parse(line), Heard::Unreadable, "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_input_makes_the_parser_panic(
            line in any::<String>(),
            words in "(@|\\* )?((FAIL|NOTE|WARN|END|HELLO|ACK|GAP|SAY|label=q|id=1|id=|room=a|key=1\\.|notice=join)[ ;:]){0,8}",
        ) {
            let _ = Heard::parse(&line);
            let _ = Heard::parse(&words);
            let _ = Heard::parse(&format!("{words}{line}"));
        }
    }
}
