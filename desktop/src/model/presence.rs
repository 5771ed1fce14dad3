//! Who is in each room: asked for when a room is entered, page by page, one question at a time; kept up by what is heard.

use std::collections::VecDeque;
use std::time::Duration;

use tertulia_wire::tags::escape;

use super::command::LinkCommand;
use super::conversation::Kind;
use super::people::PEOPLE_MAX;
use super::{Model, Sentence};
use crate::phrases::Phrase;

/// Names that an answer of the relay has at most; with as many there may be more.
const WHO_NAMES_MAX: usize = 256;

/// How long after a storm of notices the list is asked for anew.
const AFTER_STORM: Duration = Duration::from_secs(5);

/// Rooms whose lists wait to be asked for; no more than there can be, and once each.
const WAITING_MAX: usize = 64;

/// Rooms that an answer to «what rooms are there» tells.
const ROOMS_TOLD_MAX: usize = 256;

/// Names that an answer to «who is there» tells.
const NAMES_TOLD_MAX: usize = 100;

/// Lists that are asked for.
#[derive(Debug, Default)]
pub(super) struct Lists {
    /// The question that is open.
    open: Option<Open>,
    waiting: VecDeque<Question>,
    /// When rooms that had a storm are asked for again.
    stale: Vec<(String, Duration)>,
}

#[derive(Debug)]
struct Open {
    question: Question,
    names: Vec<String>,
    page: usize,
    /// Who came (true) or went since it was asked, in order: the list may be older than that.
    moves: Vec<(String, bool)>,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Question {
    /// None: what rooms there are.
    room: Option<String>,
    /// A person asked, and is to be told.
    is_told: bool,
}

impl Lists {
    /// The connection is gone, and the open question with it.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn next_due(&self) -> Option<Duration> {
        self.stale.iter().map(|(_, due)| *due).min()
    }
}

impl Model {
    /// The people of a room are to be known.
    pub(super) fn ask_people(&mut self, room: &str, is_told: bool) {
        self.ask_list(Question { room: Some(room.to_owned()), is_told });
    }

    /// Somebody wants to know what rooms there are.
    pub(super) fn ask_rooms(&mut self) {
        self.ask_list(Question { room: None, is_told: true });
    }

    fn ask_list(&mut self, question: Question) {
        if self.lists.waiting.contains(&question) || self.lists.waiting.len() >= WAITING_MAX {
            return;
        }
        self.lists.waiting.push_back(question);
        self.ask_next_list();
    }

    fn ask_next_list(&mut self) {
        if self.lists.open.is_some() {
            return;
        }
        let Some(question) = self.lists.waiting.pop_front() else { return };
        let line = match &question.room {
            Some(room) => format!("/who room={}", escape(room)),
            None => "/rooms".to_owned(),
        };
        self.lists.open = Some(Open { question, names: Vec::new(), page: 0, moves: Vec::new() });
        self.link(LinkCommand::List { line });
    }

    /// A name in a room.
    pub(super) fn handle_who(&mut self, room: &str, name: String) {
        let Some(open) = &mut self.lists.open else { return };
        let is_asked = open.question.room.as_deref() == Some(room);
        if is_asked && open.names.len() < PEOPLE_MAX {
            open.names.push(name);
            open.page += 1;
        }
    }

    /// A room.
    pub(super) fn handle_room_listed(&mut self, room: String) {
        let Some(open) = &mut self.lists.open else { return };
        if open.question.room.is_none() && open.names.len() < ROOMS_TOLD_MAX {
            open.names.push(room);
        }
    }

    /// Somebody came or went.
    pub(super) fn note_move(&mut self, room: &str, name: &str, has_joined: bool) {
        let open = self.lists.open.as_mut().filter(|open| open.question.room.as_deref() == Some(room));
        if let Some(open) = open.filter(|open| open.moves.len() < PEOPLE_MAX) {
            open.moves.push((name.to_owned(), has_joined));
        }
    }

    /// A list, or a page of it, is whole.
    pub(super) fn handle_list_end(&mut self, what: &str) {
        let is_it = |open: &mut Open| what == if open.question.room.is_some() { "WHO" } else { "ROOMS" };
        let Some(mut open) = self.lists.open.take_if(is_it) else { return };
        if let (Some(room), Some(last)) = (open.question.room.clone(), open.names.last().cloned()) {
            let is_full = std::mem::take(&mut open.page) >= WHO_NAMES_MAX;
            if is_full && open.names.len() < PEOPLE_MAX {
                let line = format!("/who room={} after={}", escape(&room), escape(&last));
                self.lists.open = Some(open);
                return self.link(LinkCommand::List { line });
            }
        }
        self.take_list(open);
        self.ask_next_list();
    }

    /// A list cannot be had.
    pub(super) fn handle_list_failed(&mut self) {
        if self.lists.open.take().is_some_and(|open| open.question.is_told) {
            self.complain(Phrase::NeedsConnection);
        }
        self.ask_next_list();
    }

    fn take_list(&mut self, open: Open) {
        let Question { room, is_told } = open.question;
        if let Some(room) = &room {
            if let Some(id) = self.conversations.find(Kind::Room, room) {
                if let Some(conversation) = self.conversations.get_mut(id) {
                    conversation.people.replace(&open.names);
                    for (name, has_joined) in &open.moves {
                        conversation.people.move_one(name, *has_joined);
                    }
                }
            }
        }
        if is_told {
            let shown = self.conversations.shown().id;
            let told: Vec<&str> = open.names.iter().take(NAMES_TOLD_MAX).map(String::as_str).collect();
            let dots = if open.names.len() > told.len() { "…" } else { "" };
            let names = format!("{}{dots}", told.join(", "));
            let sentence = match &room {
                Some(room) => Sentence::new(Phrase::PeopleAre, &[room, &names]),
                None => Sentence::new(Phrase::RoomsAre, &[&names]),
            };
            self.tell(shown, sentence);
        }
    }

    /// So many came and went without a notice each: who is there is to be asked anew, once it is over.
    pub(super) fn note_storm(&mut self, room: &str) {
        let due = self.now.monotonic.saturating_add(AFTER_STORM);
        let is_known = self.lists.stale.iter().any(|(stale, _)| stale == room);
        if !is_known && self.lists.stale.len() < WAITING_MAX {
            self.lists.stale.push((room.to_owned(), due));
        }
    }

    /// Asks for what is due.
    pub(super) fn ask_stale_lists(&mut self) {
        let now = self.now.monotonic;
        let due: Vec<String> =
            self.lists.stale.iter().filter(|(_, due)| *due <= now).map(|(room, _)| room.clone()).collect();
        self.lists.stale.retain(|(_, due)| *due > now);
        due.iter().for_each(|room| self.ask_people(room, false));
    }
}
