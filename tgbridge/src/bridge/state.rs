//! What must outlive the program, as a text for one file. It holds the session's token, which is a secret.

use std::collections::BTreeSet;

use super::ids::Ids;

const VERSION: u32 = 1;

/// What is kept of a bridge, and of its session with the relay.
#[derive(Debug, Default, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Saved {
    version: u32,
    /// The next update that is wanted from Telegram; 0: whichever there is.
    #[serde(default)]
    pub(super) offset: i64,
    /// When the last update came, in milliseconds since 1970.
    #[serde(default)]
    pub(super) last_update_unix_ms: u64,
    #[serde(default)]
    pub(super) links: Vec<SavedLink>,
    /// The session, as `tertulia_wire::session` writes it; may be empty.
    #[serde(default)]
    pub session: String,
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
}

impl Saved {
    pub(super) fn new(offset: i64, last_update_unix_ms: u64, links: Vec<SavedLink>) -> Self {
        Self { version: VERSION, offset, last_update_unix_ms, links, session: String::new() }
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
        let mut saved = Saved::new(
            7,
            9,
            vec![SavedLink { chat: -5, room: "r".to_owned(), cursor: Some(3), ..SavedLink::default() }],
        );
        saved.session = "tertulia-session 1\n".to_owned();
        assert_eq!(Saved::parse(&saved.to_text()), Ok(saved));
        for text in ["", "{", "{}", r#"{"version":2}"#] {
            assert!(Saved::parse(text).is_err(), "{text}");
        }
    }
}
