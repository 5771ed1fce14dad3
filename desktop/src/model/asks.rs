//! Questions to the history: which are open, what each is for, which wait for their turn.

use std::collections::VecDeque;

use tertulia_wire::session::{Ticket, Way};

use super::command::{AskId, LinkCommand};
use super::conversation::ConversationId;
use super::entry::Entry;

/// Questions that are open at once: fewer than a session takes.
pub const ASKS_OPEN_MAX: usize = 4;

/// Questions that wait for their turn; a further one is not asked. One for each room that can be entered, and some.
pub const ASKS_WAITING_MAX: usize = 64;

/// Lines that a page of the history is asked to have: some screens.
pub const PAGE_LINES: u32 = 200;

/// What a question is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Older lines than those at hand, the oldest of which has this id.
    Older { conversation: ConversationId, before: u64 },
    /// Newer ones, where they were dropped.
    Newer(ConversationId),
    /// The lines up to one that is to be seen, in place of those at hand.
    Around { conversation: ConversationId, line_id: u64 },
    /// What the history finds.
    Search,
}

/// A question.
#[derive(Debug)]
pub(super) struct Ask {
    id: AskId,
    pub(super) purpose: Purpose,
    ticket: Option<Ticket>,
    /// Lines that are held until all have come: no more than were asked for.
    pub(super) page: Vec<Entry>,
    /// None once it was passed on.
    command: Option<LinkCommand>,
}

/// All of them, in order; those that are open first.
#[derive(Debug, Default)]
pub(super) struct Asks {
    asks: VecDeque<Ask>,
    next: u64,
}

impl Asks {
    /// Notes a question to the history. False: too many wait.
    pub(super) fn fetch(&mut self, purpose: Purpose, room: &str, way: Way) -> bool {
        let room = room.to_owned();
        self.push(purpose, |ask| LinkCommand::Fetch { ask, room, way, limit: PAGE_LINES })
    }

    /// Notes a search in the history. False: too many wait.
    pub(super) fn search(&mut self, room: &str, words: &str, before: u64, limit: u32) -> bool {
        let (room, words) = (room.to_owned(), words.to_owned());
        self.push(Purpose::Search, |ask| LinkCommand::Search { ask, room, words, before, limit })
    }

    fn push(&mut self, purpose: Purpose, command: impl FnOnce(AskId) -> LinkCommand) -> bool {
        if self.asks.len() >= ASKS_OPEN_MAX + ASKS_WAITING_MAX {
            return false;
        }
        let id = AskId(self.next);
        self.next = self.next.saturating_add(1);
        self.asks.push_back(Ask { id, purpose, ticket: None, page: Vec::new(), command: Some(command(id)) });
        true
    }

    /// The next one that is to be passed on, noted as open.
    pub(super) fn take_next(&mut self) -> Option<LinkCommand> {
        let open = self.asks.iter().filter(|ask| ask.command.is_none()).count();
        if open >= ASKS_OPEN_MAX {
            return None;
        }
        self.asks.iter_mut().find_map(|ask| ask.command.take())
    }

    /// The session calls it so.
    pub(super) fn note_ticket(&mut self, id: AskId, ticket: Ticket) {
        if let Some(ask) = self.asks.iter_mut().find(|ask| ask.id == id) {
            ask.ticket = Some(ticket);
        }
    }

    pub(super) fn asked(&mut self, ticket: Ticket) -> Option<&mut Ask> {
        self.asks.iter_mut().find(|ask| ask.ticket == Some(ticket))
    }

    /// It was answered.
    pub(super) fn remove(&mut self, ticket: Ticket) -> Option<Ask> {
        let position = self.asks.iter().position(|ask| ask.ticket == Some(ticket))?;
        self.asks.remove(position)
    }

    /// It was not passed on.
    pub(super) fn remove_failed(&mut self, id: AskId) -> Option<Ask> {
        let position = self.asks.iter().position(|ask| ask.id == id)?;
        self.asks.remove(position)
    }

    /// Nobody waits for its answer any more.
    pub(super) fn forget(&mut self, is_unwanted: impl Fn(Purpose) -> bool) {
        self.asks.retain(|ask| !(is_unwanted(ask.purpose)));
    }

    pub(super) fn clear(&mut self) {
        self.asks.clear();
    }
}
