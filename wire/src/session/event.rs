//! What a session tells its caller.

use std::time::Duration;

use crate::heard::{Notice, Said};

/// What the caller is to do with the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Connect to the address, and say what came of it.
    Connect,
    /// Close the connection, or give up connecting, and report nothing more of it.
    Close,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The relay has greeted the session: what is said is sent from now on.
    Ready {
        /// The name the relay knows it by.
        name: String,
        /// Its number, as others see it in keys.
        sid: u64,
        /// It is the same session as before: rooms, labels and what was missed come back.
        is_resumed: bool,
        /// What an acknowledgement promises: `none`, `commit`, `sync`.
        durability: String,
    },
    /// The relay does not let it in under this name or into this room. The connection stays open:
    /// [`super::Session::rename`], [`super::Session::join`] and [`super::Session::part`] ask again.
    HelloRefused {
        /// `NAME_IN_USE`, `NAME_RESERVED`, `NAME_INVALID`, `ROOM_INVALID`, `NAME_REGISTERED`, `LOGIN_NEEDED`, or a newer word.
        code: String,
        /// The name that was asked for.
        name: String,
        /// Why, for people, in the relay's language.
        sentence: String,
        /// The session asks again by itself after so long: it held the name before, and its ghost goes soon.
        again_in: Option<Duration>,
    },
    /// The relay wants a log-in before it greets: the name is an account's, or everybody needs one. The connection stays
    /// open; [`super::Session::log_in`] and [`super::Session::rename`] ask again. [`Event::HelloRefused`] follows.
    LoginNeeded {
        /// The name that was asked for.
        name: String,
        /// A password may go over this connection. If not, one that the caller has given was not sent.
        is_private: bool,
    },
    /// The relay has not taken the password.
    LoginRefused {
        /// `REFUSED`, `TOO_SOON`, `BUSY`, `BANNED`, or a newer word.
        code: String,
        /// Why, for people, in the relay's language.
        sentence: String,
        /// The session tries again by itself after so long. None: it has forgotten the password.
        again_in: Option<Duration>,
    },
    /// The session has logged in, or is known to have done so before. [`Event::Ready`] came before it.
    LoggedIn {
        /// What it may do besides speaking: `user`, `bridge`, `operator`, or a newer word.
        role: String,
    },
    /// The account may do other things than before: an operator wanted that.
    RoleChanged {
        /// What it may do besides speaking: `user`, `bridge`, `operator`, or a newer word.
        role: String,
    },
    /// The relay has given the session another token, and knows the one from before no more. What [`super::Session::saved`]
    /// gives has it: to be kept before anything else is said.
    NewToken,
    /// The account has read a room up to here, on whatever device.
    Read {
        /// The room.
        room: String,
        /// The newest line that was read.
        id: u64,
    },
    /// There is no connection.
    Waiting {
        /// Why.
        reason: Reason,
        /// The next attempt is made after so long.
        retry_in: Duration,
    },
    /// Another connection has taken the session over. It does not connect again until
    /// [`super::Session::start`] is called.
    TakenOver,
    /// An operator has put the session out, or keeps it out. Where nobody sits ([`super::Config::is_attended`]) [`Event::Waiting`]
    /// follows; else it does not connect again until [`super::Session::start`] is called.
    Removed {
        /// `KICKED`, `BANNED`.
        code: String,
        /// Who and why, as far as the relay tells it; for people, in its language.
        sentence: String,
    },
    /// It is over, as [`super::Session::quit`] asked.
    Ended,
    /// It is in this room, and hears it.
    Joined {
        /// The room.
        room: String,
    },
    /// The relay does not have the newest lines of this room any more that were heard: it was killed before they were kept, or it
    /// keeps nothing and was started with its clock set back. What is said again of them, and all else, has ids behind `last`.
    RoomAnew {
        /// The room.
        room: String,
        /// Up to where it counts now.
        last: u64,
    },
    /// The relay does not let it into a room. It is not asked for again.
    JoinRefused {
        /// The room.
        room: String,
        /// Why, as a word for machines.
        code: String,
        /// Why, for people.
        sentence: String,
    },
    /// It is not in this room any more.
    Parted {
        /// The room.
        room: String,
    },
    /// It has another name.
    Renamed {
        /// The name.
        name: String,
    },
    /// Another name was asked for, and refused. The session keeps the one it has.
    RenameRefused {
        /// Why, as a word for machines.
        code: String,
        /// Why, for people.
        sentence: String,
    },
    /// Somebody said something, or came or went. Each line comes once.
    Heard {
        /// What was said.
        line: Line,
        /// Where it came from.
        source: Source,
    },
    /// A line that this session said itself, given back by the relay: from the history, after a reconnect, or because the
    /// session is open in two places.
    Own {
        /// Its label.
        label: String,
        /// What was said.
        line: Line,
        /// Where it came from.
        source: Source,
    },
    /// A line is said, and as safe as the relay's durability.
    Acknowledged {
        /// Its label.
        label: String,
        /// Its id.
        id: u64,
        /// When it was said, in milliseconds since 1970.
        unix_ms: Option<u64>,
    },
    /// A line was said, and the relay could not keep it. Final.
    NotKept {
        /// Its label.
        label: String,
        /// Its id.
        id: u64,
    },
    /// A line was not said, and is not tried again.
    Refused {
        /// Its label.
        label: String,
        /// Why, as a word for machines: `NO_ROOM`, `NOT_HERE`, `LINE_TOO_LONG`… or [`OTHER_RELAY`](super::OTHER_RELAY).
        code: String,
        /// Why, for people; may be empty.
        sentence: String,
    },
    /// It could not be found out whether these lines were said before the relay forgot the session. They are sent, and
    /// may be there twice.
    MayBeDoubled {
        /// Where.
        room: String,
    },
    /// Lines with these ids, both included, were missed and are being fetched.
    GapFound {
        /// Where.
        room: String,
        /// The first id.
        from: u64,
        /// The last id.
        to: u64,
    },
    /// All that is kept of what was missed up to this id has come.
    GapClosed {
        /// Where.
        room: String,
        /// The last id.
        to: u64,
        /// How many lines came.
        lines: u64,
    },
    /// What was missed with these ids, both included, cannot be had.
    GapLeft {
        /// Where.
        room: String,
        /// The first id.
        from: u64,
        /// The last id.
        to: u64,
        /// Why, as a word for machines: what the relay said, `TOO_MANY` (more than the caller wants) or `NO_END` (the
        /// relay's pages lead nowhere).
        code: String,
    },
    /// All lines of a fetch, or of a search, have come.
    Fetched {
        /// Of the fetch or search.
        ticket: Ticket,
        /// There are more lines that way.
        is_more: bool,
    },
    /// A fetch or a search has failed.
    FetchRefused {
        /// Of the fetch or search.
        ticket: Ticket,
        /// Why, as a word for machines.
        code: String,
    },
    /// A name in a room, in answer to `/who`.
    Who {
        /// Of the command.
        label: Option<String>,
        /// The room.
        room: String,
        /// A name in it.
        name: String,
    },
    /// A room, in answer to `/rooms`.
    Room {
        /// Of the command.
        label: Option<String>,
        /// The room.
        room: String,
        /// How many names are in it.
        names: u64,
    },
    /// An answer of several lines is whole.
    AnswerEnd {
        /// Of the command.
        label: Option<String>,
        /// `WHO`, `ROOMS`, `HELP`.
        what: String,
    },
    /// So many came and went without a line each.
    Storm {
        /// Where.
        room: String,
        /// How many came.
        joined: u64,
        /// How many went.
        left: u64,
    },
    /// Whether the relay keeps what is said.
    History {
        /// It does again.
        is_kept: bool,
    },
    /// The relay is stopping.
    Closing,
    /// Anything else that the relay says.
    Other {
        /// Words for machines.
        words: String,
        /// Of what it answers.
        label: Option<String>,
        /// For people; may be empty.
        sentence: String,
    },
    /// A line came that is none: too long, not UTF-8, without an id. It was dropped.
    Unreadable,
}

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Nobody answered at the address.
    ConnectFailed,
    /// The connection was cut.
    Disconnected,
    /// Who answers there does not greet as a relay does.
    NotTertulia,
    /// The relay greets, but not in this version.
    Version,
    /// The relay has said nothing for too long.
    Silent,
}

impl Reason {
    /// For people, in Spanish.
    pub fn in_spanish(self) -> &'static str {
        match self {
            Self::ConnectFailed => "no se puede conectar",
            Self::Disconnected => "se ha cortado la conexión",
            Self::NotTertulia => "no es un relay de Tertulia",
            Self::Version => "el relay habla otra versión del modo extendido",
            Self::Silent => "el relay no contesta",
        }
    }

    /// For people, in English.
    pub fn in_english(self) -> &'static str {
        match self {
            Self::ConnectFailed => "cannot connect",
            Self::Disconnected => "the connection was cut",
            Self::NotTertulia => "this is not a Tertulia relay",
            Self::Version => "the relay speaks another version of extended mode",
            Self::Silent => "the relay does not answer",
        }
    }
}

/// Tells one fetch or search from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub(super) u64);

/// Where a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// It came by itself, in the order of its room.
    Live,
    /// It was missed, and fetched; ids grow within a gap.
    Gap,
    /// It was asked for with [`super::Session::fetch`]; it may have been heard before.
    Fetch(Ticket),
    /// It was found by [`super::Session::search`], the newest first; it may have been heard before.
    Search(Ticket),
}

/// A line that was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Grows within a room. A notice may have none.
    pub id: Option<u64>,
    /// When, in milliseconds since 1970.
    pub unix_ms: Option<u64>,
    /// None: it is private.
    pub room: Option<String>,
    /// The number of the session that said it, and its label. None: a plain client did.
    pub key: Option<(u64, String)>,
    /// The id of the line it answers.
    pub reply: Option<u64>,
    /// The words it answers, where they have no id.
    pub quote: Option<String>,
    /// It was said to this client alone.
    pub is_private: bool,
    /// It was said privately by another device of the same account, to this name.
    pub to: Option<String>,
    /// It is no line, but tells who came or went.
    pub notice: Option<Notice>,
    /// `NAME`, or `NAME - WHO`.
    pub name: String,
    /// What was said; line breaks are U+2028.
    pub text: String,
}

impl From<Said<'_>> for Line {
    fn from(said: Said<'_>) -> Self {
        Self {
            id: said.id,
            unix_ms: said.unix_ms,
            room: said.room.map(|room| room.into_owned()),
            key: said.key.map(|key| (key.sid, key.label.to_owned())),
            reply: said.reply,
            quote: said.quote.map(|quote| quote.into_owned()),
            is_private: said.is_private,
            to: said.to.map(|to| to.into_owned()),
            notice: said.notice,
            name: said.name.to_string(),
            text: said.text.to_owned(),
        }
    }
}
