//! Extended mode: how a client asks for it, and how it says a line. Grammar only.
//!
//! PROTOCOL.md, "Extended mode"; labels follow IRCv3 labeled-response.

use std::borrow::Cow;
use std::fmt;

use crate::limits::LABEL_BYTES_MAX;
use crate::secret::Secret;
use crate::tags::{escape, split, unescape};

/// The version of extended mode that this is.
pub const VERSION: &str = "1";

/// What follows `/hello`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hello<'a> {
    /// The version asked for.
    pub version: Option<Cow<'a, str>>,
    /// The name asked for; may not be valid.
    pub name: Option<Cow<'a, str>>,
    /// The first room; may not be valid.
    pub room: Option<Cow<'a, str>>,
    /// The token of an earlier connection.
    pub resume: Option<Secret<Cow<'a, str>>>,
    /// What was heard by then.
    pub after: After<'a>,
    /// The first word that is no `key=value`: where a blank was not escaped, the rest of a name.
    pub stray: Option<&'a str>,
}

/// The newest ids heard, by room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct After<'a> {
    /// Of every room that is not in `rooms`.
    pub all: Option<u64>,
    /// Of single rooms.
    pub rooms: Vec<(Cow<'a, str>, u64)>,
}

impl After<'_> {
    /// The id after which a room is to be heard. None: it was not heard.
    pub fn of(&self, room: &str) -> Option<u64> {
        let own = self.rooms.iter().find(|(name, _)| *name == room).map(|(_, id)| *id);
        own.or(self.all)
    }

    /// `ID[,ROOM:ID…]`. What is not of that form is left out. A name may hold a comma, but no colon.
    fn parse(text: &str) -> Self {
        let mut after = Self::default();
        let mut room = String::new();
        for (index, piece) in text.split(',').enumerate() {
            if index == 0 && !piece.contains(':') {
                after.all = piece.parse().ok();
                continue;
            }
            room.push_str(piece);
            match room.rsplit_once(':') {
                Some((name, id)) => {
                    after.rooms.extend(id.parse().ok().map(|id| (Cow::Owned(name.to_owned()), id)));
                    room.clear();
                }
                None => room.push(','),
            }
        }
        after
    }
}

impl fmt::Display for After<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.all.unwrap_or_default())?;
        self.rooms.iter().try_for_each(|(room, id)| write!(f, ",{room}:{id}"))
    }
}

impl<'a> Hello<'a> {
    /// Reads what follows `/hello`: `key=value` words. Unknown ones are ignored.
    pub fn parse(rest: &'a str) -> Self {
        let is_stray = |word: &&str| !word.is_empty() && !word.contains('=');
        let mut hello = Self { stray: rest.split(' ').find(is_stray), ..Self::default() };
        for (key, value) in rest.split(' ').filter_map(|word| word.split_once('=')) {
            let value = unescape(value);
            match key {
                "v" => hello.version = Some(value),
                "name" => hello.name = Some(value),
                "room" => hello.room = Some(value),
                "resume" => hello.resume = Some(Secret(value)),
                "after" => hello.after = After::parse(&value),
                _ => {}
            }
        }
        hello
    }
}

/// Writes the command with its slash.
impl fmt::Display for Hello<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("/hello")?;
        let resume = self.resume.as_deref();
        let words = [
            ("v", self.version.as_ref()),
            ("name", self.name.as_ref()),
            ("room", self.room.as_ref()),
            ("resume", resume),
        ];
        for (key, value) in words {
            value.iter().try_for_each(|value| write!(f, " {key}={}", escape(value)))?;
        }
        if self.after == After::default() {
            return Ok(());
        }
        write!(f, " after={}", escape(&self.after.to_string()))
    }
}

/// A line that an extended client says: `@label=L[;room=ROOM][;reply=ID][;as=WHO][;to=NAME] TEXT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labeled<'a> {
    /// The client's own number for it.
    pub label: &'a str,
    /// Where; without it, the only room it is in.
    pub room: Option<Cow<'a, str>>,
    /// The id of the line it answers.
    pub reply: Option<u64>,
    /// It is said as `NAME - WHO`.
    pub as_who: Option<Cow<'a, str>>,
    /// It is said to this name alone.
    pub to: Option<Cow<'a, str>>,
    /// What is said.
    pub text: &'a str,
}

/// Why a line is not a labeled one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabeledError<'a> {
    /// It has no label.
    NoLabel,
    /// Its label is none.
    BadLabel,
    /// This tag has a value that it cannot have.
    BadTag {
        /// Of the line.
        label: &'a str,
        /// The tag.
        key: &'static str,
    },
}

impl fmt::Display for LabeledError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLabel => f.write_str("a line without a label"),
            Self::BadLabel => f.write_str("a label is 1 to 64 of A-Z a-z 0-9 . _ -"),
            Self::BadTag { label, key } => {
                write!(f, "the tag {key} of the line labeled {label} cannot be that")
            }
        }
    }
}

impl std::error::Error for LabeledError<'_> {}

/// Whether this may be a label.
pub fn is_label(word: &str) -> bool {
    (1..=LABEL_BYTES_MAX).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// The label of a line of which perhaps only the beginning is there, or which is no text. None: it has none that is one.
pub fn label_in(line: &[u8]) -> Option<&str> {
    let tags = line.strip_prefix(b"@")?;
    let end = memchr::memchr(b' ', tags).or_else(|| memchr::memrchr(b';', tags))?;
    let mut labels =
        tags.get(..end)?.split(|byte| *byte == b';').filter_map(|tag| tag.strip_prefix(b"label="));
    std::str::from_utf8(labels.next_back()?).ok().filter(|label| is_label(label))
}

impl<'a> Labeled<'a> {
    /// Reads a line without its ending.
    pub fn parse(line: &'a str) -> Result<Self, LabeledError<'a>> {
        let (tags, text) = split(line).ok_or(LabeledError::NoLabel)?;
        // A label holds nothing that is escaped, so that the line's own bytes are it.
        let raw = line.get(1..line.len() - text.len()).unwrap_or_default().trim_end_matches(' ');
        let label = raw.split(';').filter_map(|tag| tag.strip_prefix("label=")).next_back();
        let label = label.ok_or(LabeledError::NoLabel)?;
        if !is_label(label) {
            return Err(LabeledError::BadLabel);
        }
        let mut labeled = Self { label, room: None, reply: None, as_who: None, to: None, text };
        for (key, value) in tags {
            match key {
                "room" => labeled.room = Some(value),
                "reply" => {
                    let id = value.parse().map_err(|_| LabeledError::BadTag { label, key: "reply" })?;
                    labeled.reply = Some(id);
                }
                "as" => labeled.as_who = Some(value),
                "to" => labeled.to = Some(value),
                _ => {}
            }
        }
        Ok(labeled)
    }
}

impl fmt::Display for Labeled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@label={}", self.label)?;
        self.room.iter().try_for_each(|room| write!(f, ";room={}", escape(room)))?;
        self.reply.iter().try_for_each(|reply| write!(f, ";reply={reply}"))?;
        self.as_who.iter().try_for_each(|who| write!(f, ";as={}", escape(who)))?;
        self.to.iter().try_for_each(|to| write!(f, ";to={}", escape(to)))?;
        write!(f, " {}", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_hello_typed_by_hand_is_read() {
        let hello = Hello::parse("v=1 name=Ana\\sMaría resume=abc after=42,cocina:57,a,b:9 x=y");
        assert_eq!(hello.name.as_deref(), Some("Ana María"));
        assert_eq!(hello.resume, Some(Secret("abc".into())));
        assert_eq!(hello.after.of("cocina"), Some(57));
        assert_eq!(hello.after.of("a,b"), Some(9));
        assert_eq!(hello.after.of("general"), Some(42));
        assert_eq!(Hello::parse("").after.of("general"), None);
    }

    #[test]
    fn a_labeled_line_is_read_and_a_bad_tag_is_named() {
        let line = Labeled::parse("@label=7;room=cocina;reply=42;as=Luis\\sG;x=1  hola: a=b").unwrap();
        assert_eq!((line.label, line.room.as_deref(), line.reply), ("7", Some("cocina"), Some(42)));
        assert_eq!((line.as_who.as_deref(), line.text), (Some("Luis G"), " hola: a=b"));
        assert_eq!(Labeled::parse("@room=x hola"), Err(LabeledError::NoLabel));
        assert_eq!(Labeled::parse("hola"), Err(LabeledError::NoLabel));
        for line in ["@label= x", "@label=ñ x", "@label=a\\sb x"] {
            assert_eq!(Labeled::parse(line), Err(LabeledError::BadLabel), "{line}");
        }
        let bad = LabeledError::BadTag { label: "7", key: "reply" };
        assert_eq!(Labeled::parse("@label=7;reply=x hola"), Err(bad));
    }

    #[test]
    fn words_of_a_hello_that_nobody_escaped_are_noticed() {
        assert_eq!(Hello::parse("v=1 name=Ana - B").stray, Some("-"));
        assert_eq!(Hello::parse("v=1  name=Ana\\s-\\sB x=y ").stray, None);
    }

    #[test]
    fn the_label_of_a_line_is_read_also_where_the_line_cannot_be() {
        assert_eq!(label_in(b"@label=7;room=x hola\xff"), Some("7"));
        assert_eq!(label_in(b"@room=x;label=7 hola;label=8 "), Some("7"));
        // What is cut may be longer.
        assert_eq!(label_in(b"@label=7;room=x"), Some("7"));
        for line in [&b"@room=x;label=7"[..], b"@label=7", b"label=7 x", b"@label=\xff x", b"@label= x", b""]
        {
            assert_eq!(label_in(line), None, "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn encoding_then_parsing_is_identity(
            word in "[^\r\n]{1,20}", label in "[A-Za-z0-9._-]{1,64}", text in "[^\r\n]{0,40}", id in any::<u64>(),
            room in "[a-z,]{1,9}",
        ) {
            let word = Some(Cow::from(word));
            let after = After { all: Some(id), rooms: vec![(Cow::from(room), id / 2)] };
            let hello = Hello { version: Some("1".into()), name: word.clone(), resume: word.clone().map(Secret), after, ..Hello::default() };
            let line = hello.to_string();
            prop_assert_eq!(Hello::parse(line.strip_prefix("/hello ").unwrap()), hello);
            let labeled = Labeled { label: &label, room: word.clone(), reply: Some(id), as_who: None, to: word, text: &text };
            let line = labeled.to_string();
            prop_assert_eq!(Labeled::parse(&line), Ok(labeled));
            prop_assert_eq!(label_in(line.as_bytes()), Some(label.as_str()));
        }

        #[test]
        fn no_input_makes_the_parsers_panic(line in any::<String>()) {
            let _ = Hello::parse(&line);
            let _ = Labeled::parse(&format!("@{line}"));
            let _ = label_in(format!("@{line}").as_bytes());
        }
    }
}
