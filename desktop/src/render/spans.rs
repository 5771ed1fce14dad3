//! A line's text in pieces: links, words that name the reader, what is looked for.

use std::ops::Range;

use linkify::{LinkFinder, LinkKind};

use super::style::Style;
use crate::colour::name_colour_index;
use crate::fold::{find_all, search_key};
use crate::model::{Act, Model, Said, State};

/// Links of one line that can be opened; further ones are text.
const LINKS_MAX: usize = 100;

/// Places of one line that are marked; further ones are not.
const MARKS_MAX: usize = 200;

/// Words of one line that are looked at for names.
const NAME_WORDS_MAX: usize = 200;

/// A piece of text of one meaning.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Line feeds break it.
    pub text: String,
    /// What it means.
    pub style: Style,
    /// What a click on it does.
    pub act: Option<Act>,
}

impl Span {
    pub(super) fn new(text: impl Into<String>, style: Style) -> Self {
        Self { text: text.into(), style, act: None }
    }

    pub(super) fn button(text: impl Into<String>, act: Act) -> Self {
        Self { text: text.into(), style: Style::Action, act: Some(act) }
    }
}

/// Whether this is a link that may be opened: http or https.
pub fn is_web_link(url: &str) -> bool {
    let has_scheme = |scheme: &str| {
        let start = url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
        start && url.len() > scheme.len()
    };
    let is_plain = !url.chars().any(|c| c.is_whitespace() || c.is_control());
    is_plain && (has_scheme("http://") || has_scheme("https://"))
}

/// The text of a line, in pieces.
pub(super) fn spans(model: &Model, said: &Said) -> Vec<Span> {
    let text = said.text.replace('\u{2028}', "\n");
    let base = match said.state {
        State::Pending => Style::Pending,
        State::Refused(_) => Style::Failed,
        State::Said | State::NotKept => Style::Text,
    };
    let links = links(&text);
    let mentions = if said.is_mention { mentions(model, &text) } else { Vec::new() };
    let found = found(model, &text);
    let names = names(model, &text);
    let mut cuts: Vec<usize> = vec![0, text.len()];
    for range in links.iter().chain(&mentions).chain(&found).chain(&names) {
        cuts.extend([range.start, range.end]);
    }
    cuts.sort_unstable();
    cuts.dedup();
    let pieces = cuts.iter().zip(cuts.iter().skip(1)).filter_map(|(start, end)| {
        let piece = text.get(*start..*end)?;
        let covering = |ranges: &[Range<usize>]| ranges.iter().find(|range| range.contains(start)).cloned();
        let link = covering(&links);
        let style = match (covering(&found), &link, covering(&mentions)) {
            (Some(_), _, _) => Style::Found,
            (_, Some(_), _) => Style::Link,
            (_, _, Some(_)) => Style::Mention,
            _ if base == Style::Text && covering(&names).is_some() => Style::Name(name_colour_index(piece)),
            _ => base,
        };
        let url = link.and_then(|range| text.get(range));
        Some(Span { text: piece.to_owned(), style, act: url.map(|url| Act::OpenLink(url.to_owned())) })
    });
    pieces.collect()
}

fn links(text: &str) -> Vec<Range<usize>> {
    if !text.contains("://") {
        return Vec::new();
    }
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]);
    let web = finder.links(text).filter(|link| is_web_link(link.as_str()));
    web.take(LINKS_MAX).map(|link| link.start()..link.end()).collect()
}

fn mentions(model: &Model, text: &str) -> Vec<Range<usize>> {
    let words = model.settings.keywords.iter().map(String::as_str);
    let mut places: Vec<Range<usize>> = Vec::new();
    for word in words.chain([model.name.as_str()]) {
        let whole = find_all(text, &search_key(word)).into_iter().filter(|place| is_whole_word(text, place));
        places.extend(whole.take(MARKS_MAX));
    }
    places
}

/// Names of people who are here, written as they are: in their colours.
fn names(model: &Model, text: &str) -> Vec<Range<usize>> {
    let people = &model.conversations.shown().people;
    let mut places = Vec::new();
    let mut start = 0;
    for word in text.split(|c: char| !c.is_alphanumeric() && c != '_').take(NAME_WORDS_MAX) {
        let end = start + word.len();
        if word.chars().nth(1).is_some() && people.knows(word) {
            places.push(start..end);
        }
        let ending = text.get(end..).and_then(|rest| rest.chars().next());
        start = end + ending.map_or(0, char::len_utf8);
    }
    places
}

fn is_whole_word(text: &str, place: &Range<usize>) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let before = text.get(..place.start).and_then(|before| before.chars().next_back());
    let after = text.get(place.end..).and_then(|after| after.chars().next());
    !is_letter(before) && !is_letter(after)
}

fn found(model: &Model, text: &str) -> Vec<Range<usize>> {
    let Some(search) = &model.search else { return Vec::new() };
    find_all(text, &search.key).into_iter().take(MARKS_MAX).collect()
}
