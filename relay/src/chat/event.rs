//! What the operator is told: why connections were ended, and what is worth a line in the log.

use super::{ClientId, Foreign};

/// Why the relay ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// It read too slowly.
    Slow,
    /// Its unfinished line waited longest when all together were too many.
    Incomplete,
    /// It did not answer a ping.
    Silent,
    /// Another connection took its session up.
    Resumed,
    /// An operator wanted that.
    #[cfg(feature = "history")]
    Kicked,
    /// Its account has another password, which it has not shown.
    #[cfg(feature = "history")]
    PasswordChanged,
    /// Its account is no more.
    #[cfg(feature = "history")]
    AccountRemoved,
    /// Its name has become an account's, and it has not logged in as that.
    #[cfg(feature = "history")]
    NameRegistered,
    /// It may not be here.
    #[cfg(feature = "history")]
    Banned,
    /// It speaks another protocol.
    Foreign(Foreign),
}

impl Cut {
    /// All reasons.
    pub const ALL: &[Self] = &[
        Self::Slow,
        Self::Incomplete,
        Self::Silent,
        Self::Resumed,
        #[cfg(feature = "history")]
        Self::Kicked,
        #[cfg(feature = "history")]
        Self::PasswordChanged,
        #[cfg(feature = "history")]
        Self::AccountRemoved,
        #[cfg(feature = "history")]
        Self::NameRegistered,
        #[cfg(feature = "history")]
        Self::Banned,
        Self::Foreign(Foreign::Http),
        Self::Foreign(Foreign::Tls),
        Self::Foreign(Foreign::Ssh),
    ];

    /// As it is written in log and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::Incomplete => "incomplete",
            Self::Silent => "silent",
            Self::Resumed => "resumed",
            #[cfg(feature = "history")]
            Self::Kicked => "kicked",
            #[cfg(feature = "history")]
            Self::PasswordChanged => "password_changed",
            #[cfg(feature = "history")]
            Self::AccountRemoved => "account_removed",
            #[cfg(feature = "history")]
            Self::NameRegistered => "name_registered",
            #[cfg(feature = "history")]
            Self::Banned => "banned",
            Self::Foreign(foreign) => foreign.word(),
        }
    }

    pub(super) fn index(self) -> usize {
        Self::ALL.iter().position(|cut| *cut == self).unwrap_or_default()
    }
}

/// What is worth a line in the operator's log. Nobody who never took a name is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A connection took a name.
    Named {
        /// Which.
        client: ClientId,
        /// `NAME` or `NAME - WHO`.
        name: String,
        /// Where it came from.
        address: Option<core::net::IpAddr>,
    },
    /// A named connection gave its name up, or is gone.
    Left {
        /// Which.
        client: ClientId,
        /// `NAME` or `NAME - WHO`.
        name: String,
        /// Where the relay ended it: why.
        cut: Option<Cut>,
    },
    /// Somebody did not know a password.
    #[cfg(feature = "history")]
    LoginFailed {
        /// Which.
        client: ClientId,
        /// The account's; empty where there is none of the name that was asked for.
        name: String,
        /// Where it came from.
        address: Option<core::net::IpAddr>,
    },
    /// Somebody has logged in with its password.
    #[cfg(feature = "history")]
    LoggedIn {
        /// The name of the account.
        name: String,
        /// Where it came from.
        address: Option<core::net::IpAddr>,
    },
    /// A name has become an account.
    #[cfg(feature = "history")]
    Registered {
        /// Its name.
        name: String,
        /// The operator who has registered it for somebody else.
        by: Option<String>,
        /// Where whoever did it came from.
        address: Option<core::net::IpAddr>,
    },
    /// An account has another password.
    #[cfg(feature = "history")]
    NewPassword {
        /// The name of the account.
        name: String,
        /// Where whoever chose it came from.
        address: Option<core::net::IpAddr>,
    },
    /// Accounts are others than before, because a tool has changed them in the file.
    #[cfg(feature = "history")]
    Accounts {
        /// Those that are new, or were changed.
        changed: usize,
        /// Those that are no more.
        gone: usize,
    },
    /// Whether a tool has changed accounts could not be looked up: they stay as they were.
    #[cfg(feature = "history")]
    AccountsUnread {
        /// Which file, and why. Empty: nothing reads it any more, as was told before.
        why: String,
    },
    /// An operator did something.
    #[cfg(feature = "history")]
    Act {
        /// What: `kick`, `mute`, `ban`…
        kind: &'static str,
        /// The operator.
        by: String,
        /// To whom, or to which room.
        target: String,
        /// Of a room: the access, or whom. Else empty.
        object: String,
        /// For how long, in seconds.
        span_s: Option<u64>,
        /// Why; may be empty.
        why: String,
    },
}
