//! What is written, in which order, and when.

use std::time::Duration;

use super::config::QUIT_WAIT;
use super::error::{AskError, SayError};
use super::rooms::Move;
use super::unanswered::Unanswered;
use super::{Link, Session, Settling};
use crate::account::AccountCommand;
use crate::command::Command;
use crate::extended::is_label;
use crate::limits::{LINE_BYTES_MAX, PING_BYTES_MAX};
use crate::name::check_room;
use crate::secret::Secret;
use crate::text::{clean, cut, join_lines};

/// Commands of the caller that may wait to be sent; beyond it the next one is refused.
pub const COMMANDS_MAX: usize = 256;

/// Bytes that one [`Session::poll_transmit`] gives before it takes no further line.
const TRANSMIT_BYTES: usize = LINE_BYTES_MAX;

/// Answers to pings that wait to be written; beyond it the relay's next pings go without.
const URGENT_BYTES_MAX: usize = 64 * 1024;

/// The word that comes back once the relay has said which rooms it has the session in.
pub(super) const MARKER: &str = "rooms";

/// A line to say.
#[derive(Debug, Clone, Copy, Default)]
pub struct Say<'a> {
    /// Where. Without meaning for a private line.
    pub room: &'a str,
    /// What. Line feeds become U+2028; what a terminal would obey is removed.
    pub text: &'a str,
    /// The id of the line it answers.
    pub reply: Option<u64>,
    /// It is said as `NAME - WHO`.
    pub as_who: Option<&'a str>,
    /// It is said to this name alone. Private lines are not kept anywhere: where the relay ends, or forgets the session,
    /// before it answers, one may come twice.
    pub to: Option<&'a str>,
}

impl Session {
    /// Says a line. It is kept, through any cut, until the relay has answered: [`Event::Acknowledged`](super::Event::Acknowledged),
    /// [`Event::NotKept`](super::Event::NotKept) or [`Event::Refused`](super::Event::Refused) comes with the label that is given back. Lines go in order.
    pub fn say(&mut self, say: &Say<'_>) -> Result<String, SayError> {
        let label = format!("s{}", self.next_label);
        self.keep(&label, say, false)?;
        self.take_number();
        Ok(label)
    }

    /// Says a line under a label of the caller's: 1 to 64 of `A-Z a-z 0-9 . _ -`, and not `s` and digits, which the
    /// session gives itself. The same line under the same label again is harmless, also after it was answered: it is
    /// there once, and answered again.
    pub fn say_labeled(&mut self, label: &str, say: &Say<'_>) -> Result<(), SayError> {
        if !is_label(label) {
            return Err(SayError::Label);
        }
        self.keep(label, say, true)
    }

    fn keep(&mut self, label: &str, say: &Say<'_>, has_own_label: bool) -> Result<(), SayError> {
        let text = clean(&join_lines(say.text)).into_owned();
        if text.is_empty() {
            return Err(SayError::Empty);
        }
        let room = if say.to.is_some() { String::new() } else { say.room.to_lowercase() };
        if say.to.is_none() {
            check_room(&room).map_err(SayError::Room)?;
        }
        let line = Unanswered {
            label: label.to_owned(),
            room,
            reply: say.reply,
            as_who: say.as_who.map(str::to_owned),
            to: say.to.map(str::to_owned),
            text,
            sent: None,
            sent_at: None,
        };
        let bytes = line.encode().len();
        if bytes > LINE_BYTES_MAX {
            return Err(SayError::TooLong { bytes, bytes_max: LINE_BYTES_MAX });
        }
        self.unanswered.push(line, has_own_label)
    }

    /// Sends a command as it is typed, with its slash: `/who room=general`. The answers to `/who`, `/rooms` and `/help`
    /// carry the label that is given back. It is not kept through a cut. What changes the session has a method of its own
    /// and is refused here.
    pub fn command(&mut self, line: &str) -> Result<Option<String>, AskError> {
        let rest =
            line.strip_prefix('/').filter(|_| !line.contains(['\n', '\r'])).ok_or(AskError::Command)?;
        let has_label = match Command::parse(rest) {
            Ok(Command::Who { .. } | Command::Rooms { .. } | Command::Help) => true,
            Err(_) if has_secret(rest) && !self.connection.is_private => return Err(AskError::NotPrivate),
            Ok(Command::Msg { .. } | Command::Ping { .. }) | Err(_) => false,
            Ok(_) => return Err(AskError::Command),
        };
        let label = has_label.then(|| format!("c{}", self.next_label));
        let line = label.iter().fold(line.to_owned(), |line, label| format!("{line} label={label}"));
        self.queue_command(line)?;
        if has_label {
            self.take_number();
        }
        Ok(label)
    }

    /// Has a command sent when it is its turn.
    pub(super) fn queue_command(&mut self, line: String) -> Result<(), AskError> {
        if self.link != Link::Ready {
            return Err(AskError::NotReady);
        }
        if self.commands.len() >= COMMANDS_MAX {
            return Err(AskError::Full);
        }
        if line.len() > self.line_bytes_max {
            return Err(AskError::Command);
        }
        self.commands.push_back(Secret(line));
        Ok(())
    }

    /// The next bytes to write, if there is something that may be written now. Take them as the socket takes them: what
    /// was taken and got lost with the connection is sent again.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        let mut bytes = std::mem::take(&mut self.connection.urgent).0;
        while bytes.len() < TRANSMIT_BYTES && self.connection.pace.next_at(self.now) <= self.now {
            let Some(line) = self.next_line() else { break };
            self.connection.pace.take(self.now);
            bytes.extend_from_slice(line.as_bytes());
            bytes.push(b'\n');
        }
        (!bytes.is_empty()).then_some(bytes)
    }

    /// When something that waits only for its turn may be sent.
    pub(super) fn sending_due(&self) -> Option<Duration> {
        let at = self.connection.pace.next_at(self.now);
        (at > self.now && self.has_line()).then_some(at)
    }

    fn has_line(&self) -> bool {
        self.connection.settling == Some(Settling::MarkerDue)
            || (self.connection.settling.is_none() && (self.rooms.has_move() || self.is_nick_due()))
            || self.fetches.has_question(self.now)
            || !self.commands.is_empty()
            || self.is_quit_due()
            || self.may_say()
    }

    /// The next line, noted as sent. Questions go before what is said, because that may wait for their answers.
    fn next_line(&mut self) -> Option<String> {
        if self.link != Link::Ready || self.quit.is_some_and(|quit| quit.is_sent) {
            return None;
        }
        if self.connection.settling == Some(Settling::MarkerDue) {
            self.connection.settling = Some(Settling::MarkerSent);
            return Some(Command::Ping { word: MARKER }.to_string());
        }
        if self.connection.settling.is_none() {
            match self.rooms.take_move() {
                Some(Move::Join(room)) => return Some(Command::Join { room: &room }.to_string()),
                Some(Move::Part(room)) => return Some(Command::Part { room: &room }.to_string()),
                None => {}
            }
            if self.is_nick_due() {
                self.connection.nick_asked = Some(self.name.clone());
                return Some(Command::Nick { name: self.name.as_str().into() }.to_string());
            }
        }
        if self.fetches.has_question(self.now) {
            let label = format!("h{}", self.take_number());
            return self.fetches.take_question(label, self.now);
        }
        if let Some(command) = self.commands.pop_front() {
            return Some(command.0);
        }
        if self.is_quit_due() {
            let until = self.now.saturating_add(QUIT_WAIT);
            self.quit = Some(super::Quit { until, is_sent: true });
            return Some(Command::Quit.to_string());
        }
        self.next_said()
    }

    /// The next line that was said. One that this relay does not take is answered here.
    fn next_said(&mut self) -> Option<String> {
        let sid = self.identity.as_ref().map(|identity| identity.sid)?;
        while self.may_say() {
            let line = self.unanswered.send_next(sid, self.highest, self.now)?;
            let encoded = line.encode();
            if encoded.len() <= self.line_bytes_max {
                return Some(encoded);
            }
            let label = line.label.clone();
            if let Some(line) = self.unanswered.remove(&label) {
                self.refuse(line, "LINE_TOO_LONG", "");
            }
        }
        None
    }

    fn may_say(&self) -> bool {
        self.connection.settling.is_none() && self.unanswered.has_unsent() && !self.fetches.is_reconciling()
    }

    fn is_nick_due(&self) -> bool {
        self.connection.nick_asked.is_none() && self.held_name.as_ref() != Some(&self.name)
    }

    fn is_quit_due(&self) -> bool {
        self.quit.is_some_and(|quit| !quit.is_sent && (self.unanswered.is_empty() || quit.until <= self.now))
    }

    pub(super) fn send_pong(&mut self, word: &str) {
        let word = cut(word, PING_BYTES_MAX);
        self.send_urgent(format!("/pong {word}").trim_end());
    }

    /// Sends a line that does not wait for its turn.
    pub(super) fn send_urgent(&mut self, line: &str) {
        if self.connection.urgent.len() + line.len() < URGENT_BYTES_MAX {
            self.connection.urgent.extend_from_slice(line.as_bytes());
            self.connection.urgent.push(b'\n');
            self.connection.pace.take(self.now);
        }
    }
}

/// Whether a command, without its slash, holds a password.
fn has_secret(rest: &str) -> bool {
    use AccountCommand::{Login, Passwd, Register};
    matches!(AccountCommand::parse(rest), Ok(Login { .. } | Passwd { .. } | Register { .. }))
}
