//! What extended clients say: labeled lines, each said once however often it is sent.

use tertulia_wire::account::holds_password;
use tertulia_wire::extended::{Labeled, LabeledError, label_in};
use tertulia_wire::message::{Message, fit_quote};
use tertulia_wire::name::Name;

use super::answers::refusal;
use super::names::Refused;
use super::promises::{Ack, Promise};
use super::sessions::{Fate, Known, SessionId};
use super::speech::Spoken;
use super::tagged::{TagValues, find};
use super::{Chat, ClientId, RoomId};
use crate::batch::Key;
use crate::moment::Moment;
use crate::phrases::Phrase;

/// Why a labeled line is not said.
#[derive(Debug, Clone, Copy)]
enum Refusal {
    NoRoom,
    NotHere,
    NotReading,
    Empty,
    HoldsPassword,
    LabelReused,
    TagInvalid(&'static str),
    /// It may not be said under that name.
    Name(Refused),
}

impl Refusal {
    fn words(self) -> (String, Phrase) {
        let (code, phrase) = match self {
            Self::NoRoom => ("NO_ROOM", Phrase::NoRoom),
            Self::NotHere => ("NOT_HERE", Phrase::NotHere),
            Self::NotReading => ("NOT_READING", Phrase::NotReading),
            Self::Empty => ("EMPTY", Phrase::Empty),
            Self::HoldsPassword => ("HOLDS_PASSWORD", Phrase::HoldsPassword),
            Self::Name(refused) => refusal(refused),
            Self::LabelReused => ("LABEL_REUSED", Phrase::LabelReused),
            Self::TagInvalid(key) => return (format!("TAG_INVALID {key}"), Phrase::TagInvalid),
        };
        (code.to_owned(), phrase)
    }
}

/// Tells another text under the same label from a repeat; never 0. Kept, so that it must not change: FNV-1a. Somebody who
/// makes two texts of one hash deceives nobody but itself. `room`: where it is said.
fn said_hash(line: &Labeled<'_>, room: Option<&str>) -> u32 {
    let Labeled { reply, as_who, to, text, .. } = line;
    let reply = reply.unwrap_or_default().to_be_bytes();
    let words = [room, as_who.as_deref(), to.as_deref(), Some(text)];
    let words = words.map(|word| word.unwrap_or_default().as_bytes());
    let bytes = words.into_iter().flat_map(|word| word.iter().chain(&[0])).chain(&reply);
    bytes.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)) | 1
}

impl Chat {
    /// A line of an extended client, without its ending and clean.
    pub(super) fn handle_extended_line(
        &mut self,
        client: ClientId,
        session: SessionId,
        line: &str,
        now: Moment,
    ) {
        if !line.starts_with('@') {
            return match Message::parse(line) {
                Message::Command(rest) => self.handle_command(client, rest, now),
                Message::Leave(name) if self.own_names(client).iter().any(|own| own == name.as_str()) => {
                    self.sign_off(client);
                    self.close(client, now);
                }
                _ => self.answer(client, "FAIL SAY LABEL_NEEDED", Some(Phrase::LabelNeeded)),
            };
        }
        let said = match Labeled::parse(line) {
            Ok(said) => said,
            Err(LabeledError::NoLabel) => {
                return self.answer(client, "FAIL SAY LABEL_NEEDED", Some(Phrase::LabelNeeded));
            }
            Err(LabeledError::BadLabel) => {
                return self.answer(client, "FAIL SAY LABEL_INVALID", Some(Phrase::LabelInvalid));
            }
            Err(LabeledError::BadTag { label, key }) => {
                return self.refuse(client, label, Refusal::TagInvalid(key));
            }
        };
        match self.sessions.label(session, said.label) {
            Some(known) if known.hash != 0 && !self.is_repeat(client, &said, known.hash) => {
                self.refuse(client, said.label, Refusal::LabelReused);
            }
            // Said before: the first answer again, or the one still to come.
            Some(known) => self.tell_fate(session, said.label, known),
            None => self.say_labeled(client, session, &said, now).unwrap_or_else(|why| {
                self.refuse(client, said.label, why);
            }),
        }
    }

    /// Whether the line has to wait: its label is perhaps one that only the history knows. Then that is asked.
    pub(super) fn defers(&mut self, client: ClientId, line: &str) -> bool {
        let Some(session) = self.session_of(client) else { return false };
        let is_unsure = |label| self.sessions.is_unsure_of(session, label);
        if !label_in(line.as_bytes()).is_some_and(is_unsure) {
            return false;
        }
        self.ask_labels(client, session);
        true
    }

    /// Whether the line is the one that has this hash. Where it names no room, it may be any that the connection is in: it
    /// was perhaps the only one then.
    fn is_repeat(&self, client: ClientId, said: &Labeled<'_>, hash: u32) -> bool {
        let is_said_in = |room: &str| said_hash(said, Some(room)) == hash;
        match said.room.as_deref() {
            // As it was kept by earlier relays: the words of the line itself.
            room if said_hash(said, room) == hash => true,
            Some(room) => is_said_in(&room.to_lowercase()) || said_hash(said, None) == hash,
            None => self.rooms_of(client).into_iter().any(|room| is_said_in(&self.room_name(room))),
        }
    }

    fn refuse(&mut self, client: ClientId, label: &str, why: Refusal) {
        let (code, phrase) = why.words();
        self.answer(client, &format!("FAIL SAY {code} label={label}"), Some(phrase));
    }

    fn say_labeled(
        &mut self,
        client: ClientId,
        session: SessionId,
        said: &Labeled<'_>,
        now: Moment,
    ) -> Result<(), Refusal> {
        if said.text.is_empty() {
            return Err(Refusal::Empty);
        }
        if holds_password(said.text) {
            return Err(Refusal::HoldsPassword);
        }
        // No id is above it, and no greater one could be kept.
        if said.reply.is_some_and(|id| i64::try_from(id).is_err()) {
            return Err(Refusal::TagInvalid("reply"));
        }
        let room = self.room_said(client, said.room.as_deref()).filter(|_| said.to.is_none());
        let hash = said_hash(said, room.map(|room| self.room_name(room)).as_deref());
        let shown = self.shown_as(client, said.as_who.as_deref())?;
        let sid = self.sessions.get(session).map_or(0, |session| session.sid);
        let key = Some(Key { sid, label: said.label, hash });
        let id = match said.to.as_deref() {
            Some(to) => self.say_to(client, to, &shown, said, key)?,
            None => self.say_in_room(client, &shown, said, key)?,
        };
        let mut known = Known { id, unix_ms: self.ids.unix_ms(), hash, fate: Fate::Open };
        if said.to.is_some() {
            // Handed over, and not kept anywhere.
            known.fate = Fate::Kept;
            self.sessions.set_label(session, said.label, known);
            self.tell_fate(session, said.label, known);
            return Ok(());
        }
        self.sessions.set_label(session, said.label, known);
        if let Some(session) = self.sessions.get_mut(session) {
            session.unanswered += 1;
        }
        self.promise(Promise::Ack(Ack { session, label: said.label.into(), known }), now);
        Ok(())
    }

    /// The connection's name, or `NAME - WHO`.
    fn shown_as(&self, client: ClientId, who: Option<&str>) -> Result<String, Refusal> {
        let named = self.client(client).and_then(|state| state.named.as_ref());
        let base = named.map(|named| named.base()).ok_or(Refusal::NoRoom)?;
        let Some(who) = who else { return Ok(base.to_owned()) };
        self.check_tail(client, who).map_err(Refusal::Name)?;
        let invalid = Refusal::TagInvalid("as");
        let shown = format!("{base} - {who}");
        let name = Name::parse(&shown).map_err(|_| invalid)?;
        if name.base() != base || name.tail().is_empty() { Err(invalid) } else { Ok(name.to_string()) }
    }

    fn say_in_room(
        &mut self,
        client: ClientId,
        shown: &str,
        said: &Labeled<'_>,
        key: Option<Key<'_>>,
    ) -> Result<u64, Refusal> {
        let room = self.room_said(client, said.room.as_deref()).ok_or(Refusal::NoRoom)?;
        let quote = said.reply.and_then(|id| self.quote_of(room, id));
        let spoken = Spoken { shown, reply: said.reply, quote: quote.as_deref(), key, text: said.text };
        Ok(self.speak_in(room, client, &spoken))
    }

    /// The room that is meant.
    fn room_said(&self, client: ClientId, room: Option<&str>) -> Option<RoomId> {
        let rooms = self.rooms_of(client);
        match (room, rooms.as_slice()) {
            (Some(name), _) => self.rooms.find(name).filter(|room| rooms.contains(room)),
            (None, [only]) => Some(*only),
            (None, _) => None,
        }
    }

    /// The line of that id as it is quoted, while the room's log has it.
    fn quote_of(&self, room: RoomId, id: u64) -> Option<String> {
        let tagged = self.rooms.get(room)?.tagged.as_ref()?;
        find(&tagged.log, id).map(|line| fit_quote(line).into_owned())
    }

    /// Says it to those connections alone that hold the name. At least one was given it.
    fn say_to(
        &mut self,
        client: ClientId,
        to: &str,
        shown: &str,
        said: &Labeled<'_>,
        key: Option<Key<'_>>,
    ) -> Result<u64, Refusal> {
        let receivers = Name::parse(to).map_or(Vec::new(), |name| self.names.holders(name.base()));
        if receivers.is_empty() {
            return Err(Refusal::NotHere);
        }
        let values = TagValues { reply: said.reply, key, ..TagValues::default() };
        let id = self.hand_over(&receivers, shown, said.text, values).ok_or(Refusal::NotReading)?;
        let values = TagValues { id, to: Some(to), ..values };
        self.tell_own_devices(client, &receivers, shown, said.text, values);
        Ok(id)
    }
}
