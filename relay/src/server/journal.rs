//! The operator's log, on standard error: one line for each name that comes or goes, nothing for visitors who
//! never took one.

use std::io::Write;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use slab::Slab;
use tertulia_wire::tags::escape;
use tertulia_wire::text::cut;

use super::conn::Conn;
use crate::chat::Event;
use crate::moment::Moment;

/// Lines a second; the rest is counted. A storm must not fill a disk.
const LINES_MAX: u32 = 50;
const WINDOW: Duration = Duration::from_secs(1);

/// Bytes of a line, without its end: a pipe takes as much at once.
const LINE_BYTES_MAX: usize = 4095;

/// What was written in this second.
#[derive(Debug, Default)]
pub(super) struct Journal {
    window_end: Moment,
    written: u32,
    left_out: u32,
}

impl Journal {
    pub(super) fn note(&mut self, event: &Event, conns: &Slab<Conn>, now: Moment) {
        // What operators did, and who came in as whom, is never left out: whoever can bring about many lines could hide it
        // behind them. Of these themselves there are no more than passwords that can be looked at.
        #[cfg(feature = "history")]
        match event {
            Event::Act { .. } => return self.tell(&act(event)),
            Event::LoggedIn { .. } | Event::Registered { .. } | Event::NewPassword { .. } => {
                return self.tell(&account(event));
            }
            _ => {}
        }
        if !self.has_place(now) {
            return;
        }
        match event {
            Event::Named { client, name, address } => {
                let peer = conns.get(client.0 as usize).and_then(|conn| conn.stream.peer_addr().ok());
                let from = match (address, peer) {
                    // Whom a proxy brings is not where the proxy is.
                    (Some(address), Some(peer)) if *address != peer.ip().to_canonical() => {
                        format!(" from={address}")
                    }
                    (_, peer) => peer.map_or_else(String::new, |peer| format!(" from={peer}")),
                };
                write(&format!("named name={}{from}", escape(name)));
            }
            Event::Left { name, cut, .. } => {
                let why = cut.map_or_else(String::new, |cut| format!(" cut={}", cut.word()));
                write(&format!("left name={}{why}", escape(name)));
            }
            #[cfg(feature = "history")]
            Event::LoginFailed { .. } => write(&account(event)),
            #[cfg(feature = "history")]
            Event::Accounts { changed, gone } => write(&format!("accounts changed={changed} gone={gone}")),
            // What nobody outside can bring about is told by whoever knows more of it.
            #[cfg(feature = "history")]
            Event::Act { .. }
            | Event::LoggedIn { .. }
            | Event::Registered { .. }
            | Event::NewPassword { .. }
            | Event::AccountsUnread { .. } => {}
        }
    }

    /// A line that a peer can bring about.
    #[cfg(any(feature = "history", feature = "tls"))]
    pub(super) fn note_line(&mut self, line: &str, now: Moment) {
        if self.has_place(now) {
            write(line);
        }
    }

    /// Whether one more line may be written in this second; counts it, or that it was left out.
    fn has_place(&mut self, now: Moment) -> bool {
        if now >= self.window_end {
            self.tidy(now);
            *self = Self { window_end: now.after(WINDOW), written: 0, ..*self };
        }
        let has_place = self.written < LINES_MAX && takes_a_line();
        if has_place {
            self.written += 1;
        } else {
            self.left_out += 1;
        }
        has_place
    }

    /// A line of its own.
    #[cfg(any(feature = "history", feature = "tls", feature = "config"))]
    pub(super) fn tell(&mut self, line: &str) {
        if takes_a_line() {
            write(line);
        } else {
            self.left_out += 1;
        }
    }

    /// When [`Journal::tidy`] has something to say.
    pub(super) fn next_due(&self) -> Option<Moment> {
        (self.left_out > 0).then_some(self.window_end)
    }

    /// Says how many lines were left out, once their second is over.
    pub(super) fn tidy(&mut self, now: Moment) {
        if self.left_out == 0 || now < self.window_end {
            return;
        }
        if takes_a_line() {
            write(&format!("left_out lines={}", self.left_out));
            self.left_out = 0;
        } else {
            self.window_end = now.after(WINDOW);
        }
    }
}

/// What somebody did with an account, as a line.
#[cfg(feature = "history")]
fn account(event: &Event) -> String {
    let (what, name, by, address) = match event {
        Event::LoginFailed { name, address, .. } => ("login_failed", name, None, address),
        Event::LoggedIn { name, address } => ("login", name, None, address),
        Event::Registered { name, by, address } => ("register", name, by.as_ref(), address),
        Event::NewPassword { name, address } => ("passwd", name, None, address),
        _ => return String::new(),
    };
    let by = by.map_or_else(String::new, |by| format!(" by={}", escape(by)));
    let from = address.map_or_else(String::new, |address| format!(" from={address}"));
    let name = if name.is_empty() { String::new() } else { format!(" name={}", escape(name)) };
    format!("{what}{name}{by}{from}")
}

/// An operator's act, as a line.
#[cfg(feature = "history")]
fn act(event: &Event) -> String {
    let Event::Act { kind, by, target, object, span_s, why } = event else { return String::new() };
    let object = [("object", object), ("why", why)].map(|(key, value)| match value.as_str() {
        "" => String::new(),
        value => format!(" {key}={}", escape(value)),
    });
    let span = span_s.map_or_else(String::new, |seconds| format!(" seconds={seconds}"));
    let (by, target) = (escape(by), escape(target));
    format!("act kind={kind} by={by} target={target}{span}{}", object.concat())
}

/// Whether standard error takes a line at once. Nobody has to read the pipe behind it, and the chat must not
/// wait for who does not: a pipe that poll(2) calls writable takes 4,096 bytes, and a line has no more.
fn takes_a_line() -> bool {
    let stderr = std::io::stderr();
    let mut fds = [PollFd::new(&stderr, PollFlags::OUT)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut fds, Some(&at_once)).is_ok_and(|ready| ready > 0)
}

/// A log that cannot be written must not end the chat.
fn write(line: &str) {
    // In one piece: the end of the line must not be what finds no place.
    let line = format!("{}\n", cut(line, LINE_BYTES_MAX));
    let _ = write!(std::io::stderr(), "{line}");
}
