//! The operator's log, on standard error: one line for each name that comes or goes, nothing for visitors who
//! never took one.

use std::io::Write;
use std::time::Duration;

use slab::Slab;
use tertulia_wire::tags::escape;

use super::conn::Conn;
use crate::chat::Event;
use crate::moment::Moment;

/// Lines a second; the rest is counted. A storm must not fill a disk, nor wait for one.
const LINES_MAX: u32 = 50;
const WINDOW: Duration = Duration::from_secs(1);

/// What was written in this second.
#[derive(Debug, Default)]
pub(super) struct Journal {
    window_end: Moment,
    written: u32,
    left_out: u32,
}

impl Journal {
    pub(super) fn note(&mut self, event: &Event, conns: &Slab<Conn>, now: Moment) {
        if now >= self.window_end {
            self.tidy(now);
            *self = Self { window_end: now.after(WINDOW), ..Self::default() };
        }
        if self.written >= LINES_MAX {
            self.left_out += 1;
            return;
        }
        self.written += 1;
        match event {
            Event::Named { client, name } => {
                let address = conns.get(client.0 as usize).and_then(|conn| conn.stream.peer_addr().ok());
                let from = address.map_or_else(String::new, |address| format!(" from={address}"));
                write(&format!("named name={}{from}", escape(name)));
            }
            Event::Left { name, cut, .. } => {
                let why = cut.map_or_else(String::new, |cut| format!(" cut={}", cut.word()));
                write(&format!("left name={}{why}", escape(name)));
            }
        }
    }

    /// When [`Journal::tidy`] has something to say.
    pub(super) fn next_due(&self) -> Option<Moment> {
        (self.left_out > 0).then_some(self.window_end)
    }

    /// Says how many lines were left out, once their second is over.
    pub(super) fn tidy(&mut self, now: Moment) {
        if self.left_out > 0 && now >= self.window_end {
            write(&format!("left_out lines={}", self.left_out));
            self.left_out = 0;
        }
    }
}

/// A log that cannot be written must not end the chat.
fn write(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
