//! The works with very many connections: silent ones, a rush of them, and a room that comes back.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::fleet::{Fleet, LineSplitter, join_line};
use crate::options::Options;
use crate::report::{Bound, Row};
use crate::rush::{self, Rush};
use crate::server::{Program, Server};
use crate::{Outcome, QUIET, REST_MAX, probes};

const MANY: usize = 10_000;
/// Descriptors kept back for everything that is not a connection.
const SPARE_FILES: usize = 128;
const SETTLE: Duration = Duration::from_secs(1);
/// The clients of `return` come back over this long.
const RETURN_SPREAD: Duration = Duration::from_secs(8);
const RETURN_MEASURED: Duration = Duration::from_secs(12);
const IDLE_CLIENTS: usize = 1000;
const IDLE_MEASURED: Duration = Duration::from_secs(5);

/// As many connections as wanted, or as many as this process may open.
pub(crate) fn affordable(wanted: usize) -> Outcome<usize> {
    let limit = probes::file_limit()?.saturating_sub(SPARE_FILES);
    if limit < wanted {
        println!("only {limit} of {wanted} connections: the limit of open files is lower");
    }
    Ok(wanted.min(limit))
}

/// What silent connections cost in memory.
pub(crate) fn silent(options: &Options) -> Outcome<Vec<Row>> {
    // A fresh program file's unwritten pages would count as the process's own.
    Command::new("sync").status()?;
    let count = affordable(MANY)?;
    let server = Server::start(options, Program::Relay, count)?;
    let before = probes::memory(server.pid())?;
    let sockets_before_kib = probes::socket_memory_kib()?;
    let mut fleet = Fleet::connect(server.address(), count)?;
    server.await_clients(count)?;
    fleet.await_quiet(SETTLE, REST_MAX)?;
    let after = probes::memory(server.pid())?;
    let sockets_kib = probes::socket_memory_kib()?.saturating_sub(sockets_before_kib);
    let each = |after_kib: u64, before_kib: u64| (after_kib as f64 - before_kib as f64) / count as f64;
    let row = |figure: &str, value, bound| {
        Row::single("silent", &format!("{figure}, {count} connections"), value, bound)
    };
    Ok(vec![
        row("VmRSS KiB/connection", each(after.resident_kib, before.resident_kib), Bound::AtMost(0.3)),
        row("RssAnon KiB/connection", each(after.anonymous_kib, before.anonymous_kib), Bound::None),
        row("VmRSS KiB", after.resident_kib as f64, Bound::AtMost(6.0 * 1024.0)),
        row("TCP memory KiB more", sockets_kib as f64, Bound::None),
    ])
}

/// A rush of connects, none of which may have to ask twice.
pub(crate) fn connects(options: &Options) -> Outcome<Vec<Row>> {
    let count = affordable(MANY)?;
    let once = |program| -> Outcome<Rush> {
        let server = Server::start(options, program, count)?;
        rush::run(&server, count)
    };
    let mut floor = Rush::default();
    let mut relay = Rush::default();
    for _ in 0..options.pairs.unwrap_or(1) {
        floor = floor.worse(once(Program::Floor)?);
        relay = relay.worse(once(Program::Relay)?);
    }
    let row = |figure: &str, value: fn(&Rush) -> f64, bound| {
        let figure = format!("{figure}, {count} connects");
        Row::beside("connects", &figure, Some(value(&floor)), value(&relay), bound)
    };
    Ok(vec![
        row("slowest ms", |rush| rush.slowest_ms, Bound::AtMost(900.0)),
        row("all accepted after ms", |rush| rush.accepted_ms, Bound::None),
        row("ListenOverflows", |rush| rush.overflows, Bound::None),
        row("ListenDrops", |rush| rush.drops, Bound::None),
        row("TCPSynRetrans", |rush| rush.resends, Bound::None),
    ])
}

/// How many notices each hears when everybody comes back to one room at once.
pub(crate) fn come_back(options: &Options) -> Outcome<Vec<Row>> {
    let count = affordable(MANY)?;
    let server = Server::start(options, Program::Relay, count)?;
    let cpu_ns = probes::cpu_ns(server.pid())?;
    let mut fleet = Fleet::new()?;
    let mut heard: Vec<(LineSplitter, u32)> = Vec::new();
    heard.resize_with(count, Default::default);
    let begin = Instant::now();
    while begin.elapsed() < RETURN_MEASURED {
        let share = begin.elapsed().as_secs_f64() / RETURN_SPREAD.as_secs_f64();
        let open = ((share * count as f64) as usize).min(count);
        while fleet.len() < open {
            let index = fleet.add(server.address())?;
            fleet.send(index, &join_line(&format!("c{index}")))?;
        }
        fleet.turn(Duration::from_millis(1), |index, bytes| {
            if let Some((splitter, notices)) = heard.get_mut(index) {
                splitter.feed(bytes, |line| *notices += u32::from(is_notice(line)));
            }
        })?;
    }
    if fleet.len() < count {
        return Err(format!("only {} of {count} clients came back in time", fleet.len()).into());
    }
    server.await_clients(count)?;
    let cpu_ms = (probes::cpu_ns(server.pid())? - cpu_ns) as f64 / 1e6;
    let most = heard.iter().map(|(_, notices)| *notices).max().unwrap_or(0);
    let memory = probes::memory(server.pid())?;
    let row = |figure: &str, value, bound| {
        Row::single("return", &format!("{figure}, {count} clients"), value, bound)
    };
    Ok(vec![
        row("most notices one client heard", f64::from(most), Bound::AtMost(1000.0)),
        row("server CPU ms", cpu_ms, Bound::None),
        row("VmRSS KiB", memory.resident_kib as f64, Bound::None),
    ])
}

fn is_notice(line: &[u8]) -> bool {
    line.starts_with(b"* ") || line.ends_with(b" al chat.\n") || line.ends_with(b" el chat.\n")
}

/// What the server does while nobody says anything.
pub(crate) fn idle(options: &Options) -> Outcome<Vec<Row>> {
    let count = affordable(IDLE_CLIENTS)?;
    let server = Server::start(options, Program::Relay, count)?;
    let mut fleet = Fleet::connect(server.address(), count)?;
    server.await_clients(count)?;
    for index in 0..count {
        fleet.send(index, &join_line(&format!("c{index}")))?;
    }
    fleet.await_quiet(QUIET, 2 * REST_MAX)?;
    thread::sleep(Duration::from_secs(2));
    let cpu_ns = probes::cpu_ns(server.pid())?;
    let switches = probes::voluntary_switches(server.pid())?;
    thread::sleep(IDLE_MEASURED);
    let cpu_ns = probes::cpu_ns(server.pid())? - cpu_ns;
    let switches = probes::voluntary_switches(server.pid())? - switches;
    let row = |figure: &str, value: u64| {
        let figure = format!("{figure} in {} s, {count} clients", IDLE_MEASURED.as_secs());
        Row::single("idle", &figure, value as f64, Bound::AtMost(0.0))
    };
    Ok(vec![row("wake-ups", switches), row("server CPU ns", cpu_ns)])
}
