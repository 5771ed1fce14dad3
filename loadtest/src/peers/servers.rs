//! Other servers to compare with: where they are, how they are tuned to be at their best, how they start and end.

use std::env;
use std::fs::{self, DirBuilder, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::protocol::Protocol;

const START_MAX: Duration = Duration::from_secs(10);
/// Where Debian keeps servers, which is not in everybody's PATH.
const MORE_FOLDERS: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];
/// Of a log that explains why a server ended.
const LAST_WORDS_BYTES: usize = 400;

/// A kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// ngIRCd, IRC.
    Ngircd,
    /// Mosquitto, MQTT.
    Mosquitto,
    /// nats-server, NATS.
    Nats,
    /// Redis, its publish and subscribe.
    Redis,
    /// A threaded server like the one that Tertulia replaces.
    Threads,
}

impl Peer {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 5] = [Self::Ngircd, Self::Mosquitto, Self::Nats, Self::Redis, Self::Threads];

    /// What it is called in `--only` and in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ngircd => "ngircd",
            Self::Mosquitto => "mosquitto",
            Self::Nats => "nats",
            Self::Redis => "redis",
            Self::Threads => "threads",
        }
    }

    /// What it speaks.
    pub fn protocol(self) -> Protocol {
        match self {
            Self::Ngircd => Protocol::Irc,
            Self::Mosquitto => Protocol::Mqtt,
            Self::Nats => Protocol::Nats,
            Self::Redis => Protocol::Redis,
            Self::Threads => Protocol::Unframed,
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Ngircd => "ngircd",
            Self::Mosquitto => "mosquitto",
            Self::Nats => "nats-server",
            Self::Redis => "redis-server",
            Self::Threads => "python3",
        }
    }

    /// Where it is; none where it is not installed.
    pub fn path(self) -> Option<PathBuf> {
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = env::split_paths(&path).chain(MORE_FOLDERS.map(PathBuf::from));
        folders.map(|folder| folder.join(self.program())).find(|path| path.is_file())
    }

    /// Program and version, as it says itself.
    pub fn version(self) -> String {
        let Some(path) = self.path() else { return self.name().to_owned() };
        let flag = if self == Self::Mosquitto { "-h" } else { "--version" };
        let output = Command::new(path).arg(flag).stdin(Stdio::null()).output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        let text = text.unwrap_or_default();
        let has_digit = |word: &&str| word.contains(|c: char| c.is_ascii_digit());
        let number = text.lines().next().unwrap_or_default().split([' ', '-']).find(has_digit);
        let number = number.unwrap_or_default().trim_start_matches(['v', '=']);
        match self {
            Self::Threads => format!("threads, Python {number}"),
            _ => format!("{} {number}", self.name()),
        }
    }

    /// The command that keeps it in the foreground, with its configuration in the folder.
    fn command(self, path: &Path, folder: &Path, port: u16) -> Result<Command, String> {
        let mut command = Command::new(path);
        let file = folder.join("config");
        match self {
            Self::Ngircd => {
                write(&file, &ngircd_config(port))?;
                command.arg("-n").arg("-f").arg(&file);
            }
            Self::Mosquitto => {
                write(&file, &mosquitto_config(port))?;
                command.arg("-c").arg(&file);
            }
            Self::Nats => {
                write(&file, &nats_config(port))?;
                command.arg("-c").arg(&file);
            }
            Self::Redis => {
                write(&file, &redis_config(port, folder))?;
                command.arg(&file);
            }
            Self::Threads => {
                write(&file, include_str!("threads.py"))?;
                command.arg(&file).arg(port.to_string());
            }
        }
        Ok(command)
    }
}

/// No name looked up, nobody asked who he is, no limit, no penalty for those who say much.
fn ngircd_config(port: u16) -> String {
    format!(
        "[Global]\nName = carga.local\nInfo = carga\nAdminEMail = nobody@localhost\nListen = 127.0.0.1\n\
         Ports = {port}\nMotdFile = /dev/null\nServerUID = {0}\nServerGID = {1}\n\
         [Limits]\nMaxConnections = 0\nMaxConnectionsIP = 0\nMaxJoins = 0\nMaxPenaltyTime = 0\n\
         PingTimeout = 3600\nPongTimeout = 3600\n\
         [Options]\nDNS = no\nIdent = no\nPAM = no\nIncludeDir = /nowhere\n",
        rustix::process::getuid().as_raw(),
        rustix::process::getgid().as_raw()
    )
}

/// Nothing kept, no bound on what waits for a slow client, nothing logged but errors. The user is looked at only
/// when root starts it.
fn mosquitto_config(port: u16) -> String {
    format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n\
         max_queued_messages 0\nmax_inflight_messages 0\nlog_dest stderr\nlog_type error\nuser root\n"
    )
}

fn nats_config(port: u16) -> String {
    format!(
        "listen: 127.0.0.1:{port}\nmax_connections: 1000000\nmax_pending: 1073741824\nwrite_deadline: \"60s\"\n\
         ping_interval: \"1h\"\n"
    )
}

/// Nothing written to a disk, and no subscriber cut for being behind.
fn redis_config(port: u16, folder: &Path) -> String {
    format!(
        "bind 127.0.0.1\nport {port}\nsave \"\"\nappendonly no\ndaemonize no\ntcp-backlog 4096\nmaxclients 100000\n\
         client-output-buffer-limit pubsub 0 0 0\ndir {}\n",
        folder.display()
    )
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// A server of another kind, on a free port of loopback; it ends, and its folder goes, with this value.
#[derive(Debug)]
pub struct PeerServer {
    child: Option<Child>,
    address: SocketAddr,
    folder: PathBuf,
}

impl PeerServer {
    /// Starts it and waits until it takes a connection.
    pub fn start(peer: Peer) -> Result<Self, String> {
        let name = peer.name();
        let path = peer.path().ok_or_else(|| format!("{name}: {} is not installed", peer.program()))?;
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.map_err(|error| format!("{name}: no free port: {error}"))?;
        let mut server = Self { child: None, address, folder: private_folder()? };
        let log = server.folder.join("log");
        let file = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let also = file.try_clone().map_err(|error| format!("{}: {error}", log.display()))?;
        let mut command = peer.command(&path, &server.folder, address.port())?;
        command.stdin(Stdio::null()).stdout(Stdio::from(file)).stderr(Stdio::from(also));
        server.child = Some(command.spawn().map_err(|error| format!("{}: {error}", path.display()))?);
        server.await_answer(name)?;
        Ok(server)
    }

    fn await_answer(&mut self, name: &str) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            let answers = TcpStream::connect(self.address).is_ok();
            // Another one might listen there by now, and this one have ended for that.
            let has_ended = self.child.as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)));
            if answers && !has_ended {
                return Ok(());
            }
            if has_ended || begun.elapsed() > START_MAX {
                let log = fs::read(self.folder.join("log")).unwrap_or_default();
                let log = String::from_utf8_lossy(&log);
                let from = log.len().saturating_sub(LAST_WORDS_BYTES);
                let words = log.get(log.ceil_char_boundary(from)..).unwrap_or_default().trim();
                return Err(format!("{name} did not start: {words}"));
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }
}

impl Drop for PeerServer {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn private_folder() -> Result<PathBuf, String> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = env::temp_dir().join(format!("tertulia-peers-{}-{number}", std::process::id()));
    DirBuilder::new().mode(0o700).create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::plan::{Joins, Plan};
    use crate::schedule::Pace;
    use crate::stage::{Stage, Target};
    use crate::stats::Counts;
    use crate::swarm::Settings;

    #[test]
    fn every_server_that_is_installed_passes_every_line_on_once() {
        for peer in Peer::ALL {
            let Some(path) = peer.path() else {
                println!("{} is not installed: left out", peer.name());
                continue;
            };
            let server = PeerServer::start(peer).unwrap();
            assert!(peer.version().contains(|c: char| c.is_ascii_digit()), "{}", path.display());
            let folder = server.folder.clone();
            let target = Target {
                address: server.address(),
                pid: server.pid(),
                name: String::new(),
                is_fresh: true,
                trust: None,
                login: None,
            };
            let plan = Plan {
                clients: 6,
                senders: 2,
                pace: Pace::Rate(200.0),
                duration: Duration::from_millis(500),
                protocol: peer.protocol(),
                joins: Joins::Senders,
                ..crate::plan::example()
            };
            let stop = AtomicBool::new(false);
            let mut stage = Stage::open(&plan, &target, Settings::default(), &stop, &mut |_| ()).unwrap();
            stage.measure(plan.duration, &stop, &mut |_| ()).unwrap();
            let measured = stage.measured();
            let hearers = if peer.protocol().hears_itself() { 6 } else { 5 };
            let expected = Counts { delivered: 100 * hearers, ..Counts::default() };
            assert_eq!(measured.counts, expected, "{}: {:?}", peer.name(), measured.complaints);
            drop(server);
            assert!(!folder.exists());
        }
    }
}
