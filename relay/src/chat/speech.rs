//! Who may say what: joining, leaving, talking. The relay writes every name itself.

use tertulia_wire::message::{Message, REPLY_CLOSE, REPLY_OPEN, fit_quote};
use tertulia_wire::name::{JOIN_WORDS, Name};
use tertulia_wire::tags::escape;

use super::answers::refusal;
use super::client::Named;
use super::names::Refused;
use super::rooms::Notice;
use super::tagged::TagValues;
use super::{Chat, ClientId, Cut, Event, RoomId};
use crate::batch::{Kept, Key};
use crate::moment::Moment;
use crate::phrases::Phrase;
use crate::sabotage::{self, Bug};

/// A line that is said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spoken<'a> {
    /// `NAME` or `NAME - WHO`.
    pub(super) shown: &'a str,
    /// The line it answers.
    pub(super) reply: Option<u64>,
    /// What it answers, as it is quoted.
    pub(super) quote: Option<&'a str>,
    /// Of a labeled line.
    pub(super) key: Option<Key<'a>>,
    pub(super) text: &'a str,
}

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
        if self.is_restrained(client) && self.restrain(client, line, now) {
            return;
        }
        if let Some(session) = self.session_of(client) {
            return self.handle_extended_line(client, session, line, now);
        }
        if let Some(text) = self.own_text(client, line) {
            return self.say_own(client, text.len(), line);
        }
        match Message::parse(line) {
            // Not of `//…`: whoever writes that wants it said.
            Message::Text(_) if self.withholds(client, "SAY", line) => {}
            Message::Say { text, .. } | Message::Reply { text, .. }
                if self.withholds(client, "SAY", text) => {}
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
        let Some(room) = self.room_of(client).filter(|_| text_bytes > 0) else { return };
        let (name, text) = line.split_at_checked(line.len() - text_bytes).unwrap_or_default();
        if self.withholds(client, "SAY", text) {
            return;
        }
        let shown = name.strip_suffix(": ").unwrap_or(name);
        let spoken = Spoken { shown, reply: None, quote: None, key: None, text };
        let id = self.register(room, &spoken);
        if !self.say_tagged(room, client, &spoken, id, &[line.as_bytes(), b"\n"]) {
            self.say_in(room, Some(client), &[line.as_bytes(), b"\n"], &[]);
        }
    }

    /// Says a line to the others in a room, and gives its id.
    pub(super) fn speak_in(&mut self, room: RoomId, client: ClientId, spoken: &Spoken<'_>) -> u64 {
        let Spoken { shown, quote, text, .. } = *spoken;
        let id = self.register(room, spoken);
        let plain = [shown, ": ", text, "\n"];
        let reply =
            quote.map(|quote| [REPLY_OPEN, quote, REPLY_CLOSE, shown, ": ", text, "\n"].map(str::as_bytes));
        let plain = plain.map(str::as_bytes);
        let parts = reply.as_ref().map_or(&plain[..], |reply| &reply[..]);
        if !self.say_tagged(room, client, spoken, id, parts) {
            self.say_in(room, Some(client), parts, &[]);
        }
        id
    }

    /// Gives a line its id, and keeps it.
    fn register(&mut self, room: RoomId, spoken: &Spoken<'_>) -> u64 {
        let id = self.ids.next();
        let Spoken { shown: name, reply, quote, key, text } = *spoken;
        let unix_ms = self.ids.unix_ms();
        self.keep(room, &Kept { id, unix_ms, room: "", name, reply, quote, key, text });
        if let Some(room) = self.rooms.get_mut(room) {
            room.newest = id;
        }
        id
    }

    /// Says it with tags too, where somebody in the room hears them.
    fn say_tagged(
        &mut self,
        room: RoomId,
        client: ClientId,
        spoken: &Spoken<'_>,
        id: u64,
        plain: &[&[u8]],
    ) -> bool {
        let Some(state) = self.rooms.get(room).filter(|room| room.tagged.is_some()) else { return false };
        let Spoken { shown, reply, quote, key, text } = *spoken;
        // Who hears ids needs no quote of a line that has one.
        let quote = quote.filter(|_| reply.is_none());
        let unix_ms = self.ids.unix_ms();
        let values =
            TagValues { id, unix_ms, room: Some(&state.name), key, reply, quote, ..TagValues::default() };
        let mut tags = std::mem::take(&mut self.tags_scratch);
        tags.clear();
        values.write(&mut tags);
        let tagged = [tags.as_str(), shown, ": ", text, "\n"].map(str::as_bytes);
        self.say_in(room, Some(client), plain, &tagged);
        self.tags_scratch = tags;
        true
    }

    /// A line of the relay's own for everybody in a room.
    pub(super) fn tell_room(&mut self, room: RoomId, line: &str) {
        self.say_in(room, None, &[line.as_bytes()], &[line.as_bytes()]);
    }

    /// A private line, to those of the receivers that read. Its id; None: nobody does.
    pub(super) fn hand_over(
        &mut self,
        receivers: &[ClientId],
        shown: &str,
        text: &str,
        values: TagValues<'_>,
    ) -> Option<u64> {
        // Who is not greeted yet would hear it before HELLO.
        let is_reading = |receiver: &ClientId| self.has_place(*receiver) && !self.is_greeting(*receiver);
        let reading: Vec<ClientId> = receivers.iter().copied().filter(is_reading).collect();
        if reading.is_empty() {
            return None;
        }
        let id = self.ids.next();
        for receiver in reading {
            let line = if self.is_extended(receiver) {
                let mut tags = String::new();
                TagValues { id, unix_ms: self.ids.unix_ms(), ..values }.write(&mut tags);
                format!("{tags}{shown}: {text}\n")
            } else {
                format!("* PRIVATE {} :{text}\n", escape(shown))
            };
            self.insert(receiver, &line);
        }
        Some(id)
    }

    /// `NAME se ha unido al chat.`
    pub(super) fn handle_join(&mut self, client: ClientId, name: &Name<'_>, line: &str, now: Moment) {
        match self.client(client).and_then(|state| state.named.as_ref()) {
            Some(named) if named.is_announced && named.is_own(name) => return,
            Some(named) if named.is_announced => return self.handle_text(client, line),
            _ => {}
        }
        self.forget_name(client, None, now);
        let base = match self.account_name(client) {
            Some(own) => {
                let _ = self.claim_name(client, &own);
                own
            }
            None => self.names.claim_or_rename(name.base(), client),
        };
        let tail = if self.speaks_for_others(client) { name.tail() } else { "" };
        let asked = (base != name.base()).then(|| name.base().to_owned());
        let was_renamed = asked.is_some();
        self.set_name(client, &base, tail, asked, true);
        self.notice(client, Notice::Join, now);
        if was_renamed {
            let words = format!("NOTE JOIN RENAMED {}", escape(&base));
            self.answer(client, &words, Some(Phrase::Renamed));
        }
        self.tell_trouble(client);
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
                let words = format!("FAIL SAY {code} {}", escape(name.base()));
                self.answer(client, &words, Some(phrase));
            }
        }
    }

    /// Text without a name.
    fn handle_text(&mut self, client: ClientId, text: &str) {
        // The name is needed while the rooms change: a copy in memory that is there already.
        let mut shown = std::mem::take(&mut self.shown_scratch);
        shown.clear();
        let named = self.client(client).and_then(|state| state.named.as_ref());
        match named.map(|named| shown.push_str(&named.shown)) {
            Some(()) => self.say_as(client, &shown, None, text),
            None if text.ends_with(JOIN_WORDS) => {
                self.answer(client, "FAIL JOIN NAME_INVALID", Some(Phrase::NameInvalid));
            }
            None => self.answer(client, "FAIL SAY NAME_NEEDED", Some(Phrase::NameNeeded)),
        }
        self.shown_scratch = shown;
    }

    fn voice(&mut self, client: ClientId, name: &Name<'_>) -> Voice {
        if sabotage::has(Bug::ForgedName) {
            return Voice::Own(name.as_str().to_owned());
        }
        if let Err(refused) = self.check_tail(client, name.tail()) {
            return Voice::Refused(refused);
        }
        match self.client(client).and_then(|state| state.named.as_ref()) {
            Some(named) if named.is_own(name) => {
                return Voice::Own(format!("{}{}", named.base(), name.tail()));
            }
            Some(named) if named.is_announced => return Voice::Text,
            _ => {}
        }
        if let Err(refused) = self.claim_name(client, name.base()) {
            return Voice::Refused(refused);
        }
        self.release_name(client, name.base());
        self.set_name(client, name.base(), name.tail(), None, false);
        Voice::Own(name.as_str().to_owned())
    }

    fn say_as(&mut self, client: ClientId, shown: &str, quote: Option<&str>, text: &str) {
        let Some(room) = self.room_of(client) else { return };
        let quote = quote.map(fit_quote);
        self.speak_in(room, client, &Spoken { shown, reply: None, quote: quote.as_deref(), key: None, text });
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
            let _ = self.claim_name(client, kept);
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
        let address = state.origin.address.map(|address| address.to_canonical());
        if is_new {
            if let Some(before) = before {
                self.events.push_back(Event::Left { client, name: before.shown, cut: None });
            }
            self.events.push_back(Event::Named { client, name: shown, address });
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
}
