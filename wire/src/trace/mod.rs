//! What happened in a run, as its clients saw it, and whether the promises of extended mode were kept: nothing
//! acknowledged is lost, nothing is doubled, ids follow time, and each reader has a slice without holes.
//!
//! Fed by whoever plays clients of a relay: a simulation, a test that kills relays, a load generator. Each of their wires
//! has a [`Tap`] on it, which one [`Recorder`] writes down for. PROTOCOL.md, "Extended mode", is what is checked.

use words::{Word, Words, hash};

mod check;
mod fault;
mod judge;
mod kept;
mod lines;
mod report;
mod slices;
mod tap;
mod violation;
mod words;

pub use check::check;
pub use fault::Fault;
pub use report::{Counts, Report, VIOLATIONS_MAX};
pub use tap::{Recorder, Tap};
pub use violation::{Ear, Place, Quoted, Violation};

/// Records that a trace holds: some 800 MB. Those beyond it are dropped, and the report says so: what was not recorded
/// proves nothing.
pub const RECORDS_MAX: usize = 16 * 1024 * 1024;

/// A session: whoever holds one token. The number is the caller's own, and not the relay's `sid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Session(pub u32);

/// One connection that listens to one room, from [`Trace::listens`] or [`Trace::resumes`] on until it is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reader(u32);

/// A line as it was heard, or read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// The tag `id`.
    pub id: u64,
    /// The first half of the tag `key`.
    pub sid: u64,
    /// The second half of it.
    pub label: &'a str,
    /// Before the `: `.
    pub name: &'a str,
    /// Behind it.
    pub text: &'a str,
}

/// What happened, in the order in which it did: a line counts as said before its first byte is written, and as answered
/// or heard after its last byte was read. Only that order is believed between connections, so that records of several
/// threads go through one lock.
///
/// Not recorded are notices, private lines, and what plain clients say (it has no key); what `/history` answers is
/// not heard. Who comes back with a token that the relay does not know any more is another session.
///
/// The run must keep what it promises: a history that is pruned and of which [`History::pruned_to`] was not told, `--history none`, or kills with `--durability none`
/// break promises that nobody made.
#[derive(Debug)]
pub struct Trace {
    records: Vec<Record>,
    /// [`RECORDS_MAX`], or fewer.
    most: usize,
    readers: u32,
    words: Words,
    dropped: u64,
}

impl Default for Trace {
    fn default() -> Self {
        Self { records: Vec::new(), most: RECORDS_MAX, readers: 0, words: Words::default(), dropped: 0 }
    }
}

#[derive(Debug, Clone, Copy)]
enum Record {
    Hello { session: Session, sid: u64 },
    Said { session: Session, label: Word, said: Said },
    Acked { session: Session, label: Word, id: u64, time: Word },
    Refused { session: Session, label: Word },
    NotKept { session: Session, label: Word, id: u64 },
    Listens { session: Session, room: Word, behind: u64, is_resumed: bool },
    Heard { reader: Reader, id: u64, sid: u64, label: Word, name: Word, text: Word },
    Gap { reader: Reader, from: u64, to: u64 },
    CaughtUp { reader: Reader, id: u64 },
    Faulty { session: Option<Session>, fault: Fault, line: Word },
    Cut,
    Died,
}

/// What must come out as it went in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Said {
    room: Word,
    name: Word,
    text: Word,
}

impl Trace {
    /// Nothing happened yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, with place for so many records, at most [`RECORDS_MAX`].
    pub fn holding(records: usize) -> Self {
        Self { most: records.min(RECORDS_MAX), ..Self::default() }
    }

    /// `HELLO` came, with the number of the session. Also when it is resumed.
    pub fn hello(&mut self, session: Session, sid: u64) {
        self.push(Record::Hello { session, sid });
    }

    /// A line is sent, for the first time or again. `name` is the one under which it is to be heard, with `as=` and all;
    /// `room` is written as the relay writes it. A repeat need not be recorded.
    pub fn said(&mut self, session: Session, label: &str, room: &str, name: &str, text: &str) {
        let [label, room, name, text] = [label, room, name, text].map(|word| self.word(word));
        self.push(Record::Said { session, label, said: Said { room, name, text } });
    }

    /// `ACK` came. `time` as it is written.
    pub fn acked(&mut self, session: Session, label: &str, id: u64, time: &str) {
        let label = self.word(label);
        self.push(Record::Acked { session, label, id, time: hash(time) });
    }

    /// `FAIL SAY` came: of the sayings under that label, the last one that was not refused yet is.
    pub fn refused(&mut self, session: Session, label: &str) {
        let label = self.word(label);
        self.push(Record::Refused { session, label });
    }

    /// `NOTE SAY NOT_KEPT` came.
    pub fn not_kept(&mut self, session: Session, label: &str, id: u64) {
        let label = self.word(label);
        self.push(Record::NotKept { session, label, id });
    }

    /// `JOINED room=… last=…` came, and no `after` was asked for: what has a greater id is heard from here on.
    pub fn listens(&mut self, session: Session, room: &str, last: u64) -> Reader {
        self.start(session, room, last, false)
    }

    /// The session is back in the room, and has asked for what is behind `after`.
    pub fn resumes(&mut self, session: Session, room: &str, after: u64) -> Reader {
        self.start(session, room, after, true)
    }

    fn start(&mut self, session: Session, room: &str, behind: u64, is_resumed: bool) -> Reader {
        let room = self.word(room);
        let reader = Reader(self.readers);
        if self.push(Record::Listens { session, room, behind, is_resumed }) {
            self.readers += 1;
        }
        reader
    }

    /// A line was heard.
    pub fn heard(&mut self, reader: Reader, line: &Line<'_>) {
        let [label, name, text] = [line.label, line.name, line.text].map(|word| self.word(word));
        self.push(Record::Heard { reader, id: line.id, sid: line.sid, label, name, text });
    }

    /// `WARN GAP` came. Both ids belong to it.
    pub fn gap(&mut self, reader: Reader, from: u64, to: u64) {
        self.push(Record::Gap { reader, from, to });
    }

    /// The reader must have everything up to this id by now: it was waited for. Without this, what it missed behind the
    /// last line that it heard is not seen.
    pub fn caught_up(&mut self, reader: Reader, id: u64) {
        self.push(Record::CaughtUp { reader, id });
    }

    /// A line came that no client can take as it stands. `session`: none where nobody was greeted yet. Of the line, only
    /// the beginning is kept.
    pub fn faulty(&mut self, session: Option<Session>, fault: Fault, line: &str) {
        let line = self.word(line);
        self.push(Record::Faulty { session, fault, line });
    }

    /// A client's connection ended, not by the relay's death. Only counted: what was still read may be recorded later.
    pub fn cut(&mut self) {
        self.push(Record::Cut);
    }

    /// The relay died. Recorded before anybody greets the next one; what is still heard by readers from before it counts
    /// as heard before it.
    pub fn died(&mut self) {
        self.push(Record::Died);
    }

    fn has_place(&self) -> bool {
        self.records.len() < self.most
    }

    /// What a record that is dropped says is not remembered either.
    fn word(&mut self, word: &str) -> Word {
        if self.has_place() { self.words.put(word) } else { hash(word) }
    }

    fn push(&mut self, record: Record) -> bool {
        let has_place = self.has_place();
        if has_place {
            self.records.push(record);
        } else {
            self.dropped += 1;
        }
        has_place
    }
}

/// What the history holds at the end, each room read from its first line to its last. Lines without a key are left out.
#[derive(Debug, Default)]
pub struct History {
    rows: Vec<Row>,
    words: Words,
    pruned_to: u64,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    id: u64,
    unix_ms: u64,
    sid: u64,
    label: Word,
    said: Said,
}

impl History {
    /// Nothing kept.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lines up to this id may be gone, because they were too old or too many: that they are missing is no loss.
    pub fn pruned_to(&mut self, id: u64) {
        self.pruned_to = self.pruned_to.max(id);
    }

    /// The next line of a room.
    pub fn row(&mut self, room: &str, unix_ms: u64, line: &Line<'_>) {
        let [label, room, name, text] =
            [line.label, room, line.name, line.text].map(|word| self.words.put(word));
        let said = Said { room, name, text };
        self.rows.push(Row { id: line.id, unix_ms, sid: line.sid, label, said });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_that_was_full_is_not_clean() {
        let mut trace = Trace::holding(2);
        trace.hello(Session(1), 1);
        trace.listens(Session(1), "general", 0);
        assert!(check(&trace, &History::new()).is_clean());
        let reader = trace.listens(Session(1), "general", 0);
        trace.heard(reader, &Line { id: 1, sid: 1, label: "1", name: "Ana", text: "hola" });
        let report = check(&trace, &History::new());
        assert_eq!(report.violations, [Violation::TraceFull { dropped: 2 }]);
    }

    #[test]
    fn what_was_said_behind_the_end_of_a_full_trace_is_no_line_that_nobody_said() {
        let mut trace = Trace::holding(1);
        trace.hello(Session(1), 1);
        trace.said(Session(1), "1", "general", "Ana", "hola");
        let mut history = History::new();
        history.row("general", 1, &Line { id: 1, sid: 1, label: "1", name: "Ana", text: "hola" });
        assert_eq!(check(&trace, &history).violations, [Violation::TraceFull { dropped: 1 }]);
        assert_eq!(trace.words.excerpt(hash("hola")), None);
    }

    #[test]
    fn an_acknowledged_line_may_be_missing_only_where_the_history_was_pruned() {
        let mut trace = Trace::default();
        trace.hello(Session(1), 1);
        for (label, id) in [("1", 7), ("2", 8)] {
            trace.said(Session(1), label, "general", "Ana", "hola");
            trace.acked(Session(1), label, id, "");
        }
        let mut history = History::new();
        assert_eq!(check(&trace, &history).violations.len(), 2);
        history.pruned_to(7);
        let missing = check(&trace, &history).violations;
        assert!(matches!(missing[..], [Violation::AckedMissing { id: 8, .. }]), "{missing:?}");
    }

    #[test]
    fn excerpts_of_long_words_end_at_a_character() {
        let mut words = Words::default();
        let word = words.put(&"€".repeat(40));
        assert_eq!(words.excerpt(word), Some("€".repeat(21).as_str()));
        assert_eq!(words.excerpt(hash("otra")), None);
    }
}
