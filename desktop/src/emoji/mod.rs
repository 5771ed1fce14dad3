//! What the emoji picker offers: the few hundred that people use, in groups, found by words in Spanish and English.
//!
//! A table of its own: the whole of Unicode's, with its names, would add some 700 KiB to the program.

mod people;
mod world;

use crate::fold::search_key;
use crate::phrases::Language;

/// Emoji that a search gives at most.
pub const FOUND_MAX: usize = 64;

/// An emoji.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Emoji {
    /// The characters.
    pub text: &'static str,
    /// Its names in Spanish, separated by spaces.
    pub spanish: &'static str,
    /// Its names in English, separated by spaces.
    pub english: &'static str,
}

/// A group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    spanish: &'static str,
    english: &'static str,
    /// In the order in which they are shown; the first stands for the group.
    pub emoji: &'static [Emoji],
}

impl Group {
    /// What it is called.
    pub fn name(&self, language: Language) -> &'static str {
        if language == Language::Es { self.spanish } else { self.english }
    }
}

impl Emoji {
    /// What it is called.
    pub fn name(&self, language: Language) -> &'static str {
        if language == Language::Es { self.spanish } else { self.english }
    }
}

const GROUPS: [Group; 6] = [
    Group { spanish: "Caras", english: "Faces", emoji: people::FACES },
    Group { spanish: "Manos y gente", english: "Hands and people", emoji: people::HANDS },
    Group { spanish: "Corazones y signos", english: "Hearts and signs", emoji: people::HEARTS },
    Group { spanish: "Animales y plantas", english: "Animals and plants", emoji: world::ANIMALS },
    Group { spanish: "Comida y bebida", english: "Food and drink", emoji: world::FOOD },
    Group { spanish: "Cosas y fiestas", english: "Things and parties", emoji: world::THINGS },
];

/// All groups, in the order in which they are shown.
pub fn groups() -> &'static [Group] {
    &GROUPS
}

/// Those that have all of the words, in either language; each word may be a beginning. Whose words are whole come first.
/// At most [`FOUND_MAX`]; nothing for no words.
pub fn search(words: &str) -> Vec<&'static Emoji> {
    let words = search_key(words);
    let words: Vec<&str> = words.split_whitespace().collect();
    if words.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<(bool, &'static Emoji)> = Vec::new();
    for emoji in groups().iter().flat_map(|group| group.emoji) {
        let names = search_key(&format!("{} {}", emoji.spanish, emoji.english));
        let has = |fits: &dyn Fn(&str, &str) -> bool| {
            words.iter().all(|word| names.split(' ').any(|name| fits(name, word)))
        };
        if has(&|name, word| name.starts_with(word)) {
            found.push((!has(&|name, word| name == word), emoji));
        }
    }
    found.sort_by_key(|(is_part, _)| *is_part);
    found.into_iter().map(|(_, emoji)| emoji).take(FOUND_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_both_languages_find_an_emoji() {
        for (words, expected) in [
            ("corazón", "❤️"),
            ("CORAZON", "❤️"),
            ("heart", "❤️"),
            ("pulgar", "👍"),
            ("thumbs up", "👍"),
            ("cum", "🎂"),
        ] {
            let found: Vec<&str> = search(words).iter().map(|emoji| emoji.text).collect();
            assert!(found.contains(&expected), "{words}: {found:?}");
        }
        assert_eq!(search("gato").first().map(|emoji| emoji.text), Some("🐱"), "whole words come first");
        assert!(search("").is_empty() && search("   ").is_empty() && search("xyzzy").is_empty());
        assert!(search("a").len() <= FOUND_MAX);
    }

    #[test]
    fn each_emoji_is_there_once_and_has_names_in_both_languages() {
        let mut seen = std::collections::HashSet::new();
        for group in groups() {
            assert!(!group.emoji.is_empty());
            for emoji in group.emoji {
                assert!(seen.insert(emoji.text), "{} is there twice", emoji.text);
                assert!(!emoji.text.is_ascii() && !emoji.spanish.is_empty() && !emoji.english.is_empty());
                assert!(emoji.text.chars().count() <= 7, "{}", emoji.text);
            }
        }
        assert!(seen.len() >= 300, "{}", seen.len());
    }
}
