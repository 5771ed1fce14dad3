//! What is known of the connection, for the banner above the transcript.

use std::time::Duration;

use tertulia_wire::session::Reason;

use super::event::ConnectError;
use crate::phrases::{AccountPhrase, Language, Phrase, Sentence};

/// What is known of the connection.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Status {
    /// A name is still to be given.
    NotBegun,
    /// It is being made.
    Connecting,
    /// The relay has greeted us.
    Ready,
    /// The relay does not greet us under this name; the session asks again then.
    NameRefused { name: String, again_at: Option<Duration> },
    /// The relay does not greet us, for another reason than the name.
    HelloRefused { why: Sentence },
    /// The relay takes no password before then; the session tries again by itself.
    LoginAgain { why: Sentence, again_at: Duration },
    /// There is none; the session tries again then.
    Waiting { reason: Reason, error: Option<ConnectError>, until: Duration },
    /// Another connection has the session.
    TakenOver,
    /// An operator has put us out; the session stays away until the person comes back.
    Removed { why: Sentence },
    /// It has ended.
    Ended,
    /// The link has ended by itself, and takes nothing any more.
    LinkGone,
}

impl Status {
    /// Why there is no connection, without when it is tried again. None: there is one, or it is being made.
    pub(crate) fn trouble(&self, relay: &str, language: Language) -> Option<Sentence> {
        match self {
            Self::Waiting { error: Some(error), reason: Reason::ConnectFailed, .. } => {
                Some(connect_error(error, relay, language))
            }
            Self::Waiting { reason, .. } => Some(Sentence::new(reason_phrase(*reason), &[relay])),
            _ => None,
        }
    }

    /// When it is tried again.
    pub(crate) fn again_at(&self) -> Option<Duration> {
        match self {
            Self::Waiting { until, .. } => Some(*until),
            Self::NameRefused { again_at, .. } => *again_at,
            Self::LoginAgain { again_at, .. } => Some(*again_at),
            _ => None,
        }
    }
}

/// Whole seconds until then, the one that has begun included.
pub(crate) fn seconds_until(at: Duration, now: Duration) -> u64 {
    let left = at.saturating_sub(now);
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
}

fn connect_error(error: &ConnectError, relay: &str, language: Language) -> Sentence {
    let host = || relay.rsplit_once(':').map_or(relay, |(host, _)| host);
    match error {
        ConnectError::Refused => Sentence::new(Phrase::Refused, &[relay]),
        ConnectError::Unreachable => Sentence::new(Phrase::Unreachable, &[relay]),
        ConnectError::NoNetwork => Sentence::new(Phrase::NoNetwork, &[relay]),
        ConnectError::TimedOut => Sentence::new(Phrase::TimedOut, &[relay]),
        ConnectError::NameNotFound => Sentence::new(Phrase::NameNotFound, &[host()]),
        ConnectError::Denied => Sentence::new(Phrase::Denied, &[relay]),
        ConnectError::CertificateUnknown(_) => Sentence::new(AccountPhrase::CertificateWaits, &[relay]),
        ConnectError::CertificateChanged(shown) => {
            Sentence::new(AccountPhrase::CertificateChanged, &[relay, &shown.to_string()])
        }
        ConnectError::NotTls => Sentence::new(AccountPhrase::NotTls, &[relay]),
        ConnectError::Tls(reason) => {
            Sentence::new(AccountPhrase::TlsFailed, &[relay, &reason.in_language(language)])
        }
        ConnectError::Other(reason) => {
            Sentence::new(Phrase::ConnectFailed, &[relay, &reason.in_language(language)])
        }
    }
}

fn reason_phrase(reason: Reason) -> Phrase {
    match reason {
        Reason::ConnectFailed => Phrase::Unreachable,
        Reason::Disconnected => Phrase::Disconnected,
        Reason::NotTertulia => Phrase::NotTertulia,
        Reason::Version => Phrase::Version,
        Reason::Silent => Phrase::Silent,
    }
}
