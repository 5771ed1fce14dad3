//! A server under test: a child process which is killed when its handle goes.

use std::env;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::options::Options;
use crate::{Outcome, probes};

const START_MAX: Duration = Duration::from_secs(10);
const ACCEPT_MAX: Duration = Duration::from_secs(30);
/// Descriptors which did not change for this long are taken as settled.
const SETTLE: Duration = Duration::from_millis(100);
/// Room for connections beyond those a work opens.
const SPARE_CLIENTS: usize = 64;

/// Which program to start.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// The reference.
    Floor,
    /// The relay.
    Relay,
    /// The small build of the relay.
    Small,
}

/// A running server.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    log_path: PathBuf,
    begin: Instant,
    idle_files: u64,
}

impl Server {
    /// Starts a server and waits until it answers and has come to rest.
    pub(crate) fn start(options: &Options, program: Program, clients: usize) -> Outcome<Self> {
        let mut server = Self::spawn(options, program, clients)?;
        server.await_answer()?;
        server.idle_files = server.settled_files()?;
        Ok(server)
    }

    /// Starts a server and does not wait for it.
    pub(crate) fn spawn(options: &Options, program: Program, clients: usize) -> Outcome<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = command(options, program, address, clients)?;
        let log_path = env::temp_dir().join(format!("fanout-{}.log", address.port()));
        let log = File::create(&log_path)?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::from(log));
        let begin = Instant::now();
        let child = command.spawn().map_err(|error| {
            // There is no guard yet which would remove it.
            let _ = fs::remove_file(&log_path);
            format!("cannot start {:?}: {error}", command.get_program())
        })?;
        Ok(Self { child, address, log_path, begin, idle_files: 0 })
    }

    /// Connects again and again until the server takes it.
    pub(crate) fn await_answer(&mut self) -> Outcome<()> {
        let begin = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("the server ended ({status}): {}", self.last_words()).into());
            }
            if begin.elapsed() > START_MAX {
                return Err(format!("the server does not listen: {}", self.last_words()).into());
            }
        }
        Ok(())
    }

    fn settled_files(&self) -> Outcome<u64> {
        let begin = Instant::now();
        let mut files = probes::open_files(self.pid())?;
        let mut since = Instant::now();
        while since.elapsed() < SETTLE {
            thread::sleep(Duration::from_millis(5));
            let now = probes::open_files(self.pid())?;
            if now != files {
                (files, since) = (now, Instant::now());
            }
            if begin.elapsed() > START_MAX {
                return Err("the server's descriptors do not settle".into());
            }
        }
        Ok(files)
    }

    /// Waits until the server holds `clients` connections.
    pub(crate) fn await_clients(&self, clients: usize) -> Outcome<()> {
        let begin = Instant::now();
        loop {
            let held = probes::open_files(self.pid())?.saturating_sub(self.idle_files);
            if held >= clients as u64 {
                return Ok(());
            }
            if begin.elapsed() > ACCEPT_MAX {
                let words = self.last_words();
                return Err(format!("the server holds {held} of {clients} connections: {words}").into());
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How long ago it was started.
    pub(crate) fn age(&self) -> Duration {
        self.begin.elapsed()
    }

    /// The last line it wrote to its standard error.
    fn last_words(&self) -> String {
        let log = fs::read(&self.log_path).unwrap_or_default();
        String::from_utf8_lossy(&log).lines().last().unwrap_or("(no word)").to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Neither can be mended here: it has ended already, or the system refuses.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.log_path);
    }
}

fn command(options: &Options, program: Program, address: SocketAddr, clients: usize) -> Outcome<Command> {
    if program == Program::Floor || (options.floor_both && program == Program::Relay) {
        let mut command = Command::new(env::current_exe()?);
        command.arg("--floor").arg(address.to_string());
        return Ok(command);
    }
    let mut command = Command::new(relay_path(program)?);
    command.arg("--listen").arg(address.to_string());
    command.args(["--flood", "0", "--max-clients"]).arg((clients + SPARE_CLIENTS).to_string());
    command.args(&options.relay_args);
    Ok(command)
}

/// The program to run: what the environment names, else the relay cargo built with this bench.
fn relay_path(program: Program) -> Outcome<PathBuf> {
    let variable = if program == Program::Small { "TERTULIA_SMALL" } else { "TERTULIA_RELAY" };
    env::var_os(variable)
        .map(PathBuf::from)
        .or_else(|| option_env!("CARGO_BIN_EXE_tertulia-relay").map(PathBuf::from))
        .ok_or_else(|| format!("no program to measure: set {variable}").into())
}
