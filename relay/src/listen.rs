//! Listening sockets. What a connection's socket needs is set here once: on Linux it inherits it.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

/// What callers of a listening socket are to say first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// What they have to say.
    Plain,
    /// A TLS hello.
    #[cfg(feature = "tls")]
    Tls,
    /// A header of the PROXY protocol.
    #[cfg(feature = "proxy")]
    Proxy,
}

impl Transport {
    /// The flag that opens such a socket.
    pub fn flag(self) -> &'static str {
        match self {
            Self::Plain => "--listen",
            #[cfg(feature = "tls")]
            Self::Tls => "--tls-listen",
            #[cfg(feature = "proxy")]
            Self::Proxy => "--proxy-listen",
        }
    }

    /// What the relay says before the address at its start.
    pub fn announcement(self) -> &'static str {
        match self {
            Self::Plain => "listening on",
            #[cfg(feature = "tls")]
            Self::Tls => "tls on",
            #[cfg(feature = "proxy")]
            Self::Proxy => "proxy on",
        }
    }
}

/// A listening socket.
#[derive(Debug)]
pub struct Listener {
    /// It takes callers already.
    pub socket: TcpListener,
    /// What they are to say first.
    pub transport: Transport,
}

/// Connections that may wait to be accepted; the kernel cuts it to `net.core.somaxconn`.
pub const BACKLOG: i32 = 4096;

/// Bytes that the kernel holds of a connection beyond what the peer's window takes. Past it a write is
/// refused, and what is not written stays in the room's log, where it stands once for all.
pub const NOT_SENT_BYTES_MAX: u32 = 32 * 1024;

/// A peer that acknowledges nothing for so long is gone. The kernel counts a peer that answers, but whose
/// window stays shut, like one that does not (tcp(7), `TCP_USER_TIMEOUT`): so a reader may pause for so long.
pub const USER_TIMEOUT: Duration = Duration::from_secs(300);

/// A silent peer is asked after so long whether it still lives, then four times more.
pub const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
const KEEPALIVE_RETRIES: u32 = 4;

/// Whether connections can come in through this socket.
pub fn is_listening(socket: &TcpListener) -> bool {
    SockRef::from(socket).is_listener().unwrap_or(false)
}

/// Opens a listening socket on each address.
pub fn bind_all(addresses: &[SocketAddr], transport: Transport) -> Result<Vec<Listener>, String> {
    let flag = transport.flag();
    addresses
        .iter()
        .map(|address| {
            let socket = bind(*address, addresses)
                .map_err(|error| format!("cannot listen on {address}: {}", explain(&error, flag)))?;
            Ok(Listener { socket, transport })
        })
        .collect()
}

/// What went wrong, and what to do.
fn explain(error: &io::Error, flag: &str) -> String {
    let what = match error.kind() {
        io::ErrorKind::AddrInUse => "the port is in use; stop the other program, or",
        io::ErrorKind::PermissionDenied => "not permitted; ports below 1024 need a privilege;",
        io::ErrorKind::AddrNotAvailable => "no such address on this machine;",
        _ => return format!("{error}; pass {flag} with another address"),
    };
    format!("{what} pass {flag} with another one")
}

fn bind(address: SocketAddr, all: &[SocketAddr]) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // [::] alone takes IPv4 callers too; beside an IPv4 socket on the same port it must not.
        socket.set_only_v6(all.iter().any(|other| other.is_ipv4() && other.port() == address.port()))?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    prepare(socket.into())
}

/// Sets on a listening socket what its connections are to inherit. Also for sockets opened by somebody else.
pub fn prepare(listener: TcpListener) -> io::Result<TcpListener> {
    let socket = SockRef::from(&listener);
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_AFTER)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_RETRIES);
    socket.set_tcp_keepalive(&keepalive)?;
    socket.set_tcp_user_timeout(Some(USER_TIMEOUT))?;
    socket.set_tcp_notsent_lowat(NOT_SENT_BYTES_MAX)?;
    Ok(listener)
}

/// What counts as one address for `--max-per-ip`: an IPv4 address, or the /64 of an IPv6 one.
pub fn address_group(address: IpAddr) -> [u8; 16] {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => (address.to_bits() & (u128::MAX << 64)).to_be_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_neighbourhood_counts_as_one_address_and_an_ipv4_address_as_itself() {
        let group = |text: &str| address_group(text.parse().unwrap());
        assert_eq!(group("2001:db8:1:2:3::4"), group("2001:db8:1:2::9"));
        assert_ne!(group("2001:db8:1:2::1"), group("2001:db8:1:3::1"));
        assert_eq!(group("::ffff:10.0.0.1"), group("10.0.0.1"));
        assert_ne!(group("10.0.0.1"), group("10.0.0.2"));
    }
}
