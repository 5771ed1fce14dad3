//! A line with tags: what somebody said, or that somebody came or went.

use std::borrow::Cow;

use super::plain;
use crate::extended::is_label;
use crate::name::{JOIN_WORDS, LEAVE_WORDS, Name};
use crate::tags::split;
use crate::time::unix_ms;

/// Who said it, of which of its lines: never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key<'a> {
    /// The session's number.
    pub sid: u64,
    /// The label that the session gave it.
    pub label: &'a str,
}

/// What a notice says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// Somebody came.
    Join,
    /// Somebody went.
    Leave,
}

/// A line with tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said<'a> {
    /// Grows within a room. A notice may have none.
    pub id: Option<u64>,
    /// When, in milliseconds since 1970.
    pub unix_ms: Option<u64>,
    /// None: it is private.
    pub room: Option<Cow<'a, str>>,
    /// None: a plain client said it.
    pub key: Option<Key<'a>>,
    /// The id of the line it answers.
    pub reply: Option<u64>,
    /// The words it answers, where they have no id.
    pub quote: Option<Cow<'a, str>>,
    /// It was said to this client alone.
    pub is_private: bool,
    /// It was said privately by another device of the same account, to this name.
    pub to: Option<Cow<'a, str>>,
    /// It is no line, but tells who came or went; it has no text then.
    pub notice: Option<Notice>,
    /// Of the question that it answers.
    pub label: Option<&'a str>,
    /// `NAME`, or `NAME - WHO`.
    pub name: Name<'a>,
    /// What was said.
    pub text: &'a str,
}

impl<'a> Said<'a> {
    /// Reads a line with tags. `None`: it has none, or a tag or a name that cannot be.
    pub fn parse(line: &'a str) -> Option<Self> {
        let (_, body) = split(line)?;
        let raw_tags = line.get(1..line.len() - body.len())?.trim_end_matches(' ');
        let raw = |key: &str| {
            let mut pairs = raw_tags.split(';').filter_map(|tag| tag.split_once('='));
            pairs.rfind(|(name, _)| *name == key).map(|(_, value)| value)
        };
        let id = |key| raw(key).map(|digits| digits.parse::<u64>().ok());
        let notice = match raw("notice") {
            None => None,
            Some("join") => Some(Notice::Join),
            Some("leave") => Some(Notice::Leave),
            Some(_) => return None,
        };
        let (name, text) = match notice {
            Some(Notice::Join) => (body.strip_suffix(JOIN_WORDS)?, ""),
            Some(Notice::Leave) => (body.strip_suffix(LEAVE_WORDS)?, ""),
            None => body.split_once(": ")?,
        };
        let id_of_line = id("id").map_or(Some(None), |id| id.map(Some))?;
        if id_of_line.is_none() && notice.is_none() {
            return None;
        }
        let key = raw("key").map(|key| {
            let (sid, label) = key.split_once('.')?;
            Some(Key { sid: sid.parse().ok()?, label: Some(label).filter(|label| is_label(label))? })
        });
        Some(Self {
            id: id_of_line,
            unix_ms: raw("time").and_then(unix_ms),
            room: raw("room").map_or(Some(None), |room| plain(room).map(Some))?,
            key: key.map_or(Some(None), |key| key.map(Some))?,
            reply: id("reply").flatten(),
            quote: raw("quote").and_then(plain),
            is_private: raw("private") == Some("1"),
            to: raw("to").and_then(plain),
            notice,
            label: raw("label").filter(|label| is_label(label)),
            name: Name::parse(name).ok()?,
            text,
        })
    }
}
