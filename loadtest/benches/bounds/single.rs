//! The works that look at the program alone: how soon it answers, and how small it can be.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use tertulia_loadtest::process;
use tertulia_loadtest::report::median;

use crate::table::{Bound, Row};
use crate::{Options, Outcome};

const STARTS: usize = 10;
const IDLE_STARTS: usize = 100;
const IDLE_BEFORE_LOOK: Duration = Duration::from_millis(100);
const START_MAX: Duration = Duration::from_secs(10);
const SMALL_FILE_MAX_KIB: f64 = 550.0;
const SMALL_RESIDENT_MAX_KIB: f64 = 2.0 * 1024.0;

/// A program which is killed when its handle goes.
struct Program(Child);

impl Program {
    /// Starts it; gives it and how long it took until it took a connection.
    fn start(path: &Path, before: &[&str]) -> Outcome<(Self, Duration)> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = Command::new(path);
        command.args(before).args(["--listen", &address.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let begin = Instant::now();
        let program = Self(command.spawn().map_err(|error| format!("{}: {error}", path.display()))?);
        while TcpStream::connect(address).is_err() {
            if begin.elapsed() > START_MAX {
                return Err(format!("{} does not listen", path.display()).into());
            }
        }
        Ok((program, begin.elapsed()))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program(variable: &str) -> Outcome<std::path::PathBuf> {
    Ok(env::var_os(variable).ok_or_else(|| format!("{variable} is not set: run this by make bench"))?.into())
}

/// From before the program is started until a connection to it is taken.
pub(crate) fn start(_: &Options) -> Outcome<Vec<Row>> {
    let (relay, floor) = (program("TERTULIA_RELAY")?, program("TERTULIA_LOADTEST")?);
    let (mut relay_ms, mut floor_ms) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        floor_ms.push(Program::start(&floor, &["floor"])?.1.as_secs_f64() * 1e3);
        relay_ms.push(Program::start(&relay, &[])?.1.as_secs_f64() * 1e3);
    }
    let value = median(&relay_ms).ok_or("no start")?;
    Ok(vec![Row::plain(
        "start",
        "ms until it answers, median of 10",
        median(&floor_ms),
        value,
        Bound::AtMost(10.0),
    )])
}

/// The small build's file, and what it holds while idle.
pub(crate) fn small(_: &Options) -> Outcome<Vec<Row>> {
    let path = program("TERTULIA_SMALL")?;
    let file_kib = fs::metadata(&path)?.len() as f64 / 1024.0;
    // Each start lies elsewhere in memory, so that other pages of the libraries come along.
    let (mut resident_kib, mut anonymous_kib) = (Vec::new(), Vec::new());
    for _ in 0..IDLE_STARTS {
        let (program, _) = Program::start(&path, &[])?;
        thread::sleep(IDLE_BEFORE_LOOK);
        let usage = process::usage(program.0.id())?;
        resident_kib.push(usage.resident_kib as f64);
        anonymous_kib.push(usage.anonymous_kib as f64);
    }
    let resident = median(&resident_kib).ok_or("no start")?;
    let anonymous = median(&anonymous_kib).ok_or("no start")?;
    let row = |figure: &str, value, bound| Row::plain("small", figure, None, value, bound);
    Ok(vec![
        row("KiB of the file", file_kib, Bound::AtMost(SMALL_FILE_MAX_KIB)),
        row("KiB resident, idle, median of 100 starts", resident, Bound::AtMost(SMALL_RESIDENT_MAX_KIB)),
        row("KiB of its own, idle", anonymous, Bound::None),
    ])
}
