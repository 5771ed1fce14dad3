//! What the model is told: by the link, by a person, by time.

use tertulia_wire::account::ActKind;
use tertulia_wire::secret::Secret;
use tertulia_wire::session::{self, AskError, SayError, Ticket};
use tertulia_wire::tls::Fingerprint;

use super::command::AskId;
use super::conversation::ConversationId;
use super::entry::EntryId;
use crate::phrases::Sentence;
use crate::settings::Settings;

/// Something happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The link says something.
    Link(LinkEvent),
    /// A person does something.
    Act(Act),
    /// Something that only the shell knows did not work, and the person is to be told.
    Shell(Sentence),
    /// The drafts were written down, or could not be.
    Drafts {
        /// Whether they were, and the disk waited for where that was asked.
        are_written: bool,
    },
    /// There is a keyring, or what it has found.
    Keyring(Keyring),
    /// Time has passed; see [`super::Model::next_due`].
    Tick,
}

/// What the link says, in the order in which it happened.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkEvent {
    /// An event of the session, as it is.
    Session(session::Event),
    /// The address could not be reached; comes before the session's own event of it.
    ConnectFailed(ConnectError),
    /// The link has begun to connect.
    Connecting,
    /// Lines that a session of an earlier run had no answer to ([`session::Session::unanswered_lines`]), or that it does not
    /// say any more and still keeps ([`session::Session::refused_lines`]): right after it was restored, before anything else
    /// of it.
    Restored(Vec<Unsent>),
    /// A question was passed on; its lines carry this ticket. Comes before the first of them.
    Asked {
        /// The question.
        ask: AskId,
        /// The session's name for it.
        ticket: Ticket,
    },
    /// A question was refused by the session itself.
    AskFailed {
        /// The question.
        ask: AskId,
        /// Why.
        error: AskError,
    },
    /// A line was not taken by the session; it is kept nowhere but here.
    SayFailed {
        /// Its label.
        label: String,
        /// Why.
        error: SayError,
    },
    /// A command was refused by the session itself.
    CommandFailed {
        /// Why.
        error: AskError,
    },
    /// The list of people, or of rooms, could not be asked for.
    ListFailed,
    /// What must outlive the program cannot be written. Lines are not safe until [`LinkEvent::OutboxWritten`].
    OutboxFailed {
        /// Why, for people.
        reason: Sentence,
    },
    /// It can be written again.
    OutboxWritten,
    /// The link has ended without having been told to, and takes nothing any more.
    Gone,
}

/// A line without an answer, as the session kept it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsent {
    /// Its label.
    pub label: String,
    /// Where; empty where it is private.
    pub room: String,
    /// Whom it is for, where it is private.
    pub to: Option<String>,
    /// The id of the line it answers.
    pub reply: Option<u64>,
    /// What it says.
    pub text: String,
    /// Why the session does not say it any more; none: it still does.
    pub refusal: Option<Refusal>,
}

/// Why a session does not say a line any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It was refused before.
    Before,
    /// The relay with this address was to hear it, which is another one.
    OtherRelay(String),
}

/// Why an address cannot be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectError {
    /// Nobody listens there.
    Refused,
    /// No way leads to that host.
    Unreachable,
    /// This machine has no network.
    NoNetwork,
    /// Nobody answers in time.
    TimedOut,
    /// There is no host of that name.
    NameNotFound,
    /// The system does not allow it.
    Denied,
    /// Nobody vouches for the certificate that was shown.
    CertificateUnknown(Fingerprint),
    /// It is not the one that was confirmed, but this one.
    CertificateChanged(Fingerprint),
    /// Whoever answers speaks no TLS.
    NotTls,
    /// TLS cannot be spoken, for this reason.
    Tls(Sentence),
    /// Anything else.
    Other(Sentence),
}

impl ConnectError {
    /// Whether somebody was reached, and it is about TLS.
    pub(crate) fn is_of_tls(&self) -> bool {
        matches!(
            self,
            Self::CertificateUnknown(_) | Self::CertificateChanged(_) | Self::NotTls | Self::Tls(_)
        )
    }
}

/// What the desktop's keyring says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keyring {
    /// There is one.
    IsThere,
    /// What was looked for.
    Found {
        /// Whose password.
        name: String,
        /// None: it has none.
        password: Option<Secret<String>>,
    },
}

/// The answer to a question of [`crate::render::question`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Which question.
    pub number: u64,
    /// Whether what stands there is wanted.
    pub is_accepted: bool,
    /// What was filled in, of each field: its text, the number of what was chosen, or `1` where it is checked.
    pub values: Vec<Secret<String>>,
}

/// What a person does.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Answers a question.
    Answer(Answer),
    /// Wants to do an operator's act to somebody: asks for what it needs, or does it at once.
    Operate {
        /// Which.
        kind: ActKind,
        /// To whom.
        name: String,
    },

    /// Answers the question for a name; empty: any.
    ChooseName(String),

    /// The text of the input, or where its cursor stands, has changed by hand.
    Edit {
        /// All of it; line feeds break it.
        text: String,
        /// In bytes; between characters.
        cursor: usize,
    },
    /// Enter: send.
    Send,
    /// Tab, or Shift+Tab: complete the word before the cursor; again: the next, or the one before.
    Complete {
        /// Shift is held.
        backwards: bool,
    },
    /// Up, with the cursor in the input's first row: what was sent before.
    Earlier,
    /// Down, with the cursor in its last row: what was sent after that.
    Later,
    /// Something is to be pasted into the input. The view inserts nothing itself.
    Paste(String),
    /// Whether the long paste that was asked about is wanted.
    ConfirmPaste(bool),
    /// An emoji was picked.
    PickEmoji(String),

    /// Chooses a conversation.
    Select(ConversationId),
    /// The next one, or the one before.
    SelectNext {
        /// The one before.
        backwards: bool,
    },
    /// The next one with something unread.
    SelectUnread,
    /// Enters a room.
    Join(String),
    /// Leaves a room, or closes a private conversation.
    Leave(ConversationId),
    /// Opens a private conversation.
    Talk(String),
    /// Changes the name.
    Rename(String),
    /// Does not show somebody's lines any more, or does again.
    Ignore {
        /// Who.
        name: String,
        /// Whether.
        is_ignored: bool,
    },
    /// A room is quiet, or is not.
    Mute {
        /// Which.
        conversation: ConversationId,
        /// Whether.
        is_muted: bool,
    },

    /// The transcript was scrolled, or its size has changed.
    Scroll(Scroll),
    /// To the newest line.
    JumpToEnd,
    /// To the first line that was not read.
    JumpToUnread,
    /// To the line that this one answers.
    JumpToQuoted(EntryId),
    /// Answers a line.
    Reply(EntryId),
    /// Gives up answering, or the search; Escape.
    Cancel,
    /// Says a refused line again.
    Retry(EntryId),
    /// Takes a refused line away; its text goes into the input if that is empty.
    Discard(EntryId),
    /// Opens a link.
    OpenLink(String),

    /// Opens the search bar.
    OpenSearch,
    /// Changes what is looked for.
    Search(String),
    /// The next match up, or down.
    SearchStep {
        /// Down, to newer ones.
        forwards: bool,
    },
    /// Looks in the relay's history.
    SearchHistory,
    /// Goes to a line that the history found; its place in the list of results.
    OpenResult(usize),
    /// Closes the search bar.
    CloseSearch,

    /// The settings were changed in their dialog.
    ChangeSettings(Box<Settings>),
    /// A larger font, a smaller one, or with none the usual one.
    Zoom(Option<bool>),
    /// Shows the list of people, or hides it.
    ShowPeople(bool),
    /// The window has the focus, or lost it.
    Focus(bool),
    /// Connects now.
    Reconnect,
    /// Closes the window; again: without waiting for a goodbye.
    Close,
}

/// Where the view of the transcript stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scroll {
    /// The newest line is seen whole.
    pub is_at_end: bool,
    /// Less than about a page is left above.
    pub is_near_start: bool,
    /// The first line that is seen.
    pub first: Option<EntryId>,
}
