//! Up to where a room was read, on whatever device of the account: told to the others, and heard from them.

use std::time::Duration;

use super::conversation::{Conversation, Kind, Seat};
use super::entry::{Body, Place};
use super::{LinkCommand, Model, Status};

/// How long what was read waits to be told, so that who reads along does not tell it line by line.
pub const MARK_AFTER: Duration = Duration::from_secs(2);

/// Where reading stands in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Marks {
    /// Read here.
    read: u64,
    /// The account has read so far, as the relay says.
    pub(super) known: u64,
    /// Told to the relay, or by it.
    pub(super) told: u64,
}

impl Model {
    /// What is shown is read, to its end.
    pub(super) fn note_read(&mut self) {
        let is_logged_in = self.account.role.is_some();
        let shown = self.conversations.shown_mut();
        let Some(newest) = shown.transcript.newest_line().filter(|_| shown.kind == Kind::Room) else {
            return;
        };
        shown.marks.read = shown.marks.read.max(newest);
        if is_logged_in && shown.marks.read > shown.marks.told {
            let due = self.now.monotonic.saturating_add(MARK_AFTER);
            self.marks_due.get_or_insert(due);
        }
    }

    /// Tells what was read, where it is time to.
    pub(super) fn tell_marks(&mut self) {
        let now = self.now.monotonic;
        if self.marks_due.take_if(|due| *due <= now).is_none()
            || self.account.role.is_none()
            || self.status != Status::Ready
        {
            return;
        }
        let mut orders = Vec::new();
        self.conversations.for_each_mut(|conversation| {
            let marks = &mut conversation.marks;
            let is_news = marks.read > marks.told && conversation.kind == Kind::Room;
            if is_news && conversation.seat == Seat::In {
                marks.told = marks.read;
                orders.push(LinkCommand::Read { room: conversation.name.clone(), id: marks.read });
            }
        });
        orders.into_iter().for_each(|order| self.link(order));
    }

    /// The account has read a room up to this line.
    pub(super) fn handle_mark(&mut self, room: &str, id: u64) {
        let Some(found) = self.conversations.find(Kind::Room, &room.to_lowercase()) else { return };
        let settings = &self.settings;
        let Some(conversation) = self.conversations.get_mut(found) else { return };
        let marks = &mut conversation.marks;
        marks.known = marks.known.max(id);
        marks.told = marks.told.max(id);
        conversation.read_up_to(id, |name| settings.is_ignored(name));
    }
}

impl Conversation {
    /// Lines up to this one count as read; so do all where it is the newest.
    fn read_up_to(&mut self, id: u64, is_ignored: impl Fn(&str) -> bool) {
        let is_all = self.transcript.newest_line().is_none_or(|newest| newest <= id);
        if is_all && self.end == super::End::Here {
            self.mark_read();
            return self.clear_unread_line();
        }
        let behind = Place::of_line(id);
        let (mut unread, mut mentions, mut first) = (0_u64, 0_u64, None);
        for entry in self.transcript.iter().rev().take_while(|entry| entry.place > behind) {
            if let Body::Said(said) = &entry.body {
                let counts = !said.is_own && !is_ignored(&said.name);
                unread = unread.saturating_add(u64::from(counts));
                mentions = mentions.saturating_add(u64::from(counts && said.is_mention));
                first = if counts { Some(entry.place) } else { first };
            }
        }
        // Where the newest lines are not at hand nobody knows how many there are.
        if self.end == super::End::Here {
            self.unread = self.unread.min(unread);
            self.mentions = self.mentions.min(mentions);
        }
        if self.unread_line.is_some_and(|line| line <= behind) {
            self.clear_unread_line();
            self.unread_line = first.filter(|_| self.unread > 0);
            if let Some(position) = self.unread_line.and_then(|place| self.transcript.at(place)) {
                self.transcript.change(position, |_| {});
            }
        }
    }
}
