//! What of the window outlives it: drafts and refused lines, also those of rooms and people that are not open in this run.
//! As TOML; knows no file.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::conversation::{Conversation, ConversationId, Kind};
use super::entry::{Body, Entry, Place, Said, State};
use super::event::{Refusal, Unsent};
use super::slash::holds_password;
use super::{Command, FileCommand, LinkCommand, Model, PRIVATE_MAX, TEXT_BYTES_MAX, UNSENT_MAX};
use super::{Sentence, Status, ViewCommand};
use crate::fold::name_key;
use crate::phrases::Phrase;
use crate::settings::{TEXT_BYTES_MAX as FILE_BYTES_MAX, room_key, toml_why};

/// Drafts that are kept of what is not open; beyond it the oldest goes. More rooms and people than anybody leaves with
/// something half written.
pub const DRAFTS_APART_MAX: usize = 256;

/// How long after the drafts could not be written it is tried again.
const DRAFTS_AGAIN: Duration = Duration::from_secs(5);

/// Why a text is no drafts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftsError {
    /// What is wrong and where, for people.
    pub why: Sentence,
    /// The same in English, as the parser says it.
    pub reason: String,
}

impl fmt::Display for DraftsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for DraftsError {}

/// The file; and what of it belongs to no conversation that is open, and is written back as it was.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    draft: Vec<Draft>,
    refused: Vec<Refused>,
    /// Refused lines that are being said again under this label.
    retried: Vec<Refused>,
}

/// Whose something is: one of both.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Address {
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Draft {
    #[serde(flatten)]
    address: Address,
    text: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Refused {
    #[serde(flatten)]
    address: Address,
    /// The relay whose people were to hear it.
    #[serde(skip_serializing_if = "Option::is_none")]
    relay: Option<String>,
    /// What the session calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<u64>,
    unix_ms: u64,
    text: String,
}

impl Address {
    fn of(conversation: &Conversation) -> Self {
        let name = Some(conversation.name.clone());
        match conversation.kind {
            Kind::Room => Self { room: name, person: None },
            Kind::Private => Self { room: None, person: name },
        }
    }

    fn is_of(&self, conversation: &Conversation) -> bool {
        match (&self.room, &self.person) {
            (Some(room), _) => room_key(room).is_ok_and(|room| conversation.is(Kind::Room, &room)),
            (None, Some(person)) => conversation.is(Kind::Private, &name_key(person)),
            (None, None) => false,
        }
    }
}

impl Kept {
    fn put_draft(&mut self, draft: Draft) {
        if self.draft.len() >= DRAFTS_APART_MAX {
            self.draft.remove(0);
        }
        self.draft.push(draft);
    }

    fn has_label(&self, label: &str) -> bool {
        self.refused.iter().any(|refused| refused.label.as_deref() == Some(label))
    }
}

impl Model {
    /// Writes the drafts down now.
    pub(super) fn save_drafts(&mut self) {
        self.drafts_due = Some(self.now.monotonic);
        let command = self.take_due_drafts();
        self.commands.extend(command);
    }

    /// The drafts, if they are to be written down by now.
    pub(super) fn take_due_drafts(&mut self) -> Option<Command> {
        let now = self.now.monotonic;
        self.drafts_due.take_if(|due| *due <= now)?;
        self.in_writing.append(&mut self.to_secure);
        // More than a session keeps: of those it has given up, nothing is to be told.
        let over = self.in_writing.len().saturating_sub(UNSENT_MAX);
        self.in_writing.drain(..over);
        let text = self.drafts();
        let is_safe = self.in_writing.is_empty();
        let save = if is_safe { FileCommand::SaveDrafts } else { FileCommand::SaveDraftsSafely };
        Some(Command::File(save(text)))
    }

    /// The drafts stand in their file: what was refused is in safety, and the link need not keep it. Or they could not be
    /// written, and are to be soon.
    pub(super) fn handle_drafts(&mut self, are_written: bool) {
        if !are_written {
            self.drafts_due = Some(self.now.monotonic.saturating_add(DRAFTS_AGAIN));
            return;
        }
        for label in std::mem::take(&mut self.in_writing) {
            self.link(LinkCommand::ForgetRefused { label });
        }
    }

    /// What of the window outlives it, as TOML: what is being written and what was refused.
    pub fn drafts(&self) -> String {
        let mut draft: Vec<&Draft> = self.apart.draft.iter().collect();
        let mut refused: Vec<&Refused> = self.apart.refused.iter().collect();
        let mut retried: Vec<&Refused> = self.apart.retried.iter().collect();
        let mut here = Kept::default();
        for conversation in self.conversations.iter() {
            let address = Address::of(conversation);
            let text = self.draft_of(conversation);
            if !text.is_empty() {
                here.draft.push(Draft { address: address.clone(), text: text.to_owned() });
            }
            let lines = conversation.transcript.refused();
            here.refused.extend(lines.map(|(entry, said)| self.refused_of(&address, entry, said)));
            if !self.retried.is_empty() {
                let lines = conversation.transcript.pending();
                let is_again = |said: &Said| said.label.as_deref().is_some_and(|l| self.retried.contains(l));
                let lines = lines.filter(|(_, said)| is_again(said));
                here.retried.extend(lines.map(|(entry, said)| self.refused_of(&address, entry, said)));
            }
        }
        draft.extend(&here.draft);
        refused.extend(&here.refused);
        retried.extend(&here.retried);
        // Nothing in it is of a kind that TOML cannot write.
        toml::to_string(&Written { draft, refused, retried }).unwrap_or_default()
    }

    /// What is being written there; while somebody walks through what was sent, what was begun before that.
    fn draft_of<'a>(&'a self, conversation: &'a Conversation) -> &'a str {
        let is_shown = self.conversations.shown().id == conversation.id;
        let text = self.sent.begun().filter(|_| is_shown).unwrap_or(&conversation.draft.text);
        if holds_password(text) { "" } else { text }
    }

    fn refused_of(&self, address: &Address, entry: &Entry, said: &Said) -> Refused {
        Refused {
            address: address.clone(),
            relay: Some(written_for(said).unwrap_or(&self.settings.relay).to_owned()),
            label: said.label.as_deref().map(str::to_owned),
            // TOML has no greater numbers; no relay gives one.
            reply: said.reply.filter(|id| i64::try_from(*id).is_ok()),
            unix_ms: entry.unix_ms.min(i64::MAX.unsigned_abs()),
            text: said.text.to_string(),
        }
    }

    /// Takes up what [`Model::drafts`] wrote, in an earlier run. Right after [`Model::new`]. What belongs to a room that is not
    /// open stays as it is, and is taken up once the room is entered: a draft alone does not lead back into one that was left.
    pub fn restore_drafts(&mut self, text: &str) -> Result<(), DraftsError> {
        // Refused lines may be many, and long.
        if text.len() > FILE_BYTES_MAX.saturating_mul(64) {
            return Err(DraftsError { why: Phrase::TooLarge.into(), reason: "too large".to_owned() });
        }
        self.apart = toml::from_str(text)
            .map_err(|error| DraftsError { why: toml_why(text, &error), reason: error.to_string() })?;
        let over = self.apart.draft.len().saturating_sub(DRAFTS_APART_MAX);
        self.apart.draft.drain(..over);
        self.apart.refused.truncate(UNSENT_MAX);
        self.apart.retried.truncate(UNSENT_MAX);
        let drafts = self.apart.draft.iter().map(|draft| &draft.address);
        let addresses = drafts.chain(self.apart.refused.iter().map(|refused| &refused.address));
        let people: Vec<String> = addresses.filter_map(|address| address.person.clone()).collect();
        for person in people {
            if tertulia_wire::name::Name::parse(&person).is_ok()
                && self.conversations.private_count() < PRIVATE_MAX
            {
                self.conversations.open(Kind::Private, &person);
            }
        }
        let open: Vec<ConversationId> = self.conversations.iter().map(|open| open.id).collect();
        open.into_iter().for_each(|id| self.take_up_apart(id));
        let draft = &self.conversations.shown().draft;
        let (text, cursor) = (draft.text.clone(), draft.cursor);
        if !text.is_empty() {
            self.view(ViewCommand::SetInput { text, cursor });
        }
        Ok(())
    }

    /// A conversation is open now: what was kept of it belongs there.
    pub(super) fn take_up_apart(&mut self, id: ConversationId) {
        let Some(conversation) = self.conversations.get_mut(id) else { return };
        let is_its = |address: &Address| address.is_of(conversation);
        let fits = |refused: &Refused| refused.text.len() <= TEXT_BYTES_MAX && is_its(&refused.address);
        let Kept { draft, refused, retried } = std::mem::take(&mut self.apart);
        let (drafts, other_drafts): (Vec<_>, _) = draft.into_iter().partition(|draft| is_its(&draft.address));
        let (refused, other_refused): (Vec<_>, _) = refused.into_iter().partition(fits);
        let (retried, other_retried): (Vec<_>, _) = retried.into_iter().partition(fits);
        self.apart = Kept { draft: other_drafts, refused: other_refused, retried: other_retried };
        let drafts: Vec<String> = drafts.into_iter().map(|draft| draft.text).collect();
        let written = drafts.join("\n");
        if !written.is_empty() && conversation.draft.text.is_empty() {
            conversation.draft.cursor = written.len();
            conversation.draft.text = written;
        } else if !written.is_empty() {
            let address = Address::of(conversation);
            self.apart.put_draft(Draft { address, text: written });
        }
        refused.into_iter().for_each(|refused| self.put_refused(id, refused));
        retried.into_iter().for_each(|retried| self.retry_again(id, retried));
    }

    /// It is not known how far the last run came with a line: said under the same label, it is heard once. Where there is no
    /// session yet, or another relay's, the person decides.
    fn retry_again(&mut self, id: ConversationId, line: Refused) {
        let is_same_relay = line.relay.as_ref().is_none_or(|relay| *relay == self.settings.relay);
        let is_away = matches!(self.status, Status::NotBegun | Status::LinkGone | Status::Removed { .. });
        let may_say = is_same_relay && !is_away;
        match line.label.clone().filter(|_| may_say) {
            Some(label) => self.say_again(id, &label, &line.text, line.reply),
            None => self.put_refused(id, line),
        }
    }

    /// A conversation is closed: what is being written there is kept.
    pub(super) fn put_draft_apart(&mut self, id: ConversationId) {
        let Some(conversation) = self.conversations.get(id) else { return };
        let text = self.draft_of(conversation).to_owned();
        if !text.is_empty() {
            let address = Address::of(conversation);
            self.apart.put_draft(Draft { address, text });
        }
    }

    /// A line that the session gave up, in this run or an earlier one, and still keeps.
    pub(super) fn restore_refused(&mut self, line: Unsent, refusal: &Refusal) {
        let label = line.label.clone();
        if self.unsent.contains_key(&label) {
            return self.refuse(&label, refusal.sentence());
        }
        self.to_secure.push(label.clone());
        self.drafts_are_due();
        let is_known = |other: &Conversation| other.transcript.refused_label(&label).is_some();
        if self.apart.has_label(&label) || self.conversations.iter().any(is_known) {
            return;
        }
        let relay = match refusal {
            Refusal::Before => self.settings.relay.clone(),
            Refusal::OtherRelay(relay) => relay.clone(),
        };
        let room = Some(line.room).filter(|_| line.to.is_none());
        let address = Address { room, person: line.to };
        let reply = line.reply.filter(|id| i64::try_from(*id).is_ok());
        let (unix_ms, text) = (self.now.unix_ms, line.text);
        let refused = Refused { address, relay: Some(relay), label: Some(label), reply, unix_ms, text };
        if let Some(person) = refused.address.person.clone() {
            self.open_private(&person);
        }
        let open = self.conversations.iter().find(|open| refused.address.is_of(open)).map(|open| open.id);
        match open {
            Some(id) => self.put_refused(id, refused),
            None => self.apart.refused.push(refused),
        }
    }

    fn put_refused(&mut self, id: ConversationId, refused: Refused) {
        let Refused { relay, label, reply, unix_ms, text, .. } = refused;
        let other = relay.filter(|relay| *relay != self.settings.relay);
        let why = match &other {
            Some(relay) => Sentence::new(Phrase::WrittenFor, &[relay]),
            None => Sentence::from(Phrase::SentBefore),
        };
        let entry_id = self.take_entry_id();
        let said = Said {
            name: self.name.as_str().into(),
            text: text.into(),
            is_own: true,
            is_mention: false,
            state: State::Refused(Box::new(why)),
            // Another relay's ids are other lines here.
            reply: reply.filter(|_| other.is_none()),
            quote: None,
            label: label.map(Into::into),
        };
        let (place, body) = (Place::at_end(entry_id), Body::Said(said));
        if let Some(conversation) = self.conversations.get_mut(id) {
            conversation.transcript.insert(Entry { id: entry_id, place, unix_ms, revision: 0, body });
        }
    }

    /// The session says this line itself: it is refused no more, wherever it was kept.
    pub(super) fn forget_refused(&mut self, label: &str) {
        let is_other = |kept: &Refused| kept.label.as_deref() != Some(label);
        self.apart.refused.retain(is_other);
        self.apart.retried.retain(is_other);
        let has_it = |open: &&Conversation| open.transcript.refused_label(label).is_some();
        let open = self.conversations.iter().find(has_it).map(|open| open.id);
        let Some(conversation) = open.and_then(|id| self.conversations.get_mut(id)) else { return };
        // It stands among those without an answer, as it has its label.
        conversation.transcript.take_unanswered(label);
    }
}

/// As [`Kept`] is written.
#[derive(Serialize)]
struct Written<'a> {
    draft: Vec<&'a Draft>,
    refused: Vec<&'a Refused>,
    retried: Vec<&'a Refused>,
}

impl Refusal {
    /// Why, for people.
    pub(super) fn sentence(&self) -> Sentence {
        match self {
            Self::Before => Sentence::from(Phrase::SentBefore),
            Self::OtherRelay(relay) => Sentence::new(Phrase::WrittenFor, &[relay]),
        }
    }
}

/// The relay that was to hear a refused line, where it is another one than the window has now.
fn written_for(said: &Said) -> Option<&str> {
    match &said.state {
        State::Refused(why) if why.phrase() == Phrase::WrittenFor => why.word(0),
        _ => None,
    }
}
