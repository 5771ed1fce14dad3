//! `/history` and `/search`: which question they are, or why it is not asked. Nothing more is taken from the connection until
//! it is answered.

use tertulia_wire::command::{History, Search};
use tertulia_wire::name::check_room;

use super::history::{HISTORY_LINES, HISTORY_LINES_MAX, Purpose, QUESTIONS_MAX, SEARCHES_MAX, Wanted};
use super::pages::{Order, Page};
use super::{Chat, ClientId};
use crate::phrases::Phrase;

impl Chat {
    /// `/history`: nothing more is taken from the connection until it is answered.
    pub(super) fn ask_history(&mut self, client: ClientId, asked: &History<'_>) {
        let label = self.label_of(client);
        let Some(room) = self.room_asked(client, "HISTORY", asked.room.as_deref()) else { return };
        let limit = asked.limit.unwrap_or(HISTORY_LINES).min(HISTORY_LINES_MAX);
        let (before, after) = (asked.before, asked.after);
        let order = if after.is_some() { Order::Oldest } else { Order::Newest };
        // One more than is shown: whether there are more.
        let what = Wanted::Lines { room: room.clone(), before, after, limit: limit.saturating_add(1) };
        self.ask(client, Purpose::Page(Page { room, label, order, limit: limit as usize }), what);
    }

    /// `/search`: like `/history`.
    pub(super) fn ask_search(&mut self, client: ClientId, asked: &Search<'_>) {
        let label = self.label_of(client);
        let Some(room) = self.room_asked(client, "SEARCH", asked.room.as_deref()) else { return };
        if self.keeping.as_ref().is_some_and(|keeping| keeping.searches.len() >= SEARCHES_MAX) {
            return self.answer(client, "FAIL SEARCH BUSY", Some(Phrase::HistoryBusy));
        }
        let limit = asked.limit.unwrap_or(HISTORY_LINES).min(HISTORY_LINES_MAX);
        let (words, before) = (asked.words.to_owned(), asked.before);
        let what = Wanted::Search { room: Some(room.clone()), words, before, limit: limit.saturating_add(1) };
        self.ask(
            client,
            Purpose::Page(Page { room, label, order: Order::Found, limit: limit as usize }),
            what,
        );
    }

    /// The room that is to be read. None: it cannot be, and the connection was told why.
    fn room_asked(&mut self, client: ClientId, command: &str, room: Option<&str>) -> Option<String> {
        let room = match room.filter(|room| !room.is_empty()) {
            Some(room) => room.to_lowercase(),
            None => self.room_of(client).map_or_else(String::new, |room| self.room_name(room)),
        };
        let waiting = self.keeping.as_ref().map(|keeping| keeping.questions.len());
        let (code, phrase) = match waiting {
            _ if check_room(&room).is_err() => ("ROOM_INVALID", Phrase::RoomInvalid),
            None => ("NOT_KEPT", Phrase::HistoryNone),
            Some(waiting) if waiting >= QUESTIONS_MAX => ("BUSY", Phrase::HistoryBusy),
            Some(_) => return self.admits(client, command, &room).then_some(room),
        };
        self.answer(client, &format!("FAIL {command} {code}"), Some(phrase));
        None
    }
}
