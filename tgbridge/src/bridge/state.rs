//! What must outlive the program, as a text for one file. It holds the session's token, which is a secret.

use std::collections::BTreeSet;

use super::ids::Ids;
use super::link::NoticeKind;
use super::settings::LinkSettings;

const VERSION: u32 = 1;

/// What is kept of a bridge, and of its session with the relay.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Saved {
    pub(super) version: u32,
    /// The next update that is wanted from Telegram; 0: whichever there is.
    #[serde(default)]
    pub(super) offset: i64,
    /// When the last update came, in milliseconds since 1970.
    #[serde(default)]
    pub(super) last_update_unix_ms: u64,
    #[serde(default)]
    pub(super) links: Vec<SavedLink>,
    /// Under which keys are numbers. Nobody else knows it, so nobody can say lines whose numbers are those of others.
    #[serde(default)]
    pub(super) salt: Option<u64>,
    #[serde(default)]
    pub(super) source: Source,
    /// The session, as `tertulia_wire::session` writes it; may be empty.
    #[serde(default)]
    pub session: String,
    /// The account that it has logged in as. None: it has not.
    #[serde(default)]
    pub account: Option<String>,
}

/// Whose updates they are: another bot, or another server, counts them from elsewhere.
#[derive(Debug, Default, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Source {
    #[serde(default)]
    bot_id: Option<i64>,
    #[serde(default)]
    api_url: String,
    /// Grows with each other source, so that no label is used twice.
    #[serde(default)]
    pub(super) generation: u32,
}

/// What is kept of a link.
#[derive(Debug, Default, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct SavedLink {
    pub(super) chat: i64,
    #[serde(default)]
    pub(super) thread: Option<i64>,
    pub(super) room: String,
    /// The number that the chat has got since.
    #[serde(default)]
    pub(super) current_chat: Option<i64>,
    /// Telegram has all up to this line.
    #[serde(default)]
    pub(super) cursor: Option<u64>,
    /// It may have these.
    #[serde(default)]
    pub(super) doubt: Option<(u64, u64)>,
    /// The same by their keys: where the relay was killed as well, they come again under other ids.
    #[serde(default)]
    pub(super) doubt_keys: BTreeSet<u64>,
    /// Id and key of a line that it has in part, and how many bytes it has.
    #[serde(default)]
    pub(super) begun: Option<(u64, Option<u64>, usize)>,
    #[serde(default)]
    pub(super) ids: Ids,
    /// Lines before the cursor that were too old, not told yet.
    #[serde(default)]
    pub(super) skipped: u64,
    /// The same of messages.
    #[serde(default)]
    pub(super) skipped_messages: u64,
    /// What the bridge itself has still to say in the chat.
    #[serde(default)]
    pub(super) notices: Vec<(NoticeKind, String)>,
}

impl Default for Saved {
    fn default() -> Self {
        Self {
            version: VERSION,
            offset: 0,
            last_update_unix_ms: 0,
            links: Vec::new(),
            salt: None,
            source: Source::default(),
            session: String::new(),
            account: None,
        }
    }
}

impl Saved {
    /// From now on it is about this bot and this Bot API. If it was about others, the count of updates and the numbers of
    /// messages begin anew; what the room was told is known still. Whether it was.
    pub fn bind(&mut self, bot_id: i64, api_url: &str) -> bool {
        let api_url = api_url.trim_end_matches('/');
        let is_known = self.source.bot_id.is_some();
        let is_other = self.source.bot_id != Some(bot_id) || self.source.api_url != api_url;
        self.source.bot_id = Some(bot_id);
        api_url.clone_into(&mut self.source.api_url);
        let has_changed = is_known && is_other;
        if has_changed {
            self.source.generation = self.source.generation.wrapping_add(1);
            (self.offset, self.last_update_unix_ms) = (0, 0);
            self.links.iter_mut().for_each(|link| link.ids.forget_messages());
        }
        has_changed
    }

    /// The numbers that the chats of these links have now.
    pub fn chats(&self, links: &[LinkSettings]) -> Vec<i64> {
        let current = |link: &LinkSettings| {
            let kept = self.links.iter().find(|kept| kept.chat == link.chat && kept.thread == link.thread);
            kept.and_then(|kept| kept.current_chat).unwrap_or(link.chat)
        };
        links.iter().map(current).collect()
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads the text of the file; why not, for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        let saved: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if saved.version == VERSION {
            Ok(saved)
        } else {
            Err(format!("version {} is not known", saved.version))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_read_back_and_what_is_none_is_refused() {
        let link = SavedLink { chat: -5, room: "r".to_owned(), cursor: Some(3), ..SavedLink::default() };
        let session = "tertulia-session 1\n".to_owned();
        let saved = Saved { offset: 7, links: vec![link], session, ..Saved::default() };
        assert_eq!(Saved::parse(&saved.to_text()), Ok(saved));
        for text in ["", "{", "{}", r#"{"version":2}"#] {
            assert!(Saved::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn another_bot_or_another_server_counts_its_updates_anew() {
        let mut saved = Saved { offset: 7, ..Saved::default() };
        assert!(!saved.bind(1, "https://a/"));
        assert!(!saved.bind(1, "https://a"));
        assert_eq!((saved.offset, saved.source.generation), (7, 0));
        assert!(saved.bind(2, "https://a"));
        assert_eq!((saved.offset, saved.source.generation), (0, 1));
        saved.offset = 9;
        assert!(saved.bind(2, "https://b"));
        assert_eq!((saved.offset, saved.source.generation), (0, 2));
    }
}
