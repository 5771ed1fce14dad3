//! Text made equal for comparing: names that are the same person's, words that a search is to find.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{decompose_canonical, is_combining_mark};

/// A name as it is compared: composed, and without its case.
pub fn name_key(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    name.nfc().flat_map(char::to_lowercase).collect()
}

/// A text as it is searched: without case and accents.
pub fn search_key(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut key = String::with_capacity(text.len());
    text.chars().for_each(|c| fold_char(c, |folded| key.push(folded)));
    key
}

/// Where `key`, which [`search_key`] made, stands in `text`, as ranges of bytes of `text`, in order, none over another.
pub fn find_all(text: &str, key: &str) -> Vec<std::ops::Range<usize>> {
    if key.is_empty() {
        return Vec::new();
    }
    let (folded, places) = fold_with_places(text);
    let place = |at: usize| places.get(at).copied().unwrap_or(text.len());
    let ends = |from: usize| -> usize {
        // A mark that was dropped belongs to the letter before it.
        places.get(from).copied().unwrap_or(text.len())
    };
    folded.match_indices(key).map(|(at, found)| place(at)..ends(at + found.len())).collect()
}

/// The folded text, and for each of its bytes where its character begins in `text`.
fn fold_with_places(text: &str) -> (String, Vec<usize>) {
    let mut folded = String::with_capacity(text.len());
    let mut places = Vec::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        fold_char(c, |c| {
            folded.push(c);
            places.resize(folded.len(), at);
        });
    }
    (folded, places)
}

fn fold_char(c: char, mut put: impl FnMut(char)) {
    if c.is_ascii() {
        return put(c.to_ascii_lowercase());
    }
    decompose_canonical(c, |part| {
        if !is_combining_mark(part) {
            part.to_lowercase().filter(|lower| !is_combining_mark(*lower)).for_each(&mut put);
        }
    });
}

/// Whether `text` has `word` as a whole word; both keys of [`name_key`].
pub fn has_word(text: &str, word: &str) -> bool {
    find_word(text, word, 0).is_some()
}

/// Where `word` stands in `text` as a whole word, from a byte on.
pub fn find_word(text: &str, word: &str, from: usize) -> Option<std::ops::Range<usize>> {
    if word.is_empty() {
        return None;
    }
    let rest = text.get(from..)?;
    let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    rest.match_indices(word).map(|(at, found)| from + at..from + at + found.len()).find(|range| {
        let before = text.get(..range.start).and_then(|before| before.chars().next_back());
        let after = text.get(range.end..).and_then(|after| after.chars().next());
        let (first, last) = (word.chars().next(), word.chars().next_back());
        let goes_on = is_letter(before) && is_letter(first) || is_letter(after) && is_letter(last);
        !goes_on
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_and_accents_do_not_count_in_a_search() {
        let found = |text: &str, words: &str| -> Vec<String> {
            let ranges = find_all(text, &search_key(words));
            ranges.into_iter().map(|range| text[range].to_owned()).collect()
        };
        assert_eq!(found("Mañana, MANANA, man\u{303}ana", "mañana"), ["Mañana", "MANANA", "man\u{303}ana"]);
        assert_eq!(found("canción", "cion"), ["ción"]);
        assert_eq!(found("canción", "perro"), [""; 0]);
        assert_eq!(found("aaaa", "aa"), ["aa", "aa"]);
    }

    #[test]
    fn a_name_counts_only_as_a_whole_word() {
        for (text, word, expected) in [
            ("hola ana", "ana", true),
            ("ana: ven", "ana", true),
            ("mañana", "ana", false),
            ("banana ana", "ana", true),
            ("¿ana?", "ana", true),
            ("ana_2 dijo", "ana", false),
            ("hola 李雷", "李雷", true),
            ("", "ana", false),
            ("ana", "", false),
        ] {
            assert_eq!(has_word(text, word), expected, "{text} {word}");
        }
    }

    #[test]
    fn names_that_differ_in_case_or_composition_are_the_same() {
        assert_eq!(name_key("ÑANDÚ"), name_key("n\u{303}andu\u{301}"));
        assert_ne!(name_key("Ana"), name_key("Aná"));
    }

    proptest! {
        #[test]
        fn what_is_found_can_be_cut_out(text in any::<String>(), words in any::<String>()) {
            let mut last = 0;
            for range in find_all(&text, &search_key(&words)) {
                prop_assert!(range.start >= last && range.start <= range.end);
                prop_assert!(text.get(range.clone()).is_some());
                last = range.end;
            }
        }

        #[test]
        fn a_text_is_found_in_itself(text in "[a-zñáé ]{1,12}") {
            prop_assert_eq!(find_all(&text, &search_key(&text)).pop(), Some(0..text.len()));
        }
    }
}
