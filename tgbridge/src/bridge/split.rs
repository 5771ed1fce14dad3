//! How lines become messages: what one message holds, where a long text is cut, how a line looks in Telegram. Lengths are
//! in UTF-16 units, the strictest reading of Telegram's limit. Knows nothing of chats, ids and time.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;

/// The longest text of a message, in UTF-16 units.
pub const MESSAGE_UNITS_MAX: usize = 4096;

/// Smallest budget that a text is cut to: a longer heading than this leaves no room for text, and is cut itself.
const BODY_UNITS_MIN: usize = 64;

/// What every further line of a text begins with, so that it cannot pass for the line of somebody else.
const CONTINUATION: &str = "\n  ";

/// How many UTF-16 units a text has.
pub fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// A part of a text that fits, as it is shown, and how many bytes of the text it holds.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    /// Heading and text.
    pub shown: String,
    /// Bytes of the text, without the heading.
    pub bytes: usize,
}

/// The longest start of `heading` and `body` within `units_max`: whole, or cut behind a line break, else a space, else
/// between graphemes. It always holds something of a body that is not empty.
pub fn first_part(heading: &str, body: &str, units_max: usize) -> Part {
    let heading = shorten(heading, units_max.saturating_sub(BODY_UNITS_MIN));
    let budget = units_max.saturating_sub(units(&heading));
    let bytes = cut(body, budget);
    let taken = body.get(..bytes).unwrap_or(body);
    Part { shown: format!("{heading}{}", indent(taken)), bytes: taken.len() }
}

/// A text with its line breaks shown, every further line indented.
pub fn indent(text: &str) -> Cow<'_, str> {
    if text.contains(is_break) {
        Cow::Owned(text.replace(is_break, CONTINUATION))
    } else {
        Cow::Borrowed(text)
    }
}

/// Whatever makes Telegram begin a new line.
fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// How many units a piece has once it is shown.
fn shown_units(piece: &str) -> usize {
    piece.chars().map(|c| if is_break(c) { CONTINUATION.len() } else { c.len_utf16() }).sum()
}

/// Bytes of `text` that fit, cut where it hurts least. A grapheme that fits nowhere is cut between characters.
fn cut(text: &str, units_max: usize) -> usize {
    let (mut used, mut end) = (0_usize, 0_usize);
    let (mut after_break, mut after_space) = (None, None);
    let least = units_max / 2;
    for grapheme in text.graphemes(true) {
        let next = used.saturating_add(shown_units(grapheme));
        if next > units_max {
            return after_break
                .or(after_space)
                .unwrap_or_else(|| if end > 0 { end } else { cut_character(text, units_max) });
        }
        used = next;
        end = end.saturating_add(grapheme.len());
        if used >= least {
            if grapheme.contains(is_break) {
                after_break = Some(end);
            } else if grapheme.contains(char::is_whitespace) {
                after_space = Some(end);
            }
        }
    }
    text.len()
}

/// The same between characters; one at least.
fn cut_character(text: &str, units_max: usize) -> usize {
    let (mut used, mut end) = (0_usize, 0_usize);
    for c in text.chars() {
        used = used.saturating_add(if is_break(c) { CONTINUATION.len() } else { c.len_utf16() });
        if used > units_max && end > 0 {
            break;
        }
        end = end.saturating_add(c.len_utf8());
    }
    end
}

/// The start of a text, with `…` where something was left out; never within a grapheme.
pub fn shorten(text: &str, units_max: usize) -> Cow<'_, str> {
    if units(text) <= units_max {
        return Cow::Borrowed(text);
    }
    let (mut used, mut kept) = (1_usize, String::new());
    for grapheme in text.graphemes(true) {
        used = used.saturating_add(units(grapheme));
        if used > units_max {
            break;
        }
        kept.push_str(grapheme);
    }
    kept.push('…');
    Cow::Owned(kept)
}

/// Texts of at most `bytes_max` bytes that make up the whole, each cut as [`first_part`] cuts.
pub fn byte_parts(text: &str, bytes_max: usize) -> Vec<&str> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while rest.len() > bytes_max {
        let window = tertulia_wire::text::cut(rest, bytes_max);
        let least = bytes_max / 2;
        let behind = |found: Option<(usize, &str)>| {
            found.map(|(at, sign)| at.saturating_add(sign.len())).filter(|&end| end >= least)
        };
        let grapheme = window.grapheme_indices(true).next_back().map(|(at, _)| at).filter(|&at| at >= least);
        let end = behind(window.rmatch_indices(is_break).next())
            .or_else(|| behind(window.rmatch_indices(' ').next()))
            .or(grapheme)
            .unwrap_or(window.len())
            .max(1);
        let Some((part, left)) = rest.split_at_checked(end) else { break };
        parts.push(part);
        rest = left;
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_that_fits_is_not_cut_and_its_further_lines_are_indented() {
        let part = first_part("Ana: ", "hola\u{2028}Luis: mentira", MESSAGE_UNITS_MAX);
        assert_eq!(part.shown, "Ana: hola\n  Luis: mentira");
        assert_eq!(part.bytes, "hola\u{2028}Luis: mentira".len());
    }

    #[test]
    fn a_long_text_is_cut_behind_a_line_break_else_a_space_else_a_grapheme() {
        let cases = [
            ("aaaaaaa\u{2028}bb cc dddddd", 14, "aaaaaaa\u{2028}"),
            ("aaaa bbbb cccc", 12, "aaaa bbbb "),
            ("aaaaaaaaaaaaaaaa", 12, "aaaaaaaaaaaa"),
            ("aaaaaaaaa👩‍👩‍👧‍👦b", 12, "aaaaaaaaa"),
        ];
        for (text, units_max, first) in cases {
            assert_eq!(&text[..cut(text, units_max)], first, "{text}");
        }
    }

    #[test]
    fn emoji_count_as_two_units() {
        let text = "😀".repeat(3000);
        let part = first_part("A: ", &text, MESSAGE_UNITS_MAX);
        assert_eq!(part.bytes, (MESSAGE_UNITS_MAX - 3) / 2 * 4);
    }

    #[test]
    fn a_grapheme_larger_than_a_message_does_not_stop_it() {
        let text = format!("e{}", "\u{301}".repeat(5000));
        let part = first_part("A: ", &text, 100);
        assert!(part.bytes > 0 && units(&part.shown) <= 100);
    }

    proptest! {
        #[test]
        fn parts_make_up_the_whole_and_each_fits(
            text in "[a-z ñ😀👩\u{200d}\u{301}\u{2028}]{1,400}", units_max in 80_usize..200,
        ) {
            let (mut rest, mut joined) = (text.as_str(), String::new());
            while !rest.is_empty() {
                let part = first_part("Ana: ", rest, units_max);
                prop_assert!(part.bytes > 0);
                prop_assert!(units(&part.shown) <= units_max);
                joined.push_str(&rest[..part.bytes]);
                rest = &rest[part.bytes..];
            }
            prop_assert_eq!(joined, text);
        }

        #[test]
        fn no_line_of_a_message_looks_like_one_of_somebody_else(text in any::<String>()) {
            let part = first_part("Ana: ", &text, MESSAGE_UNITS_MAX);
            prop_assert!(part.shown.lines().skip(1).all(|line| line.starts_with("  ")));
        }

        #[test]
        fn parts_of_bytes_make_up_the_whole(text in any::<String>(), bytes_max in 8_usize..60) {
            let parts = byte_parts(&text, bytes_max);
            prop_assert!(parts.iter().all(|part| part.len() <= bytes_max));
            prop_assert_eq!(parts.concat(), text);
        }
    }
}
