//! From an address as a person writes it to a connection: the name is looked up on a thread of its own, because that
//! may take long; then each address that it has is tried in its turn.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use mio::{Interest, Registry, Token, Waker};
use tertulia_wire::limits::PORT;
use tertulia_wire::tls::{Trust, TurnedAway};

use super::stream::Stream;
use crate::model::ConnectError;
use crate::trouble;

/// How long one address may take to answer: a far one over a bad line does within it, and a host that is off is given
/// up before a person does.
pub const CONNECT_WAIT: Duration = Duration::from_secs(6);

/// How long the name may take to be looked up.
pub const LOOK_UP_WAIT: Duration = Duration::from_secs(15);

/// Addresses of one name that are tried.
pub const ADDRESSES_MAX: usize = 8;

/// What became of dialing so far.
pub(super) enum Progress {
    /// Nothing yet.
    Waits,
    /// It is there.
    Connected(Stream),
    /// It cannot be had.
    Failed(Failure),
}

/// Why a connection cannot be had.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nobody was reached, or nobody who is trusted.
    Error(ConnectError),
    /// Somebody says in plain text that the relay lets nobody in from here.
    TurnedAway(TurnedAway),
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        Self::Error(error)
    }
}

/// A connection that is being made.
#[derive(Debug)]
pub(super) struct Dial {
    /// The answers of the thread that looks the name up.
    found: Option<Receiver<io::Result<Vec<SocketAddr>>>>,
    /// Still to be tried, the next one last.
    addresses: Vec<SocketAddr>,
    trying: Option<Stream>,
    /// Whom to trust, where TLS is to be spoken; or why it cannot be.
    trust: Result<Option<Trust>, ConnectError>,
    until: Instant,
    last_error: Option<ConnectError>,
}

impl Dial {
    /// Begins. `waker` is woken once the name is known.
    pub(super) fn begin(
        address: &str,
        trust: Result<Option<Trust>, ConnectError>,
        waker: &Arc<Waker>,
    ) -> Self {
        let (sender, found) = channel();
        let (name, waker) = (with_port(address), Arc::clone(waker));
        let look_up = move || {
            let addresses = name.to_socket_addrs().map(|all| all.take(ADDRESSES_MAX).collect());
            // Nobody is left who wants to know, or the answer is there.
            let _ = sender.send(addresses);
            let _ = waker.wake();
        };
        // Where no thread can be had the answer never comes, and the wait ends.
        let _ = thread::Builder::new().name("look-up".to_owned()).stack_size(256 * 1024).spawn(look_up);
        Self {
            found: Some(found),
            addresses: Vec::new(),
            trying: None,
            trust,
            until: Instant::now() + LOOK_UP_WAIT,
            last_error: None,
        }
    }

    /// When to look again at the latest.
    pub(super) fn next_due(&self) -> Instant {
        self.until
    }

    /// Goes on. Connections are registered under `token`.
    pub(super) fn advance(&mut self, registry: &Registry, token: Token) -> Progress {
        if let Some(found) = &self.found {
            match found.try_recv() {
                Ok(Ok(addresses)) => {
                    self.addresses = addresses;
                    self.addresses.reverse();
                    self.found = None;
                }
                Ok(Err(error)) => return Progress::Failed(look_up_error(&error).into()),
                Err(TryRecvError::Empty) if Instant::now() < self.until => return Progress::Waits,
                Err(_) => return Progress::Failed(ConnectError::NameNotFound.into()),
            }
        }
        let trust = match self.trust.clone() {
            Ok(trust) => trust,
            Err(error) => return Progress::Failed(error.into()),
        };
        loop {
            if let Some(progress) = self.look() {
                return progress;
            }
            let Some(address) = self.addresses.pop() else {
                let error = self.last_error.take().unwrap_or(ConnectError::NameNotFound);
                return Progress::Failed(error.into());
            };
            self.until = Instant::now() + CONNECT_WAIT;
            let begun = Stream::connect(address, trust.as_ref()).and_then(|mut stream| {
                registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
                Ok(stream)
            });
            match begun {
                Ok(stream) => self.trying = Some(stream),
                Err(error) => self.last_error = Some(connect_error(&error)),
            }
        }
    }

    /// Looks at the connection that is being tried. `None`: the next one is to be.
    fn look(&mut self) -> Option<Progress> {
        let mut stream = self.trying.take()?;
        let error = match stream.is_connected() {
            Ok(true) => return Some(Progress::Connected(stream)),
            Ok(false) if Instant::now() < self.until => {
                self.trying = Some(stream);
                return Some(Progress::Waits);
            }
            Ok(false) => ConnectError::TimedOut,
            // Whoever it is, it is there: no other address of the name is somebody else.
            Err(Failure::Error(error)) if !error.is_of_tls() => error,
            Err(failure) => return Some(Progress::Failed(failure)),
        };
        self.last_error = Some(error);
        None
    }
}

/// Why a connection cannot be had, as the system says it.
pub(super) fn connect_error(error: &io::Error) -> ConnectError {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionRefused => ConnectError::Refused,
        Kind::HostUnreachable | Kind::AddrNotAvailable => ConnectError::Unreachable,
        Kind::NetworkUnreachable | Kind::NetworkDown => ConnectError::NoNetwork,
        Kind::TimedOut => ConnectError::TimedOut,
        Kind::PermissionDenied => ConnectError::Denied,
        _ => ConnectError::Other(trouble::why(error)),
    }
}

/// Why a name has no address. The system's library has its own numbers for that, and says so in words only.
fn look_up_error(error: &io::Error) -> ConnectError {
    match error.kind() {
        io::ErrorKind::InvalidInput => ConnectError::Other(trouble::why(error)),
        _ => ConnectError::NameNotFound,
    }
}

/// `host`, `host:port`, `[v6]:port` or `v6`, with the well-known port where there is none.
pub(super) fn with_port(address: &str) -> String {
    let address = address.trim();
    let is_bare_v6 = address.matches(':').count() > 1 && !address.starts_with('[');
    let has_port = !is_bare_v6
        && address.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && port.parse::<u16>().is_ok());
    match (has_port, is_bare_v6) {
        (true, _) => address.to_owned(),
        (false, true) => format!("[{address}]:{PORT}"),
        (false, false) => format!("{}:{PORT}", address.trim_end_matches(':')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_port_gets_the_well_known_one() {
        let cases = [
            ("localhost", "localhost:2000"),
            (" 10.0.0.5 ", "10.0.0.5:2000"),
            ("10.0.0.5:2001", "10.0.0.5:2001"),
            ("::1", "[::1]:2000"),
            ("[::1]", "[::1]:2000"),
            ("[::1]:7", "[::1]:7"),
            ("host:", "host:2000"),
        ];
        for (given, expected) in cases {
            assert_eq!(with_port(given), expected, "{given}");
        }
    }
}
