//! A session as text, for a file of the caller's: what must outlive the program.
//!
//! The first line is `tertulia-session 1`. Each further one is a word and `key=value` pairs, escaped as IRCv3 tags are;
//! unknown words and keys are ignored. In order:
//!
//! - `address value=A`, `name value=N`: whom and as whom.
//! - `sid value=N`: earlier numbers, oldest first.
//! - `token value=T sid=N [account=1]`: what the relay gave, and whether to an account. The token is a secret.
//! - `held value=NAME`: the name that the relay may think it still has.
//! - `next label=N highest=ID`: the next label, the newest id seen.
//! - `room name=R [newest=ID]`: a room, and up to where it was heard.
//! - `gap room=R after=ID to=ID`: lines behind `after` that are still to be fetched.
//! - `say label=L room=R [reply=ID] [as=W] [to=N] [sid=N after=ID] text=T`: a line without an answer; under which number it
//!   was sent, and behind which id it must be.
//! - `refused label=L [address=A] room=R [reply=ID] [as=W] [to=N] text=T`: a line that is not said; the relay that was to hear
//!   it, where that is another one.

use std::fmt;

use super::config::Config;
use super::error::SayError;
use super::event::Event;
use super::fetch::{Fetch, GAPS_MAX, Purpose};
use super::refused::Kept;
use super::unanswered::{Sent, Unanswered};
use super::{Identity, SIDS_KEPT, Session};
use crate::extended::is_label;
use crate::limits::{LINE_BYTES_MAX, ROOMS_PER_CLIENT_MAX};
use crate::name::check_room;
use crate::secret::Secret;
use crate::tags::{escape, unescape};
use crate::text::is_dirty;

const HEADER: &str = "tertulia-session 1";

/// Why a line is refused that another relay was to hear: those who listen here are other people.
pub const OTHER_RELAY: &str = "OTHER_RELAY";

/// Why a text is no saved session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreError {
    /// It does not begin like one, or is of a version that this program does not know.
    Version,
    /// A line lacks a value, or has one that cannot be.
    Line {
        /// Which, counted from one.
        number: usize,
        /// The value's key.
        key: &'static str,
    },
    /// More lines without an answer than a session holds.
    TooManyLines,
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version => write!(f, "no saved session: it does not begin with «{HEADER}»"),
            Self::Line { number, key } => write!(f, "line {number} of the saved session has no right {key}"),
            Self::TooManyLines => f.write_str("the saved session has more unanswered lines than one holds"),
        }
    }
}

impl std::error::Error for RestoreError {}

/// One line of the text, read.
#[derive(Clone, Copy)]
struct Row<'a> {
    number: usize,
    word: &'a str,
    pairs: &'a str,
}

impl<'a> Row<'a> {
    fn raw(&self, key: &str) -> Option<&'a str> {
        let mut pairs = self.pairs.split(' ').filter_map(|pair| pair.split_once('='));
        pairs.find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    fn value(&self, key: &str) -> Option<String> {
        self.raw(key).map(|value| unescape(value).into_owned())
    }

    fn wrong(&self, key: &'static str) -> RestoreError {
        RestoreError::Line { number: self.number, key }
    }

    /// A value that has to be there, and to be right.
    fn needed(&self, key: &'static str, is_right: impl Fn(&str) -> bool) -> Result<String, RestoreError> {
        self.value(key).filter(|value| is_right(value)).ok_or(self.wrong(key))
    }

    /// A number that has to be there.
    fn number(&self, key: &'static str) -> Result<u64, RestoreError> {
        self.raw(key).and_then(|digits| digits.parse().ok()).ok_or(self.wrong(key))
    }

    /// A line to say, of which no relay has heard.
    fn line(&self) -> Result<Unanswered, RestoreError> {
        let label = self.needed("label", is_label)?;
        let to = self.value("to");
        let line = Unanswered {
            label,
            room: if to.is_some() { String::new() } else { self.needed("room", is_room)? },
            reply: self.number_if_any("reply")?,
            as_who: self.value("as"),
            to,
            text: self.needed("text", is_text)?,
            sent: None,
            sent_at: None,
        };
        if line.encode().len() > LINE_BYTES_MAX {
            return Err(self.wrong("text"));
        }
        Ok(line)
    }

    /// A number that may be missing, but not be wrong.
    fn number_if_any(&self, key: &'static str) -> Result<Option<u64>, RestoreError> {
        self.raw(key).map(|_| self.number(key)).transpose()
    }
}

fn write_row(text: &mut String, word: &str, pairs: &[(&str, Option<&str>)]) {
    text.push_str(word);
    for (key, value) in pairs {
        if let Some(value) = value {
            text.push_str(&format!(" {key}={}", escape(value)));
        }
    }
    text.push('\n');
}

fn write_line(text: &mut String, word: &str, line: &Unanswered, address: Option<&str>) {
    let number = |number: u64| number.to_string();
    let reply = line.reply.map(number);
    let (sid, after) = (line.sent.map(|sent| number(sent.sid)), line.sent.map(|sent| number(sent.after)));
    let pairs = [
        ("label", Some(line.label.as_str())),
        ("address", address),
        ("room", Some(line.room.as_str()).filter(|room| !room.is_empty())),
        ("reply", reply.as_deref()),
        ("as", line.as_who.as_deref()),
        ("to", line.to.as_deref()),
        ("sid", sid.as_deref()),
        ("after", after.as_deref()),
        ("text", Some(line.text.as_str())),
    ];
    write_row(text, word, &pairs);
}

fn is_text(text: &str) -> bool {
    !text.is_empty() && !text.contains(is_dirty)
}

fn is_room(text: &str) -> bool {
    check_room(text).is_ok() && text.to_lowercase() == text
}

impl Session {
    /// What must outlive the program. It holds the token, which is a secret. Nothing is said or heard twice, or lost, if it
    /// is kept after each [`Session::say`], before [`Session::poll_transmit`], and with whatever the caller keeps of each
    /// [`Session::poll_event`]. Keys heard are not in it: a line that a killed relay had not kept, and is told again after
    /// both have begun anew, is heard again.
    pub fn saved(&self) -> String {
        let mut text = format!("{HEADER}\n");
        let number = |number: u64| number.to_string();
        let mut put = |word: &str, pairs: &[(&str, Option<&str>)]| write_row(&mut text, word, pairs);
        put("address", &[("value", Some(&self.address))]);
        put("name", &[("value", Some(&self.name))]);
        for sid in &self.old_sids {
            put("sid", &[("value", Some(&number(*sid)))]);
        }
        if let Some(Identity { token, sid, is_of_account }) = &self.identity {
            let account = is_of_account.then_some("1");
            put("token", &[("value", Some(token)), ("sid", Some(&number(*sid))), ("account", account)]);
        }
        let held = self.next_ghost();
        if held.is_some() {
            put("held", &[("value", held)]);
        }
        let (label, highest) = (number(self.next_label), number(self.highest));
        put("next", &[("label", Some(&label)), ("highest", Some(&highest))]);
        for room in self.rooms.wanted() {
            put("room", &[("name", Some(&room.name)), ("newest", room.newest.map(number).as_deref())]);
        }
        for fetch in self.fetches.iter() {
            let Purpose::Gap { to } = fetch.purpose else { continue };
            let (after, to) = (number(fetch.cursor.min(to)), number(to));
            put("gap", &[("room", Some(&fetch.room)), ("after", Some(&after)), ("to", Some(&to))]);
        }
        for line in self.unanswered.iter() {
            write_line(&mut text, "say", line, None);
        }
        for Kept { line, address } in self.refusals.iter() {
            write_line(&mut text, "refused", line, address.as_deref());
        }
        text
    }

    /// The session that [`Session::saved`] wrote. An empty name and no rooms in `config` stand for those in the text. Where
    /// the address is another one, neither the token goes there nor what was heard counts, and lines without an answer are
    /// not said to who listens there: they are refused as [`OTHER_RELAY`].
    pub fn restore(config: Config, text: &str) -> Result<Self, RestoreError> {
        let mut lines = text.lines().enumerate();
        if lines.next().is_none_or(|(_, header)| header != HEADER) {
            return Err(RestoreError::Version);
        }
        let rows: Vec<Row<'_>> = lines
            .map(|(index, line)| {
                let (word, pairs) = line.split_once(' ').unwrap_or((line, ""));
                Row { number: index + 1, word, pairs }
            })
            .collect();
        let find = |word: &str| rows.iter().find(|row| row.word == word);
        let value = |word: &str| find(word).and_then(|row| row.value("value"));
        let is_same_address = value("address").is_some_and(|address| address == config.address);
        let has_rooms = !config.rooms.is_empty();
        let name =
            if config.name.is_empty() { value("name").unwrap_or_default() } else { config.name.clone() };
        let rooms = if has_rooms { config.rooms.clone() } else { saved_rooms(&rows)? };
        let mut session = Self::new(Config { name, rooms, ..config });
        if let Some(row) = find("next") {
            session.next_label = row.number("label")?.max(1);
        }
        if is_same_address {
            session.restore_place(&rows)?;
        }
        let last_address = value("address").unwrap_or_default();
        for row in &rows {
            match row.word {
                "say" => session.restore_line(row, is_same_address)?,
                "refused" => session.restore_refused(row, &last_address)?,
                _ => {}
            }
        }
        if !is_same_address {
            session.refuse_all(&last_address);
        }
        Ok(session)
    }

    /// What counts only at the same relay.
    fn restore_place(&mut self, rows: &[Row<'_>]) -> Result<(), RestoreError> {
        for row in rows {
            match row.word {
                "next" => self.highest = row.number_if_any("highest")?.unwrap_or_default(),
                "sid" => {
                    self.old_sids.push_back(row.number("value")?);
                    if self.old_sids.len() > SIDS_KEPT {
                        self.old_sids.pop_front();
                    }
                }
                "token" => {
                    let token = Secret(row.needed("value", is_text)?);
                    let is_of_account = row.raw("account").is_some();
                    self.identity = Some(Identity { token, sid: row.number("sid")?, is_of_account });
                }
                "held" => self.ghost_name = row.value("value"),
                "room" => {
                    let name = row.needed("name", is_room)?;
                    let newest = row.number_if_any("newest")?;
                    if let Some(room) = self.rooms.get_mut(&name) {
                        room.newest = newest;
                    }
                }
                "gap" => {
                    let room = row.needed("room", is_room)?;
                    let (after, to) = (row.number("after")?, row.number("to")?);
                    let is_in = self.rooms.get(&room).is_some();
                    if is_in && after <= to && self.fetches.gaps() < GAPS_MAX {
                        self.fetches.push(Fetch::paging(Purpose::Gap { to }, &room, after));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A line that was never sent when this was kept may have been since: under the number of that time, behind what was
    /// seen by then.
    fn restore_line(&mut self, row: &Row<'_>, is_same_address: bool) -> Result<(), RestoreError> {
        let last = self.identity.as_ref().map(|identity| Sent { sid: identity.sid, after: self.highest });
        let sent = match (row.number_if_any("sid")?, row.number_if_any("after")?) {
            (Some(sid), Some(after)) => Some(Sent { sid, after }),
            _ => last,
        };
        let line = Unanswered { sent: sent.filter(|_| is_same_address), ..row.line()? };
        self.unanswered.push(line, true).map_err(|error| match error {
            SayError::Full => RestoreError::TooManyLines,
            _ => row.wrong("label"),
        })
    }

    fn restore_refused(&mut self, row: &Row<'_>, last_address: &str) -> Result<(), RestoreError> {
        let line = row.line()?;
        let address = row.value("address").unwrap_or_else(|| last_address.to_owned());
        let address = Some(address).filter(|address| *address != self.address);
        self.keep_refused(Kept { line, address });
        Ok(())
    }

    /// Another relay was to hear what has no answer: who listens here must not.
    fn refuse_all(&mut self, address: &str) {
        for line in self.unanswered.take_all() {
            let (label, code) = (line.label.clone(), OTHER_RELAY.to_owned());
            // It names a line of the other relay's.
            let line = Unanswered { reply: None, ..line };
            self.keep_refused(Kept { line, address: Some(address.to_owned()) });
            self.events.push_back(Event::Refused { label, code, sentence: String::new() });
        }
    }
}

fn saved_rooms(rows: &[Row<'_>]) -> Result<Vec<String>, RestoreError> {
    let rooms = rows.iter().filter(|row| row.word == "room").take(ROOMS_PER_CLIENT_MAX);
    rooms.map(|row| row.needed("name", is_room)).collect()
}
