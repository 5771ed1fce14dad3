//! How a bridge is to behave. `options` makes it from flags and a file.

use std::time::Duration;

use super::who::Naming;
use crate::phrases::Language;

/// How a bridge behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its name in the chat; people of Telegram are `NAME - WHO`.
    pub name: String,
    /// The bot's number, the part of its token before the colon.
    pub bot_id: i64,
    /// The language of its sentences.
    pub language: Language,
    /// What joins what; chats with their topics, and rooms, each once.
    pub links: Vec<LinkSettings>,
    /// Which name of a person is shown.
    pub naming: Naming,
    /// Whether changed messages are told.
    pub tells_edits: bool,
    /// Whether other bots of the group are heard.
    pub hears_bots: bool,
    /// Whether other bridges of the room are heard.
    pub hears_bridges: bool,
    /// Who comes and goes in the room.
    pub notices: Notices,
    /// What was said while the bridge was away.
    pub backlog: Backlog,
    /// What to do with a message that may have arrived.
    pub in_doubt: InDoubt,
    /// How fast a chat is written to.
    pub pace: PaceSettings,
    /// How long Telegram may hold a poll back.
    pub poll_timeout: Duration,
    /// Whether it goes on when another program uses the token.
    pub takes_over: bool,
    /// When it was started, in milliseconds since 1970.
    pub started_unix_ms: u64,
    /// Any bits that nobody else knows.
    pub seed: u64,
}

/// One chat, or one topic of it, and one room.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LinkSettings {
    /// The chat's number, as it was configured.
    pub chat: i64,
    /// The topic.
    pub thread: Option<i64>,
    /// The room.
    pub room: String,
}

/// Who comes and goes in the room, told in Telegram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Notices {
    /// Not at all.
    #[default]
    Off,
    /// In one line a minute.
    Fold,
}

/// What to do with what is older than the bridge's start, or than so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backlog {
    /// All is forwarded.
    Replay,
    /// Nothing from before the start is.
    Skip,
    /// What is older is not.
    MaxAge(Duration),
}

impl Backlog {
    /// What is older than this is left out, in milliseconds since 1970. Telegram's clock knows only seconds.
    pub fn cutoff_ms(self, started_unix_ms: u64, now_unix_ms: u64) -> u64 {
        match self {
            Self::Replay => 0,
            Self::Skip => started_unix_ms - started_unix_ms % 1000,
            Self::MaxAge(age) => {
                now_unix_ms.saturating_sub(u64::try_from(age.as_millis()).unwrap_or(u64::MAX))
            }
        }
    }
}

/// What to do with a message of which it is not known whether it arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InDoubt {
    /// It is sent again, and marked.
    #[default]
    Resend,
    /// It is left out.
    Skip,
}

/// How fast a chat is written to. Zero: no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaceSettings {
    /// Between two messages.
    pub interval: Duration,
    /// Messages of a minute, in a group or channel.
    pub per_minute: usize,
}

impl Default for PaceSettings {
    /// What Telegram's own FAQ advises.
    fn default() -> Self {
        Self { interval: Duration::from_secs(1), per_minute: 20 }
    }
}
