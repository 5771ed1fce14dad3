//! The rows of the transcript that is shown: one for each entry, made when it is asked for.

use std::ops::Range;

use super::spans::{Span, spans};
use super::style::Style;
use crate::calendar::{Day, time_of_day};
use crate::colour::name_colour_index;
use crate::model::{Body, Counts, Entry, EntryId, Model, Names, Older, Said, State, shortened};
use crate::phrases::{Language, Phrase, fill};
use crate::settings::Notices;

/// Lines of one person that are closer together than this follow each other under one name.
const TOGETHER_MS: u64 = 5 * 60 * 1000;

/// Hidden rows that are looked past for the one that is shown above a row.
const HIDDEN_SKIPPED: usize = 16;

/// Characters of the words above an answer.
const QUOTE_CHARS_MAX: usize = 120;

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The entry that it shows.
    pub entry: EntryId,
    /// The same number means the same row, while the conversation, the font and the theme are the same.
    pub revision: u64,
    /// What it is.
    pub kind: RowKind,
    /// Rules and remarks above it, from above.
    pub above: Vec<Separator>,
    /// When, as `18:03`.
    pub time: String,
    /// Who. None: nobody said it.
    pub name: Option<Name>,
    /// The row above is of the same person and hardly older: the name may be left out.
    pub continues: bool,
    /// The words that it answers, in one line; a click is [`crate::model::Act::JumpToQuoted`].
    pub quote: Option<Span>,
    /// What was said; line feeds break it.
    pub body: Vec<Span>,
    /// How far it has come, where that is not the usual: reasons and buttons.
    pub status: Vec<Span>,
    /// It names the reader.
    pub is_mention: bool,
    /// The search stands at it.
    pub is_current: bool,
}

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowKind {
    /// Somebody else said something.
    Said,
    /// The reader did.
    Own,
    /// People came and went.
    Notice,
    /// The program says something.
    Told,
    /// Lines are missing.
    Gap,
    /// It is not shown: nothing is drawn but what is above it.
    Hidden,
}

/// A rule or a remark above a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Separator {
    /// Its words.
    pub text: String,
    /// [`Style::Day`], [`Style::Unread`] or [`Style::Notice`].
    pub style: Style,
}

/// A name before what somebody said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Without a colon.
    pub text: String,
    /// [`Style::Name`] or [`Style::OwnName`].
    pub style: Style,
}

/// How many rows the conversation has that is shown.
pub fn row_count(model: &Model) -> usize {
    model.conversations.shown().transcript.len()
}

/// Where an entry's row stands.
pub fn row_position(model: &Model, entry: EntryId) -> Option<usize> {
    model.conversations.shown().transcript.position(entry)
}

/// Whether a line can be answered: it has its id.
pub fn can_be_answered(model: &Model, entry: EntryId) -> bool {
    model.conversations.shown().transcript.entry(entry).is_some_and(|entry| entry.line_id().is_some())
}

/// Where the row stands that has the rule above it of what was not read.
pub fn unread_position(model: &Model) -> Option<usize> {
    let shown = model.conversations.shown();
    shown.unread_line.and_then(|place| shown.transcript.at(place))
}

/// Rows from one position to another; fewer where there are fewer.
pub fn rows(model: &Model, range: Range<usize>) -> Vec<Row> {
    range.map_while(|position| row(model, position)).collect()
}

/// The entry of a row and its [`Row::revision`], without the row: cheap enough to be asked for each time it is drawn.
pub fn row_key(model: &Model, position: usize) -> Option<(EntryId, u64)> {
    let transcript = &model.conversations.shown().transcript;
    transcript.get(position).map(|entry| (entry.id, revision(model, position, entry)))
}

/// A row. None: there are not so many.
pub fn row(model: &Model, position: usize) -> Option<Row> {
    let entry = model.conversations.shown().transcript.get(position)?;
    let mut row = Row {
        entry: entry.id,
        revision: revision(model, position, entry),
        kind: kind(model, entry),
        above: above(model, position, entry),
        time: time_of_day(entry.unix_ms, model.now.utc_offset_seconds),
        name: None,
        continues: false,
        quote: None,
        body: Vec::new(),
        status: Vec::new(),
        is_mention: false,
        is_current: is_current(model, entry),
    };
    if row.kind == RowKind::Hidden {
        return Some(row);
    }
    let language = model.language();
    match &entry.body {
        Body::Said(said) => {
            row.name = Some(name(said, language));
            row.continues = continues(model, position, entry);
            row.quote = quote(model, entry, said);
            row.body = spans(model, said);
            row.status = status(entry, said, language);
            row.is_mention = said.is_mention;
        }
        Body::Notices(tally) => {
            let counts = if model.settings.notices == Notices::Smart { &tally.smart } else { &tally.all };
            row.body.push(Span::new(notice(counts, language), Style::Notice));
        }
        Body::Told(sentence) => row.body.push(Span::new(sentence.in_language(language), Style::Notice)),
        Body::Gap(gap) => {
            let phrase = if gap.is_left { Phrase::GapLeft } else { Phrase::GapFetching };
            let style = if gap.is_left { Style::Gap } else { Style::Notice };
            row.body.push(Span::new(phrase.in_language(language), style));
        }
    }
    Some(row)
}

fn kind(model: &Model, entry: &Entry) -> RowKind {
    match &entry.body {
        Body::Said(said) if said.is_own => RowKind::Own,
        Body::Said(said) if model.settings.is_ignored(&said.name) => RowKind::Hidden,
        Body::Said(_) => RowKind::Said,
        Body::Notices(tally) => match model.settings.notices {
            Notices::None => RowKind::Hidden,
            Notices::Smart if tally.smart.is_empty() => RowKind::Hidden,
            Notices::Smart | Notices::All => RowKind::Notice,
        },
        Body::Told(_) => RowKind::Told,
        Body::Gap(_) => RowKind::Gap,
    }
}

fn is_current(model: &Model, entry: &Entry) -> bool {
    model.search.as_ref().is_some_and(|search| search.current == Some(entry.id))
}

fn before(model: &Model, position: usize) -> Option<&Entry> {
    position.checked_sub(1).and_then(|before| model.conversations.shown().transcript.get(before))
}

/// The row above that is shown.
fn shown_before(model: &Model, position: usize) -> Option<&Entry> {
    let transcript = &model.conversations.shown().transcript;
    let above = (0..position).rev().take(HIDDEN_SKIPPED).filter_map(|above| transcript.get(above));
    above.into_iter().find(|entry| kind(model, entry) != RowKind::Hidden)
}

fn day(model: &Model, entry: &Entry) -> Day {
    Day::of(entry.unix_ms, model.now.utc_offset_seconds)
}

fn today(model: &Model) -> Day {
    Day::of(model.now.unix_ms, model.now.utc_offset_seconds)
}

fn is_first_of_day(model: &Model, position: usize, entry: &Entry) -> bool {
    before(model, position).is_none_or(|before| day(model, before) < day(model, entry))
}

fn is_first_unread(model: &Model, entry: &Entry) -> bool {
    model.conversations.shown().unread_line == Some(entry.place)
}

fn above(model: &Model, position: usize, entry: &Entry) -> Vec<Separator> {
    let language = model.language();
    let mut above = Vec::new();
    if let Some(phrase) = older(model).filter(|_| position == 0) {
        let text = phrase.in_language(language).to_owned();
        above.push(Separator { text, style: Style::Notice });
    }
    if is_first_of_day(model, position, entry) {
        let text = day(model, entry).in_words(today(model), language);
        above.push(Separator { text, style: Style::Day });
    }
    if is_first_unread(model, entry) {
        let text = Phrase::Unread.in_language(language).to_owned();
        above.push(Separator { text, style: Style::Unread });
    }
    above
}

/// What is said above the first row about older ones.
pub(super) fn older(model: &Model) -> Option<Phrase> {
    let shown = model.conversations.shown();
    match shown.older {
        Older::Unknown => None,
        Older::Fetching => Some(Phrase::OlderFetching),
        Older::None if shown.kind == crate::model::Kind::Private => None,
        Older::None => Some(Phrase::OlderNone),
        Older::NotKept => Some(Phrase::OlderNotKept),
        Older::Failed { .. } => Some(Phrase::OlderFailed),
    }
}

fn name(said: &Said, language: Language) -> Name {
    if said.is_own {
        return Name { text: Phrase::You.in_language(language).to_owned(), style: Style::OwnName };
    }
    Name { text: said.name.to_string(), style: Style::Name(name_colour_index(&said.name)) }
}

fn continues(model: &Model, position: usize, entry: &Entry) -> bool {
    let (Some(last), Some(said)) = (shown_before(model, position), entry.said()) else { return false };
    let is_same =
        last.said().is_some_and(|last| last.is_own == said.is_own && (last.is_own || last.name == said.name));
    is_same
        && last.unix_ms.abs_diff(entry.unix_ms) < TOGETHER_MS
        && !is_first_of_day(model, position, entry)
        && !is_first_unread(model, entry)
}

fn quote(model: &Model, entry: &Entry, said: &Said) -> Option<Span> {
    let language = model.language();
    let act = Some(crate::model::Act::JumpToQuoted(entry.id));
    let text = match (said.reply, &said.quote) {
        (None, None) => return None,
        (Some(line_id), _) => match quoted(model, line_id) {
            Some(quoted) => {
                let name = name(quoted, language).text;
                format!("{name}: {}", shortened(&quoted.text, QUOTE_CHARS_MAX))
            }
            None => Phrase::QuoteOlder.in_language(language).to_owned(),
        },
        (None, Some(quote)) => {
            return Some(Span::new(shortened(quote, QUOTE_CHARS_MAX), Style::Quote));
        }
    };
    Some(Span { text, style: Style::Quote, act })
}

fn quoted(model: &Model, line_id: u64) -> Option<&Said> {
    let transcript = &model.conversations.shown().transcript;
    let said =
        transcript.line(line_id).and_then(|position| transcript.get(position)).and_then(Entry::said)?;
    (said.is_own || !model.settings.is_ignored(&said.name)).then_some(said)
}

fn status(entry: &Entry, said: &Said, language: Language) -> Vec<Span> {
    use crate::model::Act;
    match &said.state {
        State::Said | State::Pending => Vec::new(),
        State::NotKept => vec![Span::new(Phrase::NotKept.in_language(language), Style::Notice)],
        State::Refused(why) => {
            let why = fill(Phrase::NotSent.in_language(language), &[why.in_language(language)]);
            vec![
                Span::new(why, Style::Failed),
                Span::button(Phrase::Retry.in_language(language), Act::Retry(entry.id)),
                Span::button(Phrase::Discard.in_language(language), Act::Discard(entry.id)),
            ]
        }
    }
}

/// Who came, then who went.
fn notice(counts: &Counts, language: Language) -> String {
    let joined = direction(&counts.joined, (Phrase::JoinedOne, Phrase::JoinedMany), language);
    let left = direction(&counts.left, (Phrase::LeftOne, Phrase::LeftMany), language);
    [joined, left].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn direction(names: &Names, phrases: (Phrase, Phrase), language: Language) -> Option<String> {
    if names.count == 0 {
        return None;
    }
    let phrase = if names.count == 1 { phrases.0 } else { phrases.1 };
    Some(fill(phrase.in_language(language), &[listed(names, language)]))
}

/// `Ana, Luis y 3 más`.
fn listed(names: &Names, language: Language) -> String {
    let told = names.told.len() as u64;
    let rest = names.count.saturating_sub(told);
    let mut parts: Vec<String> = names.told.iter().map(|name| name.to_string()).collect();
    match (told, rest) {
        (0, 1) => parts.push(Phrase::OnePerson.in_language(language).to_owned()),
        (0, _) => parts.push(fill(Phrase::People.in_language(language), &[rest.to_string()])),
        (_, 0) => {}
        (_, _) => parts.push(fill(Phrase::More.in_language(language), &[rest.to_string()])),
    }
    let last = parts.pop().unwrap_or_default();
    if parts.is_empty() {
        return last;
    }
    format!("{}{}{last}", parts.join(", "), Phrase::And.in_language(language))
}

/// All that a row is made of, mixed into one number.
fn revision(model: &Model, position: usize, entry: &Entry) -> u64 {
    let shown = model.conversations.shown();
    let has_quoted =
        entry.said().and_then(|said| said.reply).map(|line_id| shown.transcript.line(line_id).is_some());
    let older = older(model)
        .filter(|_| position == 0)
        .map_or(0, |phrase| mixed(phrase.in_language(Language::En).bytes().map(u64::from)));
    let is_first_of_day = is_first_of_day(model, position, entry);
    let today = if is_first_of_day { today(model).number() } else { 0 };
    let parts = [
        entry.id.number(),
        u64::from(entry.revision),
        u64::from(model.look),
        u64::from(is_first_of_day),
        today,
        u64::from(is_first_unread(model, entry)),
        u64::from(continues(model, position, entry)),
        u64::from(is_current(model, entry)),
        has_quoted.map_or(2, u64::from),
        older,
    ];
    mixed(parts.into_iter())
}

fn mixed(parts: impl Iterator<Item = u64>) -> u64 {
    parts.fold(0xCBF2_9CE4_8422_2325, |hash: u64, part| {
        (hash ^ part).wrapping_mul(0x0100_0000_01B3).rotate_left(23)
    })
}
