//! Words that may hold anything, and `key=value` lists: the escaping of IRCv3 message tags.
//!
//! Source: <https://ircv3.net/specs/extensions/message-tags>, "Escaping values".

use std::borrow::Cow;

/// The word with `;`, space, `\`, CR and LF escaped, so that it holds no separator.
pub fn escape(word: &str) -> Cow<'_, str> {
    if !word.bytes().any(|byte| matches!(byte, b';' | b' ' | b'\\' | b'\r' | b'\n')) {
        return Cow::Borrowed(word);
    }
    let mut escaped = String::with_capacity(word.len() + 8);
    for c in word.chars() {
        match c {
            ';' => escaped.push_str("\\:"),
            ' ' => escaped.push_str("\\s"),
            '\\' => escaped.push_str("\\\\"),
            '\r' => escaped.push_str("\\r"),
            '\n' => escaped.push_str("\\n"),
            other => escaped.push(other),
        }
    }
    Cow::Owned(escaped)
}

/// What [`escape`] was given. An unknown escape stands for its character, a lone `\` at the end for nothing.
pub fn unescape(word: &str) -> Cow<'_, str> {
    if !word.contains('\\') {
        return Cow::Borrowed(word);
    }
    let mut plain = String::with_capacity(word.len());
    let mut rest = word.chars();
    while let Some(c) = rest.next() {
        let escaped = if c == '\\' { rest.next() } else { None };
        plain.push(match (c, escaped) {
            ('\\', None) => break,
            (_, Some(':')) => ';',
            (_, Some('s')) => ' ',
            (_, Some('r')) => '\r',
            (_, Some('n')) => '\n',
            (_, Some(other)) => other,
            (c, None) => c,
        });
    }
    Cow::Owned(plain)
}

/// Splits a line that starts with `@` into its tags and what follows the first space.
/// `None`: the line carries no tags.
pub fn split(line: &str) -> Option<(Tags<'_>, &str)> {
    let line = line.strip_prefix('@')?;
    let (tags, rest) = line.split_once(' ').unwrap_or((line, ""));
    Some((Tags { rest: tags }, rest))
}

/// The tags of a line, as `(key, value)`, in order; a tag without `=` has an empty value.
#[derive(Debug, Clone)]
pub struct Tags<'a> {
    rest: &'a str,
}

impl<'a> Tags<'a> {
    /// The value of `key`; of several, the last one counts, as the specification has it.
    pub fn value(&self, key: &str) -> Option<Cow<'a, str>> {
        self.clone().filter(|(name, _)| *name == key).last().map(|(_, value)| value)
    }
}

impl<'a> Iterator for Tags<'a> {
    type Item = (&'a str, Cow<'a, str>);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let (tag, rest) = self.rest.split_once(';').unwrap_or((self.rest, ""));
            self.rest = rest;
            if !tag.is_empty() {
                let (key, value) = tag.split_once('=').unwrap_or((tag, ""));
                return Some((key, unescape(value)));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_the_specification_are_read() {
        let (tags, rest) = split("@id=123AB;rose;name=Ana\\sMar\\\\a\\:;x=a\\b;y=end\\ Ana: hola").unwrap();
        let found: Vec<(&str, String)> = tags.map(|(key, value)| (key, value.into_owned())).collect();
        let expected = [("id", "123AB"), ("rose", ""), ("name", "Ana Mar\\a;"), ("x", "ab"), ("y", "end")]
            .map(|(key, value)| (key, value.to_owned()));
        assert_eq!(found, expected);
        assert_eq!(rest, "Ana: hola");
    }

    #[test]
    fn of_a_tag_given_twice_the_last_counts_and_a_line_without_tags_has_none() {
        let (tags, _) = split("@a=1;a=2 x").unwrap();
        assert_eq!(tags.value("a").as_deref(), Some("2"));
        assert_eq!(tags.value("b"), None);
        assert!(split("a=1 x").is_none());
    }

    proptest! {
        #[test]
        fn escaping_then_unescaping_is_identity_and_leaves_no_separator(word in any::<String>()) {
            let escaped = escape(&word).into_owned();
            prop_assert!(!escaped.contains([';', ' ', '\r', '\n']));
            prop_assert_eq!(unescape(&escaped), word.as_str());
        }

        #[test]
        fn no_input_makes_the_parser_panic(line in any::<String>()) {
            let line = format!("@{line}");
            let _ = split(&line).map(|(tags, _)| tags.count());
            let _ = unescape(&line);
        }
    }
}
