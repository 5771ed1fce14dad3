//! Starts servers to load: the relay that lies beside this program, and the reference server.

use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use crate::trust::Fingerprint;

/// A server of our own; ends with this value.
#[derive(Debug)]
pub struct Started {
    child: Child,
    address: SocketAddr,
    name: String,
}

/// A server has said where it listens within so many lines.
const LINES_TO_ADDRESS_MAX: usize = 6;

impl Started {
    /// The relay, on a free port of loopback, with flood control off, and with these flags.
    pub fn relay(flags: &[&str]) -> Result<Self, String> {
        let path = relay_path()?;
        let name = version(&path);
        let arguments = ["--listen", "127.0.0.1:0", "--flood", "0", "--lang", "en"];
        let start = Self::start(Command::new(&path).args(arguments).args(flags), name, "listening on");
        start.map_err(|error| not_started(&path, &error))
    }

    /// The same through TLS, with this certificate and its key; the history is left out.
    pub fn relay_tls(certificate: &Path, key: &Path) -> Result<Self, String> {
        let path = relay_path()?;
        let name = version(&path);
        let mut command = Command::new(&path);
        command.args(["--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0", "--flood", "0"]);
        command.args(["--lang", "en", "--history", "none", "--tls-cert"]).arg(certificate);
        Self::start(command.arg("--tls-key").arg(key), name, "tls on")
            .map_err(|error| not_started(&path, &error))
    }

    /// The reference server, on a free port of loopback.
    pub fn floor() -> Result<Self, String> {
        let own = env::current_exe().map_err(|error| format!("where this program is: {error}"))?;
        let mut command = match env::var_os(FLOOR_VARIABLE) {
            Some(other) => Command::new(other),
            None => Command::new(own),
        };
        Self::start(command.args(["floor", "--listen", "127.0.0.1:0"]), "floor".into(), "")
            .map_err(|error| format!("the floor: {error}"))
    }

    /// Both tell their address as the last word of one of their first lines, which begins so.
    fn start(command: &mut Command, name: String, announcement: &str) -> Result<Self, String> {
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        // In a group of its own: Ctrl-C in a terminal is for this program, which still hears out what was sent.
        let mut child = command.process_group(0).spawn().map_err(|error| error.to_string())?;
        with_started(|started| started.push(child.id()));
        let Some(stderr) = child.stderr.take() else { return Err("it has no standard error".into()) };
        let mut lines = BufReader::new(stderr);
        let mut said = String::new();
        let mut address = None;
        while address.is_none() && said.lines().count() < LINES_TO_ADDRESS_MAX {
            let begin = said.len();
            if !matches!(lines.read_line(&mut said), Ok(1..)) {
                break;
            }
            let line = said.get(begin..).unwrap_or_default();
            let line = Some(line).filter(|line| line.starts_with(announcement));
            address = line.and_then(|line| line.split_whitespace().next_back()?.parse().ok());
        }
        // What follows must not fill a pipe.
        thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        match address {
            Some(address) => Ok(Self { child, address, name }),
            None => {
                end(&mut child);
                Err(format!("it did not start: {}", said.trim()))
            }
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Program and version.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Processes that were started and have not been ended.
static STARTED: Mutex<Vec<u32>> = Mutex::new(Vec::new());

fn with_started(change: impl FnOnce(&mut Vec<u32>)) {
    change(&mut STARTED.lock().unwrap_or_else(PoisonError::into_inner));
}

fn end(child: &mut Child) {
    let _ = child.kill();
    // Before the number can be another process's.
    with_started(|started| started.retain(|pid| *pid != child.id()));
    let _ = child.wait();
}

/// Ends all servers that were started, for a program that is about to end without more ado.
pub fn end_all() {
    with_started(|started| {
        for pid in started.drain(..).filter_map(|pid| Pid::from_raw(i32::try_from(pid).ok()?)) {
            let _ = kill_process(pid, Signal::KILL);
        }
    });
}

/// For a program that is not `tertulia-loadtest` itself: where that is.
const FLOOR_VARIABLE: &str = "TERTULIA_LOADTEST";
/// Where the relay is, if not beside this program.
const RELAY_VARIABLE: &str = "TERTULIA_RELAY";

fn not_started(path: &Path, error: &str) -> String {
    format!("{}: {error}; build it (cargo build --release), or name a relay: --target", path.display())
}

/// Has the relay make a certificate in this folder. Gives its file, that of its key, and its fingerprint.
pub fn make_certificate(folder: &Path) -> Result<(PathBuf, PathBuf, Fingerprint), String> {
    let path = relay_path()?;
    let output = Command::new(&path).args(["cert", "self-signed", "--out"]).arg(folder).output();
    let output = output.map_err(|error| not_started(&path, &error.to_string()))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let fingerprint = said.lines().find_map(|line| line.strip_prefix("sha256 "));
    let Some(fingerprint) = fingerprint else {
        return Err(format!("no certificate: {}", String::from_utf8_lossy(&output.stderr).trim()));
    };
    let fingerprint = fingerprint.parse().map_err(|error| format!("{}: {error}", path.display()))?;
    Ok((folder.join("certificate.pem"), folder.join("key.pem"), fingerprint))
}

fn relay_path() -> Result<PathBuf, String> {
    let own = env::current_exe().map_err(|error| format!("where this program is: {error}"))?;
    let path: Option<OsString> = env::var_os(RELAY_VARIABLE);
    Ok(path.map_or_else(|| own.with_file_name("tertulia-relay"), PathBuf::from))
}

/// What a program says of itself.
fn version(path: &PathBuf) -> String {
    let output = Command::new(path).arg("--version").stdin(Stdio::null()).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_else(|_| "tertulia-relay".into())
}
