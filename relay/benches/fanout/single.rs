//! The works that look at the program alone: how soon it answers, and how small it can be.

use std::time::Duration;
use std::{env, fs, thread};

use crate::options::Options;
use crate::report::{Bound, Row, median};
use crate::server::{Program, Server};
use crate::{Outcome, probes};

const STARTS: usize = 10;
const IDLE_STARTS: usize = 100;
const IDLE_BEFORE_LOOK: Duration = Duration::from_millis(100);
const SMALL_FILE_MAX_KIB: f64 = 550.0;
const SMALL_RESIDENT_MAX_KIB: f64 = 2.0 * 1024.0;

/// From before the program is started until a connection to it is taken.
pub(crate) fn start(options: &Options) -> Outcome<Vec<Row>> {
    let once = |program| -> Outcome<f64> {
        let mut server = Server::spawn(options, program, 1)?;
        server.await_answer()?;
        Ok(server.age().as_secs_f64() * 1e3)
    };
    let mut floor_ms = Vec::new();
    let mut relay_ms = Vec::new();
    for _ in 0..STARTS {
        floor_ms.push(once(Program::Floor)?);
        relay_ms.push(once(Program::Relay)?);
    }
    let figure = format!("ms until it answers, median of {STARTS}");
    let floor = Some(median(floor_ms));
    Ok(vec![Row::beside("start", &figure, floor, median(relay_ms), Bound::AtMost(10.0))])
}

/// The small build's file, and what it holds while idle.
pub(crate) fn small(options: &Options) -> Outcome<Vec<Row>> {
    let Some(path) = env::var_os("TERTULIA_SMALL") else {
        return Ok(vec![Row::skipped("small", "TERTULIA_SMALL is not set")]);
    };
    let file_kib = fs::metadata(&path)?.len() as f64 / 1024.0;
    // Each start lies elsewhere in memory, so that other pages of the libraries come along.
    let mut resident_kib = Vec::new();
    let mut anonymous_kib = Vec::new();
    for _ in 0..IDLE_STARTS {
        let server = Server::start(options, Program::Small, 1)?;
        thread::sleep(IDLE_BEFORE_LOOK);
        let memory = probes::memory(server.pid())?;
        resident_kib.push(memory.resident_kib as f64);
        anonymous_kib.push(memory.anonymous_kib as f64);
    }
    let resident = format!("idle VmRSS KiB, median of {IDLE_STARTS}");
    let anonymous = format!("idle RssAnon KiB, median of {IDLE_STARTS}");
    Ok(vec![
        Row::single("small", "file KiB", file_kib, Bound::AtMost(SMALL_FILE_MAX_KIB)),
        Row::single("small", &resident, median(resident_kib), Bound::AtMost(SMALL_RESIDENT_MAX_KIB)),
        Row::single("small", &anonymous, median(anonymous_kib), Bound::None),
    ])
}
