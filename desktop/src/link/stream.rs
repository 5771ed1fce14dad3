//! What bytes go through. Whoever reads and writes does not know what lies between.

use std::io::{self, Read, Write};
use std::net::SocketAddr;

use mio::event::Source;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

/// A connection that is being made, or is there. Nothing about it waits.
#[derive(Debug)]
pub(super) enum Stream {
    /// As it is.
    Plain(TcpStream),
}

impl Stream {
    /// Begins to connect.
    pub(super) fn connect(address: SocketAddr) -> io::Result<Self> {
        Ok(Self::Plain(TcpStream::connect(address)?))
    }

    /// Whether the connection is there by now, or why it cannot be had.
    pub(super) fn is_connected(&mut self) -> io::Result<bool> {
        let Self::Plain(socket) = self;
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
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Self::Plain(socket) = self;
        socket.read(buffer)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Self::Plain(socket) = self;
        socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        let Self::Plain(socket) = self;
        socket.flush()
    }
}

impl Source for Stream {
    fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        let Self::Plain(socket) = self;
        socket.register(registry, token, interests)
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        let Self::Plain(socket) = self;
        socket.reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        let Self::Plain(socket) = self;
        socket.deregister(registry)
    }
}
