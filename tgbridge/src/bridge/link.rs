//! One chat and one room: what waits to be sent, up to where the room was heard, what is being sent. Knows neither other
//! links nor calls nor paces; `outbound` asks it.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use super::ids::{Ids, NO_LINE};
use super::notices::SKIPPED_AFTER;
use super::settings::LinkSettings;
use super::state::SavedLink;

/// Lines that may wait in memory for Telegram. Further ones stay in the relay's history, and are fetched once there is room.
pub const QUEUE_LINES_MAX: usize = 1024;

/// Bytes that they may have; the line that passes it is still taken.
pub const QUEUE_BYTES_MAX: usize = 64 * 1024;

/// Lines that are heard while older ones are being fetched. Further ones are fetched as well.
pub const AHEAD_LINES_MAX: usize = 64;

/// Names that are told of those who came and went in a minute; the rest is counted.
pub const NAMES_MAX: usize = 30;

/// Sentences of the bridge's own that may wait in a chat. Of what comes beyond it, the newest of each kind stays.
pub const NOTICES_MAX: usize = 16;

/// What the bridge itself says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum NoticeKind {
    /// In answer to somebody.
    Answer,
    /// Who came and went.
    Presence,
    /// Lines of the room were too old.
    SkippedLines,
    /// Messages of the chat were too old.
    SkippedMessages,
    /// Something cannot be had, or was not taken.
    Lost,
}

/// A line that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// None: the bridge itself says it.
    pub(super) id: Option<u64>,
    /// What the bridge itself says. None: a line of the room.
    pub(super) kind: Option<NoticeKind>,
    /// Up to where the room was heard before it: where to go on from if it is never sent.
    pub(super) before: Option<u64>,
    /// Its key, as a number.
    pub(super) key: Option<u64>,
    /// Who says it; empty where the bridge does.
    pub(super) name: String,
    pub(super) text: String,
    /// The line it answers.
    pub(super) reply: Option<u64>,
    /// What it answers, where that has no id.
    pub(super) quote: Option<String>,
    /// Bytes of the text that Telegram has.
    pub(super) done: usize,
    /// Telegram may have it.
    pub(super) is_doubt: bool,
    /// Telegram does not know the message that it answers.
    pub(super) is_reply_lost: bool,
}

impl Item {
    /// Something that the bridge itself says.
    pub(super) fn notice(kind: NoticeKind, text: &str) -> Self {
        Self { kind: Some(kind), text: format!("* {text}"), ..Self::empty() }
    }

    /// A line of the room of which all is still to be said.
    pub(super) fn empty() -> Self {
        Self {
            id: None,
            kind: None,
            before: None,
            key: None,
            name: String::new(),
            text: String::new(),
            reply: None,
            quote: None,
            done: 0,
            is_doubt: false,
            is_reply_lost: false,
        }
    }
}

/// What of the queue is being sent: so many items from its front, or so many bytes of the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    Whole(usize),
    Part(usize),
}

impl Sending {
    /// Items that are touched.
    pub(super) fn items(self) -> usize {
        match self {
            Self::Whole(count) => count,
            Self::Part(_) => 1,
        }
    }
}

/// Whether lines of the history are being fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fetching {
    /// None is needed: each line is heard as it is said.
    No,
    /// Lines were missed, or left in the history.
    Wanted,
    /// They are on their way.
    Asked,
}

#[derive(Debug)]
pub(super) struct Link {
    pub(super) settings: LinkSettings,
    /// Its number now; a group that becomes a supergroup gets another one.
    pub(super) chat: i64,
    pub(super) queue: VecDeque<Item>,
    pub(super) queue_bytes: usize,
    /// Each line up to this id is in the queue, was sent or is not for Telegram. None: the room was never heard.
    pub(super) scanned: Option<u64>,
    /// It is still to be found out where the room is now: what was said before is not for Telegram.
    pub(super) is_new: bool,
    pub(super) fetching: Fetching,
    /// The history is not asked before then, because it could not answer.
    pub(super) fetch_at: Duration,
    pub(super) fetch_attempt: u32,
    /// Lines were missed that only the history can have.
    pub(super) is_gap_known: bool,
    pub(super) ahead: VecDeque<Item>,
    /// A line was heard that had no room among those ahead.
    pub(super) is_ahead_full: bool,
    pub(super) sending: Option<Sending>,
    /// Lines with these ids, both included, may have been sent by an earlier run.
    pub(super) doubt: Option<(u64, u64)>,
    /// And those with these keys.
    pub(super) doubt_keys: BTreeSet<u64>,
    /// Of the line with this id, or this key, so many bytes were sent by an earlier run.
    pub(super) begun: Option<(u64, Option<u64>, usize)>,
    pub(super) ids: Ids,
    /// The room does not let the bridge in.
    pub(super) is_out: bool,
    /// When it is asked again.
    pub(super) join_at: Duration,
    /// Nothing is sent before then: something failed that is no matter of pace.
    pub(super) not_before: Duration,
    /// When something was sent last; of the links of one chat, the one that waits longest is next.
    pub(super) sent_at: Option<Duration>,
    /// Failed calls since the last one that did not fail.
    pub(super) attempt: u32,
    /// What was logged last of it, so that it is logged once.
    pub(super) trouble: Option<String>,
    /// So many lines are sent one by one, to find out which of them Telegram does not take.
    pub(super) alone: usize,
    /// Longest message that Telegram takes here.
    pub(super) units_max: usize,
    /// Lines too old to be sent, not told yet.
    pub(super) skipped: u64,
    /// Those of them that stand before all that waits: after a kill they are not fetched and counted again.
    skipped_before: u64,
    /// Messages of the chat that were too old, not told yet.
    pub(super) skipped_messages: u64,
    pub(super) skipped_due: Option<Duration>,
    pub(super) came: Vec<String>,
    pub(super) went: Vec<String>,
    pub(super) notices_due: Option<Duration>,
}

impl Link {
    pub(super) fn new(settings: LinkSettings, saved: Option<SavedLink>) -> Self {
        let mut saved = saved.unwrap_or_default();
        let chat = saved.current_chat.unwrap_or(settings.chat);
        let notices = std::mem::take(&mut saved.notices);
        let mut link = Self::restored(settings, chat, saved);
        for (kind, text) in notices.into_iter().take(NOTICES_MAX) {
            link.push(Item { text, ..Item::notice(kind, "") });
        }
        link
    }

    fn restored(settings: LinkSettings, chat: i64, saved: SavedLink) -> Self {
        Self {
            chat,
            queue: VecDeque::new(),
            queue_bytes: 0,
            scanned: saved.cursor,
            is_new: saved.cursor.is_none(),
            fetching: Fetching::Wanted,
            fetch_at: Duration::ZERO,
            fetch_attempt: 0,
            is_gap_known: false,
            ahead: VecDeque::new(),
            is_ahead_full: false,
            sending: None,
            doubt: saved.doubt,
            doubt_keys: saved.doubt_keys,
            begun: saved.begun,
            ids: saved.ids,
            is_out: false,
            join_at: Duration::ZERO,
            not_before: Duration::ZERO,
            sent_at: None,
            attempt: 0,
            trouble: None,
            alone: 0,
            units_max: super::split::MESSAGE_UNITS_MAX,
            skipped: saved.skipped,
            skipped_before: saved.skipped,
            skipped_messages: saved.skipped_messages,
            skipped_due: (saved.skipped_messages > 0).then_some(SKIPPED_AFTER),
            came: Vec::new(),
            went: Vec::new(),
            notices_due: None,
            settings,
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.queue.len() < QUEUE_LINES_MAX && self.queue_bytes < QUEUE_BYTES_MAX
    }

    /// Half empty: worth fetching for.
    pub(super) fn has_much_room(&self) -> bool {
        self.queue.len() < QUEUE_LINES_MAX / 2 && self.queue_bytes < QUEUE_BYTES_MAX / 2
    }

    /// Whether the history is to be asked now.
    pub(super) fn wants_fetch(&self, now: Duration) -> bool {
        self.fetching == Fetching::Wanted && self.fetch_at <= now && self.has_much_room()
    }

    /// Queues an item behind what was heard so far.
    pub(super) fn push(&mut self, mut item: Item) {
        item.before = self.scanned.or(item.id.map(|id| id.saturating_sub(1)));
        if let Some(id) = item.id {
            self.scanned = self.scanned.max(Some(id));
            let is_it = |(begun, key, _): &(u64, Option<u64>, usize)| {
                *begun == id || (key.is_some() && *key == item.key)
            };
            if let Some((_, _, done)) = self.begun.filter(is_it) {
                item.done = if item.text.is_char_boundary(done) { done } else { 0 };
                self.begun = None;
            }
            let is_key_open = item.key.is_some_and(|key| self.doubt_keys.remove(&key));
            item.is_doubt =
                is_key_open || self.doubt.is_some_and(|(first, last)| (first..=last).contains(&id));
            if self.doubt.is_some_and(|(_, last)| last <= id) {
                self.doubt = None;
            }
        }
        self.queue_bytes = self.queue_bytes.saturating_add(item.text.len());
        self.queue.push_back(item);
    }

    /// Takes the first item away.
    pub(super) fn pop(&mut self) -> Option<Item> {
        let item = self.queue.pop_front()?;
        self.queue_bytes = self.queue_bytes.saturating_sub(item.text.len());
        self.alone = self.alone.saturating_sub(1);
        if self.queue.is_empty() {
            self.skipped_before = self.skipped;
        }
        Some(item)
    }

    /// Queues something of the bridge's own. Beyond [`NOTICES_MAX`], an older one of its kind goes, or else the oldest; what is
    /// being sent stays.
    pub(super) fn notify(&mut self, kind: NoticeKind, text: &str) {
        let first = self.sending.map_or(0, Sending::items);
        let waiting = self.queue.iter().enumerate().skip(first).filter(|(_, item)| item.kind.is_some());
        let waiting: Vec<(usize, Option<NoticeKind>)> = waiting.map(|(at, item)| (at, item.kind)).collect();
        if waiting.len() >= NOTICES_MAX {
            let of_kind = waiting.iter().find(|(_, waits)| *waits == Some(kind)).or(waiting.first());
            if let Some(item) = of_kind.and_then(|(at, _)| self.queue.remove(*at)) {
                self.queue_bytes = self.queue_bytes.saturating_sub(item.text.len());
            }
        }
        self.push(Item::notice(kind, text));
    }

    /// A line of the room is too old.
    pub(super) fn skip(&mut self, id: u64) {
        self.skipped = self.skipped.saturating_add(1);
        self.step_over(id);
        if self.queue.is_empty() {
            self.skipped_before = self.skipped;
        }
    }

    /// The lines that were too old, to be told now.
    pub(super) fn take_skipped(&mut self) -> u64 {
        self.skipped_before = 0;
        std::mem::take(&mut self.skipped)
    }

    /// When it is to be told how many messages were too old. None: there is nothing to tell, or not before something else happens.
    pub(super) fn next_skipped(&self) -> Option<Duration> {
        let waits = self.is_out || self.has_notice(NoticeKind::SkippedMessages);
        self.skipped_due.filter(|_| !waits)
    }

    /// Whether the bridge still has to say something of this kind.
    pub(super) fn has_notice(&self, kind: NoticeKind) -> bool {
        self.queue.iter().any(|item| item.kind == Some(kind))
    }

    /// The chat has another number, and numbers its messages anew.
    pub(super) fn move_to(&mut self, chat: i64) {
        self.chat = chat;
        self.ids.forget_messages();
    }

    /// The room counts its lines anew, from behind this id. The ids that were heard mean other lines from now on; keys mean the same.
    pub(super) fn begin_anew(&mut self, last: u64) {
        self.scanned = Some(last);
        self.ids.forget_messages();
        self.doubt = None;
        self.begun =
            self.begun.filter(|(_, key, _)| key.is_some()).map(|(_, key, done)| (NO_LINE, key, done));
        for item in self.queue.iter_mut().chain(&mut self.ahead) {
            (item.id, item.before) = (None, Some(last));
        }
    }

    /// A line that is not for Telegram was heard.
    pub(super) fn step_over(&mut self, id: u64) {
        self.scanned = Some(self.scanned.unwrap_or_default().max(id));
    }

    /// What must outlive the program.
    pub(super) fn saved(&self) -> SavedLink {
        let front = self.queue.front();
        let is_open = |(index, item): &(usize, &Item)| {
            item.is_doubt || self.sending.is_some_and(|sending| *index < sending.items())
        };
        let open: Vec<&Item> =
            self.queue.iter().enumerate().take_while(is_open).map(|(_, item)| item).collect();
        let open_ids: Vec<u64> = open.iter().filter_map(|item| item.id).collect();
        let open_keys = open.iter().filter_map(|item| item.key);
        let waiting = self.queue.iter().chain(&self.ahead).filter_map(|item| item.key).collect();
        let first_line = self.queue.iter().position(|item| item.kind.is_none()).unwrap_or(self.queue.len());
        // What is said behind lines is found out again with them, but for what Telegram does not tell twice.
        let is_kept =
            |(at, item): &(usize, &Item)| *at < first_line || item.kind == Some(NoticeKind::SkippedMessages);
        let notices = self.queue.iter().enumerate().filter(is_kept);
        SavedLink {
            chat: self.settings.chat,
            thread: self.settings.thread,
            room: self.settings.room.clone(),
            current_chat: Some(self.chat).filter(|chat| *chat != self.settings.chat),
            cursor: front.map_or(self.scanned, |item| item.before),
            doubt: self.open_range(&open_ids),
            doubt_keys: open_keys.chain(self.doubt_keys.iter().copied()).take(QUEUE_LINES_MAX).collect(),
            begun: front
                .and_then(|item| Some((item.id?, item.key, item.done)))
                .filter(|(_, _, done)| *done > 0)
                .or(self.begun),
            ids: self.ids.without(&waiting),
            skipped: self.skipped_before,
            skipped_messages: self.skipped_messages,
            notices: notices.filter_map(|(_, item)| Some((item.kind?, item.text.clone()))).collect(),
        }
    }

    /// From the first to the last line that Telegram may have, those included that an earlier run left so and that were not
    /// fetched again yet.
    fn open_range(&self, open: &[u64]) -> Option<(u64, u64)> {
        let here = open.first().copied().zip(open.last().copied());
        match (here, self.doubt) {
            (Some((first, last)), Some((_, earlier))) => Some((first, last.max(earlier))),
            (here, earlier) => here.or(earlier),
        }
    }
}
