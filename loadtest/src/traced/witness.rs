//! A client of its own, which asks what the history holds: one question after the other, on a socket that blocks. It comes
//! before the others to see where the history stands, and behind them to read what became of the run.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use tertulia_wire::heard::Heard;
use tertulia_wire::limits::{ROOM_DEFAULT, TAGGED_LINE_BYTES_MAX};
use tertulia_wire::trace::{History, Line, RECORDS_MAX};

use super::Traced;
use crate::protocol::Protocol;

/// An answer that takes longer never comes.
const PATIENCE: Duration = Duration::from_secs(10);
/// Before a question is asked again that was too early.
const PAUSE: Duration = Duration::from_millis(50);
/// Lines asked for at once: the most that a relay gives.
const PAGE_LINES: usize = 1000;
/// The label of the last word. Those of the run's lines have eight digits and more.
const LAST_LABEL: &str = "fin";
/// What it says: no line of a run, which have a mark.
const LAST_WORD: &str = "¿se ha oído todo?";
const QUESTION: &str = "h";

/// The tap that a witness has on its wire.
pub(super) struct Tapped<'a> {
    pub(super) traced: &'a mut Traced,
    pub(super) number: usize,
}

/// A greeted connection.
pub(super) struct Witness<'a> {
    stream: BufReader<TcpStream>,
    tapped: Option<Tapped<'a>>,
}

/// How a connection was greeted.
struct Greeted {
    durability: String,
    /// The newest id of the room, or above it.
    last: u64,
}

/// How a question was answered.
enum Page {
    /// These lines, and whether there are more.
    Lines(Vec<String>, bool),
    Refused(String),
}

impl<'a> Witness<'a> {
    /// Which id all that is said from now on is above, in a room of whose lines there is a history.
    pub(super) fn before(target: SocketAddr, name: &str) -> Result<u64, String> {
        let (mut witness, Greeted { durability, last }) = Self::greet(target, name, None)?;
        let nothing_kept = |why: &str| {
            format!(
                "this server keeps nothing ({why}), and there is no history to hold a trace against; start it with \
                 --history FILE and --durability commit or sync, or without --target let one be started"
            )
        };
        if durability == "none" {
            return Err(nothing_kept("durability none"));
        }
        match witness.ask(last, 1)? {
            Page::Refused(code) if code == "NOT_KEPT" => Err(nothing_kept(&code)),
            Page::Refused(code) => Err(format!("its history cannot be read ({code})")),
            Page::Lines(..) => witness.send("/quit").map(|()| last),
        }
    }

    /// Says a last word, which comes behind all that was said, and reads what the history has of the run behind that id.
    /// Gives the id of the last word as well.
    pub(super) fn behind(
        target: SocketAddr,
        name: &str,
        tapped: Tapped<'a>,
        behind: u64,
    ) -> Result<(u64, History), String> {
        let (mut witness, _) = Self::greet(target, name, Some(tapped))?;
        witness.send(&format!("@label={LAST_LABEL} {LAST_WORD}"))?;
        // Once it is kept, so is what was said before it.
        let last = witness.wait("the answer to the last word", |_, heard| match heard {
            Heard::Ack { label: LAST_LABEL, id, .. } => Some(Ok(id)),
            Heard::SayRefused { label: LAST_LABEL, code, .. } => {
                Some(Err(format!("it refused a line ({code})")))
            }
            Heard::NotKept { label: LAST_LABEL, .. } => {
                Some(Err("it says that it will not keep a line".into()))
            }
            _ => None,
        })?;
        Ok((last, witness.read_back(behind)?))
    }

    fn greet(target: SocketAddr, name: &str, tapped: Option<Tapped<'a>>) -> Result<(Self, Greeted), String> {
        let explain = |error| format!("a connection of its own to ask for the history failed: {error}");
        let stream = TcpStream::connect_timeout(&target, PATIENCE).map_err(explain)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(explain)?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(explain)?;
        let mut witness = Self { stream: BufReader::new(stream), tapped };
        let hello = Protocol::Extended.hello(name, false);
        if let Some(Tapped { traced, number }) = &mut witness.tapped {
            traced.connects(*number, &hello);
        }
        witness.write(&hello)?;
        let durability = witness.wait("a greeting", |_, heard| match heard {
            Heard::Hello(greeting) => Some(Ok(greeting.durability.into_owned())),
            Heard::HelloRefused { code, .. } => Some(Err(format!("it refused {name} ({code})"))),
            _ => None,
        })?;
        let last = witness.wait("the word that it is in the room", |_, heard| match heard {
            Heard::Joined { last, .. } => Some(Ok(last.unwrap_or_default())),
            _ => None,
        })?;
        Ok((witness, Greeted { durability, last }))
    }

    /// What the history has of the run, page by page.
    fn read_back(&mut self, behind: u64) -> Result<History, String> {
        let mut history = History::new();
        let (mut after, mut rows) = (behind, 0);
        loop {
            let (lines, is_more) = match self.ask(after, PAGE_LINES)? {
                Page::Lines(lines, is_more) => (lines, is_more),
                Page::Refused(code) => return Err(format!("its history cannot be read ({code})")),
            };
            let mut newest = after;
            for line in &lines {
                newest = newest.max(self.take_row(line, &mut history));
            }
            rows += lines.len();
            if !is_more {
                return Ok(history);
            }
            if newest == after || rows > RECORDS_MAX {
                return Err(format!("its history never ends: {rows} lines, and more behind {newest}"));
            }
            after = newest;
        }
    }

    /// The line's id. What others have said is left out.
    fn take_row(&self, line: &str, history: &mut History) -> u64 {
        let Heard::Said(said) = Heard::parse(line) else { return 0 };
        let is_ours = |sid| self.tapped.as_ref().is_some_and(|tapped| tapped.traced.recorder.knows(sid));
        let id = said.id.unwrap_or_default();
        if let Some(key) = said.key.filter(|key| is_ours(key.sid)) {
            let name = said.name.to_string();
            let line = Line { id, sid: key.sid, label: key.label, name: &name, text: said.text };
            history.row(said.room.as_deref().unwrap_or_default(), said.unix_ms.unwrap_or_default(), &line);
        }
        id
    }

    /// The oldest lines behind that id; asked again while what was said is still to be kept.
    fn ask(&mut self, after: u64, limit: usize) -> Result<Page, String> {
        let until = Instant::now() + PATIENCE;
        loop {
            self.send(&format!("/history room={ROOM_DEFAULT} after={after} limit={limit} label={QUESTION}"))?;
            let mut lines = Vec::new();
            let page = self.wait("the end of a page of the history", |line, heard| match heard {
                Heard::Said(said) if said.label == Some(QUESTION) => {
                    lines.push(line.to_owned());
                    (lines.len() > limit).then(|| Err(format!("it gave more than {limit} lines at once")))
                }
                Heard::HistoryEnd { label: QUESTION, is_more } => {
                    Some(Ok(Page::Lines(std::mem::take(&mut lines), is_more)))
                }
                Heard::HistoryRefused { label: QUESTION, code } => Some(Ok(Page::Refused(code.to_owned()))),
                _ => None,
            })?;
            match page {
                Page::Refused(code) if code == "BUSY" && Instant::now() < until => thread::sleep(PAUSE),
                page => return Ok(page),
            }
        }
    }

    fn send(&mut self, line: &str) -> Result<(), String> {
        let line = format!("{line}\n");
        if let Some(Tapped { traced, number }) = &mut self.tapped {
            traced.sends(*number, line.as_bytes());
        }
        self.write(line.as_bytes())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        let written = self.stream.get_mut().write_all(bytes);
        written.map_err(|error| format!("it takes no question: {error}"))
    }

    /// The next line for which `find` has an outcome.
    fn wait<T>(
        &mut self,
        what: &str,
        mut find: impl FnMut(&str, Heard<'_>) -> Option<Result<T, String>>,
    ) -> Result<T, String> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            let line = self.next(what)?;
            match Heard::parse(&line) {
                Heard::Ping { word } => self.send(&format!("/pong {word}"))?,
                heard => match find(&line, heard) {
                    Some(outcome) => return outcome,
                    None => continue,
                },
            }
        }
        Err(format!("{what} never came"))
    }

    fn next(&mut self, what: &str) -> Result<String, String> {
        let mut line = Vec::new();
        let most = TAGGED_LINE_BYTES_MAX as u64 + 2;
        let read = self.stream.by_ref().take(most).read_until(b'\n', &mut line);
        match read {
            Ok(0) => return Err(format!("it closed the connection before {what} came")),
            Ok(_) if !line.ends_with(b"\n") => {
                return Err(format!("a line that never ends came before {what}"));
            }
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Err(format!("{what} never came"));
            }
            Err(error) => return Err(format!("{what} never came: {error}")),
        }
        if let Some(Tapped { traced, number }) = &mut self.tapped {
            traced.hears(*number, &line);
        }
        Ok(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned())
    }
}
