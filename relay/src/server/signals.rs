//! Signals, as the loop sees them.

use std::io;

use mio::net::UnixStream;
use mio::{Interest, Registry, Token};

use super::conn::INDEX_MAX;

pub(super) const END: Token = Token(INDEX_MAX + 1);
#[cfg(any(feature = "config", feature = "tls"))]
pub(super) const RELOAD: Token = Token(INDEX_MAX + 17);

/// Streams that become readable at a signal.
#[derive(Debug)]
pub struct Signals<S> {
    /// The relay is to end.
    pub end: S,
    /// It is to take up anew what can be changed while it runs.
    #[cfg(any(feature = "config", feature = "tls"))]
    pub reload: S,
}

impl Signals<std::os::unix::net::UnixStream> {
    pub(super) fn register(self, registry: &Registry) -> io::Result<Signals<UnixStream>> {
        let mut signals = Signals {
            end: UnixStream::from_std(self.end),
            #[cfg(any(feature = "config", feature = "tls"))]
            reload: UnixStream::from_std(self.reload),
        };
        registry.register(&mut signals.end, END, Interest::READABLE)?;
        #[cfg(any(feature = "config", feature = "tls"))]
        registry.register(&mut signals.reload, RELOAD, Interest::READABLE)?;
        Ok(signals)
    }
}
