//! What an operator does with a history: take it out, put it in, shorten it, look whether it is whole.
//!
//! Outside, a line is a line of the protocol with its tags: `@id=ID;time=TIME;room=ROOM[;quote=QUOTE] NAME: TEXT`, with
//! the escaping of IRCv3 message tags.

use std::io::{BufRead, BufWriter, ErrorKind, Write};

use tertulia_wire::limits::RELAY_LINE_BYTES_MAX;
use tertulia_wire::name::{Name, check_room};
use tertulia_wire::tags::{escape, split};
use tertulia_wire::time::rfc3339;

use super::store::{Durability, Retention, Store};
use super::{path, unix_ms};
use crate::batch::{Batch, Kept};
use crate::options::HistoryOptions;

/// Lines that are put in at once.
const IMPORT_LINES: usize = 10_000;
/// Lines that are dropped at once: a relay that runs meanwhile waits for no more.
const PRUNE_LINES: u64 = 10_000;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// Writes all lines out.
    Export,
    /// Takes lines in that are not there yet.
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
    let write = || Store::open(&path, Durability::Commit).map_err(|error| error.to_string());
    let read = || Store::open_to_read(&path).map_err(|error| error.to_string());
    match tool {
        Tool::Export => export(&read()?, output),
        Tool::Import => import(&mut write()?, input),
        Tool::Prune => {
            let retention = Retention { age_max: options.age_max, rows_max: options.rows_max };
            let mut store = write()?;
            let mut gone = 0;
            loop {
                let some =
                    store.prune(retention, unix_ms(), PRUNE_LINES).map_err(|error| error.to_string())?;
                gone += some;
                if some < PRUNE_LINES {
                    return Ok(format!("{gone} lines dropped, {} kept", store.rows()));
                }
            }
        }
        Tool::Check => check(&read()?),
    }
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
    outcome.map_err(|error| error.to_string())?;
    let failed = failed.or_else(|| output.flush().err());
    match failed {
        // A reader that has seen enough is no error.
        Some(error) if error.kind() != ErrorKind::BrokenPipe => Err(format!("cannot write: {error}")),
        _ => Ok(format!("{lines} lines written")),
    }
}

fn write_line(output: &mut impl Write, line: &Kept<'_>) -> std::io::Result<()> {
    let (time, room) = (rfc3339(line.unix_ms()), escape(line.room));
    let quote = line.quote.map_or_else(String::new, |quote| format!(";quote={}", escape(quote)));
    writeln!(output, "@id={};time={time};room={room}{quote} {}: {}", line.id, line.name, line.text)
}

fn import(store: &mut Store, mut input: impl BufRead) -> Result<String, String> {
    let before = store.rows();
    let (mut batch, mut number) = (Batch::default(), 0u64);
    let mut line = String::new();
    loop {
        line.clear();
        number += 1;
        let bytes = input.read_line(&mut line).map_err(|error| format!("line {number}: {error}"))?;
        let text = line.trim_end_matches(['\n', '\r']);
        let taken = if text.is_empty() { Ok(()) } else { take_line(text, &mut batch) };
        let is_over = bytes == 0 || taken.is_err();
        if is_over || batch.len() == IMPORT_LINES {
            store.insert_new(&batch).map_err(|error| error.to_string())?;
            batch = Batch::default();
        }
        if let Err(why) = taken {
            return Err(format!("line {number}: {why}; the {} lines before it are in", number - 1));
        }
        if is_over {
            return Ok(format!("{} lines taken in, {} there now", store.rows() - before, store.rows()));
        }
    }
}

fn take_line(line: &str, batch: &mut Batch) -> Result<(), String> {
    let (tags, said) = split(line).ok_or("it does not begin with @id=")?;
    let (mut id, mut room, mut quote) = (None, None, None);
    for (key, value) in tags {
        match key {
            "id" => id = value.parse().ok().filter(|id| i64::try_from(*id).is_ok_and(|id: i64| id > 0)),
            "room" => room = Some(value),
            "quote" => quote = Some(value),
            _ => {}
        }
    }
    let id: u64 = id.ok_or("it has no id that is a number")?;
    let room = room.filter(|room| check_room(room).is_ok()).ok_or("it has no room")?;
    let (name, text) = said.split_once(": ").ok_or("it is not NAME: TEXT")?;
    Name::parse(name).map_err(|_| format!("{name} is no name"))?;
    if said.len() > RELAY_LINE_BYTES_MAX {
        return Err(format!("it has more than {RELAY_LINE_BYTES_MAX} bytes"));
    }
    batch.push(Kept { id, room: &room, name, quote: quote.as_deref(), text });
    Ok(())
}

fn check(store: &Store) -> Result<String, String> {
    let state = store.check().map_err(|error| error.to_string())?;
    if let Some(fault) = state.fault {
        return Err(format!(
            "it is damaged: {fault}; start the relay with --history-repair to begin a new one"
        ));
    }
    let span = state.span.map_or_else(String::new, |(first, last)| {
        let time = |id: u64| rfc3339(id >> crate::batch::ID_COUNTER_BITS);
        format!(", from {} to {}", time(first), time(last))
    });
    Ok(format!("whole: {} lines in {} rooms{span}, {} KiB", state.rows, state.rooms, state.bytes / 1024))
}
