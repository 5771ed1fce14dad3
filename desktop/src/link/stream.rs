//! What bytes go through. Whoever reads and writes does not know what lies between.

use std::io::{self, Read, Write};
use std::net::SocketAddr;

use mio::event::Source;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use tertulia_wire::tls::Trust;

use super::dial::Failure;
use super::dial::connect_error;
use super::secure::Tls;

/// A connection that is being made, or is there. Nothing about it waits.
#[derive(Debug)]
pub(super) enum Stream {
    /// As it is.
    Plain(TcpStream),
    /// Encrypted.
    Tls(Tls),
}

impl Stream {
    /// Begins to connect; through TLS where somebody is to be trusted.
    pub(super) fn connect(address: SocketAddr, trust: Option<&Trust>) -> io::Result<Self> {
        let socket = TcpStream::connect(address)?;
        match trust {
            Some(trust) => Ok(Self::Tls(Tls::new(socket, trust)?)),
            None => Ok(Self::Plain(socket)),
        }
    }

    fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(tls) => &tls.socket,
        }
    }

    fn socket_mut(&mut self) -> &mut TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(tls) => &mut tls.socket,
        }
    }

    /// Whether the connection is there by now, with whom it is to be with, or why it cannot be had.
    pub(super) fn is_connected(&mut self) -> Result<bool, Failure> {
        // A relay that turns away closes at once: the system tells of that before it gives what came.
        if let Self::Tls(tls) = self {
            if tls.has_begun() {
                return tls.shake();
            }
        }
        let is_there = is_there(self.socket()).map_err(|error| connect_error(&error))?;
        match self {
            Self::Tls(tls) if is_there => tls.shake(),
            _ => Ok(is_there),
        }
    }

    /// Whether nobody can read on its way what goes through: it is encrypted, or does not leave this machine.
    pub(super) fn is_private(&self) -> bool {
        match self {
            Self::Tls(_) => true,
            Self::Plain(socket) => {
                socket.peer_addr().is_ok_and(|peer| peer.ip().to_canonical().is_loopback())
            }
        }
    }
}

fn is_there(socket: &TcpStream) -> io::Result<bool> {
    if let Some(error) = socket.take_error()? {
        return Err(error);
    }
    match socket.peer_addr() {
        Ok(_) => {
            // What is typed goes out at once.
            socket.set_nodelay(true)?;
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
        Err(error) => Err(error),
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(tls) => tls.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(tls) => tls.flush(),
        }
    }
}

impl Source for Stream {
    fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.socket_mut().register(registry, token, interests)
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.socket_mut().reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.socket_mut().deregister(registry)
    }
}
