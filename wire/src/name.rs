//! Names of people and of rooms: what may be one. Whether a name is free is the relay's to know.

use std::fmt;

use crate::limits::{NAME_BYTES_MAX, ROOM_BYTES_MAX};
use crate::text::{cut, is_bidi_control, is_default_ignorable};

/// What stands between the two sides of `NAME - WHO`: a bridge's own name and whom it speaks for.
pub const SEPARATOR: &str = " - ";

/// Ends the line that announces a name.
pub const JOIN_WORDS: &str = " se ha unido al chat.";

/// Ends the line that gives a name up.
pub const LEAVE_WORDS: &str = " ha abandonado el chat.";

/// A valid name: `NAME` or `NAME - WHO`. Who holds `NAME` may use any `WHO`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name<'a> {
    whole: &'a str,
    base_bytes: usize,
}

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameError {
    /// Nothing there, or nothing on one side of ` - `.
    Empty,
    /// More than [`NAME_BYTES_MAX`] bytes (a room: [`ROOM_BYTES_MAX`]).
    TooLong,
    /// `:`, a line break, a control, bidi or invisible character; in a room also white space.
    Character(char),
    /// Starts with `*`, `/`, `@`, `[` or `#`.
    Start(char),
    /// White space at an end.
    Space,
    /// Holds the words of a join or leave notice.
    Notice,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "a name cannot be empty"),
            Self::TooLong => {
                write!(f, "a name has at most {NAME_BYTES_MAX} bytes, a room's {ROOM_BYTES_MAX}")
            }
            Self::Character(c) => write!(f, "a name cannot hold U+{:04X}", u32::from(*c)),
            Self::Start(c) => write!(f, "a name cannot start with {c}"),
            Self::Space => write!(f, "a name cannot start or end with white space"),
            Self::Notice => write!(f, "a name cannot hold the words of a notice"),
        }
    }
}

impl std::error::Error for NameError {}

impl<'a> Name<'a> {
    /// Reads a name. A `WHO` that is too long is cut, at a character; everything else must be right as it is.
    pub fn parse(text: &'a str) -> Result<Self, NameError> {
        let Some((base, who)) = text.split_once(SEPARATOR) else {
            check_part(text)?;
            return Ok(Self { whole: text, base_bytes: text.len() });
        };
        let who = if who.len() > NAME_BYTES_MAX { cut(who, NAME_BYTES_MAX).trim_end() } else { who };
        check_part(base)?;
        check_who(who)?;
        let whole = cut(text, base.len() + SEPARATOR.len() + who.len());
        Ok(Self { whole, base_bytes: base.len() })
    }

    /// `NAME - WHO`, or `NAME`.
    pub fn as_str(&self) -> &'a str {
        self.whole
    }

    /// `NAME`: what is held, and unique.
    pub fn base(&self) -> &'a str {
        cut(self.whole, self.base_bytes)
    }

    /// ` - WHO`, or nothing.
    pub fn tail(&self) -> &'a str {
        self.whole.get(self.base_bytes..).unwrap_or_default()
    }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.whole)
    }
}

/// Reads the name of a room, as written; rooms are the same when their case foldings are.
pub fn check_room(text: &str) -> Result<(), NameError> {
    if text.len() > ROOM_BYTES_MAX {
        return Err(NameError::TooLong);
    }
    if let Some(space) = text.chars().find(|c| c.is_whitespace()) {
        return Err(NameError::Character(space));
    }
    check_part(text)
}

fn check_part(part: &str) -> Result<(), NameError> {
    if let Some(first @ ('*' | '/' | '@' | '[' | '#')) = part.chars().next() {
        return Err(NameError::Start(first));
    }
    if part.len() > NAME_BYTES_MAX {
        return Err(NameError::TooLong);
    }
    check_who(part)
}

/// What both sides of ` - ` have in common.
fn check_who(part: &str) -> Result<(), NameError> {
    if part.is_empty() {
        return Err(NameError::Empty);
    }
    if part.trim() != part {
        return Err(NameError::Space);
    }
    if let Some(wrong) = part.chars().find(|&c| !is_printable(c) || c == ':') {
        return Err(NameError::Character(wrong));
    }
    // The words of a notice without their full stop: what follows a cut must not complete them.
    let words = |notice: &str| part.contains(notice.trim_end_matches('.'));
    if words(JOIN_WORDS) || words(LEAVE_WORDS) {
        return Err(NameError::Notice);
    }
    Ok(())
}

/// Whether this character shows, and ends no line: a name has no other, and no `:`.
pub fn is_printable(c: char) -> bool {
    let breaks_line = matches!(c, '\u{2028}' | '\u{2029}');
    !(c.is_control() || breaks_line || is_bidi_control(c) || is_default_ignorable(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_people_and_of_bridges_are_read() {
        for text in ["Ana", "Ana María", "Ñandú", "李雷", "Usuario_7", "a-b", "Ana -Luis", "😀"] {
            assert_eq!(Name::parse(text).unwrap().base(), text);
        }
        let bridged = Name::parse("Telegram - Luis").unwrap();
        assert_eq!(
            (bridged.base(), bridged.tail(), bridged.as_str()),
            ("Telegram", " - Luis", "Telegram - Luis")
        );
    }

    #[test]
    fn what_could_forge_a_line_or_hide_in_a_name_is_refused() {
        let cases = [
            ("", NameError::Empty),
            ("* FAIL", NameError::Start('*')),
            ("/who", NameError::Start('/')),
            ("@id", NameError::Start('@')),
            ("[RESPUESTA", NameError::Start('[')),
            ("#general", NameError::Start('#')),
            (" Ana", NameError::Space),
            ("Ana ", NameError::Space),
            ("a:b", NameError::Character(':')),
            ("a\u{2028}b", NameError::Character('\u{2028}')),
            ("a\tb", NameError::Character('\t')),
            ("a\u{200b}b", NameError::Character('\u{200b}')),
            ("a\u{202e}b", NameError::Character('\u{202e}')),
            ("Luis se ha unido al chat", NameError::Notice),
            ("x ha abandonado el chat. y", NameError::Notice),
            ("Ana - ", NameError::Empty),
        ];
        for (text, error) in cases {
            assert_eq!(Name::parse(text), Err(error), "{text:?}");
        }
        assert_eq!(Name::parse(&"a".repeat(65)), Err(NameError::TooLong));
        assert!(Name::parse(&"a".repeat(64)).is_ok());
    }

    #[test]
    fn a_long_right_side_is_cut_at_a_character() {
        let text = format!("Telegram - {}", "ñ".repeat(40));
        assert_eq!(Name::parse(&text).unwrap().tail(), format!(" - {}", "ñ".repeat(32)));
    }

    #[test]
    fn a_room_has_no_white_space_and_32_bytes() {
        assert!(check_room("general").is_ok());
        assert_eq!(check_room("dos palabras"), Err(NameError::Character(' ')));
        assert_eq!(check_room(&"r".repeat(33)), Err(NameError::TooLong));
    }
}
