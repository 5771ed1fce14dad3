//! What the model wants done, and by whom.

use tertulia_wire::secret::Secret;
use tertulia_wire::session::Way;
use tertulia_wire::tls::Fingerprint;

use super::conversation::ConversationId;
use super::entry::EntryId;

/// Something is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// By the link.
    Link(LinkCommand),
    /// By the view.
    View(ViewCommand),
    /// The desktop is to be told.
    Notify(Notification),
    /// To be written down.
    File(FileCommand),
    /// By the desktop's keyring.
    Keyring(KeyringCommand),
}

/// Tells one question to the history from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId(pub(super) u64);

/// What the link is to do; each is a method of [`tertulia_wire::session::Session`].
#[derive(Debug, Clone, PartialEq)]
pub enum LinkCommand {
    /// Begin a session, or end the one there is and begin another: the relay or the profile has changed. What was kept of
    /// the last one is to be restored.
    Start {
        /// `HOST:PORT`.
        relay: String,
        /// The name to ask for.
        name: String,
        /// The rooms to be in.
        rooms: Vec<String>,
        /// How TLS is spoken; none: it is not.
        tls: Option<Secure>,
    },
    /// `log_in`; nothing is kept of it but in memory.
    LogIn {
        /// Of the account that has the session's name.
        password: Secret<String>,
    },
    /// `command` with this line, which may hold a password; answered by what the relay says, or by
    /// [`super::LinkEvent::CommandFailed`].
    Command {
        /// With its slash.
        line: Secret<String>,
    },
    /// `mark_read`
    Read {
        /// The room.
        room: String,
        /// The newest line that was read.
        id: u64,
    },
    /// `say_labeled`. To be kept before anything is sent.
    Say(SayLine),
    /// `join`
    Join {
        /// The room.
        room: String,
    },
    /// `part`
    Part {
        /// The room.
        room: String,
    },
    /// `rename`
    Rename {
        /// The name.
        name: String,
    },
    /// `fetch`; answered [`super::LinkEvent::Asked`] or [`super::LinkEvent::AskFailed`].
    Fetch {
        /// The question.
        ask: AskId,
        /// The room.
        room: String,
        /// From where.
        way: Way,
        /// Lines at most.
        limit: u32,
    },
    /// `search`; answered like a fetch.
    Search {
        /// The question.
        ask: AskId,
        /// The room.
        room: String,
        /// All of which a line is to have.
        words: String,
        /// Only lines before this id; `u64::MAX`: all.
        before: u64,
        /// Lines at most.
        limit: u32,
    },
    /// `command` with this line: `/who …`, `/rooms …`. Answered [`super::LinkEvent::ListFailed`] if it is refused.
    List {
        /// With its slash.
        line: String,
    },
    /// `forget_refused`: the line is in safety elsewhere.
    ForgetRefused {
        /// Its label.
        label: String,
    },
    /// `start`: connect now.
    Reconnect,
    /// `quit`.
    Quit,
}

/// How TLS is spoken with a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Secure {
    /// The certificate that the person has confirmed; none: one that the system vouches for.
    pub fingerprint: Option<Fingerprint>,
}

/// A line to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SayLine {
    /// Of this program's: no two lines ever have the same.
    pub label: String,
    /// Where; empty where it is private.
    pub room: String,
    /// Whom it is for, where it is private.
    pub to: Option<String>,
    /// The id of the line it answers.
    pub reply: Option<u64>,
    /// What; line breaks are U+2028.
    pub text: String,
}

/// What the view is to do besides drawing [`crate::render::screen`] again, which it does after each event.
#[derive(Debug, Clone, PartialEq)]
pub enum ViewCommand {
    /// The input is to have this text, with the cursor there (bytes).
    SetInput {
        /// All of it.
        text: String,
        /// In bytes; between characters.
        cursor: usize,
    },
    /// This goes into the input at the cursor, in place of what is selected; then the view tells of it as an edit.
    InsertText(String),
    /// Another conversation is shown: its rows from there on, and nothing of what was selected or scrolled before.
    Show {
        /// Which.
        conversation: ConversationId,
        /// The line to be seen first; none: the end.
        first: Option<EntryId>,
    },
    /// This line is to be seen, and for a moment to be marked.
    Reveal(EntryId),
    /// The newest line is to be seen.
    ScrollToEnd,
    /// To be opened with the desktop's program; http or https.
    OpenLink(String),
    /// A long paste: whether it is wanted. Answered [`super::Act::ConfirmPaste`].
    AskPaste {
        /// How many lines it has.
        lines: usize,
    },
    /// The palette, the font or the language has changed.
    Restyle,
    /// The end: the window goes.
    Close,
}

/// Something to tell a person who does not look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Who, and where.
    pub title: String,
    /// What, shortened.
    pub body: String,
    /// With a sound.
    pub has_sound: bool,
    /// Where it was said, to be selected when the person clicks.
    pub conversation: ConversationId,
}

/// What the desktop's keyring is to do with the password of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyringCommand {
    /// Of which relay.
    pub relay: String,
    /// Whose.
    pub name: String,
    /// To be kept; none: to be found, and answered [`super::Event::Keyring`].
    pub password: Option<Secret<String>>,
}

/// What is to be written down, whole, in place of what was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileCommand {
    /// The settings, as TOML.
    SaveSettings(String),
    /// The drafts and what else of the window outlives it, as TOML; see [`super::Model::restore_drafts`]. Answered
    /// [`super::Event::Drafts`].
    SaveDrafts(String),
    /// The same, and the disk is to be waited for: there is something in it that is kept nowhere else.
    SaveDraftsSafely(String),
}
