//! The service manager: sockets that it passes, and telling it that the relay is ready.
//!
//! Sources: sd_listen_fds(3) and sd_notify(3) of systemd.

use std::env;
use std::io;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
#[cfg(feature = "config")]
use std::time::Duration;

use crate::listen::{self, Listener, Transport};

/// Told more often than this, the service manager would keep a processor busy.
#[cfg(feature = "config")]
const WATCHDOG_INTERVAL_MIN: Duration = Duration::from_millis(10);

/// The listening sockets passed in `LISTEN_FDS`, made ready for use. None if nobody passed any.
///
/// One that is named `tls` (`FileDescriptorName=`) takes callers who speak TLS, one named `proxy` proxies.
pub fn passed_listeners() -> Result<Vec<Listener>, String> {
    #[cfg(any(feature = "tls", feature = "proxy"))]
    let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
    #[cfg(any(feature = "tls", feature = "proxy"))]
    let mut names = names.split(':');
    let mut passed = listenfd::ListenFd::from_env();
    let mut listeners = Vec::new();
    for index in 0..passed.len() {
        let listener = passed_listener(&mut passed, index).map_err(|error| {
            format!("socket {index} of LISTEN_FDS: {error}; pass listening TCP sockets (ListenStream=)")
        })?;
        #[cfg(any(feature = "tls", feature = "proxy"))]
        let transport = transport(names.next().unwrap_or_default());
        #[cfg(not(any(feature = "tls", feature = "proxy")))]
        let transport = Transport::Plain;
        listeners.extend(listener.map(|socket| Listener { socket, transport }));
    }
    Ok(listeners)
}

#[cfg(any(feature = "tls", feature = "proxy"))]
fn transport(name: &str) -> Transport {
    match name {
        #[cfg(feature = "tls")]
        "tls" => Transport::Tls,
        #[cfg(feature = "proxy")]
        "proxy" => Transport::Proxy,
        _ => Transport::Plain,
    }
}

fn passed_listener(passed: &mut listenfd::ListenFd, index: usize) -> io::Result<Option<TcpListener>> {
    let Some(listener) = passed.take_tcp_listener(index)? else { return Ok(None) };
    if !listen::is_listening(&listener) {
        return Err(io::Error::other("it does not listen"));
    }
    listen::prepare(listener).map(Some)
}

/// Tells the service manager, if there is one, what the state is: `READY=1`, `STOPPING=1`, `WATCHDOG=1`.
pub fn notify(state: &str) -> io::Result<()> {
    let Some(path) = env::var_os("NOTIFY_SOCKET") else { return Ok(()) };
    let address = match path.to_string_lossy().strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(&path)?,
    };
    UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address).map(|_| ())
}

/// How often the service manager is to hear that the relay still runs: half of what it waits for (sd_watchdog_enabled(3)).
/// `None`: it does not ask.
#[cfg(feature = "config")]
pub fn watchdog_interval() -> Option<Duration> {
    let number = |name| env::var(name).ok()?.parse::<u64>().ok();
    let is_for_us = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
    let us = number("WATCHDOG_USEC").filter(|us| is_for_us && *us > 0)?;
    Some(Duration::from_micros(us / 2).max(WATCHDOG_INTERVAL_MIN))
}
