//! All of the window but the rows of the transcript and of the list of people.

use std::ops::Range;

use super::banner::banner;
use crate::calendar::{Day, time_of_day};
use crate::colour::name_colour_index;
use crate::fold::name_key;
use crate::model::{
    Act, Conversation, ConversationId, EntryId, Kind, Model, Search, SearchAsked, Seat, TEXT_BYTES_MAX,
    hint_for, shortened,
};
use crate::phrases::{Phrase, count, fill};

/// Characters of the line that is answered, above the input.
const REPLY_CHARS_MAX: usize = 80;

/// Characters of a line that the history found.
const RESULT_CHARS_MAX: usize = 160;

/// All of the window but rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Screen {
    /// Of the window.
    pub title: String,
    /// The name we have, or ask for.
    pub own_name: String,
    /// The question for a name, in front of all else.
    pub name_question: Option<NameQuestion>,
    /// Above the transcript.
    pub banner: Option<Banner>,
    /// The list at the left: rooms, then people.
    pub conversations: Vec<ConversationRow>,
    /// The conversation that is shown.
    pub shown: ConversationId,
    /// Its name.
    pub heading: String,
    /// How many people are in it; none: it is no room.
    pub people: Option<usize>,
    /// Another number each time the list of people has changed.
    pub people_revision: u64,
    /// Whether that list is wanted.
    pub shows_people: bool,
    /// How many rows the transcript has.
    pub rows: usize,
    /// In place of rows, where there are none.
    pub empty: Option<String>,
    /// On the button to the newest line, where that is not seen.
    pub jump: Option<Button>,
    /// A rule above what was not read is somewhere; a button leads to it.
    pub has_unread_line: bool,
    /// Below the transcript.
    pub hint: Option<Hint>,
    /// The input.
    pub compose: Compose,
    /// The search bar.
    pub search: Option<SearchBar>,
    /// The window is being closed.
    pub is_closing: bool,
}

/// The question for a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameQuestion {
    /// The question.
    pub question: String,
    /// What happens if it is left empty.
    pub hint: String,
    /// Why the last answer was refused.
    pub error: Option<String>,
    /// What stands in the field at first.
    pub text: String,
}

/// A strip above the transcript.
#[derive(Debug, Clone, PartialEq)]
pub struct Banner {
    /// What it says.
    pub text: String,
    /// How much it matters.
    pub kind: BannerKind,
    /// A button in it.
    pub button: Option<Button>,
}

/// How much a banner matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BannerKind {
    /// It passes by itself.
    Progress,
    /// Something does not work.
    Trouble,
}

/// Something to press.
#[derive(Debug, Clone, PartialEq)]
pub struct Button {
    /// On it.
    pub label: String,
    /// What it does.
    pub act: Act,
}

/// A row of the list of conversations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationRow {
    /// Which.
    pub id: ConversationId,
    /// A room, or a person.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Lines that were not read.
    pub unread: u64,
    /// Of these, those that are for the reader.
    pub mentions: u64,
    /// It is shown.
    pub is_shown: bool,
    /// It is quiet.
    pub is_muted: bool,
    /// The relay has us there.
    pub is_in: bool,
    /// Something was begun to be written.
    pub has_draft: bool,
    /// Something was refused, or has no answer yet.
    pub has_unsent: bool,
}

/// A row of the list of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRow {
    /// Who.
    pub name: String,
    /// Which of [`crate::colour::name_colours`].
    pub colour: u8,
    /// It is the reader.
    pub is_self: bool,
    /// What they say is not shown.
    pub is_ignored: bool,
}

/// A sentence below the transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// What it says.
    pub text: String,
    /// Something did not work.
    pub is_error: bool,
}

/// The input. Its text is the view's own; [`crate::model::ViewCommand::SetInput`] changes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compose {
    /// In the empty input, and for who cannot see it.
    pub label: String,
    /// Whom and what it answers; a cross beside it is [`Act::Cancel`].
    pub reply: Option<String>,
    /// So many bytes more than a message can have; zero: it can be sent.
    pub over_bytes: usize,
    /// What stands in it, as the model knows it.
    pub text: String,
    /// Where its cursor is, in bytes.
    pub cursor: usize,
}

/// The search bar.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchBar {
    /// What is looked for.
    pub words: String,
    /// In the empty field.
    pub label: String,
    /// `2 de 12`, or that there is nothing; empty while nothing is looked for.
    pub status: String,
    /// Asks the history, or for older lines of it.
    pub history: Option<Button>,
    /// How the question to the history stands.
    pub history_status: Option<String>,
    /// What the history found, the newest first; a click is [`Act::OpenResult`] with its place.
    pub results: Vec<SearchResult>,
}

/// A line that the history found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchResult {
    /// The day and the time.
    pub when: String,
    /// Who.
    pub name: String,
    /// Which of [`crate::colour::name_colours`].
    pub colour: u8,
    /// What, in one line.
    pub text: String,
}

/// All of the window but rows.
pub fn screen(model: &Model) -> Screen {
    let shown = model.conversations.shown();
    let is_room = shown.kind == Kind::Room;
    Screen {
        title: title(model),
        own_name: model.name.clone(),
        name_question: name_question(model),
        banner: banner(model),
        conversations: model.conversations.iter().map(|other| conversation_row(model, other)).collect(),
        shown: shown.id,
        heading: shown.name.clone(),
        people: is_room.then_some(shown.people.len()),
        people_revision: (u64::from(shown.id.number()) << 40).wrapping_add(shown.people.revision()),
        shows_people: model.settings.show_people && is_room,
        rows: shown.transcript.len(),
        empty: empty(model),
        jump: jump(model),
        has_unread_line: shown.unread_line.is_some(),
        hint: hint(model),
        compose: compose(model),
        search: model.search.as_ref().map(|search| search_bar(model, search)),
        is_closing: model.closing_since.is_some(),
    }
}

/// Rows of the list of people, from one position to another; fewer where there are fewer.
pub fn people(model: &Model, range: Range<usize>) -> Vec<PersonRow> {
    let people = &model.conversations.shown().people;
    let own = name_key(&model.name);
    let row = |position| {
        let person = people.get(position)?;
        Some(PersonRow {
            name: person.name.to_string(),
            colour: name_colour_index(&person.name),
            is_self: name_key(&person.name) == own,
            is_ignored: model.settings.is_ignored(&person.name),
        })
    };
    range.map_while(row).collect()
}

/// Rooms in which something was begun to be written.
pub fn rooms_with_drafts(model: &Model) -> Vec<String> {
    let conversations = model.conversations.iter();
    let begun = conversations
        .filter(|conversation| conversation.kind == Kind::Room && !conversation.draft.text.trim().is_empty());
    begun.map(|conversation| conversation.name.clone()).collect()
}

/// The count is of what was not read and is not muted.
fn title(model: &Model) -> String {
    let counts = |other: &&Conversation| !model.settings.is_muted(&other.name) || other.kind == Kind::Private;
    let unread: u64 = model.conversations.iter().filter(counts).map(|other| other.unread).sum();
    let count = if unread == 0 { String::new() } else { format!("({unread}) ") };
    // Whose window it is: one person may have several side by side.
    let own = if model.name.is_empty() { String::new() } else { format!("{} · ", model.name) };
    format!("{count}{} · {own}Tertulia", model.conversations.shown().name)
}

fn name_question(model: &Model) -> Option<NameQuestion> {
    let language = model.language();
    let naming = model.naming.as_ref()?;
    Some(NameQuestion {
        question: Phrase::AskName.in_language(language).to_owned(),
        hint: fill(Phrase::AskNameHint.in_language(language), &[&naming.guest]),
        error: naming.refused.as_ref().map(|(_, why)| why.in_language(language)),
        text: naming.refused.as_ref().map_or_else(|| naming.offered.clone(), |(name, _)| name.clone()),
    })
}

fn conversation_row(model: &Model, conversation: &Conversation) -> ConversationRow {
    let is_room = conversation.kind == Kind::Room;
    ConversationRow {
        id: conversation.id,
        kind: conversation.kind,
        name: conversation.name.clone(),
        unread: conversation.unread,
        mentions: conversation.mentions,
        is_shown: conversation.id == model.conversations.shown().id,
        is_muted: is_room && model.settings.is_muted(&conversation.name),
        is_in: conversation.seat == Seat::In,
        has_draft: !conversation.draft.text.is_empty(),
        has_unsent: conversation.transcript.unsent() > 0,
    }
}

fn empty(model: &Model) -> Option<String> {
    let shown = model.conversations.shown();
    if shown.transcript.len() > 0 {
        return None;
    }
    let language = model.language();
    if shown.kind == Kind::Private {
        return Some(fill(Phrase::NothingPrivate.in_language(language), &[&shown.name]));
    }
    // Before the relay has told what was said nobody knows whether anything was.
    let phrase = super::row::older(model)?;
    let phrase = if phrase == Phrase::OlderNone { Phrase::NothingYet } else { phrase };
    Some(phrase.in_language(language).to_owned())
}

fn jump(model: &Model) -> Option<Button> {
    let shown = model.conversations.shown();
    let sees_end = shown.scroll.is_at_end && shown.end == crate::model::End::Here;
    if sees_end || shown.transcript.len() == 0 {
        return None;
    }
    let language = model.language();
    let label = match shown.unread {
        0 => Phrase::ToEnd.in_language(language).into(),
        unread => count(Phrase::NewOne, Phrase::NewMany, unread, language),
    };
    Some(Button { label: label.into_owned(), act: Act::JumpToEnd })
}

fn hint(model: &Model) -> Option<Hint> {
    let language = model.language();
    if let Some(hint) = &model.hint {
        return Some(Hint { text: hint.sentence.in_language(language), is_error: hint.is_error });
    }
    let over_bytes = over_bytes(&model.conversations.shown().draft.text);
    if over_bytes > 0 {
        let text = fill(Phrase::TooLongBy.in_language(language), &[over_bytes.to_string()]);
        return Some(Hint { text, is_error: true });
    }
    let sentence = hint_for(&model.conversations.shown().draft.text, language)?;
    Some(Hint { text: sentence.in_language(language), is_error: false })
}

fn compose(model: &Model) -> Compose {
    let shown = model.conversations.shown();
    let language = model.language();
    let phrase = if shown.kind == Kind::Room { Phrase::InputLabel } else { Phrase::InputLabelPrivate };
    Compose {
        label: fill(phrase.in_language(language), &[&shown.name]),
        reply: shown.draft.reply.and_then(|id| reply(model, id)),
        over_bytes: over_bytes(&shown.draft.text),
        text: shown.draft.text.clone(),
        cursor: shown.draft.cursor,
    }
}

/// By how many bytes a draft is longer than what can be said. A line feed is one byte, and three as it travels.
fn over_bytes(text: &str) -> usize {
    let text = text.trim();
    (text.len() + 2 * text.bytes().filter(|byte| *byte == b'\n').count()).saturating_sub(TEXT_BYTES_MAX)
}

fn reply(model: &Model, id: EntryId) -> Option<String> {
    let language = model.language();
    let said = model.conversations.shown().transcript.entry(id)?.said()?;
    let name = if said.is_own { Phrase::You.in_language(language) } else { &said.name };
    let text = shortened(&said.text, REPLY_CHARS_MAX);
    Some(fill(Phrase::ReplyingTo.in_language(language), &[name, &text]))
}

fn search_bar(model: &Model, search: &Search) -> SearchBar {
    let language = model.language();
    let place = search.current.and_then(|id| search.matches.iter().position(|entry| *entry == id));
    let place = place.map_or(0, |place| place + 1);
    let status = match (search.key.is_empty(), search.matches.len()) {
        (true, _) => String::new(),
        (_, 0) => Phrase::SearchNone.in_language(language).to_owned(),
        (_, all) => fill(Phrase::SearchCount.in_language(language), &[place.to_string(), all.to_string()]),
    };
    let may_ask = !search.key.is_empty() && model.conversations.shown().kind == Kind::Room;
    let label = match search.asked {
        SearchAsked::No => Some(Phrase::SearchHistory),
        SearchAsked::More => Some(Phrase::SearchMore),
        SearchAsked::Open | SearchAsked::All => None,
    };
    let found = search.results.len();
    let history_status = match (search.error, search.asked, found) {
        (Some(why), _, _) => Some(why.in_language(language).to_owned()),
        (_, SearchAsked::No, _) => None,
        (_, SearchAsked::Open, _) => Some(Phrase::SearchAsking.in_language(language).to_owned()),
        (_, _, 0) => Some(Phrase::SearchHistoryNone.in_language(language).to_owned()),
        _ => Some(fill(Phrase::SearchHistoryCount.in_language(language), &[found.to_string()])),
    };
    SearchBar {
        words: search.words.clone(),
        label: Phrase::SearchLabel.in_language(language).to_owned(),
        status,
        history: label
            .filter(|_| may_ask)
            .map(|label| Button { label: label.in_language(language).to_owned(), act: Act::SearchHistory }),
        history_status,
        results: search.results.iter().filter_map(|entry| result(model, entry)).collect(),
    }
}

fn result(model: &Model, entry: &crate::model::Entry) -> Option<SearchResult> {
    let said = entry.said()?;
    let (language, offset) = (model.language(), model.now.utc_offset_seconds);
    let day = Day::of(entry.unix_ms, offset).in_words(Day::of(model.now.unix_ms, offset), language);
    let name = if said.is_own { Phrase::You.in_language(language) } else { &said.name };
    Some(SearchResult {
        when: format!("{day}, {}", time_of_day(entry.unix_ms, offset)),
        name: name.to_owned(),
        colour: name_colour_index(&said.name),
        text: shortened(&said.text, RESULT_CHARS_MAX),
    })
}
