//! Every sentence for people, in Spanish and English. `{0}` and `{1}` stand for words that are put in.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub use accounts::AccountPhrase;
pub use table::Phrase;

macro_rules! phrases {
    ($table:ident $($outer:ident($inner:ty))?; $($(#[$doc:meta])* $name:ident: $es:literal, $en:literal;)*) => {
        /// A sentence, or a word on a button.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $table {
            $($(#[$doc])* $name,)*
            $(
                /// One of a table of its own.
                $outer($inner),
            )?
        }

        impl $table {
            /// Its words.
            pub fn in_language(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$name, Language::Es) => $es, (Self::$name, Language::En) => $en,)*
                    $((Self::$outer(inner), language) => <$inner>::in_language(inner, language),)?
                }
            }

            #[cfg(test)]
            pub(super) const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

mod accounts;
mod table;

impl From<AccountPhrase> for Phrase {
    fn from(phrase: AccountPhrase) -> Self {
        Self::Account(phrase)
    }
}

/// The language of sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Spanish.
    #[default]
    Es,
    /// English.
    En,
}

impl Language {
    /// The language of this name: `es`, `en`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "es" => Some(Self::Es),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    /// The language for a desktop of this locale: `es_ES.UTF-8`, `pt_BR`, `C`. The languages of Spain and Portuguese are
    /// nearer to Spanish; nothing said is Spanish, as the chat of old was.
    pub fn of_locale(locale: &str) -> Self {
        let language = locale.split(['_', '.', '-', '@', ':']).next().unwrap_or_default();
        match language {
            "" | "es" | "ca" | "gl" | "eu" | "ast" | "pt" => Self::Es,
            _ => Self::En,
        }
    }
}

/// A phrase with the words that belong into it: what is kept while the language may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    phrase: Phrase,
    words: Vec<Box<str>>,
}

impl Sentence {
    /// A phrase with its words.
    pub fn new(phrase: impl Into<Phrase>, words: &[&str]) -> Self {
        Self { phrase: phrase.into(), words: words.iter().map(|word| (*word).into()).collect() }
    }

    /// Words of somebody else's, as they are.
    pub fn quoted(words: &str) -> Self {
        Self::new(Phrase::Verbatim, &[words])
    }

    /// The whole sentence.
    pub fn in_language(&self, language: Language) -> String {
        fill(self.phrase.in_language(language), &self.words)
    }

    /// The word that is put in there, counted from none.
    pub(crate) fn word(&self, number: usize) -> Option<&str> {
        self.words.get(number).map(AsRef::as_ref)
    }

    /// Which phrase it is.
    pub fn phrase(&self) -> Phrase {
        self.phrase
    }

    pub(crate) fn bytes(&self) -> usize {
        let box_bytes = std::mem::size_of::<Box<str>>();
        std::mem::size_of::<Self>() + self.words.iter().map(|word| word.len() + box_bytes).sum::<usize>()
    }
}

impl From<Phrase> for Sentence {
    fn from(phrase: Phrase) -> Self {
        Self::new(phrase, &[])
    }
}

impl From<AccountPhrase> for Sentence {
    fn from(phrase: AccountPhrase) -> Self {
        Self::new(phrase, &[])
    }
}

/// A phrase with words put in. Each placeholder may stand anywhere, or be missing.
pub fn fill<W: AsRef<str>>(phrase: &str, words: &[W]) -> String {
    let mut text = String::with_capacity(phrase.len() + 32);
    let mut rest = phrase;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let (number, after) = after.split_once('}').unwrap_or((after, ""));
        let word = number.parse::<usize>().ok().and_then(|number| words.get(number));
        text.push_str(word.map(W::as_ref).unwrap_or_default());
        rest = after;
    }
    text.push_str(rest);
    text
}

/// How many: the phrase for one, or the phrase for several with the number in it.
pub fn count(one: Phrase, several: Phrase, number: u64, language: Language) -> Cow<'static, str> {
    if number == 1 {
        return Cow::Borrowed(one.in_language(language));
    }
    Cow::Owned(fill(several.in_language(language), &[number.to_string()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placeholders(text: &str) -> Vec<char> {
        let mut found: Vec<char> = text.split('{').skip(1).filter_map(|rest| rest.chars().next()).collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn both_languages_put_in_the_same_words() {
        let of_accounts = AccountPhrase::ALL.iter().map(|phrase| Phrase::from(*phrase));
        for phrase in Phrase::ALL.iter().copied().chain(of_accounts) {
            let (es, en) = (phrase.in_language(Language::Es), phrase.in_language(Language::En));
            assert_eq!(placeholders(es), placeholders(en), "{phrase:?}");
            assert!(!es.is_empty() && !en.is_empty(), "{phrase:?}");
        }
    }

    #[test]
    fn words_are_put_where_the_phrase_has_them() {
        assert_eq!(fill("{1} y {0}", &["a", "b"]), "b y a");
        assert_eq!(fill("nada", &["a"]), "nada");
        assert_eq!(fill("{0} {7} {", &["{1}", "b"]), "{1}  ");
        let sentence = Sentence::new(Phrase::RetryIn, &["roto", "4"]);
        assert_eq!(sentence.in_language(Language::Es), "roto; reintento en 4 s");
        assert_eq!(sentence.in_language(Language::En), "roto; trying again in 4 s");
    }

    #[test]
    fn one_is_not_several() {
        let text = |number| count(Phrase::NewOne, Phrase::NewMany, number, Language::Es);
        assert_eq!((text(1).as_ref(), text(12).as_ref()), ("1 nuevo ↓", "12 nuevos ↓"));
    }

    #[test]
    fn a_locale_says_which_language() {
        for (locale, language) in [
            ("es_ES.UTF-8", Language::Es),
            ("ca", Language::Es),
            ("", Language::Es),
            ("en_GB", Language::En),
            ("de_DE@euro", Language::En),
            ("C", Language::En),
        ] {
            assert_eq!(Language::of_locale(locale), language, "{locale}");
        }
    }
}
