//! The works with very many clients: silent ones, a rush of connects, and a room that comes back.

use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tertulia_loadtest::ground::{self, Ground};
use tertulia_loadtest::hold::{Held, watch};
use tertulia_loadtest::limits;
use tertulia_loadtest::plan::{Joins, Plan};
use tertulia_loadtest::swarm::Settings;

use crate::table::{Bound, Row};
use crate::works::plan;
use crate::{Options, Outcome};

const MANY: usize = 10_000;
const IDLE_CLIENTS: usize = 1000;
const WATCHED: Duration = Duration::from_secs(5);
/// Ten thousand come back within eight seconds.
const RETURN_PER_S: f64 = 1250.0;

/// Clients that say nothing, in front of a fresh server.
pub(crate) fn held(start: fn() -> Result<Ground, String>, plan: &Plan) -> Outcome<Held> {
    // A fresh program file's unwritten pages would count as the process's own.
    Command::new("sync").status()?;
    limits::make_place(plan.clients, 1)?;
    let ground = start()?;
    let _pin = ground::apart(&[&ground]);
    let held = watch(plan, Settings::default(), &ground.target, WATCHED, &AtomicBool::new(false))?;
    if held.closed > 0 {
        return Err(format!("the server closed {} of {}", held.closed, held.clients).into());
    }
    Ok(held)
}

fn silent_plan(clients: usize) -> Plan {
    Plan { joins: Joins::None, ..plan(clients, 1) }
}

/// What silent connections cost in memory.
pub(crate) fn silent(_: &Options) -> Outcome<Vec<Row>> {
    let held = held(Ground::relay, &silent_plan(MANY))?;
    let server = held.server.ok_or("no process")?;
    let row = |figure: &str, value, bound| Row::plain("silent", figure, None, value, bound);
    Ok(vec![
        row("KiB resident for each of 10,000", server.resident_kib_per_client, Bound::AtMost(0.3)),
        row("KiB resident in all", server.resident_kib as f64, Bound::AtMost(6.0 * 1024.0)),
        row("KiB more of the kernel's TCP memory", held.tcp_memory_kib as f64, Bound::None),
    ])
}

/// A rush of connects, none of which may have to ask twice.
pub(crate) fn connects(_: &Options) -> Outcome<Vec<Row>> {
    let plan = silent_plan(MANY);
    let (floor, relay) = (held(Ground::floor, &plan)?, held(Ground::relay, &plan)?);
    let row = |figure: &str, value: fn(&Held) -> f64, bound| {
        Row::plain("connects", figure, Some(value(&floor)), value(&relay), bound)
    };
    Ok(vec![
        row("slowest of 10,000, ms", |held| held.connect_us.max as f64 / 1e3, Bound::AtMost(900.0)),
        row("SYNs sent again", |held| held.syns_resent as f64, Bound::AtMost(0.0)),
        row("s until all hear each other", |held| held.joined_s, Bound::None),
    ])
}

/// How many notices each hears when everybody comes back to one room.
pub(crate) fn come_back(_: &Options) -> Outcome<Vec<Row>> {
    let plan = Plan { joins: Joins::All, connect_rate_per_s: Some(RETURN_PER_S), ..silent_plan(MANY) };
    let held = held(Ground::relay, &plan)?;
    let server = held.server.ok_or("no process")?;
    Ok(vec![
        Row::plain(
            "return",
            "most notices that one of 10,000 heard",
            None,
            f64::from(held.heard_max),
            Bound::AtMost(1000.0),
        ),
        Row::plain("return", "server's CPU, ms", None, server.joining_cpu_ns as f64 / 1e6, Bound::None),
    ])
}

/// What the relay does while nobody says anything.
pub(crate) fn idle(_: &Options) -> Outcome<Vec<Row>> {
    let held = held(Ground::relay, &Plan { joins: Joins::All, ..plan(IDLE_CLIENTS, 1) })?;
    let server = held.server.ok_or("no process")?;
    let row = |figure: &str, value: u64| Row::plain("idle", figure, None, value as f64, Bound::AtMost(0.0));
    Ok(vec![row("wake-ups in 5 s with 1,000 clients", server.wakeups), row("ns of CPU", server.cpu_ns)])
}
