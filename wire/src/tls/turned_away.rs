//! What a relay says to whom it does not let in, where TLS is spoken: one line of plain text, before any handshake, which
//! would cost more than all before it. To TLS that is no message at all; here it is told from other strangers' bytes.
//! Called by who shakes hands, with all that came from the first byte on.

use std::error::Error;
use std::fmt;

use crate::heard::Heard;
use crate::text::clean;

/// Bytes of such a line, its end included; relays say less than half of it. Of a longer one nothing counts.
pub const TURNED_AWAY_BYTES_MAX: usize = 512;

/// How the line begins. No record of TLS does.
const START: &str = "* FAIL RELAY ";

/// The code of an answer to the handshake itself: where it was sent, no TLS is spoken.
const NO_TLS: &str = "FOREIGN_PROTOCOL";

/// A relay that does not let the caller in, in its own words. Nobody vouches for them: whoever is on the way can have said
/// so, as they could have cut the connection. It is to do no more than that, see
/// [`Session::handle_turned_away`](crate::session::Session::handle_turned_away).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnedAway {
    line: String,
}

impl TurnedAway {
    /// The line, clean and without its ending.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// `BANNED`, `FULL`, `ADDRESS_FULL`, or a newer word.
    pub fn code(&self) -> &str {
        let rest = self.line.strip_prefix(START).unwrap_or_default();
        rest.split(' ').next().unwrap_or_default()
    }
}

impl fmt::Display for TurnedAway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Heard::parse(&self.line) {
            Heard::Other { sentence, .. } if !sentence.is_empty() => f.write_str(sentence),
            _ => f.write_str(self.code()),
        }
    }
}

impl Error for TurnedAway {}

/// The first bytes that came, for as long as they may be such a line.
#[derive(Debug, Default)]
pub struct FirstBytes {
    /// Not more than [`TURNED_AWAY_BYTES_MAX`].
    bytes: Vec<u8>,
    /// They are something else: nothing more is kept.
    is_other: bool,
}

impl FirstBytes {
    /// Takes down what came next, cut anywhere.
    pub fn note(&mut self, bytes: &[u8]) {
        if self.is_other || self.has_ended() {
            return;
        }
        let place = TURNED_AWAY_BYTES_MAX.saturating_sub(self.bytes.len());
        self.bytes.extend(bytes.iter().take(place));
        let begins_so = self.bytes.iter().zip(START.as_bytes()).all(|(came, expected)| came == expected);
        self.is_other = !begins_so || (self.bytes.len() >= TURNED_AWAY_BYTES_MAX && !self.has_ended());
        if self.is_other {
            self.bytes = Vec::new();
        }
    }

    /// Whether more is to be read before it is known what they are.
    pub fn may_be_turned_away(&self) -> bool {
        !self.is_other && !self.has_ended()
    }

    /// The line, once it is whole. None: it is not yet, or never will be.
    pub fn turned_away(&self) -> Option<TurnedAway> {
        let end = self.bytes.iter().position(|byte| *byte == b'\n')?;
        let line = std::str::from_utf8(self.bytes.get(..end)?).ok()?;
        let line = clean(line.trim_end_matches('\r')).into_owned();
        let away = TurnedAway { line };
        (!matches!(away.code(), "" | NO_TLS)).then_some(away)
    }

    fn has_ended(&self) -> bool {
        self.bytes.contains(&b'\n')
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    const LINE: &str = "* FAIL RELAY ADDRESS_FULL :no cabe nadie más desde tu dirección\n";

    fn heard(bytes: &[u8]) -> FirstBytes {
        let mut first = FirstBytes::default();
        first.note(bytes);
        first
    }

    #[test]
    fn a_relay_that_turns_away_is_known_by_its_line_and_says_why() {
        let away = heard(LINE.as_bytes()).turned_away().unwrap();
        assert_eq!((away.line(), away.code()), (LINE.trim_end(), "ADDRESS_FULL"));
        assert_eq!(away.to_string(), "no cabe nadie más desde tu dirección");
        assert_eq!(heard(b"* FAIL RELAY FULL\r\n").turned_away().unwrap().to_string(), "FULL");
    }

    #[test]
    fn what_is_no_such_line_is_known_as_soon_as_it_can_be() {
        for other in ["\x16\x03\x03", "HTTP/1.1 400", "* FAIL HELLO", "** FAIL RELAY FULL :x\n", "\n"] {
            let first = heard(other.as_bytes());
            assert!(!first.may_be_turned_away() && first.turned_away().is_none(), "{other:?}");
        }
        let long = format!("{START}FULL :{}\n", "x".repeat(TURNED_AWAY_BYTES_MAX));
        assert!(!heard(long.as_bytes()).may_be_turned_away());
        assert_eq!(heard(long.as_bytes()).turned_away(), None);
        for none in [
            "* FAIL RELAY FOREIGN_PROTOCOL :sin TLS\n".as_bytes(),
            b"* FAIL RELAY FULL :\xff\n",
            b"* FAIL RELAY  :\n",
        ] {
            assert_eq!(heard(none).turned_away(), None, "{none:?}");
        }
    }

    proptest! {
        #[test]
        fn where_it_is_cut_and_what_stands_behind_it_is_of_no_consequence(at in 0..LINE.len(), rest: Vec<u8>) {
            let (before, after) = LINE.as_bytes().split_at(at);
            let mut first = heard(before);
            prop_assert!(first.may_be_turned_away() && first.turned_away().is_none());
            first.note(after);
            first.note(&rest);
            let away = first.turned_away().unwrap();
            prop_assert_eq!(away.line(), LINE.trim_end());
            prop_assert!(!first.may_be_turned_away());
        }

        #[test]
        fn whatever_comes_no_more_is_kept_than_a_line(pieces in proptest::collection::vec(any::<Vec<u8>>(), 0..9)) {
            let mut first = heard(START.as_bytes());
            pieces.iter().for_each(|piece| first.note(piece));
            prop_assert!(first.bytes.len() <= TURNED_AWAY_BYTES_MAX);
        }
    }
}
