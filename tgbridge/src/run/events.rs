//! The relay's side of the loop: what the session tells goes to the bridge, what the bridge wants goes to the session.

use tertulia_wire::heard::Notice;
use tertulia_wire::session::{AskError, Event, Line, Say, SayError, Source, Way};
use tokio::time::Instant;

use super::{Ended, NAME_WAIT, Runner, say};
use crate::bridge::{FetchFrom, SayLine};
use crate::phrases::Language;

impl Runner {
    pub(super) fn say_line(&mut self, line: &SayLine) {
        let say = Say {
            room: &line.room,
            text: &line.text,
            reply: line.reply,
            as_who: line.as_who.as_deref(),
            to: None,
        };
        let code = match self.relay.session.say_labeled(&line.label, &say) {
            // The same label: the session has it since before a restart.
            Ok(()) | Err(SayError::LabelReused) => return,
            Err(SayError::Empty) => "EMPTY",
            Err(SayError::TooLong { .. }) => "LINE_TOO_LONG",
            Err(SayError::Room(_)) => "ROOM_INVALID",
            Err(SayError::Label) => "LABEL_INVALID",
            Err(SayError::Full) => "FULL",
        };
        self.bridge.handle_say_refused(&line.label, code, self.now());
    }

    pub(super) fn ask_who(&mut self, question: u64, room: &str) {
        match self.relay.session.command(&format!("/who room={room}")) {
            Ok(label) => drop(label.map(|label| self.questions.insert(label, question))),
            Err(_) => self.bridge.fail_who(),
        }
    }

    pub(super) fn join(&mut self, room: &str) {
        // One that it is in already answers nothing; if it is not, what is said there will tell.
        let is_there = self.relay.session.rooms().any(|other| other == room);
        match self.relay.session.join(room) {
            Ok(()) if is_there => self.bridge.handle_room_joined(room, self.now()),
            Ok(()) => {}
            Err(error) => say(&format!("relay: {room}: {error}")),
        }
    }

    /// The question of an answer; with the last line of it, it is answered.
    fn question(&mut self, label: Option<&String>, is_last: bool) -> Option<u64> {
        let label = label?;
        if is_last { self.questions.remove(label) } else { self.questions.get(label).copied() }
    }

    pub(super) fn fetch(&mut self, link: usize, room: &str, from: FetchFrom, limit: u32) {
        let way = match from {
            FetchFrom::After(id) => Way::After(id),
            FetchFrom::Newest => Way::Before(u64::MAX),
        };
        match self.relay.session.fetch(room, way, limit) {
            Ok(ticket) => drop(self.fetches.insert(ticket, link)),
            Err(AskError::Full | AskError::NotReady) => self.bridge.handle_fetch_delayed(link),
            Err(error) => self.bridge.handle_fetch_refused(link, &error.to_string(), self.now()),
        }
    }

    pub(super) fn note_event(&mut self, event: Event) {
        let now = self.now();
        match event {
            Event::Heard { line, source } => self.note_line(&line, source),
            Event::Own { line, source: Source::Fetch(ticket), .. } => {
                if let Some(link) = self.fetches.get(&ticket) {
                    self.bridge.handle_fetched_own(*link, &line);
                }
            }
            Event::Acknowledged { label, id, .. } | Event::NotKept { label, id } => {
                self.bridge.handle_acknowledged(&label, id, now);
            }
            // Said by a bridge that is let through, it goes as it is; nothing is confirmed until then.
            Event::Refused { code, .. } if code == "NOT_BRIDGE" => self.end_as_no_bridge(),
            Event::Refused { label, code, .. } => self.bridge.handle_say_refused(&label, &code, now),
            Event::Fetched { ticket, is_more } => {
                if let Some(link) = self.fetches.remove(&ticket) {
                    self.bridge.handle_fetched(link, is_more, now);
                }
            }
            Event::FetchRefused { ticket, code } => {
                if let Some(link) = self.fetches.remove(&ticket) {
                    self.bridge.handle_fetch_refused(link, &code, now);
                }
            }
            Event::GapFound { room, .. } | Event::GapLeft { room, .. } => {
                self.bridge.handle_missed(&room, now);
            }
            Event::RoomAnew { room, last } => self.bridge.handle_room_anew(&room, last, now),
            Event::Joined { room } => self.bridge.handle_room_joined(&room, now),
            Event::JoinRefused { room, code, sentence } => {
                say(&format!("relay: {code} {room}: {sentence}"));
                self.bridge.handle_room_lost(&room, now);
            }
            Event::Parted { room } => self.bridge.handle_room_lost(&room, now),
            other => self.note_answer_about_people(other),
        }
    }

    fn note_answer_about_people(&mut self, event: Event) {
        let now = self.now();
        match event {
            Event::Who { label, name, .. } => {
                if let Some(question) = self.question(label.as_ref(), false) {
                    self.bridge.handle_who(question, &name);
                }
            }
            Event::AnswerEnd { label, what } if what == "WHO" => {
                if let Some(question) = self.question(label.as_ref(), true) {
                    self.bridge.handle_who_end(question, now);
                }
            }
            Event::Other { label, words, .. } if words.starts_with("FAIL WHO") => {
                if let Some(question) = self.question(label.as_ref(), true) {
                    self.bridge.handle_who_refused(question, now);
                }
            }
            other => self.note_connection(other),
        }
    }

    fn note_line(&mut self, line: &Line, source: Source) {
        let now = self.now();
        match (source, line.notice, &line.room) {
            (Source::Fetch(ticket), _, _) => {
                if let Some(link) = self.fetches.get(&ticket) {
                    self.bridge.handle_fetched_line(*link, line, now);
                }
            }
            (Source::Live, Some(notice), Some(room)) => {
                self.bridge.handle_notice(room, &line.name, notice == Notice::Join, now);
            }
            (Source::Live, None, _) => self.bridge.handle_line(line, now),
            // What was missed is fetched by the bridge itself, in its order; it searches for nothing.
            (Source::Gap | Source::Search(_), _, _) | (Source::Live, Some(_), None) => {}
        }
    }

    fn note_connection(&mut self, event: Event) {
        let is_spanish = self.options.settings.language == Language::Es;
        match event {
            Event::Ready { name, durability, is_resumed, .. } => {
                self.name_attempts = 0;
                self.needs_save = true;
                self.bridge.handle_name(&name);
                let resumed = if is_resumed { " (resumed)" } else { "" };
                say(&format!("relay {}: {name}, durability {durability}{resumed}", self.options.way.address));
                self.tell_login();
                self.bridge.handle_relay_ready(self.now());
            }
            Event::NewToken => self.needs_save = true,
            Event::Waiting { reason, retry_in } => {
                let why = self.why_waiting(reason);
                say(&format!("relay {}: {why}; {:.1} s", self.options.way.address, retry_in.as_secs_f32()));
                self.questions.clear();
                self.bridge.handle_relay_gone(self.now());
            }
            Event::LoginNeeded { is_private, .. } => self.note_login_needed(is_private),
            Event::LoginRefused { code, sentence, again_in } => {
                self.note_login_refused(&code, &sentence, again_in);
            }
            Event::HelloRefused { code, name, sentence, again_in } => {
                if self.is_told_of_login(&code) {
                    return;
                }
                say(&format!("relay: {code} {name}: {sentence}"));
                if again_in.is_none() {
                    // Whatever else is wrong, another name does not help.
                    self.name_attempts =
                        self.name_attempts.saturating_add(u32::from(code.starts_with("NAME_")));
                    self.name_again_at = Some(Instant::now() + NAME_WAIT);
                }
            }
            Event::Renamed { name } => self.bridge.handle_name(&name),
            // It comes back by itself; when, is told next.
            Event::Removed { code, sentence } => say(&format!("relay: {code}: {sentence}")),
            Event::Other { words, sentence, .. } => {
                if let Some(code) = words.strip_prefix("FAIL RELAY ") {
                    say(&format!("relay: {code}: {sentence}"));
                }
            }
            Event::TakenOver => {
                self.stop = Some(Ended::for_good(if is_spanish {
                    "otro puente usa esta misma sesión"
                } else {
                    "another bridge uses this same session"
                }));
            }
            Event::MayBeDoubled { room } => say(&if is_spanish {
                format!(
                    "el relay ha olvidado la sesión; alguna línea puede estar dos veces en la sala {room}"
                )
            } else {
                format!("the relay has forgotten the session; some line may be twice in room {room}")
            }),
            Event::History { is_kept } => say(&format!("relay: history kept: {is_kept}")),
            _ => {}
        }
    }
}
