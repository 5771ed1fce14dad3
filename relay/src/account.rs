//! Accounts, bans and closed rooms as they are kept, on their way to the file and back.

use tertulia_wire::secret::Secret;

use crate::cidr::Cidr;

/// What an account may do besides speaking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// Nothing.
    #[default]
    User,
    /// Speak for others, as fast as it wants.
    Bridge,
    /// Deal with the others.
    Operator,
}

impl Role {
    /// All of them, with their words.
    pub const ALL: [(&str, Self); 3] =
        [("user", Self::User), ("bridge", Self::Bridge), ("operator", Self::Operator)];

    /// As it is written.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, role)| *role == self).map_or("", |(word, _)| word)
    }

    /// The role of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(name, _)| *name == word).map(|(_, role)| *role)
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Never given twice.
    pub number: u64,
    /// Its name, which is its own alone.
    pub name: String,
    /// Its password, hashed, as a PHC string.
    pub password: Secret<String>,
    /// What it may do.
    pub role: Role,
    /// When somebody last came in as it, by password or token, in milliseconds since 1970; a day may be missing. None: nobody has.
    pub seen_unix_ms: Option<u64>,
    /// Grows when a tool gives it another password: a token of a session that logged in before is worth nothing any more.
    pub token_epoch: u64,
}

/// What somebody may not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SanctionKind {
    /// Be here.
    Ban,
    /// Say anything.
    Mute,
}

impl SanctionKind {
    /// As it is written.
    pub fn word(self) -> &'static str {
        if self == Self::Ban { "ban" } else { "mute" }
    }

    /// The kind of this word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Ban, Self::Mute].into_iter().find(|kind| kind.word() == word)
    }
}

/// Whom a sanction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The account with this number.
    Account(u64),
    /// Whoever comes from there.
    Block(Cidr),
}

/// A ban, or a mute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sanction {
    /// Which.
    pub kind: SanctionKind,
    /// Whom it is for.
    pub target: Target,
    /// Since when, in milliseconds since 1970.
    pub since_unix_ms: u64,
    /// Until when, in milliseconds since 1970. None: until it is taken back.
    pub until_unix_ms: Option<u64>,
    /// The operator's name.
    pub by: String,
    /// Why; may be empty.
    pub why: String,
}

/// Who may enter a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RoomAccess {
    /// Everybody.
    #[default]
    Open,
    /// Every account.
    Registered,
    /// The accounts that are named, and operators.
    Members,
}

impl RoomAccess {
    /// All of them, with their words.
    pub const ALL: [(&str, Self); 3] =
        [("open", Self::Open), ("registered", Self::Registered), ("members", Self::Members)];

    /// As it is written.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, access)| *access == self).map_or("", |(word, _)| word)
    }

    /// The access of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(name, _)| *name == word).map(|(_, access)| *access)
    }
}

/// A room that not everybody may enter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomRow {
    /// Its name, in lower case.
    pub room: String,
    /// Who may. [`RoomAccess::Open`] is not kept.
    pub access: RoomAccess,
    /// Numbers of the accounts that are named.
    pub members: Vec<u64>,
}

/// Up to where an account has read a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadMarker {
    /// The account's number.
    pub account: u64,
    /// The room.
    pub room: String,
    /// The newest line that was read.
    pub id: u64,
}

/// Something that is to be kept. Of those with one [`Change::key`] the newest counts, as [`Change::behind`] says. They are written
/// in the order of their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An account is new. Where there is one of this number or name already, that one stays.
    Account(AccountRow),
    /// The account with this number has another role, if it is still there.
    Role(u64, Role),
    /// It has another password, if it is still there.
    Password {
        /// The account's number.
        number: u64,
        /// Only in the place of this one, hashed as it was known: another one is newer. None: of any.
        before: Option<Secret<String>>,
        /// Hashed, as a PHC string.
        password: Secret<String>,
    },
    /// Somebody has come in as it at this time, in milliseconds since 1970, if it is still there.
    Seen(u64, u64),
    /// An account is gone, with all that was its own.
    AccountGone(u64),
    /// A ban or mute is new, or has changed.
    Sanction(Sanction),
    /// It is taken back.
    SanctionGone(SanctionKind, Target),
    /// Who may enter a room.
    Room(RoomRow),
    /// Somebody has read on.
    Read(ReadMarker),
    /// Up to where the account has read that room is worth keeping no more.
    ReadGone(u64, String),
}

/// What a change is about: what has to be there first comes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKey {
    /// That there is an account.
    Account(u64),
    /// An account's role.
    Role(u64),
    /// An account's password.
    Password(u64),
    /// When somebody came in as an account.
    Seen(u64),
    /// Of a ban or mute.
    Sanction(SanctionKind, Target),
    /// Of a room.
    Room(String),
    /// Of what an account has read of a room.
    Read(u64, String),
}

impl Change {
    /// What it is about.
    pub fn key(&self) -> ChangeKey {
        match self {
            Self::Account(AccountRow { number, .. }) | Self::AccountGone(number) => {
                ChangeKey::Account(*number)
            }
            Self::Role(number, _) => ChangeKey::Role(*number),
            Self::Password { number, .. } => ChangeKey::Password(*number),
            Self::Seen(number, _) => ChangeKey::Seen(*number),
            Self::Sanction(Sanction { kind, target, .. }) | Self::SanctionGone(kind, target) => {
                ChangeKey::Sanction(*kind, *target)
            }
            Self::Room(row) => ChangeKey::Room(row.room.clone()),
            Self::Read(marker) => ChangeKey::Read(marker.account, marker.room.clone()),
            Self::ReadGone(account, room) => ChangeKey::Read(*account, room.clone()),
        }
    }

    /// What is to be written where `earlier`, which is about the same, was not yet.
    pub fn behind(self, earlier: Option<Self>) -> Self {
        match (earlier, self) {
            // What stands in the file is what the earlier one was for.
            (Some(Self::Password { before, .. }), Self::Password { number, before: Some(_), password }) => {
                Self::Password { number, before, password }
            }
            (_, newer) => newer,
        }
    }
}

/// All that is kept of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountsKept {
    /// Grows when a tool of the operator's has changed something.
    pub version: u64,
    /// The accounts.
    pub accounts: Vec<AccountRow>,
    /// Bans and mutes.
    pub sanctions: Vec<Sanction>,
    /// Rooms that not everybody may enter.
    pub rooms: Vec<RoomRow>,
    /// What was read.
    pub markers: Vec<ReadMarker>,
}

/// What is to be done with a password, which takes long on purpose: not in the core, and not in the loop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordTask {
    /// To tell verdicts apart.
    pub ticket: u64,
    /// What was typed.
    pub password: Secret<String>,
    /// What it is to be compared with. `Some(None)`: there is no such account, which must take as long to find out.
    /// `None`: with nothing, it is to be hashed.
    pub kept: Option<Option<Secret<String>>>,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// It is the password.
    pub is_right: bool,
    /// What is to be kept from now on, where that is something new.
    pub hash: Option<Secret<String>>,
    /// The machine had no memory to find out: nothing follows from it.
    pub is_undecided: bool,
}
