//! What the system asks: to end. Caught from the beginning, so that whoever is asked for a name says goodbye as well.

use std::io::{self, Read};
use std::os::unix::net::UnixStream as StdUnixStream;

use mio::net::UnixStream;
use mio::{Interest, Registry, Token};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Under which the poll tells of them.
pub(super) const SIGNALS: Token = Token(2);

/// Readable when the system has asked the program to end.
pub(super) struct Signals(UnixStream);

impl Signals {
    /// Catches them from now on, and registers them.
    pub(super) fn catch(registry: &Registry) -> io::Result<Self> {
        let (reader, writer) = StdUnixStream::pair()?;
        reader.set_nonblocking(true)?;
        for signal in [SIGTERM, SIGINT, SIGHUP] {
            signal_hook::low_level::pipe::register(signal, writer.try_clone()?)?;
        }
        let mut stream = UnixStream::from_std(reader);
        registry.register(&mut stream, SIGNALS, Interest::READABLE)?;
        Ok(Self(stream))
    }

    /// They are heard: the next one is told anew.
    pub(super) fn drain(&mut self) {
        let mut bytes = [0; 64];
        while matches!(self.0.read(&mut bytes), Ok(count) if count > 0) {}
    }
}
