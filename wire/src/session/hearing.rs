//! What each line of the relay means once the session has begun.

use super::clock::ALIVE;
use super::event::{Action, Event, Source};
use super::rooms::Seat;
use super::sending::MARKER;
use super::{Link, Session, Settling};
use crate::heard::{Heard, Said};

impl Session {
    /// A line without its ending, and clean.
    pub(super) fn handle_line(&mut self, line: &str) {
        let heard = Heard::parse(line);
        match self.link {
            Link::Ready => self.handle_heard(heard),
            Link::Greeting { .. } | Link::Refused { .. } => self.handle_greeting(heard),
            Link::Waiting { .. } | Link::Connecting | Link::Ended => {}
        }
    }

    /// Something that is no line. Before the session has begun, nobody promised lines.
    pub(super) fn handle_unreadable(&mut self) {
        if self.link == Link::Ready {
            self.events.push_back(Event::Unreadable);
        }
    }

    fn handle_heard(&mut self, heard: Heard<'_>) {
        match heard {
            Heard::Said(said) => match said.label {
                Some(label) => self.handle_fetched(label, said),
                None => self.handle_live(said),
            },
            Heard::Ack { label, id, unix_ms } => {
                self.highest = self.highest.max(id);
                self.acknowledge(label, id, unix_ms);
            }
            Heard::SayRefused { label, code, sentence } => {
                if let Some(line) = self.unanswered.remove(label) {
                    self.refuse(line, code, sentence);
                }
            }
            Heard::NotKept { label, id } => {
                self.highest = self.highest.max(id);
                if let Some(line) = self.unanswered.remove(label) {
                    self.events.push_back(Event::NotKept { label: line.label, id });
                }
            }
            Heard::Joined { room, last } => self.handle_joined(&room.to_lowercase(), last),
            Heard::JoinRefused { room, code, sentence } => {
                let named = room.map(|room| room.to_lowercase());
                if let Some(room) = self.rooms.handle_refused(named.as_deref()) {
                    self.forget_gaps(&room);
                    let (code, sentence) = (code.to_owned(), sentence.to_owned());
                    self.events.push_back(Event::JoinRefused { room, code, sentence });
                }
            }
            Heard::Parted { room } => {
                let room = room.to_lowercase();
                self.forget_gaps(&room);
                self.rooms.handle_parted(&room);
                self.events.push_back(Event::Parted { room });
            }
            Heard::Gap { room, from, to } => self.handle_gap(&room.to_lowercase(), from, to),
            Heard::HistoryEnd { label, is_more } => self.handle_history_end(label, is_more),
            Heard::HistoryRefused { label, code } => self.handle_history_refused(label, code),
            Heard::Ping { word } => self.send_pong(word),
            Heard::TakenOver => self.handle_taken_over(),
            Heard::Renamed { name } => self.handle_renamed(name.into_owned()),
            Heard::NickRefused { code, sentence } => self.handle_nick_refused(code, sentence),
            Heard::NewToken(token) => self.handle_new_token(token.0.into_owned()),
            Heard::LoggedIn { name, role } => {
                self.handle_renamed(name.into_owned());
                self.note_role(Some(role.into_owned()));
            }
            Heard::Role { role } => self.handle_role(role.into_owned()),
            Heard::LoginRefused { code, sentence, .. } => {
                let (code, sentence) = (code.to_owned(), sentence.to_owned());
                self.events.push_back(Event::LoginRefused { code, sentence, again_in: None });
            }
            other => self.handle_told(other),
        }
    }

    /// What changes nothing for the session, and is passed on.
    fn handle_told(&mut self, heard: Heard<'_>) {
        let own = |label: Option<&str>| label.map(str::to_owned);
        let event = match heard {
            Heard::Pong { word }
                if word == MARKER && self.connection.settling == Some(Settling::MarkerSent) =>
            {
                self.connection.settling = None;
                return;
            }
            // The session's own question: nobody else asked.
            Heard::Pong { word } if word == ALIVE => return,
            Heard::Pong { word } => {
                Event::Other { words: format!("PONG {word}"), label: None, sentence: String::new() }
            }
            Heard::Storm { room, joined, left } => Event::Storm { room: room.into_owned(), joined, left },
            Heard::Read { room, id } => Event::Read { room: room.into_owned(), id },
            Heard::History { is_kept } => Event::History { is_kept },
            Heard::Closing => Event::Closing,
            Heard::Who { label, room, name } => {
                Event::Who { label: own(label), room: room.into_owned(), name: name.into_owned() }
            }
            Heard::Room { label, room, names } => {
                Event::Room { label: own(label), room: room.into_owned(), names }
            }
            Heard::End { label, what } => Event::AnswerEnd { label: own(label), what: what.to_owned() },
            Heard::Other { words, label, sentence } => return self.tell_other(words, label, sentence),
            Heard::HelloRefused { code, sentence } => {
                return self.tell_other(&format!("FAIL HELLO {code}"), None, sentence);
            }
            Heard::Unreadable => Event::Unreadable,
            _ => return,
        };
        self.events.push_back(event);
    }

    pub(super) fn tell_other(&mut self, words: &str, label: Option<&str>, sentence: &str) {
        if words.strip_prefix("FAIL RELAY ").is_some_and(|rest| self.handle_relay_failure(rest, sentence)) {
            return;
        }
        if words.split(' ').take(3).eq(["NOTE", "REGISTER", "DONE"]) {
            self.handle_registered();
        }
        let label = label.map(str::to_owned);
        self.events.push_back(Event::Other { words: words.to_owned(), label, sentence: sentence.to_owned() });
    }

    /// A line that came by itself. Of a room, each id once and only growing; and each key once, because a line may come
    /// again under another id after a relay was killed.
    fn handle_live(&mut self, said: Said<'_>) {
        if let Some(id) = said.id {
            self.highest = self.highest.max(id);
        }
        if let Some(room) = said.room.as_deref().filter(|_| !said.is_private) {
            // What is still written of a room that was left is not wanted any more.
            let Some(room) = self.rooms.get_mut(&room.to_lowercase()).filter(|room| room.is_wanted) else {
                return;
            };
            if let Some(id) = said.id {
                if room.newest.is_some_and(|newest| id <= newest) {
                    return;
                }
                room.newest = Some(id);
            }
        }
        self.tell_once(said, Source::Live);
    }

    /// Passes a line on, unless its key was heard lately. False: it was.
    pub(super) fn tell_once(&mut self, said: Said<'_>, source: Source) -> bool {
        if said.key.is_some_and(|key| !self.recent.insert(key)) {
            return false;
        }
        self.tell(said, source);
        true
    }

    pub(super) fn tell(&mut self, said: Said<'_>, source: Source) {
        let own = said.key.filter(|key| self.is_own(key.sid)).map(|key| key.label.to_owned());
        let line = said.into();
        self.events.push_back(match own {
            Some(label) => Event::Own { label, line, source },
            None => Event::Heard { line, source },
        });
    }

    pub(super) fn is_own(&self, sid: u64) -> bool {
        self.identity.as_ref().is_some_and(|identity| identity.sid == sid) || self.old_sids.contains(&sid)
    }

    pub(super) fn acknowledge(&mut self, label: &str, id: u64, unix_ms: Option<u64>) {
        if let Some(line) = self.unanswered.remove(label) {
            self.events.push_back(Event::Acknowledged { label: line.label, id, unix_ms });
        }
    }

    fn handle_joined(&mut self, name: &str, last: Option<u64>) {
        // What a resumed session missed comes by itself; nothing does where the relay has it in a room anew.
        let comes_by_itself = self.connection.settling.is_some();
        let Some(room) = self.rooms.handle_joined(name).filter(|room| room.seat != Seat::In) else { return };
        room.seat = Seat::In;
        let is_wanted = room.is_wanted;
        let begins_anew = room.newest.zip(last).filter(|(newest, last)| !comes_by_itself && last < newest);
        let missed = match (room.newest, last) {
            (Some(newest), Some(last)) if !comes_by_itself => {
                // Less than was heard: the relay has begun anew, and counts from there.
                room.newest = Some(last);
                self.highest = if last < newest { last } else { self.highest };
                (last > newest).then_some((newest, last))
            }
            (newest, last) => {
                room.newest = newest.or(last);
                None
            }
        };
        self.highest = self.highest.max(last.unwrap_or_default());
        if is_wanted {
            self.events.push_back(Event::Joined { room: name.to_owned() });
            let anew = begins_anew.map(|(_, last)| Event::RoomAnew { room: name.to_owned(), last });
            self.events.extend(anew);
        }
        if let Some((after, to)) = missed.filter(|_| is_wanted) {
            self.open_gap(name, after, to);
        }
    }

    fn handle_gap(&mut self, name: &str, from: u64, to: u64) {
        let Some(room) = self.rooms.get_mut(name).filter(|room| room.is_wanted) else { return };
        let after = room.newest.unwrap_or_default().max(from.saturating_sub(1));
        if to <= after {
            return;
        }
        room.newest = Some(to);
        self.highest = self.highest.max(to);
        self.open_gap(name, after, to);
    }

    /// Whoever has the session now must not be pushed out again by itself.
    pub(super) fn handle_taken_over(&mut self) {
        self.actions.push_back(Action::Close);
        if self.quit.is_some() {
            return self.end();
        }
        self.disconnect(Link::Ended);
        self.events.push_back(Event::TakenOver);
    }

    fn handle_renamed(&mut self, name: String) {
        let asked = self.connection.nick_asked.take();
        if asked.is_none_or(|asked| asked == self.name) {
            self.name.clone_from(&name);
        }
        self.held_name = Some(name.clone());
        self.events.push_back(Event::Renamed { name });
    }

    fn handle_nick_refused(&mut self, code: &str, sentence: &str) {
        let asked = self.connection.nick_asked.take();
        if let Some(held) = self.held_name.as_ref().filter(|_| asked.as_ref() == Some(&self.name)) {
            self.name.clone_from(held);
        }
        let (code, sentence) = (code.to_owned(), sentence.to_owned());
        self.events.push_back(Event::RenameRefused { code, sentence });
    }
}
