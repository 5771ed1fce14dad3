//! All conversations: which there are, in which order, which one is shown; and what they may hold together.

use std::collections::HashMap;

use super::conversation::{Conversation, ConversationId, Kind};

/// Private conversations that are kept open; beyond it the one goes that was opened first and has nothing unread, unsent or
/// answered. If there is none such, a stranger has to wait until the person closes one.
pub const PRIVATE_MAX: usize = 64;

/// Bytes that the entries of all conversations hold together, about. Beyond it the largest that is not shown loses its
/// oldest. Small, since the window is to be light: what goes is fetched again when somebody scrolls up to it.
pub const BYTES_KEPT_ALL: usize = 8 * 1024 * 1024;

/// All conversations. There is always one, and one is always shown.
#[derive(Debug)]
pub(crate) struct Conversations {
    /// All of them: rooms as they were entered, then people as they were opened.
    order: Vec<ConversationId>,
    shown: Box<Conversation>,
    others: HashMap<ConversationId, Box<Conversation>>,
    next: u32,
}

impl Conversations {
    /// One room, which is shown.
    pub(super) fn new(room: &str) -> Self {
        let shown = Box::new(Conversation::new(ConversationId(0), Kind::Room, room));
        Self { order: vec![shown.id], shown, others: HashMap::new(), next: 1 }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Conversation> {
        self.order.iter().filter_map(|id| self.get(*id))
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    pub(crate) fn get(&self, id: ConversationId) -> Option<&Conversation> {
        if self.shown.id == id { Some(&self.shown) } else { self.others.get(&id).map(|other| &**other) }
    }

    pub(super) fn get_mut(&mut self, id: ConversationId) -> Option<&mut Conversation> {
        if self.shown.id == id {
            Some(&mut self.shown)
        } else {
            self.others.get_mut(&id).map(|other| &mut **other)
        }
    }

    pub(super) fn for_each_mut(&mut self, mut act: impl FnMut(&mut Conversation)) {
        act(&mut self.shown);
        self.others.values_mut().for_each(|other| act(other));
    }

    /// The one that is shown.
    pub(crate) fn shown(&self) -> &Conversation {
        &self.shown
    }

    pub(super) fn shown_mut(&mut self) -> &mut Conversation {
        &mut self.shown
    }

    /// The conversation with this room (as the relay has it) or this person (as [`crate::fold::name_key`] has it).
    pub(crate) fn find(&self, kind: Kind, key: &str) -> Option<ConversationId> {
        self.iter().find(|conversation| conversation.is(kind, key)).map(|conversation| conversation.id)
    }

    /// Opens one, unless there is one.
    pub(super) fn open(&mut self, kind: Kind, name: &str) -> ConversationId {
        let key = match kind {
            Kind::Room => name.to_owned(),
            Kind::Private => crate::fold::name_key(name),
        };
        if let Some(id) = self.find(kind, &key) {
            return id;
        }
        let id = ConversationId(self.next);
        self.next = self.next.saturating_add(1);
        let is_private = |id: &ConversationId| self.get(*id).is_some_and(|c| c.kind == Kind::Private);
        let rooms = self.order.iter().take_while(|id| !is_private(id)).count();
        let position = if kind == Kind::Room { rooms } else { self.order.len() };
        self.order.insert(position, id);
        self.others.insert(id, Box::new(Conversation::new(id, kind, name)));
        id
    }

    /// How many of them are with a person.
    pub(super) fn private_count(&self) -> usize {
        self.iter().filter(|conversation| conversation.kind == Kind::Private).count()
    }

    /// The private one that was opened first and that nobody would miss.
    pub(super) fn idle_private(&self) -> Option<ConversationId> {
        let is_idle = |id: &ConversationId| {
            self.others.get(id).is_some_and(|other| other.kind == Kind::Private && other.is_idle())
        };
        self.order.iter().copied().find(is_idle)
    }

    /// Closes one. False: it is the only one. If it is shown, its neighbour is shown instead.
    pub(super) fn close(&mut self, id: ConversationId) -> bool {
        if self.order.len() < 2 {
            return false;
        }
        if self.shown.id == id {
            let position = self.order.iter().position(|other| *other == id).unwrap_or_default();
            let neighbour = if position == 0 { 1 } else { position - 1 };
            let Some(neighbour) = self.order.get(neighbour).copied() else { return false };
            if !self.show(neighbour) {
                return false;
            }
        }
        self.others.remove(&id);
        self.order.retain(|other| *other != id);
        true
    }

    /// Shows another one. False: there is none such, or it is shown already.
    pub(super) fn show(&mut self, id: ConversationId) -> bool {
        let Some(other) = self.others.remove(&id) else { return false };
        let last = std::mem::replace(&mut self.shown, other);
        self.others.insert(last.id, last);
        true
    }

    /// The one so many places behind the one that is shown, around the end.
    pub(super) fn neighbour(&self, is_backwards: bool) -> ConversationId {
        let count = self.order.len().max(1);
        let position = self.order.iter().position(|id| *id == self.shown.id).unwrap_or_default();
        let next = if is_backwards { position + count - 1 } else { position + 1 } % count;
        self.order.get(next).copied().unwrap_or(self.shown.id)
    }

    /// The names of the rooms, in order.
    pub(super) fn rooms(&self) -> Vec<String> {
        let rooms = self.iter().filter(|conversation| conversation.kind == Kind::Room);
        rooms.map(|room| room.name.clone()).collect()
    }

    /// Keeps the bounds. Called once something was put in.
    pub(super) fn trim(&mut self) {
        let mut total: usize = self.iter().map(Conversation::bytes).sum();
        while total > BYTES_KEPT_ALL {
            let Some(largest) = self.others.values_mut().max_by_key(|other| other.transcript.bytes()) else {
                return;
            };
            let before = largest.transcript.bytes();
            largest.trim_to(before / 2);
            let freed = before.saturating_sub(largest.transcript.bytes());
            if freed == 0 {
                return;
            }
            total = total.saturating_sub(freed);
        }
    }
}
