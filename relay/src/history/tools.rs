//! What an operator does with a history: take it out, put it in, shorten it, look whether it is whole.
//!
//! Outside, a line is a line of the protocol with its tags, in the escaping of IRCv3 message tags:
//! `@id=ID;time=TIME;room=ROOM[;reply=ID][;quote=QUOTE][;key=SID.LABEL[;hash=HASH]] NAME: TEXT`. HASH tells another text
//! under the same label from a repeat. Without `time` it is the id's. Other tags are passed over.

use std::io::{BufRead, BufWriter, ErrorKind, Write};
use std::time::Duration;

use tertulia_wire::extended::is_label;
use tertulia_wire::limits::RELAY_LINE_BYTES_MAX;
use tertulia_wire::name::{Name, check_room};
use tertulia_wire::tags::{escape, split};
use tertulia_wire::text::clean;
use tertulia_wire::time::rfc3339;

use super::path;
use super::store::{Opening, Retention, Store, StoreError, Sweep};
use crate::batch::{Batch, ID_COUNTER_BITS, Kept, Key};
use crate::clock::unix_ms;
use crate::options::HistoryOptions;

/// Lines that are put in at once.
const IMPORT_LINES: usize = 10_000;
/// Lines that are dropped at once: a relay that runs meanwhile waits for no more.
const PRUNE_LINES: u64 = 10_000;

/// How far ahead of the clock an id or a time may lie that is taken in: no two clocks agree. Ids of a relay are above all that are
/// there, so that one from far ahead would have the next ones stay there.
const AHEAD_MAX_MS: u64 = 24 * 60 * 60 * 1000;

/// How long a tool waits for a relay that has the file.
pub(super) const BUSY_WAIT: Duration = Duration::from_secs(5);

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// Writes all lines out.
    Export,
    /// Takes lines in that are not there yet. A line that is there is never replaced by another.
    Import,
    /// Drops what is too old or too much.
    Prune,
    /// Says whether the file is whole, and what is in it.
    Check,
}

impl Tool {
    /// The words of the command line.
    pub const ALL: [(&str, Self); 4] =
        [("export", Self::Export), ("import", Self::Import), ("prune", Self::Prune), ("check", Self::Check)];
}

/// Does it, and says in a sentence what came of it.
pub fn run(
    tool: Tool,
    options: &HistoryOptions,
    input: impl BufRead,
    output: impl Write,
) -> Result<String, String> {
    let path = path(options)?.ok_or("--history none: there is no file")?;
    if tool != Tool::Import && !path.exists() {
        return Err(format!("{}: there is no such history; pass --history FILE", path.display()));
    }
    let opening = Opening { busy_wait: BUSY_WAIT, ..Opening::default() };
    let write = || Store::open(&path, opening).map_err(|error| sentence(&error));
    let read = || Store::open_to_read(&path, BUSY_WAIT).map_err(|error| sentence(&error));
    match tool {
        Tool::Export => export(&read()?, output),
        Tool::Import => import(&mut write()?, input),
        Tool::Prune => {
            let retention = Retention { age_max: options.age_max, rows_max: options.rows_max };
            prune(&mut write()?, retention)
        }
        Tool::Check => check(&read()?),
    }
}

/// What is wrong, and what to do where it is a relay that has the file.
pub(super) fn sentence(error: &StoreError) -> String {
    if error.is_busy() {
        return format!(
            "{error}; if that is a relay that holds it alone, as its first lines say, end it before"
        );
    }
    error.to_string()
}

fn prune(store: &mut Store, retention: Retention) -> Result<String, String> {
    let (mut gone, mut next) = (0u64, Some(0));
    while let Some(after) = next {
        let sweep = Sweep { after, limit: PRUNE_LINES };
        let pruned = store.prune_from(retention, unix_ms(), sweep).map_err(|error| sentence(&error))?;
        gone = gone.saturating_add(pruned.gone);
        next = pruned.next;
    }
    let sessions = store.prune_sessions(unix_ms()).map_err(|error| sentence(&error))?;
    while store.prune_rooms().map_err(|error| sentence(&error))? > 0 {}
    store.sweep_labels().map_err(|error| sentence(&error))?;
    let sessions = if sessions == 0 { String::new() } else { format!("; {sessions} sessions dropped") };
    Ok(format!("{gone} lines dropped, {} kept{sessions}", store.rows()))
}

fn export(store: &Store, output: impl Write) -> Result<String, String> {
    let mut output = BufWriter::new(output);
    let mut lines = 0u64;
    let mut failed = None;
    let outcome = store.each(|line| {
        lines += 1;
        failed = write_line(&mut output, &line).err();
        failed.is_none()
    });
    outcome.map_err(|error| sentence(&error))?;
    let failed = failed.or_else(|| output.flush().err());
    match failed {
        // A reader that has seen enough is no error.
        Some(error) if error.kind() != ErrorKind::BrokenPipe => Err(format!("cannot write: {error}")),
        _ => Ok(format!("{lines} lines written")),
    }
}

fn write_line(output: &mut impl Write, line: &Kept<'_>) -> std::io::Result<()> {
    let (time, room) = (rfc3339(line.unix_ms), escape(line.room));
    let mut tags = format!("@id={};time={time};room={room}", line.id);
    if let Some(reply) = line.reply {
        tags.push_str(&format!(";reply={reply}"));
    }
    if let Some(quote) = line.quote {
        tags.push_str(&format!(";quote={}", escape(quote)));
    }
    if let Some(Key { sid, label, hash }) = line.key {
        tags.push_str(&format!(";key={sid}.{}", escape(label)));
        if hash != 0 {
            tags.push_str(&format!(";hash={hash}"));
        }
    }
    writeln!(output, "{tags} {}: {}", line.name, line.text)
}

/// Lines on their way in.
struct Import<'a> {
    store: &'a mut Store,
    /// Ids above it are from too far ahead.
    id_max: u64,
    batch: Batch,
    /// The number of each line of the batch.
    numbers: Vec<u64>,
    /// Lines that were new.
    taken: u64,
    /// The number of each line whose id another one has, and of the first that left its key out.
    refused: Vec<u64>,
    keyless: Option<u64>,
}

impl Import<'_> {
    fn put_in(&mut self) -> Result<(), String> {
        let (batch, numbers) = (std::mem::take(&mut self.batch), std::mem::take(&mut self.numbers));
        let number = |place: usize| numbers.get(place).copied();
        let taken = self.store.insert_new(&batch).map_err(|error| sentence(&error))?;
        self.store.tidy().map_err(|error| sentence(&error))?;
        self.taken = self.taken.saturating_add(taken.rows);
        self.refused.extend(taken.refused.into_iter().filter_map(number));
        self.keyless = self.keyless.or(taken.keyless.and_then(number));
        Ok(())
    }

    /// Gathers a line, whatever bytes it has.
    fn gather(&mut self, line: &[u8], number: u64) -> Result<(), String> {
        let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8")?;
        let text = text.trim_end_matches(['\n', '\r']);
        if !text.is_empty() {
            take_line(text, self.id_max, &mut self.batch)?;
        }
        self.numbers.resize(self.batch.len(), number);
        Ok(())
    }

    /// What came of all lines, or of those before a bad one.
    fn outcome(&mut self, bad: Option<String>) -> Result<String, String> {
        self.store.recount().map_err(|error| sentence(&error))?;
        let keys = self.keyless.map_or_else(String::new, |first| {
            format!("; from line {first} on keys were left out, since a relay has its own sessions here")
        });
        let refused = refused_sentence(&self.refused);
        if let Some(bad) = bad {
            let refused = refused.map_or_else(String::new, |why| format!("; {why}"));
            return Err(format!("{bad}{refused}{keys}"));
        }
        let sum = format!("{} lines taken in, {} there now{keys}", self.taken, self.store.rows());
        refused.map_or(Ok(sum.clone()), |why| Err(format!("{why}; {sum}")))
    }
}

fn import(store: &mut Store, mut input: impl BufRead) -> Result<String, String> {
    let id_max = unix_ms().saturating_add(AHEAD_MAX_MS) << ID_COUNTER_BITS;
    let (batch, numbers, refused) = (Batch::default(), Vec::new(), Vec::new());
    let mut import = Import { store, id_max, batch, numbers, taken: 0, refused, keyless: None };
    let mut number = 0u64;
    let mut line = Vec::new();
    loop {
        line.clear();
        number += 1;
        // A pipe that breaks is as a line that is bad: what came before it is taken in.
        let read = input.read_until(b'\n', &mut line).map_err(|error| error.to_string());
        let is_end = read.as_ref().is_ok_and(|bytes| *bytes == 0);
        let gathered = read.and_then(|_| import.gather(&line, number));
        let is_over = is_end || gathered.is_err();
        if is_over || import.batch.len() == IMPORT_LINES {
            import.put_in()?;
        }
        if is_over {
            let before = number - 1;
            let bad = gathered
                .err()
                .map(|why| format!("line {number}: {why}; the {before} lines before it are in"));
            return import.outcome(bad);
        }
    }
}

/// What is said of lines whose ids others have. None: there are none.
fn refused_sentence(numbers: &[u64]) -> Option<String> {
    let first = numbers.first()?;
    let more = match numbers.len() {
        1 => String::new(),
        count => format!(", and so do those of {}", counted(count as u64 - 1, "further line")),
    };
    Some(format!("line {first}: its id belongs to another line, which stays{more}"))
}

fn take_line(line: &str, id_max: u64, batch: &mut Batch) -> Result<(), String> {
    let (tags, said) = split(line).ok_or("it does not begin with @id=")?;
    let (mut id, mut time, mut room, mut quote, mut reply) = (None, None, None, None, None);
    let (mut key, mut hash) = (None, 0);
    for (name, value) in tags {
        match name {
            "id" => id = value.parse().ok().filter(|id| i64::try_from(*id).is_ok_and(|id: i64| id > 0)),
            "time" => time = Some(unix_ms_of(&value).ok_or_else(|| format!("{value} is no time"))?),
            "room" => room = Some(value),
            "quote" => quote = Some(value),
            "reply" => reply = Some(value.parse().map_err(|_| format!("{value} is no id"))?),
            "key" => key = Some(value),
            "hash" => hash = value.parse().map_err(|_| format!("{value} is no hash"))?,
            _ => {}
        }
    }
    let key = match key.as_deref() {
        Some(key) => Some(read_key(key, hash).ok_or_else(|| format!("{key} is no key"))?),
        None => None,
    };
    let id: u64 = id.ok_or("it has no id that is a number")?;
    if id > id_max {
        let day = rfc3339(id >> ID_COUNTER_BITS);
        return Err(format!("its id is of {day}, which is more than a day from now"));
    }
    // As in the chat: no line has a terminal or an eye tricked, and a room is the same in capitals.
    let (said, quote) = (clean(said), quote.as_deref().map(clean));
    let room = room.map(|room| room.to_lowercase()).filter(|room| check_room(room).is_ok());
    let room = room.ok_or("it has no room")?;
    let (name, text) = said.split_once(": ").ok_or("it is not NAME: TEXT")?;
    Name::parse(name).map_err(|_| format!("{name} is no name"))?;
    if said.len() > RELAY_LINE_BYTES_MAX {
        return Err(format!("it has more than {RELAY_LINE_BYTES_MAX} bytes"));
    }
    let unix_ms = time.unwrap_or(id >> ID_COUNTER_BITS);
    if unix_ms > id_max >> ID_COUNTER_BITS {
        return Err(format!("its time is {}, which is more than a day from now", rfc3339(unix_ms)));
    }
    batch.push(Kept { id, unix_ms, room: &room, name, reply, quote: quote.as_deref(), key, text });
    Ok(())
}

fn read_key(key: &str, hash: u32) -> Option<Key<'_>> {
    let (sid, label) = key.split_once('.')?;
    Some(Key { sid: sid.parse().ok()?, label: Some(label).filter(|label| is_label(label))?, hash })
}

/// The moment that [`rfc3339`] writes so.
fn unix_ms_of(time: &str) -> Option<u64> {
    const DAYS_OF_400_YEARS: u64 = 146_097;
    const DAYS_TO_1970: u64 = 719_468;
    const DAY_S: u64 = 86_400;
    let part = |from: usize, to: usize| time.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let second = part(11, 13)? * 3600 + part(14, 16)? * 60 + part(17, 19)?;
    // Years are counted from March, so that a leap day is a year's last.
    let year = year.checked_sub(u64::from(month <= 2))?;
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day.checked_sub(1)?;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = (era * DAYS_OF_400_YEARS + day_of_era).checked_sub(DAYS_TO_1970)?;
    let unix_ms = (days * DAY_S + second) * 1000 + part(20, 23)?;
    // A 30th of February is written otherwise.
    (rfc3339(unix_ms) == time).then_some(unix_ms)
}

/// So many of something.
fn counted(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

fn check(store: &Store) -> Result<String, String> {
    let state = store.check().map_err(|error| sentence(&error))?;
    if let Some(fault) = state.fault {
        return Err(format!(
            "it is damaged: {fault}; start the relay with --history-repair to begin a new one"
        ));
    }
    let span = state
        .span
        .map_or_else(String::new, |(first, last)| format!(", from {} to {}", rfc3339(first), rfc3339(last)));
    let sessions = match state.sessions {
        0 => String::new(),
        sessions => format!(", {}", counted(sessions, "session")),
    };
    Ok(format!(
        "whole: {} in {}{span}{sessions}, {} indexed, {} KiB",
        counted(state.rows, "line"),
        counted(state.rooms, "room"),
        counted(state.indexed, "line"),
        state.bytes / 1024
    ))
}
