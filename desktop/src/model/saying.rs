//! What is said: shown at once, kept until the relay has answered, and what its answers do.

use tertulia_wire::name::Name;
use tertulia_wire::session::SayError;

use super::conversation::{ConversationId, End, Kind, Seat};
use super::entry::{Body, Entry, EntryId, Place, Said, State};
use super::event::Unsent;
use super::{LinkCommand, Model, SayLine, Sentence};
use crate::phrases::{AccountPhrase, Phrase};

/// Lines that may be without an answer; beyond it nothing more is taken, and stays in the input. Fewer than a session
/// holds.
pub const UNSENT_MAX: usize = 4000;

impl Model {
    /// Says something in a conversation. False: it is not taken, and the person was told why.
    pub(super) fn say(&mut self, id: ConversationId, text: &str, reply: Option<u64>) -> bool {
        let Some(line) = self.line_to_say(id, text, reply) else { return false };
        self.put_pending(id, &line.label, text, reply);
        self.give_line(id, line);
        true
    }

    /// The line, if it is taken; else the person is told why not.
    fn line_to_say(&mut self, id: ConversationId, text: &str, reply: Option<u64>) -> Option<SayLine> {
        let unsent: usize = self.conversations.iter().map(|other| other.transcript.unsent()).sum();
        if unsent >= UNSENT_MAX {
            self.complain(Phrase::TooMuchWaits);
            return None;
        }
        let conversation = self.conversations.get(id)?;
        if conversation.seat == Seat::Out {
            self.complain(Phrase::NoRoom);
            return None;
        }
        match self.status {
            super::Status::LinkGone => {
                self.complain(Phrase::LinkGone);
                return None;
            }
            // Whom it is for does not want it now.
            super::Status::Removed { .. } => {
                self.complain(AccountPhrase::ComeBackFirst);
                return None;
            }
            _ => {}
        }
        let (room, to) = match conversation.kind {
            Kind::Room => (conversation.name.clone(), None),
            Kind::Private => (String::new(), Some(base_name(&conversation.name).to_owned())),
        };
        Some(SayLine { label: self.take_label(), room, to, reply, text: text.to_owned() })
    }

    /// A line goes to the link. Who says something has read what is there.
    fn give_line(&mut self, id: ConversationId, line: SayLine) {
        self.link(LinkCommand::Say(line));
        if let Some(conversation) = self.conversations.get_mut(id) {
            conversation.clear_unread_line();
            conversation.mark_read();
        }
        self.trim_conversation(id);
    }

    /// Says a line under the label that it had when it was said last: who has heard it does not hear it again.
    pub(super) fn say_again(&mut self, id: ConversationId, label: &str, text: &str, reply: Option<u64>) {
        let Some(line) = self.line_to_say(id, text, reply) else { return };
        self.retried.insert(label.to_owned());
        self.put_pending(id, label, text, reply);
        self.give_line(id, SayLine { label: label.to_owned(), ..line });
    }

    fn put_pending(&mut self, id: ConversationId, label: &str, text: &str, reply: Option<u64>) {
        let entry_id = self.take_entry_id();
        let said = Said {
            name: self.name.as_str().into(),
            text: text.into(),
            is_own: true,
            is_mention: false,
            state: State::Pending,
            reply,
            quote: None,
            label: Some(label.into()),
        };
        let (place, unix_ms) = (Place::at_end(entry_id), self.now.unix_ms);
        self.unsent.insert(label.to_owned(), id);
        if let Some(conversation) = self.conversations.get_mut(id) {
            conversation.is_answered = true;
            conversation.transcript.insert(Entry {
                id: entry_id,
                place,
                unix_ms,
                revision: 0,
                body: Body::Said(said),
            });
        }
    }

    /// Lines that an earlier run had no answer to.
    pub(super) fn restore_unsent(&mut self, lines: Vec<Unsent>) {
        for mut line in lines {
            if let Some(refusal) = line.refusal.take() {
                self.restore_refused(line, &refusal);
            } else if !self.unsent.contains_key(&line.label) {
                self.forget_refused(&line.label);
                let id = match &line.to {
                    Some(name) => self.open(Kind::Private, name),
                    None => self.enter(&line.room),
                };
                self.put_pending(id, &line.label, &line.text, line.reply);
            }
        }
    }

    pub(super) fn handle_acknowledged(&mut self, label: &str, line_id: u64, unix_ms: Option<u64>) {
        self.answer(label, line_id, |said, at| {
            said.state = State::Said;
            *at = unix_ms.unwrap_or(*at);
        });
    }

    pub(super) fn handle_not_kept(&mut self, label: &str, line_id: u64) {
        self.answer(label, line_id, |said, _| said.state = State::NotKept);
    }

    pub(super) fn handle_refused(&mut self, label: &str, code: &str, sentence: &str) {
        let why = match code {
            "NOT_HERE" => Sentence::from(Phrase::NotHere),
            "NOT_READING" => Sentence::from(Phrase::NotReading),
            "NO_ROOM" => Sentence::from(Phrase::NoRoom),
            "LINE_TOO_LONG" => Sentence::from(Phrase::TooLong),
            "EMPTY" => Sentence::from(Phrase::Empty),
            _ if sentence.is_empty() => Sentence::new(Phrase::RefusedOtherwise, &[code]),
            _ => Sentence::quoted(sentence),
        };
        self.refuse(label, why);
    }

    pub(super) fn handle_say_failed(&mut self, label: &str, error: SayError) {
        let why = match error {
            SayError::Empty => Sentence::from(Phrase::Empty),
            SayError::TooLong { .. } => Sentence::from(Phrase::TooLong),
            SayError::Room(_) => Sentence::from(Phrase::RoomInvalid),
            SayError::Full => Sentence::from(Phrase::TooMuchWaits),
            other => Sentence::quoted(&other.to_string()),
        };
        self.refuse(label, why);
    }

    pub(super) fn refuse(&mut self, label: &str, why: Sentence) {
        let Some(id) = self.unsent.remove(label) else { return };
        if let Some(conversation) = self.conversations.get_mut(id) {
            conversation.transcript.refuse(label, why);
        }
        self.retried.remove(label);
        // The session has given it up, and keeps it until it stands elsewhere.
        self.to_secure.push(label.to_owned());
        self.drafts_are_due();
    }

    fn answer(&mut self, label: &str, line_id: u64, answer: impl FnOnce(&mut Said, &mut u64)) {
        let Some(id) = self.unsent.remove(label) else { return };
        // It is not to be said again, even by a run whose session the relay has forgotten.
        if self.retried.remove(label) {
            self.drafts_are_due();
        }
        let Some(conversation) = self.conversations.get_mut(id) else { return };
        if conversation.end == End::Here {
            return conversation.transcript.answer(label, line_id, answer);
        }
        // Its place is among lines that are not at hand.
        if let Some(mut entry) = conversation.transcript.take_unanswered(label) {
            entry.answer(Place::of_line(line_id), answer);
            conversation.put_live(entry);
        }
    }

    /// Says a refused line again, under a label of its own: the old one is spent.
    pub(super) fn retry(&mut self, entry: EntryId) {
        let Some((id, text, reply)) = self.refused_line(entry) else { return };
        let Some(line) = self.line_to_say(id, &text, reply) else { return };
        self.retried.insert(line.label.clone());
        self.put_pending(id, &line.label, &text, reply);
        self.remove_entry(id, entry);
        // First it is written down under its new label: whatever happens then, it is said once.
        self.save_drafts();
        self.give_line(id, line);
    }

    /// Takes a refused line away.
    pub(super) fn discard(&mut self, entry: EntryId) {
        let Some((id, text, _)) = self.refused_line(entry) else { return };
        self.remove_entry(id, entry);
        let shown = self.conversations.shown_mut();
        if shown.id == id && shown.draft.text.is_empty() {
            let text = text.replace('\u{2028}', "\n");
            let cursor = text.len();
            self.set_input(text, cursor);
        }
        self.drafts_changed();
    }

    fn refused_line(&self, entry: EntryId) -> Option<(ConversationId, String, Option<u64>)> {
        let shown = self.conversations.shown();
        let said = shown.transcript.entry(entry)?.said()?;
        let is_refused = matches!(said.state, State::Refused(_));
        is_refused.then(|| (shown.id, said.text.to_string(), said.reply))
    }

    fn remove_entry(&mut self, id: ConversationId, entry: EntryId) {
        let Some(conversation) = self.conversations.get_mut(id) else { return };
        if let Some(position) = conversation.transcript.position(entry) {
            conversation.transcript.remove(position);
        }
    }
}

/// Who hears a private line: a bridge hears what is for those it speaks for.
pub(super) fn base_name(name: &str) -> &str {
    Name::parse(name).map_or(name, |name| name.base())
}
