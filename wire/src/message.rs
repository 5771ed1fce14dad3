//! What a line says, in both directions. Grammar only: who may use which name is the relay's to decide.

use std::borrow::Cow;
use std::fmt;

use crate::limits::QUOTE_BYTES_MAX;
use crate::name::{JOIN_WORDS, LEAVE_WORDS, Name};
use crate::text::cut;

/// Opens the bracket of a reply.
pub const REPLY_OPEN: &str = "[RESPUESTA a '";

/// Closes the bracket of a reply.
pub const REPLY_CLOSE: &str = "'] ";

/// Starts every line that the relay says itself; no name can start so.
pub const RELAY_MARK: &str = "* ";

/// A line of a client: one row of the table in PROTOCOL.md, "Plain mode".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message<'a> {
    /// `NAME se ha unido al chat.`
    Join(Name<'a>),
    /// `NAME ha abandonado el chat.`
    Leave(Name<'a>),
    /// `NAME: TEXT`
    Say {
        /// Before the colon.
        name: Name<'a>,
        /// After the colon and its space; may be empty.
        text: &'a str,
    },
    /// `[RESPUESTA a 'QUOTE'] NAME: TEXT`
    Reply {
        /// Between the balanced brackets.
        quote: &'a str,
        /// Before the colon.
        name: Name<'a>,
        /// After the colon and its space; may be empty.
        text: &'a str,
    },
    /// `/…`, without the slash.
    Command(&'a str),
    /// Anything else; of `//x` it is `/x`.
    Text(&'a str),
}

impl<'a> Message<'a> {
    /// Reads a line without its ending. Never fails: what is nothing else is text.
    pub fn parse(line: &'a str) -> Self {
        match line.as_bytes().first() {
            Some(b'/') => Self::parse_slash(line),
            Some(b'[') => Self::parse_reply(line).unwrap_or(Self::Text(line)),
            _ => Self::parse_notice(line).or_else(|| Self::parse_say(line)).unwrap_or(Self::Text(line)),
        }
    }

    /// Whether it is one of the rows that carry a name: join, leave, `NAME: TEXT` or a reply.
    pub fn names_somebody(&self) -> bool {
        !matches!(self, Self::Command(_) | Self::Text(_))
    }

    fn parse_slash(line: &'a str) -> Self {
        let rest = line.get(1..).unwrap_or_default();
        if rest.starts_with('/') { Self::Text(rest) } else { Self::Command(rest) }
    }

    fn parse_notice(line: &'a str) -> Option<Self> {
        let line = line.strip_suffix(" chat.").map(|_| line)?;
        if let Some(name) = line.strip_suffix(JOIN_WORDS) {
            return Name::parse(name).ok().map(Self::Join);
        }
        line.strip_suffix(LEAVE_WORDS).and_then(|name| Name::parse(name).ok()).map(Self::Leave)
    }

    fn parse_say(line: &'a str) -> Option<Self> {
        let (name, text) = split_say(line)?;
        Some(Self::Say { name, text })
    }

    fn parse_reply(line: &'a str) -> Option<Self> {
        let (quote, rest) = split_quote(line.strip_prefix(REPLY_OPEN)?)?;
        let (name, text) = split_say(rest)?;
        Some(Self::Reply { quote, name, text })
    }
}

/// Writes the line as a client sends it, without an ending.
impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Join(name) => write!(f, "{name}{JOIN_WORDS}"),
            Self::Leave(name) => write!(f, "{name}{LEAVE_WORDS}"),
            Self::Say { name, text } => write!(f, "{name}: {text}"),
            Self::Reply { quote, name, text } => write!(f, "{REPLY_OPEN}{quote}{REPLY_CLOSE}{name}: {text}"),
            Self::Command(rest) => write!(f, "/{rest}"),
            Self::Text(text) if text.starts_with('/') => write!(f, "/{text}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// A quote as the relay writes it: no end of a bracket inside, at most [`QUOTE_BYTES_MAX`] bytes.
pub fn fit_quote(quote: &str) -> Cow<'_, str> {
    let quote =
        if quote.contains("']") { Cow::Owned(quote.replace("']", "’]")) } else { Cow::Borrowed(quote) };
    if quote.len() <= QUOTE_BYTES_MAX {
        return quote;
    }
    Cow::Owned(format!("{}…", cut(&quote, QUOTE_BYTES_MAX - "…".len())))
}

/// A line of the relay's own: `* WORDS :SENTENCE`. The words are for machines, the sentence is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelayLine<'a> {
    /// What stands between the mark and the sentence: words, separated by single spaces.
    pub words: &'a str,
    /// After ` :`; may hold anything but a line ending.
    pub sentence: Option<&'a str>,
}

impl<'a> RelayLine<'a> {
    /// Reads a line without its ending. `None`: it is not the relay's own.
    pub fn parse(line: &'a str) -> Option<Self> {
        let line = line.strip_prefix(RELAY_MARK)?;
        Some(match line.split_once(" :") {
            Some((words, sentence)) => Self { words, sentence: Some(sentence) },
            None => Self { words: line, sentence: None },
        })
    }

    /// The words, one by one.
    pub fn words(&self) -> impl Iterator<Item = &'a str> {
        self.words.split(' ')
    }
}

impl fmt::Display for RelayLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{RELAY_MARK}{}", self.words)?;
        self.sentence.map_or(Ok(()), |sentence| write!(f, " :{sentence}"))
    }
}

/// `NAME: TEXT`: the first colon counts, and a space must follow it.
fn split_say(line: &str) -> Option<(Name<'_>, &str)> {
    let colon = memchr::memchr(b':', line.as_bytes())?;
    let text = line.get(colon + 1..)?.strip_prefix(' ')?;
    Some((Name::parse(line.get(..colon)?).ok()?, text))
}

/// The quote and what follows its bracket, where brackets inside it balance. `text` starts behind the first
/// opening.
fn split_quote(text: &str) -> Option<(&str, &str)> {
    let mut depth = 1usize;
    let mut at = 0;
    while let Some(found) = memchr::memchr2(b'[', b'\'', text.as_bytes().get(at..)?) {
        at += found;
        let rest = text.get(at..)?;
        if rest.starts_with(REPLY_OPEN) {
            depth += 1;
            at += REPLY_OPEN.len();
        } else if let Some(behind) = rest.strip_prefix(REPLY_CLOSE) {
            depth -= 1;
            if depth == 0 {
                return Some((text.get(..at)?, behind));
            }
            at += REPLY_CLOSE.len();
        } else {
            at += 1;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> Name<'_> {
        Name::parse(text).unwrap()
    }

    #[test]
    fn each_row_of_the_table_is_read() {
        let cases = [
            ("Ana se ha unido al chat.", Message::Join(name("Ana"))),
            ("Ana María ha abandonado el chat.", Message::Leave(name("Ana María"))),
            ("Ana: hola: ¿qué tal?", Message::Say { name: name("Ana"), text: "hola: ¿qué tal?" }),
            ("Telegram - Luis: hola", Message::Say { name: name("Telegram - Luis"), text: "hola" }),
            (
                "[RESPUESTA a 'Ana: hola'] Telegram - Luis: sí",
                Message::Reply { quote: "Ana: hola", name: name("Telegram - Luis"), text: "sí" },
            ),
            (
                "[RESPUESTA a '[RESPUESTA a 'Ana: a'] Luis: b'] Ana: c",
                Message::Reply { quote: "[RESPUESTA a 'Ana: a'] Luis: b", name: name("Ana"), text: "c" },
            ),
            ("/who room=general", Message::Command("who room=general")),
            ("//tmp", Message::Text("/tmp")),
            ("hola", Message::Text("hola")),
            ("https://a.example/b", Message::Text("https://a.example/b")),
            ("12:30", Message::Text("12:30")),
            ("#x: hola", Message::Text("#x: hola")),
            ("[RESPUESTA a 'sin fin", Message::Text("[RESPUESTA a 'sin fin")),
            ("[RESPUESTA a 'x'] sin nombre", Message::Text("[RESPUESTA a 'x'] sin nombre")),
            ("* FAIL: x", Message::Text("* FAIL: x")),
            (
                "Luis se ha unido al chat.Ana se ha unido al chat.",
                Message::Text("Luis se ha unido al chat.Ana se ha unido al chat."),
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(Message::parse(line), expected, "{line}");
        }
    }

    #[test]
    fn a_quote_cannot_end_its_bracket_and_has_200_bytes_at_most() {
        assert_eq!(fit_quote("[RESPUESTA a 'a'] Luis: b"), "[RESPUESTA a 'a’] Luis: b");
        let long = fit_quote(&"ñ".repeat(150)).into_owned();
        assert_eq!((long.len() <= 200, long.ends_with("ñ…")), (true, true));
    }

    #[test]
    fn a_line_of_the_relay_has_words_for_machines_and_a_sentence_for_people() {
        let line = RelayLine::parse("* FAIL SAY LINE_TOO_LONG 16384 :la línea :es larga").unwrap();
        assert_eq!(line.words().collect::<Vec<_>>(), ["FAIL", "SAY", "LINE_TOO_LONG", "16384"]);
        assert_eq!(line.sentence, Some("la línea :es larga"));
        assert_eq!(RelayLine::parse("Ana: hola"), None);
    }

    fn any_name() -> impl Strategy<Value = String> {
        "[a-zA-Zñé0-9]{1,8}( [a-z]{1,4})?( - [a-zA-Z:]{1,6})?"
            .prop_filter("valid", |n| Name::parse(n).is_ok())
    }

    fn any_text() -> impl Strategy<Value = String> {
        "[^\r\n]{0,40}"
    }

    proptest! {
        #[test]
        fn encoding_then_parsing_is_identity(name in any_name(), text in any_text(), quote in any_text()) {
            let name = Name::parse(&name).unwrap();
            // A quote as the relay writes it holds no end of a bracket; an opening in it would not balance.
            let quote = fit_quote(&quote).replace(REPLY_OPEN, "");
            let say = Message::Say { name, text: &text };
            let messages = [Message::Join(name), Message::Leave(name), say,
                Message::Reply { quote: &quote, name, text: &text }, Message::Command("who")];
            for message in messages {
                let line = message.to_string();
                // `NAME: x se ha unido al chat.` names nobody: no name holds a colon.
                prop_assert_eq!(Message::parse(&line), message);
            }
            let line = RelayLine { words: "NOTE JOIN RENAMED Ana_2", sentence: Some(&text) };
            let written = line.to_string();
            prop_assert_eq!(RelayLine::parse(&written), Some(line));
        }

        #[test]
        fn text_that_is_parsed_as_text_is_written_so_that_it_is_text_again(line in any_text()) {
            let message = Message::parse(&line);
            let written = message.to_string();
            prop_assert_eq!(Message::parse(&written), message);
        }

        #[test]
        fn no_input_makes_the_parsers_panic(line in any::<String>(), tail in "(['\\[\\] ]|RESPUESTA a|: ){0,9}") {
            let line = format!("{REPLY_OPEN}{line}{tail}");
            let _ = Message::parse(&line);
            let _ = fit_quote(&line);
            let _ = RelayLine::parse(&line);
        }
    }
}
