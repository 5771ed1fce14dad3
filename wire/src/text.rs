//! What may stand in a line: text that a terminal or a reader's eye cannot be tricked by.

use std::borrow::Cow;

/// The line break inside a message, as it travels: U+2028, so that one message is one line.
pub const LINE_BREAK: char = '\u{2028}';

const PARAGRAPH_BREAK: char = '\u{2029}';

/// The text without C0 (but tab), DEL, C1 and the bidi controls, with U+2029 as U+2028. Line feeds count as
/// C0: cut lines off, or call [`join_lines`], before. Clean text is given back as it is, without a copy.
pub fn clean(text: &str) -> Cow<'_, str> {
    if is_clean(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    let kept = text.chars().filter(|&c| !is_dirty(c));
    Cow::Owned(kept.map(|c| if c == PARAGRAPH_BREAK { LINE_BREAK } else { c }).collect())
}

/// The line feeds of a message (with a CR before them or not) as [`LINE_BREAK`]; those at its ends dropped.
pub fn join_lines(message: &str) -> Cow<'_, str> {
    let message = message.trim_matches(['\n', '\r']);
    if memchr::memchr(b'\n', message.as_bytes()).is_none() {
        return Cow::Borrowed(message);
    }
    Cow::Owned(message.replace("\r\n", "\n").replace('\n', "\u{2028}"))
}

/// The longest start of `text` that has at most `bytes_max` bytes and ends between characters.
pub fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = bytes_max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Whether this character is one that [`clean`] removes.
pub fn is_dirty(c: char) -> bool {
    (c.is_control() && c != '\t') || is_bidi_control(c)
}

/// The embeddings, overrides and isolates of Unicode TR 9, which make text read in another order.
pub fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Characters that show nothing by default (Default_Ignorable_Code_Point of Unicode's
/// DerivedCoreProperties): two names that differ only in them look the same.
pub fn is_default_ignorable(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}')
}

/// A byte-wise look that may cry wolf but never overlooks: C0 and DEL by themselves, C1 by its lead byte and
/// U+2028..U+206F by theirs.
fn is_clean(bytes: &[u8]) -> bool {
    let suspicious =
        |byte: u8| (byte < 0x20 && byte != b'\t') || byte == 0x7F || byte == 0xC2 || byte == 0xE2;
    !bytes.iter().fold(false, |found, &byte| found | suspicious(byte)) || !is_really_dirty(bytes)
}

fn is_really_dirty(bytes: &[u8]) -> bool {
    let dirty = |c| is_dirty(c) || c == PARAGRAPH_BREAK;
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().any(dirty))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_moves_a_cursor_or_turns_text_around_is_removed_and_the_rest_stays() {
        assert_eq!(clean("a\u{1b}[2Jb\u{7}c\0d\re\u{85}f\u{202e}g\u{2067}h\u{7f}"), "a[2Jbcdefgh");
        assert_eq!(clean("¡Hola, «señor»… 👩‍👧 \tשלום €"), "¡Hola, «señor»… 👩‍👧 \tשלום €");
        assert_eq!(clean("uno\u{2029}dos"), "uno\u{2028}dos");
    }

    #[test]
    fn clean_text_is_not_copied() {
        assert!(matches!(clean("¡Hola, «señor»!"), Cow::Borrowed(_)));
    }

    #[test]
    fn line_feeds_become_the_line_break_of_a_message() {
        assert_eq!(join_lines("uno\r\ndos\n\ntres\n"), "uno\u{2028}dos\u{2028}\u{2028}tres");
    }

    #[test]
    fn a_cut_ends_between_characters() {
        assert_eq!(cut("añb", 2), "a");
        assert_eq!(cut("añb", 3), "añ");
        assert_eq!(cut("añb", 30), "añb");
    }

    proptest! {
        #[test]
        fn cleaning_leaves_nothing_dirty_and_cleaning_twice_changes_nothing(text in any::<String>()) {
            let once = clean(&text).into_owned();
            prop_assert!(!once.chars().any(is_dirty));
            prop_assert_eq!(clean(&once), once.as_str());
        }
    }
}
