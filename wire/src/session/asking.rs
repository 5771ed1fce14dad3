//! What the caller asks of a session besides saying something.

use std::time::Duration;

use super::config::QUIT_WAIT;
use super::error::AskError;
use super::event::{Action, Ticket};
use super::fetch::{FETCHES_MAX, Fetch, Purpose, WORDS_BYTES_MAX};
use super::{Link, Quit, Say, Session};
use crate::name::{Name, check_room};
use crate::text::{clean, join_lines};

/// Where a fetch begins; the id itself is not among its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The oldest lines behind this id.
    After(u64),
    /// The newest lines before this id. `u64::MAX`: the newest of all.
    Before(u64),
}

impl Session {
    /// Another name. Refused at once where it cannot be one; what the relay says to it comes as an event. A name that is in
    /// use when the session greets is told as [`super::Event::HelloRefused`]; if the session held it before, and could not
    /// resume, it asks for it again by itself, because its own ghost goes within
    /// [`RESUME_GRACE`](crate::limits::RESUME_GRACE).
    pub fn rename(&mut self, name: &str) -> Result<(), AskError> {
        let name = Name::parse(name).map_err(AskError::Name)?;
        self.name = name.to_string();
        self.ask_hello_again();
        Ok(())
    }

    /// Be in one more room, from now on and after each reconnect.
    pub fn join(&mut self, room: &str) -> Result<(), AskError> {
        let room = room.to_lowercase();
        check_room(&room).map_err(AskError::Name)?;
        if !self.rooms.want(&room) {
            return Err(AskError::TooManyRooms);
        }
        self.ask_hello_again();
        Ok(())
    }

    /// Be in a room no more. Its gaps are forgotten.
    pub fn part(&mut self, room: &str) {
        let room = room.to_lowercase();
        self.rooms.forgo(&room);
        self.forget_gaps(&room);
        self.ask_hello_again();
    }

    /// Reads lines of the history: the oldest behind `after`, or the newest before `before`; ids ascend. They come as
    /// [`super::Event::Heard`] and [`super::Event::Own`] with the ticket, then [`super::Event::Fetched`].
    pub fn fetch(&mut self, room: &str, way: Way, limit: u32) -> Result<Ticket, AskError> {
        let (room, ticket) = self.begin_reading(room)?;
        let purpose = Purpose::Reading(ticket);
        self.fetches.push(match way {
            Way::After(id) => Fetch::behind(purpose, &room, id, limit),
            Way::Before(id) => Fetch::before(purpose, &room, id, limit),
        });
        Ok(ticket)
    }

    /// Looks for lines of a room that have all of the words, before an id (`u64::MAX`: all of them), at most `limit`. They
    /// come as [`super::Event::Heard`] and [`super::Event::Own`] with the ticket, the newest first, also those that were
    /// heard before; then [`super::Event::Fetched`] or [`super::Event::FetchRefused`]. Through a cut it goes on behind the
    /// last line that came. The relay may give fewer lines at once than there are: `is_more` says so, and the last id is
    /// the next `before`.
    pub fn search(&mut self, room: &str, words: &str, before: u64, limit: u32) -> Result<Ticket, AskError> {
        let words = clean(&join_lines(words)).trim().to_owned();
        if words.is_empty() || words.len() > WORDS_BYTES_MAX {
            return Err(AskError::Words);
        }
        let (room, ticket) = self.begin_reading(room)?;
        self.fetches.push(Fetch::search(Purpose::Reading(ticket), &room, &words, before, limit));
        Ok(ticket)
    }

    /// The room as the relay knows it, and a ticket for what is to be read there.
    fn begin_reading(&mut self, room: &str) -> Result<(String, Ticket), AskError> {
        let room = room.to_lowercase();
        check_room(&room).map_err(AskError::Name)?;
        if self.fetches.readings() >= FETCHES_MAX {
            return Err(AskError::Full);
        }
        Ok((room, Ticket(self.take_number())))
    }

    /// Leaves: waits up to [`QUIT_WAIT`] for answers to what was said, says `/quit`, and waits for the end of the
    /// connection. [`super::Event::Ended`] comes last. What has no answer by then is still in [`Session::saved`].
    pub fn quit(&mut self, now: Duration) {
        self.advance(now);
        if self.link == Link::Ready {
            let until = self.now.saturating_add(QUIT_WAIT);
            self.quit.get_or_insert(Quit { until, is_sent: false });
            return;
        }
        if !matches!(self.link, Link::Waiting { .. } | Link::Ended) {
            self.actions.push_back(Action::Close);
        }
        self.end();
    }

    /// Connects again after [`super::Event::TakenOver`], [`super::Event::Removed`] or [`super::Event::Ended`]; at once, where
    /// it waits to connect; and asks to be greeted once more, where that was refused. Else nothing.
    pub fn start(&mut self, now: Duration) {
        self.advance(now);
        if matches!(self.link, Link::Ended | Link::Waiting { .. }) {
            self.quit = None;
            // Somebody waits for it again.
            (self.attempt, self.removals) = (0, 0);
            self.link = Link::Connecting;
            self.actions.push_back(Action::Connect);
        }
        self.ask_hello_again();
    }

    /// The name it has, or asks for.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The rooms it is in, or asks for.
    pub fn rooms(&self) -> impl Iterator<Item = &str> {
        self.rooms.wanted().map(|room| room.name.as_str())
    }

    /// Whether the relay has greeted it, and the connection is there.
    pub fn is_ready(&self) -> bool {
        self.link == Link::Ready
    }

    /// Lines that the relay has not answered.
    pub fn unanswered(&self) -> usize {
        self.unanswered.len()
    }

    /// These lines, with their labels, in order; what a program shows of them after it has restored a session.
    pub fn unanswered_lines(&self) -> impl Iterator<Item = (&str, Say<'_>)> {
        self.unanswered.iter().map(|line| (line.label.as_str(), line.as_say()))
    }
}
