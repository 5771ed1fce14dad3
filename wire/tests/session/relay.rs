//! A small relay that fails: it keeps tokens, labels and ids, commits late, loses what it has not committed when it is
//! killed, forgets tokens, and lets readers fall behind.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tertulia_wire::command::{Command, History};
use tertulia_wire::extended::{Hello, Labeled};

/// Lines of a room that it can still give to who comes back.
const LOG_LINES: usize = 8;
/// How long a ghost keeps its name.
const GHOST_MS: u64 = 10_000;

#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) id: u64,
    pub(crate) room: String,
    pub(crate) sid: u64,
    /// Empty: a plain client said it.
    pub(crate) label: String,
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) is_committed: bool,
}

#[derive(Debug)]
struct Known {
    sid: u64,
    name: String,
    rooms: BTreeSet<String>,
    labels: BTreeMap<String, u64>,
}

#[derive(Debug, Default)]
pub(crate) struct Conn {
    input: Vec<u8>,
    pub(crate) output: Vec<u8>,
    token: Option<String>,
    rooms: BTreeSet<String>,
    /// Lines from this id on are not written to it.
    skipped: BTreeMap<String, u64>,
    gone_at: Option<u64>,
    pub(crate) is_closed: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Relay {
    pub(crate) conns: Vec<Conn>,
    pub(crate) log: Vec<Kept>,
    sessions: BTreeMap<String, Known>,
    last_id: u64,
    last_sid: u64,
    /// Acknowledgements that wait for the commit: token, label, id.
    acks: VecDeque<(String, String, u64)>,
    /// The history answers so next.
    pub(crate) history_fails: Option<&'static str>,
    fails_in_a_row: u32,
    pub(crate) bucket: (u32, u32),
    now_ms: u64,
}

impl Relay {
    pub(crate) fn accept(&mut self) -> usize {
        self.conns.push(Conn::default());
        self.conns.len() - 1
    }

    pub(crate) fn set_time(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
        for conn in &mut self.conns {
            conn.is_closed |= conn.gone_at.is_some_and(|at| at + GHOST_MS <= now_ms);
        }
    }

    /// The client's side is gone. The relay does not know yet.
    pub(crate) fn cut(&mut self, conn: usize) {
        self.conns[conn].gone_at.get_or_insert(self.now_ms);
    }

    pub(crate) fn take(&mut self, conn: usize, bytes: &[u8]) {
        if self.conns[conn].is_closed {
            return;
        }
        self.conns[conn].input.extend_from_slice(bytes);
        while let Some(end) = self.conns[conn].input.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.conns[conn].input.drain(..=end).collect();
            let line = String::from_utf8(line).expect("the session writes UTF-8");
            self.line(conn, line.trim_end_matches('\n'));
        }
    }

    fn tell(&mut self, conn: usize, line: &str) {
        if !self.conns[conn].is_closed {
            self.conns[conn].output.extend_from_slice(format!("{line}\n").as_bytes());
        }
    }

    fn line(&mut self, conn: usize, line: &str) {
        if self.conns[conn].is_closed {
            return;
        }
        let Some(rest) = line.strip_prefix('/') else {
            return self.said(conn, &Labeled::parse(line).expect("a labeled line"));
        };
        match Command::parse(rest).expect("a command") {
            Command::Hello(hello) => self.hello(conn, &hello),
            Command::Join { room } => self.join(conn, room),
            Command::Ping { word } => self.tell(conn, &format!("* PONG {word}")),
            Command::History(asked) => self.history(conn, &asked, Command::label(rest).expect("a label")),
            Command::Pong => {}
            other => panic!("not expected here: {other}"),
        }
    }

    fn newest(&self, room: &str) -> u64 {
        self.log.iter().filter(|line| line.room == room).map(|line| line.id).max().unwrap_or_default()
    }

    fn hello(&mut self, conn: usize, hello: &Hello<'_>) {
        let name = hello.name.as_deref().expect("a name").to_owned();
        let resumed = hello
            .resume
            .as_ref()
            .map(|token| token.to_string())
            .filter(|token| self.sessions.contains_key(token));
        if let Some(token) = &resumed {
            for ghost in self.conns.iter_mut().filter(|conn| conn.token.as_ref() == Some(token)) {
                ghost.is_closed = true;
            }
        }
        let holds = |conn: &Conn| {
            let held = conn.token.as_ref().and_then(|token| self.sessions.get(token));
            !conn.is_closed && held.is_some_and(|known| known.name == name)
        };
        if self.conns.iter().any(holds) {
            return self.tell(conn, &format!("* FAIL HELLO NAME_IN_USE {name} :ya"));
        }
        if hello.resume.is_some() && resumed.is_none() {
            self.tell(conn, "* WARN HELLO RESUME_UNKNOWN :no");
        }
        let is_resumed = resumed.is_some();
        let token = resumed.unwrap_or_else(|| {
            self.last_sid += 1;
            let token = format!("token{}", self.last_sid);
            let rooms = BTreeSet::from([hello.room.as_deref().unwrap_or("general").to_owned()]);
            self.sessions
                .insert(token.clone(), Known { sid: self.last_sid, name, rooms, labels: BTreeMap::new() });
            token
        });
        let known = &self.sessions[&token];
        let (burst, rate) = self.bucket;
        let greeting = format!(
            "* HELLO v=1 name={} token={token} sid={} line=16384 burst={burst} rate={rate} durability=commit",
            known.name, known.sid
        );
        let rooms = known.rooms.clone();
        self.conns[conn].token = Some(token);
        self.conns[conn].rooms = rooms.clone();
        self.tell(conn, &greeting);
        for room in &rooms {
            let last = self.newest(room);
            self.tell(conn, &format!("* JOINED room={room} last={last} :aquí"));
        }
        // Also where it does not know the token, every other time: nobody says that it does not.
        let replays = is_resumed || self.last_sid % 2 == 0;
        for room in rooms.iter().filter(|_| replays) {
            if let Some(after) = hello.after.of(room) {
                self.replay(conn, room, after);
            }
        }
    }

    /// What was missed, as far as the room's log has it.
    fn replay(&mut self, conn: usize, room: &str, after: u64) {
        let all: Vec<Kept> = self.log.iter().filter(|line| line.room == room).cloned().collect();
        let start = all.len().saturating_sub(LOG_LINES);
        let missed: Vec<&Kept> = all[..start].iter().filter(|line| line.id > after).collect();
        if let (Some(first), Some(last)) = (missed.first(), missed.last()) {
            self.tell(conn, &format!("* WARN GAP room={room} from={} to={}", first.id, last.id));
        }
        for line in all[start..].iter().filter(|line| line.id > after) {
            self.tell(conn, &tagged(line, None));
        }
    }

    fn join(&mut self, conn: usize, room: &str) {
        let last = self.newest(room);
        let token = self.conns[conn].token.clone().expect("a session");
        let Some(known) = self.sessions.get_mut(&token) else {
            self.conns[conn].is_closed = true;
            return;
        };
        known.rooms.insert(room.to_owned());
        self.conns[conn].rooms.insert(room.to_owned());
        self.tell(conn, &format!("* JOINED room={room} last={last} :aquí"));
    }

    fn history(&mut self, conn: usize, asked: &History<'_>, label: &str) {
        // What may pass does: a session gives up in the end.
        self.fails_in_a_row += 1;
        if let Some(code) =
            self.history_fails.take().filter(|code| *code != "UNREADABLE" || self.fails_in_a_row <= 3)
        {
            return self.tell(conn, &format!("* FAIL HISTORY {code} label={label} :x"));
        }
        self.fails_in_a_row = 0;
        self.commit(0);
        let room = asked.room.as_deref().expect("a room");
        let after = asked.after.expect("only gaps are asked for");
        // Pages shorter than what is asked for, as a page that must fit an outbox is.
        let limit = asked.limit.expect("a limit").min(3) as usize;
        let all: Vec<Kept> = self
            .log
            .iter()
            .filter(|line| line.room == room && line.id > after)
            .take(limit + 1)
            .cloned()
            .collect();
        for line in all.iter().take(limit) {
            self.tell(conn, &tagged(line, Some(label)));
        }
        let more = u8::from(all.len() > limit);
        self.tell(conn, &format!("* END HISTORY room={room} more={more} label={label}"));
    }

    fn said(&mut self, conn: usize, said: &Labeled<'_>) {
        let token = self.conns[conn].token.clone().expect("a session");
        let Some(known) = self.sessions.get_mut(&token) else {
            // Forgotten while it is there: as a relay that was killed and has lost its sessions.
            self.conns[conn].is_closed = true;
            return;
        };
        let room = said.room.as_deref().expect("a room").to_owned();
        if let Some(id) = known.labels.get(said.label).copied() {
            self.acks.push_back((token, said.label.to_owned(), id));
            return;
        }
        assert!(self.conns[conn].rooms.contains(&room), "a line for a room that it is not in");
        self.last_id += 1 + u64::from(said.text.len() as u32 % 3);
        let id = self.last_id;
        known.labels.insert(said.label.to_owned(), id);
        let line = Kept {
            id,
            room: room.clone(),
            sid: known.sid,
            label: said.label.to_owned(),
            name: known.name.clone(),
            text: said.text.to_owned(),
            is_committed: false,
        };
        self.acks.push_back((token, said.label.to_owned(), id));
        self.fan_out(Some(conn), line);
    }

    /// A plain client says something; it will not say it again. Kept at once, so that it is not lost.
    pub(crate) fn plain_said(&mut self, room: &str, text: String) {
        self.last_id += 1;
        let (id, room, name) = (self.last_id, room.to_owned(), "Luis".to_owned());
        self.fan_out(None, Kept { id, room, sid: 0, label: String::new(), name, text, is_committed: true });
    }

    fn fan_out(&mut self, speaker: Option<usize>, line: Kept) {
        for listener in 0..self.conns.len() {
            if Some(listener) != speaker && self.conns[listener].rooms.contains(&line.room) {
                self.give(listener, &line);
            }
        }
        self.log.push(line);
    }

    fn give(&mut self, conn: usize, line: &Kept) {
        if self.conns[conn].skipped.contains_key(&line.room) {
            return;
        }
        self.tell(conn, &tagged(line, None));
    }

    /// The connection falls behind in a room: what is said there next is not written to it.
    pub(crate) fn skip(&mut self, conn: usize, room: &str) {
        if self.conns[conn].rooms.contains(room) {
            let from = self.last_id + 1;
            self.conns[conn].skipped.entry(room.to_owned()).or_insert(from);
        }
    }

    /// It goes on behind what it missed.
    pub(crate) fn catch_up(&mut self, conn: usize) {
        for (room, from) in std::mem::take(&mut self.conns[conn].skipped) {
            if self.last_id >= from {
                self.tell(conn, &format!("* WARN GAP room={room} from={from} to={}", self.last_id));
            }
        }
    }

    /// All is on the disk; what waits for that is answered, but so many acknowledgements get lost.
    pub(crate) fn commit(&mut self, lost_acks: usize) {
        self.log.iter_mut().for_each(|line| line.is_committed = true);
        for (token, label, id) in std::mem::take(&mut self.acks).into_iter().skip(lost_acks) {
            let held = |conn: &Conn| !conn.is_closed && conn.token.as_ref() == Some(&token);
            if let Some(conn) = self.conns.iter().position(held) {
                self.tell(conn, &format!("* ACK label={label} id={id} time=2026-11-22T16:37:00.123Z"));
            }
        }
    }

    /// Killed and started again: nobody is connected, and only what was committed is there.
    pub(crate) fn kill(&mut self) {
        self.conns.iter_mut().for_each(|conn| conn.is_closed = true);
        self.acks.clear();
        self.log.retain(|line| line.is_committed);
        for known in self.sessions.values_mut() {
            let (log, sid) = (&self.log, known.sid);
            known.labels.retain(|label, _| log.iter().any(|line| line.sid == sid && line.label == *label));
        }
        self.last_id += 1_000;
    }

    /// Does not know these tokens any more.
    pub(crate) fn forget(&mut self, is_forgotten: impl Fn(u64) -> bool) {
        self.commit(0);
        self.sessions.retain(|_, known| !is_forgotten(known.sid));
    }
}

fn tagged(line: &Kept, label: Option<&str>) -> String {
    let Kept { id, room, sid, label: own, name, text, .. } = line;
    let asked = label.map_or_else(String::new, |label| format!("label={label};"));
    let key = if own.is_empty() { String::new() } else { format!(";key={sid}.{own}") };
    format!("@{asked}id={id};time=2026-11-22T16:37:00.123Z;room={room}{key} {name}: {text}")
}
