//! The lines that start with `/`: each has an English and a Spanish name.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use crate::extended::{Hello, is_label};
use crate::tags::{escape, unescape};

/// A command of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command<'a> {
    /// `/hello …`: asks for extended mode.
    Hello(Hello<'a>),
    /// `/part ROOM`: leave a room.
    Part {
        /// As written.
        room: &'a str,
    },
    /// `/join ROOM`: go to a room; a plain connection leaves the one it is in.
    Join {
        /// As written; may not be valid.
        room: &'a str,
    },
    /// `/rooms`: what rooms there are.
    Rooms {
        /// Only rooms behind this one, in order of their names.
        after: Option<Cow<'a, str>>,
    },
    /// `/who`: the names in a room.
    Who {
        /// The room; without it the one the connection is in.
        room: Option<Cow<'a, str>>,
        /// Only names behind this one, in order.
        after: Option<Cow<'a, str>>,
    },
    /// `/msg NAME TEXT`: a line for one person alone.
    Msg {
        /// Whom it is for.
        to: Cow<'a, str>,
        /// The rest of the line, as it is; may be empty.
        text: &'a str,
    },
    /// `/nick NAME`: another name.
    Nick {
        /// As written; may not be valid.
        name: Cow<'a, str>,
    },
    /// `/history [N]`: what was said.
    History(History<'a>),
    /// `/search [room=ROOM] [before=ID] [limit=N] WORDS`: look for lines that have all of these words.
    Search(Search<'a>),
    /// `/help`
    Help,
    /// `/ping WORD`: answered `* PONG WORD`.
    Ping {
        /// The rest of the line.
        word: &'a str,
    },
    /// `/pong WORD`: the answer to a relay's ping.
    Pong,
    /// `/quit`: leave and close.
    Quit,
}

/// What somebody wants to read of what was said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History<'a> {
    /// The room; without it the one the connection is in.
    pub room: Option<Cow<'a, str>>,
    /// Only lines before the one with this id.
    pub before: Option<u64>,
    /// Only lines after the one with this id, the oldest of them.
    pub after: Option<u64>,
    /// At most so many.
    pub limit: Option<u32>,
}

/// What somebody looks for in what was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search<'a> {
    /// The room; without it the one the connection is in.
    pub room: Option<Cow<'a, str>>,
    /// Only lines before the one with this id.
    pub before: Option<u64>,
    /// At most so many, the newest.
    pub limit: Option<u32>,
    /// The words that a line is to have.
    pub words: &'a str,
}

/// Why a line is no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandError<'a> {
    /// No command has this name.
    Unknown {
        /// The name, without the slash.
        word: &'a str,
    },
    /// A word that has to be a number.
    NoNumber {
        /// The command's English name, in capitals.
        command: &'static str,
        /// The word.
        word: &'a str,
    },
    /// A word that was meant as a time, and is none: a number and `s`, `m`, `h`, `d` or `w`.
    NoTime {
        /// The command's English name, in capitals.
        command: &'static str,
        /// The word.
        word: &'a str,
    },
    /// A word is missing.
    Missing {
        /// The command's English name, in capitals.
        command: &'static str,
        /// What is missing: `ROOM`, `NAME`, `TEXT`.
        what: &'static str,
    },
}

impl fmt::Display for CommandError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { word } => write!(f, "no command /{word}"),
            Self::NoNumber { command, word } => write!(f, "{command}: {word} is no number"),
            Self::NoTime { command, word } => write!(f, "{command}: {word} is no time"),
            Self::Missing { command, what } => write!(f, "{command} needs a {what}"),
        }
    }
}

impl std::error::Error for CommandError<'_> {}

/// English name, Spanish name, what follows it.
pub const NAMES: [(&str, &str, &str); 13] = [
    ("hello", "hello", "v=1 name=NAME"),
    ("join", "sala", "ROOM"),
    ("part", "dejar", "ROOM"),
    ("rooms", "salas", ""),
    ("who", "quien", "[room=ROOM]"),
    ("msg", "privado", "NAME TEXT"),
    ("nick", "nombre", "NAME"),
    ("history", "historial", "[N]"),
    ("search", "buscar", "WORDS"),
    ("help", "ayuda", ""),
    ("ping", "ping", "[WORD]"),
    ("pong", "pong", "[WORD]"),
    ("quit", "salir", ""),
];

/// Commands whose line ends in what somebody says, or in a password.
const BEFORE_TEXT: [&str; 8] =
    ["msg", "privado", "register", "registrar", "login", "entrar", "passwd", "clave"];

impl<'a> Command<'a> {
    /// Reads what follows the slash. Unknown options are ignored.
    pub fn parse(line: &'a str) -> Result<Self, CommandError<'a>> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let known =
            NAMES.iter().find(|(english, spanish, _)| is_word(word, english) || is_word(word, spanish));
        match known.map(|(english, _, _)| *english) {
            Some("hello") => Ok(Self::Hello(Hello::parse(rest))),
            Some("join") => Ok(Self::Join { room: parse_room(rest, "JOIN")? }),
            Some("part") => Ok(Self::Part { room: parse_room(rest, "PART")? }),
            Some("rooms") => Ok(Self::Rooms { after: option(rest, "after") }),
            Some("who") => Ok(Self::Who {
                room: option(rest, "room").or_else(|| positional(rest).next().map(Cow::Borrowed)),
                after: option(rest, "after"),
            }),
            Some("msg") => Self::parse_msg(rest),
            Some("nick") => Self::parse_nick(rest),
            Some("search") => Self::parse_search(rest),
            Some("history") => Self::parse_history(rest),
            Some("help") => Ok(Self::Help),
            Some("ping") => Ok(Self::Ping { word: rest.trim() }),
            Some("pong") => Ok(Self::Pong),
            Some("quit") => Ok(Self::Quit),
            _ => Err(CommandError::Unknown { word }),
        }
    }

    /// The label of a command's line without its slash: its answers carry it too.
    pub fn label(line: &'a str) -> Option<&'a str> {
        label_of(line.get(label_place(line)?)?)
    }

    /// Takes the label out of a command's line without its slash, and gives it and what is left. It is the first word that
    /// is one; where text or a password follows, which may be anything, only the first word behind the command can be. Not
    /// for plain clients: they have no labels, and what looks like one is theirs to say.
    pub fn split_label(line: &'a str) -> (Option<&'a str>, Cow<'a, str>) {
        let Some(place) = label_place(line) else { return (None, Cow::Borrowed(line)) };
        let (before, behind) = (line.get(..place.start), line.get(place.end..));
        let behind = behind.map(|behind| behind.strip_prefix(' ').unwrap_or(behind));
        let rest = [before, behind].map(Option::unwrap_or_default).concat();
        (line.get(place).and_then(label_of), Cow::Owned(rest))
    }

    fn parse_msg(rest: &'a str) -> Result<Self, CommandError<'a>> {
        let rest = rest.trim_start_matches(' ');
        let (to, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let missing = |what| CommandError::Missing { command: "MSG", what };
        // An escape may stand for nothing.
        let to = unescape(to);
        if to.is_empty() {
            return Err(missing("NAME"));
        }
        if text.is_empty() {
            return Err(missing("TEXT"));
        }
        Ok(Self::Msg { to, text })
    }

    /// `[N] [room=ROOM] [before=ID|after=ID]`, or `limit=N`.
    fn parse_history(rest: &'a str) -> Result<Self, CommandError<'a>> {
        let id = |key| raw_option(rest, key).map(|word| number("HISTORY", word)).transpose();
        let limit = raw_option(rest, "limit").or_else(|| positional(rest).next());
        Ok(Self::History(History {
            room: option(rest, "room"),
            before: id("before")?,
            after: id("after")?,
            limit: limit.map(|word| number("HISTORY", word)).transpose()?,
        }))
    }

    /// Options come first; what follows is looked for, whatever it looks like.
    fn parse_search(rest: &'a str) -> Result<Self, CommandError<'a>> {
        let mut search = Search { room: None, before: None, limit: None, words: rest.trim() };
        loop {
            let (word, behind) = search.words.split_once(' ').unwrap_or((search.words, ""));
            match word.split_once('=') {
                Some(("room", value)) => search.room = Some(unescape(value)),
                Some(("before", value)) => search.before = Some(number("SEARCH", value)?),
                Some(("limit", value)) => search.limit = Some(number("SEARCH", value)?),
                Some(("label", _)) => {}
                _ if search.words.is_empty() => {
                    return Err(CommandError::Missing { command: "SEARCH", what: "WORDS" });
                }
                _ => return Ok(Self::Search(search)),
            }
            search.words = behind.trim_start();
        }
    }

    /// A name typed by hand may have spaces; a program escapes them.
    fn parse_nick(rest: &'a str) -> Result<Self, CommandError<'a>> {
        let name = match unescape(rest.trim()) {
            Cow::Borrowed(name) => Cow::Borrowed(name.trim()),
            Cow::Owned(name) => Cow::Owned(name.trim().to_owned()),
        };
        if name.is_empty() {
            return Err(CommandError::Missing { command: "NICK", what: "NAME" });
        }
        Ok(Self::Nick { name })
    }
}

/// Writes the command with its slash and its English name.
impl fmt::Display for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut with = |word: &str, options: [(&str, &Option<Cow<'_, str>>); 2]| {
            write!(f, "/{word}")?;
            options
                .iter()
                .filter_map(|(key, value)| value.as_ref().map(|value| (key, value)))
                .try_for_each(|(key, value)| write!(f, " {key}={}", escape(value)))
        };
        match self {
            Self::Rooms { after } => with("rooms", [("after", after), ("after", &None)]),
            Self::Who { room, after } => with("who", [("room", room), ("after", after)]),
            Self::Hello(hello) => hello.fmt(f),
            Self::Join { room } => write!(f, "/join {room}"),
            Self::Part { room } => write!(f, "/part {room}"),
            Self::Msg { to, text } => write!(f, "/msg {} {text}", escape(to)),
            Self::Nick { name } => write!(f, "/nick {}", escape(name)),
            Self::History(History { room, before, after, limit }) => {
                with("history", [("room", room), ("after", &None)])?;
                before.iter().try_for_each(|id| write!(f, " before={id}"))?;
                after.iter().try_for_each(|id| write!(f, " after={id}"))?;
                limit.iter().try_for_each(|limit| write!(f, " limit={limit}"))
            }
            Self::Search(Search { room, before, limit, words }) => {
                with("search", [("room", room), ("after", &None)])?;
                before.iter().try_for_each(|id| write!(f, " before={id}"))?;
                limit.iter().try_for_each(|limit| write!(f, " limit={limit}"))?;
                write!(f, " {words}")
            }
            Self::Help => f.write_str("/help"),
            Self::Ping { word: "" } => f.write_str("/ping"),
            Self::Ping { word } => write!(f, "/ping {word}"),
            Self::Pong => f.write_str("/pong"),
            Self::Quit => f.write_str("/quit"),
        }
    }
}

fn parse_room<'a>(rest: &'a str, command: &'static str) -> Result<&'a str, CommandError<'a>> {
    // A room's name may look like an option.
    let named = positional(rest).next().or_else(|| words(rest).find(|word| !word.starts_with("label=")));
    named.ok_or(CommandError::Missing { command, what: "ROOM" })
}

fn label_of(word: &str) -> Option<&str> {
    word.strip_prefix("label=").filter(|label| is_label(label))
}

/// Where in a command's line the word of its label stands.
fn label_place(line: &str) -> Option<Range<usize>> {
    let mut end = 0;
    let places = line.split(' ').map(|word| {
        let start = end;
        end = start + word.len() + 1;
        start..start + word.len()
    });
    let command = line.split(' ').next().unwrap_or_default();
    let has_text = BEFORE_TEXT.iter().any(|name| is_word(command, name));
    let looked_at = if has_text { 1 } else { usize::MAX };
    let mut options = places.skip(1).filter(|place| !place.is_empty()).take(looked_at);
    options.find(|place| line.get(place.clone()).and_then(label_of).is_some())
}

fn is_word(word: &str, name: &str) -> bool {
    word.eq_ignore_ascii_case(name)
}

fn words(rest: &str) -> impl Iterator<Item = &str> {
    rest.split(' ').filter(|word| !word.is_empty())
}

fn positional(rest: &str) -> impl Iterator<Item = &str> {
    words(rest).filter(|word| !word.contains('='))
}

fn option<'a>(rest: &'a str, key: &str) -> Option<Cow<'a, str>> {
    raw_option(rest, key).map(unescape)
}

fn raw_option<'a>(rest: &'a str, key: &str) -> Option<&'a str> {
    let mut pairs = words(rest).filter_map(|word| word.split_once('='));
    pairs.find(|(name, _)| *name == key).map(|(_, value)| value)
}

fn number<'a, T: FromStr>(command: &'static str, word: &'a str) -> Result<T, CommandError<'a>> {
    word.parse().map_err(|_| CommandError::NoNumber { command, word })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_command_is_known_by_its_english_and_its_spanish_name() {
        for (english, spanish, _) in NAMES.into_iter().filter(|(english, _, _)| *english != "history") {
            let line = |word: &str| format!("{word} Ana hola");
            assert_eq!(Command::parse(&line(english)), Command::parse(&line(spanish)));
            assert!(Command::parse(&line(english)).is_ok());
        }
    }

    #[test]
    fn words_typed_by_hand_and_written_by_a_program_are_read() {
        let msg = Command::Msg { to: "Ana María".into(), text: "hola  a=b" };
        assert_eq!(Command::parse("msg Ana\\sMaría hola  a=b"), Ok(msg));
        assert_eq!(Command::parse("nick Ana María"), Ok(Command::Nick { name: "Ana María".into() }));
        let who = Command::Who { room: Some("cocina".into()), after: None };
        assert_eq!(Command::parse("who room=cocina"), Ok(who.clone()));
        assert_eq!(Command::parse("quien cocina"), Ok(who));
    }

    #[test]
    fn a_search_has_its_options_first_and_then_whatever_is_looked_for() {
        let search = |line: &'static str| match Command::parse(line) {
            Ok(Command::Search(search)) => search,
            other => panic!("{other:?}"),
        };
        assert_eq!(search("search la cena").words, "la cena");
        let found = search("buscar room=cocina before=9 limit=5 label=q a=b room=x");
        assert_eq!((found.room.as_deref(), found.before, found.limit), (Some("cocina"), Some(9), Some(5)));
        assert_eq!(found.words, "a=b room=x");
        let missing = Err(CommandError::Missing { command: "SEARCH", what: "WORDS" });
        assert_eq!((Command::parse("search "), Command::parse("search room=x")), (missing.clone(), missing));
        let no_number = Err(CommandError::NoNumber { command: "SEARCH", word: "x" });
        assert_eq!(Command::parse("search before=x y"), no_number);
    }

    #[test]
    fn the_label_is_taken_out_wherever_it_stands_but_not_out_of_what_is_said() {
        let split = |line: &'static str| {
            let (label, rest) = Command::split_label(line);
            (label, rest.into_owned())
        };
        let labeled = |rest: &str| (Some("9"), rest.to_owned());
        assert_eq!(split("nick label=9 Lucho"), labeled("nick Lucho"));
        assert_eq!(split("nick Ana label=9"), labeled("nick Ana "));
        assert_eq!(split("ping  label=9 a b"), labeled("ping  a b"));
        assert_eq!(split("search hola label=9"), labeled("search hola "));
        assert_eq!(split("search label=9 label=z"), labeled("search label=z"));
        assert_eq!(split("msg label=9 Luis hola label=x"), labeled("msg Luis hola label=x"));
        assert_eq!(split("login label=9 Ana a label=x"), labeled("login Ana a label=x"));
        for line in [
            "MSG Luis label=9 hola",
            "entrar Ana secreto label=9",
            "nick Ana",
            "nick label=ñ",
            "nick xlabel=9",
            "label=9",
            "",
        ] {
            assert_eq!(split(line), (None, line.to_owned()));
        }
        assert_eq!(Command::label("nick Ana label=9"), Some("9"));
    }

    #[test]
    fn a_room_may_look_like_an_option() {
        assert_eq!(Command::parse("join label=j a=b"), Ok(Command::Join { room: "a=b" }));
        assert_eq!(Command::parse("part x=y sala"), Ok(Command::Part { room: "sala" }));
        assert_eq!(
            Command::parse("join label=j"),
            Err(CommandError::Missing { command: "JOIN", what: "ROOM" })
        );
    }

    #[test]
    fn the_history_is_asked_for_with_a_number_a_room_and_where_to_begin() {
        let asked = |room: Option<&'static str>, before, limit| {
            Ok(Command::History(History { room: room.map(Cow::from), before, after: None, limit }))
        };
        assert_eq!(Command::parse("history"), asked(None, None, None));
        assert_eq!(Command::parse("historial 5"), asked(None, None, Some(5)));
        assert_eq!(Command::parse("history room=x before=42 limit=7"), asked(Some("x"), Some(42), Some(7)));
        for line in ["history many", "history limit=-1", "history before=x"] {
            assert!(matches!(Command::parse(line), Err(CommandError::NoNumber { .. })), "{line}");
        }
    }

    #[test]
    fn a_missing_word_and_an_unknown_command_are_named() {
        assert_eq!(Command::parse("join"), Err(CommandError::Missing { command: "JOIN", what: "ROOM" }));
        assert_eq!(Command::parse("msg Ana"), Err(CommandError::Missing { command: "MSG", what: "TEXT" }));
        assert_eq!(Command::parse("nick \\"), Err(CommandError::Missing { command: "NICK", what: "NAME" }));
        assert_eq!(Command::parse("msg \\ x"), Err(CommandError::Missing { command: "MSG", what: "NAME" }));
        assert_eq!(Command::parse("baila v=1"), Err(CommandError::Unknown { word: "baila" }));
    }

    proptest! {
        #[test]
        fn encoding_then_parsing_is_identity(to in "[^\r\n=]{1,20}", text in "[^\r\n]{1,20}", room in "[a-zñ]{1,9}") {
            // What is trimmed off a hand-typed name is not part of one.
            prop_assume!(to.trim() == to);
            let after = Some(Cow::from(to.as_str()));
            let commands = [
                Command::Msg { to: to.as_str().into(), text: &text },
                Command::Nick { name: to.as_str().into() },
                Command::Join { room: &room },
                Command::Part { room: &room },
                Command::Hello(Hello { name: Some(to.as_str().into()), ..Hello::default() }),
                Command::Who { room: Some(room.as_str().into()), after: after.clone() },
                Command::Who { room: None, after: None },
                Command::Rooms { after },
                Command::Ping { word: &room },
                Command::History(History { room: Some(room.as_str().into()), before: Some(7), after: None, limit: None }),
                Command::History(History { room: None, before: None, after: Some(3), limit: Some(9) }),
                Command::Search(Search { room: Some(room.as_str().into()), before: Some(7), limit: Some(3), words: &room }),
                Command::Help, Command::Pong, Command::Quit,
            ];
            for command in commands {
                let line = command.to_string();
                prop_assert_eq!(Command::parse(line.strip_prefix('/').unwrap()), Ok(command));
            }
        }

        #[test]
        fn no_input_makes_the_parser_panic(line in any::<String>()) {
            let _ = Command::parse(&line);
            let _ = Command::split_label(&format!("search {line} label=1"));
        }
    }
}
