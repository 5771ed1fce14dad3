//! Who may say what: joining, leaving, talking. The relay writes every name itself.

use tertulia_wire::message::{Message, REPLY_CLOSE, REPLY_OPEN, fit_quote};
use tertulia_wire::name::{JOIN_WORDS, LEAVE_WORDS, Name};

use super::client::Named;
use super::names::Refused;
use super::rooms::Notice;
use super::timers::Look;
use super::{CLOSING_AFTER, Chat, ClientId, Cut, Event, RoomId};
use crate::moment::Moment;
use crate::phrases::Phrase;
use crate::sabotage::{self, Bug};

/// Under which name a connection may say a line that names somebody.
enum Voice {
    /// Under this one.
    Own(String),
    /// It is somebody else's: the whole line is the connection's own text.
    Text,
    /// Not at all.
    Refused(Refused),
}

impl Chat {
    /// A line, without its ending and clean.
    pub(super) fn handle_line(&mut self, client: ClientId, line: &str, now: Moment) {
        if line.is_empty() {
            return;
        }
        if let Some(text) = self.own_text(client, line) {
            return self.say_own(client, text.len(), line);
        }
        match Message::parse(line) {
            Message::Join(name) => self.handle_join(client, &name, line, now),
            Message::Leave(name) => self.handle_leave(client, &name, line, now),
            Message::Say { name, text } => self.handle_say(client, &name, None, text, line),
            Message::Reply { quote, name, text } => self.handle_say(client, &name, Some(quote), text, line),
            Message::Command(rest) => self.handle_command(client, rest, now),
            Message::Text(text) => self.handle_text(client, text),
        }
    }

    /// The common case, `NAME: TEXT` with the connection's own name: TEXT.
    fn own_text<'a>(&self, client: ClientId, line: &'a str) -> Option<&'a str> {
        let named = self.client(client)?.named.as_ref()?;
        line.strip_prefix(named.shown.as_str())?.strip_prefix(": ")
    }

    /// Says a line that already stands as it is to be heard.
    fn say_own(&mut self, client: ClientId, text_bytes: usize, line: &str) {
        if text_bytes > 0 {
            let (name, text) = line.split_at_checked(line.len() - text_bytes).unwrap_or_default();
            self.keep_said(client, name.strip_suffix(": ").unwrap_or(name), None, text);
            self.say(client, &[line.as_bytes(), b"\n"]);
        }
    }

    fn keep_said(&mut self, client: ClientId, shown: &str, quote: Option<&str>, text: &str) {
        if let Some(room) = self.room_of(client) {
            self.keep(room, shown, quote, text);
        }
    }

    /// `NAME se ha unido al chat.`
    pub(super) fn handle_join(&mut self, client: ClientId, name: &Name<'_>, line: &str, now: Moment) {
        match self.client(client).and_then(|state| state.named.as_ref()) {
            Some(named) if named.is_announced && named.is_own(name) => return,
            Some(named) if named.is_announced => return self.handle_text(client, line),
            _ => {}
        }
        self.forget_name(client, None, now);
        let base = self.names.claim_or_rename(name.base(), client);
        let asked = (base != name.base()).then(|| name.base().to_owned());
        let was_renamed = asked.is_some();
        self.set_name(client, &base, name.tail(), asked, true);
        self.notice(client, Notice::Join, now);
        if was_renamed {
            let words = format!("NOTE JOIN RENAMED {}", tertulia_wire::tags::escape(&base));
            self.answer(client, &words, Some(Phrase::Renamed));
        }
    }

    /// Whether a join notice with this name is one, and not text.
    pub(super) fn may_join_as(&self, client: ClientId, name: &Name<'_>) -> bool {
        let named = self.client(client).and_then(|state| state.named.as_ref());
        named.is_none_or(|named| !named.is_announced || named.is_own(name))
    }

    /// `NAME ha abandonado el chat.`
    pub(super) fn handle_leave(&mut self, client: ClientId, name: &Name<'_>, line: &str, now: Moment) {
        let named = self.client(client).and_then(|state| state.named.as_ref());
        if named.is_some_and(|named| named.is_own(name)) {
            self.forget_name(client, None, now);
        } else {
            self.handle_text(client, line);
        }
    }

    /// `NAME: TEXT`, or a reply.
    fn handle_say(&mut self, client: ClientId, name: &Name<'_>, quote: Option<&str>, text: &str, line: &str) {
        match self.voice(client, name) {
            Voice::Own(_) if text.is_empty() => {}
            Voice::Own(shown) => self.say_as(client, &shown, quote, text),
            Voice::Text => self.handle_text(client, line),
            Voice::Refused(refused) => {
                let (code, phrase) = refusal(refused);
                let words = format!("FAIL SAY {code} {}", tertulia_wire::tags::escape(name.base()));
                self.answer(client, &words, Some(phrase));
            }
        }
    }

    /// Text without a name.
    fn handle_text(&mut self, client: ClientId, text: &str) {
        let shown =
            self.client(client).and_then(|state| state.named.as_ref()).map(|named| named.shown.clone());
        match shown {
            Some(shown) => self.say_as(client, &shown, None, text),
            None if text.ends_with(JOIN_WORDS) => {
                self.answer(client, "FAIL JOIN NAME_INVALID", Some(Phrase::NameInvalid));
            }
            None => self.answer(client, "FAIL SAY NAME_NEEDED", Some(Phrase::NameNeeded)),
        }
    }

    fn voice(&mut self, client: ClientId, name: &Name<'_>) -> Voice {
        if sabotage::has(Bug::ForgedName) {
            return Voice::Own(name.as_str().to_owned());
        }
        match self.client(client).and_then(|state| state.named.as_ref()) {
            Some(named) if named.is_own(name) => {
                return Voice::Own(format!("{}{}", named.base(), name.tail()));
            }
            Some(named) if named.is_announced => return Voice::Text,
            _ => {}
        }
        if let Err(refused) = self.names.claim(name.base(), client) {
            return Voice::Refused(refused);
        }
        self.release_name(client, name.base());
        self.set_name(client, name.base(), name.tail(), None, false);
        Voice::Own(name.as_str().to_owned())
    }

    fn say_as(&mut self, client: ClientId, shown: &str, quote: Option<&str>, text: &str) {
        let quote = quote.map(fit_quote);
        self.keep_said(client, shown, quote.as_deref(), text);
        let Some(quote) = quote else {
            return self.say(client, &[shown.as_bytes(), b": ", text.as_bytes(), b"\n"]);
        };
        let parts = [REPLY_OPEN, &quote, REPLY_CLOSE, shown, ": ", text, "\n"];
        self.say(client, &parts.map(str::as_bytes));
    }

    /// Says a line to the others in the connection's room.
    fn say(&mut self, client: ClientId, parts: &[&[u8]]) {
        if let Some(room) = self.room_of(client) {
            self.say_in(room, Some(client), parts);
        }
    }

    /// Shows a join or leave notice to the others in the connection's room, or counts it in a storm.
    pub(super) fn notice(&mut self, client: ClientId, notice: Notice, now: Moment) {
        let Some(shown) = self.shown_name(client) else { return };
        let Some(room) = self.room_of(client) else { return };
        let Some(storm) = self.rooms.get_mut(room).map(|room| &mut room.storm) else { return };
        let was_raging = storm.is_raging();
        if storm.count(notice, now) {
            let words = if notice == Notice::Join { JOIN_WORDS } else { LEAVE_WORDS };
            self.say_in(room, Some(client), &[shown.as_bytes(), words.as_bytes(), b"\n"]);
        } else if !was_raging {
            let due = storm.window_end();
            self.timers.set(due, Look::Storm(room));
        }
    }

    /// A storm's second is over: everybody hears how many came and went.
    pub(super) fn end_storm(&mut self, room: RoomId, now: Moment) {
        let Some(storm) = self.rooms.get_mut(room).map(|room| &mut room.storm) else { return };
        if !storm.is_raging() || storm.window_end() > now {
            return;
        }
        let (mut joined, left) = storm.take();
        if sabotage::has(Bug::StormMiscounted) {
            joined = joined.saturating_sub(1);
        }
        let sentence = Phrase::Storm.in_language(self.settings.language);
        let line = format!("* NOTE ROOM STORM joined={joined} left={left} :{sentence}\n");
        self.say_in(room, None, &[line.as_bytes()]);
    }

    /// Takes the connection's name away; the others see it leave if they saw it join.
    pub(super) fn forget_name(&mut self, client: ClientId, cut: Option<Cut>, now: Moment) {
        let Some(named) = self.client(client).and_then(|state| state.named.as_ref()) else { return };
        let (shown, base) = (named.shown.clone(), named.base().to_owned());
        if named.is_announced && !sabotage::has(Bug::VanishedSilently) {
            self.notice(client, Notice::Leave, now);
        }
        self.names.release(&base, client);
        if let Some(state) = self.client_mut(client) {
            state.named = None;
        }
        self.events.push_back(Event::Left { client, name: shown, cut });
    }

    /// Gives up the name held so far, silently, unless it is `kept`.
    fn release_name(&mut self, client: ClientId, kept: &str) {
        let named = self.client(client).and_then(|state| state.named.as_ref());
        if let Some(base) = named.map(|named| named.base().to_owned()).filter(|base| base != kept) {
            self.names.release(&base, client);
            // The two may share a key: what is kept stays held under all of its own.
            let _ = self.names.claim(kept, client);
        }
    }

    pub(super) fn set_name(
        &mut self,
        client: ClientId,
        base: &str,
        tail: &str,
        asked: Option<String>,
        is_announced: bool,
    ) {
        let shown = format!("{base}{tail}");
        let Some(state) = self.client_mut(client) else { return };
        // Another ` - WHO` of the same holder is not worth a line in the log.
        let is_new = state.named.as_ref().is_none_or(|named| named.base() != base);
        let named = Named { shown: shown.clone(), base_bytes: base.len(), asked, is_announced };
        let before = state.named.replace(Box::new(named));
        if is_new {
            if let Some(before) = before {
                self.events.push_back(Event::Left { client, name: before.shown, cut: None });
            }
            self.events.push_back(Event::Named { client, name: shown });
        }
    }

    /// The names that the connection may call itself.
    pub(super) fn own_names(&self, client: ClientId) -> Vec<String> {
        let Some(named) = self.client(client).and_then(|state| state.named.as_ref()) else {
            return Vec::new();
        };
        let mut names = vec![named.shown.clone(), named.base().to_owned()];
        names.extend(named.asked.clone());
        if let Some(asked) = &named.asked {
            names.push(format!("{asked}{}", named.shown.get(named.base_bytes..).unwrap_or_default()));
        }
        names
    }

    pub(super) fn shown_name(&self, client: ClientId) -> Option<String> {
        Some(self.client(client)?.named.as_ref()?.shown.clone())
    }

    /// Ends a connection for a reason: the others see it leave, it hears one last line.
    pub(super) fn cut(&mut self, client: ClientId, cut: Cut, now: Moment) {
        // Who is being closed may still fall out of the log that it reads to its end.
        if self.client(client).is_none_or(|state| state.is_closing && cut != Cut::Slow) {
            return;
        }
        if let Some(count) = self.counts.cut.get_mut(cut.index()) {
            *count += 1;
        }
        let (words, phrase) = match cut {
            Cut::Slow => ("FAIL SLOW".to_owned(), Phrase::Slow),
            Cut::Incomplete => ("FAIL LINE INCOMPLETE".to_owned(), Phrase::LineIncomplete),
            Cut::Foreign(foreign) => {
                (format!("FAIL RELAY FOREIGN_PROTOCOL {}", foreign.word()), Phrase::Foreign)
            }
        };
        let line = format!("* {words} :{}\n", phrase.in_language(self.settings.language));
        self.forget_name(client, Some(cut), now);
        if cut == Cut::Slow {
            self.end_with(client, &line);
        } else {
            self.insert(client, &line);
            self.end_outbox(client);
        }
        self.start_closing(client, now);
    }

    /// Ends a connection once it has heard what is queued; the others see it leave now.
    pub(super) fn close(&mut self, client: ClientId, now: Moment) {
        self.forget_name(client, None, now);
        self.end_outbox(client);
        self.start_closing(client, now);
    }

    fn start_closing(&mut self, client: ClientId, now: Moment) {
        let Some(state) = self.client_mut(client) else { return };
        state.is_closing = true;
        state.waiting = Vec::new();
        state.lines = tertulia_wire::lines::Lines::default();
        self.count_held(client, now);
        self.list(client);
        self.wait_for_closing(client, now);
    }

    fn wait_for_closing(&mut self, client: ClientId, now: Moment) {
        let due = now.after(CLOSING_AFTER);
        if let Some(outbox) = self.outbox_mut(client) {
            outbox.has_taken = false;
        }
        let Some(state) = self.client_mut(client) else { return };
        state.input_due = due;
        self.timers.set(due, Look::Close(client));
    }

    /// A connection is to read its last lines: it has time as long as it reads at all.
    pub(super) fn look_at_closing(&mut self, client: ClientId, now: Moment) {
        if self.client(client).is_none_or(|state| !state.is_closing || state.input_due > now) {
            return;
        }
        if self.outbox(client).is_none_or(|outbox| !outbox.has_taken) {
            self.ended.push_back(client);
        } else {
            self.wait_for_closing(client, now);
        }
    }
}

/// Code and sentence of a refusal.
pub(super) fn refusal(refused: Refused) -> (&'static str, Phrase) {
    match refused {
        Refused::InUse => ("NAME_IN_USE", Phrase::NameInUse),
        Refused::Reserved => ("NAME_RESERVED", Phrase::NameReserved),
    }
}
