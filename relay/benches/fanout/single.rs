//! The works that look at the program alone: how soon it answers, and how small it can be.

use std::time::Duration;
use std::{env, fs, thread};

use crate::options::Options;
use crate::report::{Bound, Row, median};
use crate::server::{Program, Server};
use crate::{Outcome, probes};

const STARTS: usize = 10;
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
    let server = Server::start(options, Program::Small, 1)?;
    thread::sleep(Duration::from_secs(1));
    let memory = probes::memory(server.pid())?;
    Ok(vec![
        Row::single("small", "file KiB", file_kib, Bound::AtMost(SMALL_FILE_MAX_KIB)),
        Row::single(
            "small",
            "idle VmRSS KiB",
            memory.resident_kib as f64,
            Bound::AtMost(SMALL_RESIDENT_MAX_KIB),
        ),
        Row::single("small", "idle RssAnon KiB", memory.anonymous_kib as f64, Bound::None),
    ])
}
