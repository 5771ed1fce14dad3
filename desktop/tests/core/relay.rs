//! A relay in memory, as far as a session needs one: it keeps what is said, answers under which id, forgets sessions with
//! each cut, and can be made to refuse.

use std::collections::BTreeMap;

use tertulia_wire::command::Command;
use tertulia_wire::extended::Labeled;
use tertulia_wire::tags::escape;
use tertulia_wire::time::rfc3339;

#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) text: String,
    key: Option<(u64, String)>,
    reply: Option<u64>,
    unix_ms: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Relay {
    pub(crate) rooms: BTreeMap<String, Vec<Kept>>,
    /// Rooms that the connection is in.
    seats: Vec<String>,
    /// Answers that are still to be read.
    out: String,
    sid: u64,
    last_id: u64,
    name: String,
    pub(crate) unix_ms: u64,
    /// What was said to one person alone.
    pub(crate) private: Vec<String>,
    /// Lines with these words are refused.
    pub(crate) refuses: &'static str,
}

impl Relay {
    /// The connection is gone, with all that was not read.
    pub(crate) fn cut(&mut self) {
        self.out.clear();
        self.seats.clear();
    }

    /// What is to be read.
    pub(crate) fn take(&mut self) -> String {
        std::mem::take(&mut self.out)
    }

    fn answer(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 3;
        self.last_id
    }

    /// Somebody else says something.
    pub(crate) fn hear(&mut self, room: &str, name: &str, text: &str) {
        let (id, unix_ms) = (self.next_id(), self.unix_ms);
        let (name, text) = (name.to_owned(), text.to_owned());
        let kept = Kept { id, name, text, key: None, reply: None, unix_ms };
        if self.seats.iter().any(|seat| seat == room) {
            let line = tagged(&kept, room, None);
            self.answer(&line);
        }
        self.rooms.entry(room.to_owned()).or_default().push(kept);
    }

    /// A line of the client, without its ending.
    pub(crate) fn handle(&mut self, line: &str) {
        if line.starts_with('@') {
            return self.handle_said(&Labeled::parse(line).unwrap());
        }
        let rest = line.strip_prefix('/').unwrap();
        let label = Command::label(rest).map(|label| format!(" label={label}")).unwrap_or_default();
        match Command::parse(rest).unwrap() {
            Command::Hello(hello) => {
                self.name = hello.name.unwrap().into_owned();
                self.sid += 1;
                if hello.resume.is_some() {
                    self.answer("* WARN HELLO RESUME_UNKNOWN :x");
                }
                let (name, sid) = (escape(&self.name).into_owned(), self.sid);
                self.answer(&format!("* HELLO v=1 name={name} token=T{sid} sid={sid} line=16384 burst=0 rate=0 durability=commit"));
                self.join(&hello.room.unwrap());
            }
            Command::Join { room } => self.join(room),
            Command::Part { room } => {
                self.seats.retain(|seat| seat != room);
                self.answer(&format!("* PARTED room={room} :x"));
            }
            Command::Who { room, .. } => {
                let room = room.unwrap();
                self.answer(&format!("* WHO room={room} name={}{label}", escape(&self.name.clone())));
                self.answer(&format!("* END WHO room={room} shown=1 of=1{label}"));
            }
            Command::Nick { name } => {
                self.name = name.into_owned();
                self.answer(&format!("* NOTE NICK RENAMED {} :x", escape(&self.name.clone())));
            }
            Command::History(asked) => {
                let room = asked.room.unwrap().into_owned();
                let limit = usize::try_from(asked.limit.unwrap()).unwrap();
                self.tell_history(&room, asked.before, asked.after, limit, &label);
            }
            Command::Search(asked) => {
                let room = asked.room.unwrap().into_owned();
                let (before, limit) = (asked.before.unwrap_or(u64::MAX), asked.limit.unwrap());
                let kept = self.rooms.get(&room).cloned().unwrap_or_default();
                let fits = |line: &&Kept| line.id < before && line.text.contains(asked.words);
                let found: Vec<Kept> = kept.iter().rev().filter(fits).cloned().collect();
                let limit = usize::try_from(limit).unwrap();
                let of = label.trim_start().strip_prefix("label=");
                for line in found.iter().take(limit) {
                    let line = tagged(line, &room, of);
                    self.answer(&line);
                }
                let is_more = u8::from(found.len() > limit);
                self.answer(&format!("* END SEARCH room={room} more={is_more}{label}"));
            }
            Command::Ping { word } => self.answer(&format!("* PONG {word}")),
            Command::Quit => self.answer("* NOTE QUIT BYE :x"),
            other => panic!("{other:?}"),
        }
    }

    fn join(&mut self, room: &str) {
        if !self.seats.iter().any(|seat| seat == room) {
            self.seats.push(room.to_owned());
        }
        let last = self.last_id;
        self.answer(&format!("* JOINED room={room} last={last} :x"));
    }

    fn tell_history(
        &mut self,
        room: &str,
        before: Option<u64>,
        after: Option<u64>,
        limit: usize,
        label: &str,
    ) {
        let kept = self.rooms.get(room).cloned().unwrap_or_default();
        let (page, is_more): (Vec<Kept>, bool) = match (before, after) {
            (_, Some(after)) => {
                let behind: Vec<Kept> = kept.into_iter().filter(|line| line.id > after).collect();
                (behind.iter().take(limit).cloned().collect(), behind.len() > limit)
            }
            (before, None) => {
                let before = before.unwrap_or(u64::MAX);
                let older: Vec<Kept> = kept.into_iter().filter(|line| line.id < before).collect();
                let from = older.len().saturating_sub(limit);
                (older[from..].to_vec(), from > 0)
            }
        };
        let of = label.trim_start().strip_prefix("label=");
        for line in page {
            let line = tagged(&line, room, of);
            self.answer(&line);
        }
        self.answer(&format!("* END HISTORY room={room} more={}{label}", u8::from(is_more)));
    }

    fn handle_said(&mut self, said: &Labeled<'_>) {
        let (label, sid) = (said.label, self.sid);
        if let Some(to) = &said.to {
            if **to == *"Nadie" {
                return self.answer(&format!("* FAIL SAY NOT_HERE label={label} :x"));
            }
            let id = self.next_id();
            self.private.push(said.text.to_owned());
            return self.answer(&format!("* ACK label={label} id={id} time={}", rfc3339(self.unix_ms)));
        }
        let room = said.room.as_deref().unwrap().to_owned();
        let key = Some((sid, label.to_owned()));
        let known = self
            .rooms
            .get(&room)
            .and_then(|kept| kept.iter().find(|line| line.key == key))
            .map(|line| line.id);
        if !self.refuses.is_empty() && said.text.contains(self.refuses) || !self.seats.contains(&room) {
            return self.answer(&format!("* FAIL SAY NO_ROOM label={label} :x"));
        }
        let id = known.unwrap_or_else(|| {
            let (id, unix_ms) = (self.next_id(), self.unix_ms);
            let (name, text) = (self.name.clone(), said.text.to_owned());
            let kept = Kept { id, name, text, key, reply: said.reply, unix_ms };
            self.rooms.entry(room.clone()).or_default().push(kept);
            id
        });
        self.answer(&format!("* ACK label={label} id={id} time={}", rfc3339(self.unix_ms)));
    }
}

fn tagged(line: &Kept, room: &str, label: Option<&str>) -> String {
    let label = label.map(|label| format!("label={label};")).unwrap_or_default();
    let key = line.key.as_ref().map(|(sid, label)| format!(";key={sid}.{label}")).unwrap_or_default();
    let reply = line.reply.map(|id| format!(";reply={id}")).unwrap_or_default();
    let time = rfc3339(line.unix_ms);
    format!("@{label}id={};time={time};room={room}{key}{reply} {}: {}", line.id, line.name, line.text)
}
