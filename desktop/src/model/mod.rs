//! All state of the window: an event goes in, commands come out. Knows no widget, no socket, no clock, no file; the shell
//! calls it from one thread, and draws what [`crate::render`] makes of it.
//!
//! The caller's turn, over and over: hand over what happened ([`Model::handle`], with the time), take all of
//! [`Model::poll_command`] and obey, draw again if [`Model::revision`] is another one, and hand over [`Event::Tick`] once
//! [`Model::next_due`] has come. With nothing due it may sleep.
//!
//! In reading order: `event`, `command` (the two doors); `entry`, `transcript`, `people`, `conversation` (what is kept);
//! `link`, `hearing`, `saying` (what the relay does to it); `acts`, `compose`, `complete`, `slash`, `reading`, `search`
//! (what a person does); `attention`, `timing`, `drafts`.

mod accounts;
mod acts;
mod asks;
mod attention;
mod changes;
mod command;
mod complete;
mod compose;
mod connection;
mod conversation;
mod conversations;
mod drafts;
mod entry;
mod event;
mod hearing;
mod link;
mod marks;
mod naming;
mod operators;
mod people;
mod presence;
mod reading;
mod removal;
mod rooms;
mod saying;
mod search;
mod slash;
mod tally;
mod timing;
mod transcript;

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

pub use accounts::KEYRING_WAIT;
pub use asks::{ASKS_OPEN_MAX, ASKS_WAITING_MAX, PAGE_LINES};
pub use attention::{NOTIFY_PAUSE, QUIET_AFTER_READY};
pub use changes::{CHANGES_MAX, RowChange};
pub use command::{
    AskId, Command, FileCommand, KeyringCommand, LinkCommand, Notification, SayLine, Secure, ViewCommand,
};
pub use compose::{PASTE_LINES_ASKED, SENT_KEPT, TEXT_BYTES_MAX};
pub use conversation::{ConversationId, Kind};
pub use conversations::{BYTES_KEPT_ALL, PRIVATE_MAX};
pub use drafts::{DRAFTS_APART_MAX, DraftsError};
pub use entry::EntryId;
pub use event::{Act, Answer, ConnectError, Event, Keyring, LinkEvent, Refusal, Scroll, Unsent};
pub use marks::MARK_AFTER;
pub use people::{PEOPLE_MAX, SPEAKERS_MAX};
pub use saying::UNSENT_MAX;
pub use search::{MATCHES_MAX, RESULTS_MAX};
pub use tally::NAMES_TOLD_MAX;
pub use timing::{CLOSE_WAIT, HINT_SHOWN};
pub use transcript::{BYTES_KEPT, ENTRIES_DROPPED, ENTRIES_KEPT};

pub(crate) use accounts::{Account, What};
pub(crate) use attention::shortened;
pub(crate) use connection::Status;
pub(crate) use connection::seconds_until;
pub(crate) use conversation::{Conversation, End, Older, Seat};
pub(crate) use entry::{Body, Entry, Said, State};
pub(crate) use naming::Naming;
pub(crate) use operators::{SPANS, has_reason, has_span};
pub(crate) use search::{Search, SearchAsked};
pub(crate) use slash::hint_for;
pub(crate) use tally::{Counts, Names};

use crate::phrases::{Language, Phrase, Sentence};
use crate::settings::Settings;
use asks::Asks;
use compose::Sent;
use conversations::Conversations;
use naming::guest_name;
use presence::Lists;

/// The time, as the caller's clocks say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// Since any moment of the caller's; never goes back.
    pub monotonic: Duration,
    /// Milliseconds since 1970; may go back.
    pub unix_ms: u64,
    /// How far the reader is east of UTC.
    pub utc_offset_seconds: i32,
}

/// Something said to the person below the transcript, for a while.
#[derive(Debug, Clone)]
pub(crate) struct Hint {
    pub(crate) sentence: Sentence,
    pub(crate) is_error: bool,
    until: Duration,
}

/// All state of the window.
#[derive(Debug)]
pub struct Model {
    pub(crate) settings: Settings,
    pub(crate) now: Now,
    /// The name we have, or ask for.
    pub(crate) name: String,
    pub(crate) naming: Option<Naming>,
    pub(crate) conversations: Conversations,
    pub(crate) status: Status,
    pub(crate) account: Account,
    pub(crate) search: Option<Search>,
    pub(crate) hint: Option<Hint>,
    pub(crate) is_focused: bool,
    /// The relay keeps what is said.
    pub(crate) is_history_kept: bool,
    pub(crate) outbox_error: Option<Sentence>,
    /// Since then the window is being closed.
    pub(crate) closing_since: Option<Duration>,
    /// Grows when rows of all conversations look other than before.
    pub(crate) look: u32,
    revision: u64,
    asks: Asks,
    lists: Lists,
    sent: Sent,
    completion: Option<complete::Completion>,
    pasting: Option<String>,
    /// The name that was asked for last.
    renaming: Option<String>,
    /// Where each own line without an answer is, by its label.
    unsent: HashMap<String, ConversationId>,
    quiet_until: Duration,
    notified: HashMap<ConversationId, Duration>,
    drafts_due: Option<Duration>,
    /// What was read is told then.
    marks_due: Option<Duration>,
    /// Drafts and refused lines of what is not open.
    apart: drafts::Kept,
    /// Labels of refused lines that are being said again.
    retried: HashSet<String>,
    /// Labels of refused lines that the link keeps until they stand in the file of the drafts.
    to_secure: Vec<String>,
    /// Those of them that are being written there.
    in_writing: Vec<String>,
    commands: VecDeque<Command>,
    label_prefix: String,
    next_label: u64,
    next_entry: u64,
    /// The name of who gives none.
    guest: String,
    /// It is the name we have: the person gave none.
    is_guest: bool,
    /// When it was last told that strangers have no place.
    strangers_told: Option<Duration>,
    /// When writing last brought an attempt to connect about.
    hurried: Option<Duration>,
}

impl Model {
    /// A window that begins, where no other begins in the same millisecond; see [`Model::with_seed`].
    pub fn new(settings: Settings, now: Now) -> Self {
        Self::with_seed(settings, now, 0)
    }

    /// A window that begins. With a name in the settings it connects at once; else it asks for one. `seed`: random bits, so
    /// that no two runs ever give a line the same label, whatever their clocks say.
    pub fn with_seed(settings: Settings, now: Now, seed: u64) -> Self {
        let settings = settings.mended();
        let (first, others) = match settings.rooms.split_first() {
            Some((first, others)) => (first.as_str(), others),
            None => (tertulia_wire::limits::ROOM_DEFAULT, [].as_slice()),
        };
        let mut conversations = Conversations::new(first);
        for room in others {
            conversations.open(Kind::Room, room);
        }
        let mut model = Self {
            name: settings.name.clone(),
            settings,
            now,
            naming: None,
            conversations,
            status: Status::NotBegun,
            account: Account::default(),
            search: None,
            hint: None,
            is_focused: true,
            is_history_kept: true,
            outbox_error: None,
            closing_since: None,
            look: 0,
            revision: 0,
            asks: Asks::default(),
            lists: Lists::default(),
            sent: Sent::default(),
            completion: None,
            pasting: None,
            renaming: None,
            unsent: HashMap::new(),
            quiet_until: Duration::ZERO,
            notified: HashMap::new(),
            drafts_due: None,
            marks_due: None,
            apart: drafts::Kept::default(),
            retried: HashSet::new(),
            to_secure: Vec::new(),
            in_writing: Vec::new(),
            commands: VecDeque::new(),
            label_prefix: format!("w{:x}-{seed:x}", now.unix_ms),
            next_label: 1,
            next_entry: 1,
            guest: guest_name(now.unix_ms ^ seed),
            is_guest: false,
            strangers_told: None,
            hurried: None,
        };
        if model.name.is_empty() {
            model.ask_name(None);
        } else {
            model.start();
        }
        model
    }

    /// Something has happened.
    pub fn handle(&mut self, event: Event, now: Now) {
        self.now = Now { monotonic: now.monotonic.max(self.now.monotonic), ..now };
        match event {
            Event::Act(Act::Scroll(scroll)) => return self.handle_scroll(scroll),
            // Nothing looks other than before.
            Event::Drafts { are_written } => return self.handle_drafts(are_written),
            _ => {}
        }
        self.revision = self.revision.wrapping_add(1);
        match event {
            Event::Link(event) => self.handle_link(event),
            Event::Act(act) => self.handle_act(act),
            Event::Shell(sentence) => self.complain(sentence),
            Event::Keyring(keyring) => self.handle_keyring(keyring),
            Event::Tick | Event::Drafts { .. } => {}
        }
        self.do_what_is_due();
    }

    /// A view tells where it stands whenever it has drawn: that alone is no reason to draw again.
    fn handle_scroll(&mut self, scroll: Scroll) {
        let state = |model: &Self| {
            let shown = model.conversations.shown();
            (shown.scroll, shown.older, shown.end, shown.unread, model.commands.len())
        };
        let before = state(self);
        self.scrolled(scroll);
        if state(self) != before {
            self.revision = self.revision.wrapping_add(1);
        }
    }

    /// What is to be done, in this order. Drafts that are due come last, so that much that happens at once is written once.
    pub fn poll_command(&mut self) -> Option<Command> {
        self.commands.pop_front().or_else(|| self.take_due_drafts())
    }

    /// Another number each time that something may look other than before.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// What is chosen now.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The language of sentences.
    pub fn language(&self) -> Language {
        self.settings.language()
    }

    /// The conversation that is shown.
    pub fn selected(&self) -> ConversationId {
        self.conversations.shown().id
    }

    /// What has happened to the rows of the conversation that is shown, since the last call. Take it before
    /// [`crate::render::row`] is called; after [`ViewCommand::Show`] it begins with [`RowChange::Reset`].
    pub fn take_row_changes(&mut self) -> Vec<RowChange> {
        self.conversations.shown_mut().transcript.take_changes()
    }

    /// How many entries all conversations hold, and their bytes, about: what is bounded by [`ENTRIES_KEPT`], [`BYTES_KEPT`]
    /// and [`BYTES_KEPT_ALL`].
    pub fn held(&self) -> (usize, usize) {
        self.conversations.iter().fold((0, 0), |(entries, bytes), conversation| {
            (entries + conversation.entries(), bytes + conversation.bytes())
        })
    }

    fn link(&mut self, command: LinkCommand) {
        self.commands.push_back(Command::Link(command));
    }

    fn view(&mut self, command: ViewCommand) {
        self.commands.push_back(Command::View(command));
    }

    fn hint(&mut self, sentence: impl Into<Sentence>) {
        self.put_hint(sentence.into(), false);
    }

    fn complain(&mut self, sentence: impl Into<Sentence>) {
        self.put_hint(sentence.into(), true);
    }

    fn put_hint(&mut self, sentence: Sentence, is_error: bool) {
        let until = self.now.monotonic.saturating_add(HINT_SHOWN);
        self.hint = Some(Hint { sentence, is_error, until });
    }

    fn take_entry_id(&mut self) -> EntryId {
        let id = EntryId(self.next_entry);
        self.next_entry = self.next_entry.saturating_add(1);
        id
    }

    fn take_label(&mut self) -> String {
        let label = format!("{}.{}", self.label_prefix, self.next_label);
        self.next_label = self.next_label.saturating_add(1);
        label
    }

    /// Something the program has to say, among the lines of a conversation.
    fn tell(&mut self, conversation: ConversationId, sentence: impl Into<Sentence>) {
        let (id, unix_ms) = (self.take_entry_id(), self.now.unix_ms);
        let told_in = conversation;
        let Some(conversation) = self.conversations.get_mut(told_in) else { return };
        let place = conversation.transcript.place_now(id);
        let body = Body::Told(Box::new(sentence.into()));
        conversation.transcript.insert(Entry { id, place, unix_ms, revision: 0, body });
        self.trim_conversation(told_in);
    }

    /// What was heard was another relay's, and what was refused was written for its people.
    fn forget_lines(&mut self, last_relay: &str) {
        self.end_walk();
        let why = Sentence::new(Phrase::WrittenFor, &[last_relay]);
        self.conversations.for_each_mut(|conversation| {
            conversation.forget_lines();
            conversation.transcript.refuse_for_others(&why);
        });
        self.show_selected();
    }

    /// Begins a session, or another one.
    fn start(&mut self) {
        self.status = Status::Connecting;
        self.forget_account();
        self.asks.clear();
        self.lists.clear();
        let rooms = self.conversations.rooms();
        let (relay, name) = (self.settings.relay.clone(), self.name.clone());
        let fingerprint = self.settings.certificate();
        let tls = self.settings.tls.then_some(Secure { fingerprint });
        self.link(LinkCommand::Start { relay, name, rooms, tls });
    }

    fn save_settings(&mut self) {
        let text = self.settings.to_toml();
        self.commands.push_back(Command::File(FileCommand::SaveSettings(text)));
    }
}
