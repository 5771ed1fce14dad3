//! A connection through TLS: whom to trust, the handshake, and bytes either way. Nothing is said to whom is not trusted.

use std::io::{self, ErrorKind, Read, Write};

use mio::net::TcpStream;
use tertulia_wire::tls::rustls::{self, ClientConnection, RootCertStore};
use tertulia_wire::tls::{FirstBytes, TURNED_AWAY_BYTES_MAX, Trust, Untrusted, host_of};

use super::dial::Failure;
use crate::model::{ConnectError, Secure};
use crate::phrases::Sentence;
use crate::trouble;

/// Bytes encrypted that the socket has not taken; past it nothing more is.
const ENCRYPTED_BYTES_MAX: usize = 16 * 1024;

/// Whom to trust at this address. The system's certificates are looked at where none was confirmed: that takes a moment.
pub(super) fn trust(address: &str, secure: Secure) -> Result<Trust, ConnectError> {
    let host = host_of(address);
    let trust = match secure.fingerprint {
        Some(fingerprint) => Trust::pinned(fingerprint, host),
        None => {
            let mut roots = RootCertStore::empty();
            // Some may be none, or of a kind that is not known; where there are none at all the person is asked.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() { Trust::none(host) } else { Trust::vouched(roots, host) }
        }
    };
    trust.map_err(|error| ConnectError::Tls(Sentence::quoted(&error.to_string())))
}

/// A socket, and what its bytes pass through.
#[derive(Debug)]
pub(super) struct Tls {
    pub(super) socket: TcpStream,
    tls: Box<ClientConnection>,
    first: FirstBytes,
    has_begun: bool,
    /// The handshake has failed; what came is still to be heard out.
    failed: Option<ConnectError>,
}

/// A socket, of whose first bytes a note is taken.
struct Noted<'a>(&'a mut TcpStream, &'a mut FirstBytes);

impl Read for Noted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buffer)?;
        self.1.note(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

impl Tls {
    /// Over a connect that is under way.
    pub(super) fn new(socket: TcpStream, trust: &Trust) -> io::Result<Self> {
        let mut tls = trust.begin().map_err(io::Error::other)?;
        tls.set_buffer_limit(Some(ENCRYPTED_BYTES_MAX));
        let first = FirstBytes::default();
        Ok(Self { socket, tls: Box::new(tls), first, has_begun: false, failed: None })
    }

    /// Whether the socket was connected before: [`Tls::shake`] finds out what became of it.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Goes on with the handshake, once the socket is connected. True: it is over, and the relay is who it is to be.
    pub(super) fn shake(&mut self) -> Result<bool, Failure> {
        self.has_begun = true;
        if let Some(error) = self.failed.take() {
            return self.hear_out(error);
        }
        self.go_on().or_else(|error| self.hear_out(error))
    }

    /// No TLS is possible. Whoever does not let in says so in plain text: that line is read to its end. False: more is to come.
    fn hear_out(&mut self, error: ConnectError) -> Result<bool, Failure> {
        let mut buffer = [0; TURNED_AWAY_BYTES_MAX];
        while self.first.may_be_turned_away() {
            match Noted(&mut self.socket, &mut self.first).read(&mut buffer) {
                Ok(1..) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(why) if why.kind() == ErrorKind::WouldBlock => {
                    self.failed = Some(error);
                    return Ok(false);
                }
                Ok(0) | Err(_) => break,
            }
        }
        Err(self.first.turned_away().map_or(Failure::Error(error), Failure::TurnedAway))
    }

    fn go_on(&mut self) -> Result<bool, ConnectError> {
        loop {
            match self.push() {
                Ok(()) if !self.tls.is_handshaking() => return Ok(true),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Ok(()) => {}
                Err(error) => return Err(ConnectError::Tls(trouble::why(&error))),
            }
            match self.tls.read_tls(&mut Noted(&mut self.socket, &mut self.first)) {
                Ok(0) => return Err(ConnectError::NotTls),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return Err(ConnectError::NotTls),
            }
            if let Err(error) = self.tls.process_new_packets() {
                // The alert that says why; whoever it is may be gone already.
                let _ = self.push();
                return Err(refusal(&error));
            }
        }
    }

    fn push(&mut self) -> io::Result<()> {
        while self.tls.wants_write() {
            self.tls.write_tls(&mut self.socket)?;
        }
        Ok(())
    }

    /// Takes what has come. `WouldBlock`: nothing has.
    fn pull(&mut self) -> io::Result<()> {
        self.tls.read_tls(&mut self.socket)?;
        if let Err(error) = self.tls.process_new_packets() {
            let _ = self.push();
            return Err(io::Error::new(ErrorKind::InvalidData, error));
        }
        match self.push() {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => Ok(()),
        }
    }
}

/// Why a handshake has failed.
fn refusal(error: &rustls::Error) -> ConnectError {
    if let Some(untrusted) = Untrusted::of(error) {
        return match untrusted.expected {
            Some(_) => ConnectError::CertificateChanged(untrusted.shown),
            None => ConnectError::CertificateUnknown(untrusted.shown),
        };
    }
    match error {
        rustls::Error::InvalidMessage(_) => ConnectError::NotTls,
        _ => ConnectError::Tls(Sentence::quoted(&error.to_string())),
    }
}

impl Read for Tls {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.tls.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.pull()?,
                outcome => return outcome,
            }
        }
    }
}

impl Write for Tls {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push()?;
        let taken = self.tls.writer().write(bytes)?;
        match self.push() {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => Ok(taken),
        }
    }

    /// What was encrypted and waits goes out. `WouldBlock`: the socket takes no more now.
    fn flush(&mut self) -> io::Result<()> {
        self.push()
    }
}

impl Drop for Tls {
    /// Says that it is the end, so that nobody takes it for a cut; if it can be said.
    fn drop(&mut self) {
        self.tls.send_close_notify();
        let _ = self.push();
    }
}
