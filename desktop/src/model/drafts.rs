//! What of the window outlives it: drafts, refused lines, private conversations. As TOML; knows no file.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::conversation::{Conversation, Kind};
use super::entry::{Body, Entry, Place, Said, State};
use super::{Command, FileCommand, Model, Sentence, TEXT_BYTES_MAX, UNSENT_MAX, ViewCommand};
use crate::phrases::Phrase;
use crate::settings::TEXT_BYTES_MAX as FILE_BYTES_MAX;

/// Drafts that are read: of all rooms and people there can be.
const DRAFTS_MAX: usize = 128;

/// Why a text is no drafts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftsError {
    /// What is wrong and where, in English, as the parser says it.
    pub reason: String,
}

impl fmt::Display for DraftsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for DraftsError {}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    draft: Vec<Draft>,
    refused: Vec<Refused>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Draft {
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<String>,
    text: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Refused {
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<u64>,
    unix_ms: u64,
    text: String,
}

/// The room's name, or the person's.
fn address(conversation: &Conversation) -> (Option<String>, Option<String>) {
    let name = Some(conversation.name.clone());
    match conversation.kind {
        Kind::Room => (name, None),
        Kind::Private => (None, name),
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
        Some(Command::File(FileCommand::SaveDrafts(self.drafts())))
    }

    /// What of the window outlives it, as TOML: what is being written and what was refused.
    pub fn drafts(&self) -> String {
        let mut kept = Kept::default();
        for conversation in self.conversations.iter() {
            let (room, person) = address(conversation);
            if !conversation.draft.text.is_empty() {
                let text = conversation.draft.text.clone();
                kept.draft.push(Draft { room: room.clone(), person: person.clone(), text });
            }
            for (entry, said) in conversation.transcript.refused() {
                let (room, person, text) = (room.clone(), person.clone(), said.text.to_string());
                kept.refused.push(Refused { room, person, reply: said.reply, unix_ms: entry.unix_ms, text });
            }
        }
        // Nothing in it is of a kind that TOML cannot write.
        toml::to_string(&kept).unwrap_or_default()
    }

    /// Takes up what [`Model::drafts`] wrote, in an earlier run. Right after [`Model::new`].
    pub fn restore_drafts(&mut self, text: &str) -> Result<(), DraftsError> {
        // Refused lines may be many, and long.
        if text.len() > FILE_BYTES_MAX.saturating_mul(64) {
            return Err(DraftsError { reason: "too large".to_owned() });
        }
        let kept: Kept = toml::from_str(text).map_err(|error| DraftsError { reason: error.to_string() })?;
        for Draft { room, person, text } in kept.draft.into_iter().take(DRAFTS_MAX) {
            let Some(id) = self.open_kept(room, person) else { continue };
            if let Some(conversation) = self.conversations.get_mut(id) {
                conversation.draft.cursor = text.len();
                conversation.draft.text = text;
            }
        }
        for refused in kept.refused.into_iter().take(UNSENT_MAX) {
            self.restore_refused(refused);
        }
        let draft = &self.conversations.shown().draft;
        let (text, cursor) = (draft.text.clone(), draft.cursor);
        if !text.is_empty() {
            self.view(ViewCommand::SetInput { text, cursor });
        }
        Ok(())
    }

    fn restore_refused(&mut self, refused: Refused) {
        let Refused { room, person, reply, unix_ms, text } = refused;
        let entry_id = self.take_entry_id();
        let name = self.name.as_str().into();
        let Some(id) = self.open_kept(room, person).filter(|_| text.len() <= TEXT_BYTES_MAX) else { return };
        let Some(conversation) = self.conversations.get_mut(id) else { return };
        let said = Said {
            name,
            text: text.into(),
            is_own: true,
            is_mention: false,
            state: State::Refused(Box::new(Sentence::from(Phrase::SentBefore))),
            reply,
            quote: None,
            label: None,
        };
        let place = Place::at_end(entry_id);
        conversation.transcript.insert(Entry {
            id: entry_id,
            place,
            unix_ms,
            revision: 0,
            body: Body::Said(said),
        });
    }

    /// The conversation that something was kept of.
    fn open_kept(&mut self, room: Option<String>, person: Option<String>) -> Option<super::ConversationId> {
        match (room, person) {
            (Some(room), _) => {
                let room = crate::settings::room_key(&room).ok()?;
                // A draft alone does not lead back into a room that was left.
                self.conversations.find(Kind::Room, &room)
            }
            (None, Some(person)) => {
                tertulia_wire::name::Name::parse(&person).ok()?;
                Some(self.conversations.open(Kind::Private, &person))
            }
            (None, None) => None,
        }
    }
}
