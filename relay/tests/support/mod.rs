//! What the black-box tests share: a relay as a process of its own, and raw clients that see only bytes.
//!
//! Nothing here sleeps. What must come is awaited up to [`DEADLINE`]; that nothing more came is known from the
//! answer to a later `/ping` ([`Client::hears`]), or, where no ping can be sent, from [`Client::expect_silence`].

#![allow(dead_code, unused_imports, reason = "every test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod client;
pub(crate) mod core;
mod folder;

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

pub(crate) use client::{Client, Heard, matches};
pub(crate) use folder::{CHEAP, Folder};

/// An address of this machine that is no loopback one, and from which its own ports are reached without any network. None:
/// it has none. Nothing is sent to find out.
pub(crate) fn outer_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.254:9").ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|address| !address.is_loopback())
}

/// Longest wait for anything that must come: far above what a loaded machine needs, so that only a wrong relay
/// meets it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// How a relay that did not start ended, and what it said.
pub(crate) type Refusal = (ExitStatus, Vec<String>);

/// A relay, killed when the value goes.
pub(crate) struct Relay {
    child: Child,
    /// One for each listener, in the order of the flags.
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) metrics: Option<SocketAddr>,
    /// Where it speaks TLS.
    pub(crate) tls: Option<SocketAddr>,
    /// Where proxies bring clients.
    pub(crate) proxy: Option<SocketAddr>,
    stderr: Receiver<String>,
    said: Vec<String>,
}

impl Relay {
    /// Starts it with these flags, from an empty environment, on a free port unless they say where to listen.
    pub(crate) fn start(flags: &[&str]) -> Self {
        let mut command = Self::command();
        if !flags.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        command.args(flags);
        Self::from_command(command)
    }

    /// Starts it without flood control, which would only slow down a test of something else.
    pub(crate) fn calm() -> Self {
        Self::start(&["--flood", "0"])
    }

    /// The relay's program, to be run from an empty environment.
    pub(crate) fn command() -> Command {
        let mut command = Self::program();
        // A later flag counts.
        command.args(["--history", "none"]);
        command
    }

    /// The program without any flags, to be run from an empty environment.
    pub(crate) fn program() -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tertulia-relay"));
        command.env_clear();
        command
    }

    /// Runs `command`, which is or becomes a relay, until it has said where it listens.
    pub(crate) fn from_command(command: Command) -> Self {
        let refused =
            |(status, said)| panic!("the relay never said where it listens: {status}; it said {said:?}");
        Self::try_from_command(command).unwrap_or_else(refused)
    }

    /// The same of one that may refuse to start.
    pub(crate) fn try_from_command(mut command: Command) -> Result<Self, Refusal> {
        let args: Vec<String> = command.get_args().map(|arg| arg.to_string_lossy().into_owned()).collect();
        let count = |flag: &str| args.iter().map(|arg| arg.matches(flag).count()).sum::<usize>();
        let (listeners, metrics) = (count("--listen").max(1), count("--metrics"));
        let (tls, proxy) = (count("--tls-listen"), count("--proxy-listen"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the relay starts");
        let stderr = lines_of(child.stderr.take().unwrap());
        let mut relay = Self {
            child,
            addresses: Vec::new(),
            metrics: None,
            tls: None,
            proxy: None,
            stderr,
            said: Vec::new(),
        };
        let has_said_all = |relay: &Self| {
            let is_said = |address: Option<SocketAddr>, flags: usize| flags == 0 || address.is_some();
            relay.addresses.len() >= listeners
                && is_said(relay.metrics, metrics)
                && is_said(relay.tls, tls)
                && is_said(relay.proxy, proxy)
        };
        while !has_said_all(&relay) {
            match relay.stderr.recv_timeout(DEADLINE) {
                Ok(line) => relay.note_announcement(line),
                Err(RecvTimeoutError::Disconnected) => return Err(relay.await_end()),
                Err(RecvTimeoutError::Timeout) => {
                    panic!("the relay never said where it listens; it said {:?}", relay.said)
                }
            }
        }
        Ok(relay)
    }

    fn note_announcement(&mut self, line: String) {
        if let Some(address) = line.strip_prefix("listening on ") {
            self.addresses.push(address.parse().expect("an address"));
        } else if let Some(address) = line.strip_prefix("tls on ") {
            self.tls = Some(address.parse().expect("an address"));
        } else if let Some(address) = line.strip_prefix("proxy on ") {
            self.proxy = Some(address.parse().expect("an address"));
        } else if let Some(address) = line.strip_prefix("metrics on ") {
            self.metrics = Some(address.parse().expect("an address"));
        }
        self.said.push(line);
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A new connection, which has said nothing yet.
    pub(crate) fn client(&self) -> Client {
        Client::connect(self.address())
    }

    /// A connection that has joined as `name` and heard all that was said before.
    pub(crate) fn named(&self, name: &str) -> Client {
        let mut client = self.client();
        client.tell(&format!("{name} se ha unido al chat."));
        client
    }

    /// Connections that have joined under these names, in this order; their notices are already heard.
    pub(crate) fn people<const N: usize>(&self, names: [&str; N]) -> [Client; N] {
        let mut people = names.map(|name| self.named(name));
        people.iter_mut().for_each(Client::forget);
        people
    }

    /// Sends a signal by its name: `TERM`, `STOP`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.pid().to_string()]).status();
        assert!(sent.expect("the program `kill` is there").success());
    }

    /// Runs `during` while the relay stands still, so that it afterwards sees all of it as one batch of events.
    pub(crate) fn in_one_batch<T>(&self, during: impl FnOnce() -> T) -> T {
        self.signal("STOP");
        let until = Instant::now() + DEADLINE;
        while !self.status().lines().any(|line| line.starts_with("State:\tT")) {
            assert!(Instant::now() < until, "the relay does not stop for SIGSTOP");
        }
        let result = during();
        self.signal("CONT");
        result
    }

    /// The next line on stderr that holds this, from now on.
    #[track_caller]
    pub(crate) fn await_said(&mut self, part: &str) -> String {
        let until = Instant::now() + DEADLINE;
        loop {
            match self.stderr.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.said.push(line.clone());
                    if line.contains(part) {
                        return line;
                    }
                }
                Err(_) => panic!("the relay never said {part:?}; it said {:?}", self.said),
            }
        }
    }

    /// What it has said so far, as far as it was waited for.
    pub(crate) fn said(&self) -> &[String] {
        &self.said
    }

    /// Waits for the end of the relay and returns how it ended and all that it wrote to stderr.
    pub(crate) fn await_end(mut self) -> (ExitStatus, Vec<String>) {
        let until = Instant::now() + DEADLINE;
        loop {
            match self.stderr.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => self.said.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("the relay does not end; it said {:?}", self.said),
            }
        }
        (self.child.wait().expect("an exit status"), std::mem::take(&mut self.said))
    }

    /// Stops it with SIGTERM and returns all that it ever wrote to stderr.
    pub(crate) fn stop(self) -> Vec<String> {
        self.signal("TERM");
        let (status, said) = self.await_end();
        assert_eq!(status.code(), Some(0), "{said:?}");
        said
    }

    /// What stands behind this name and its labels in the metrics.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let mut stream = TcpStream::connect(self.metrics.expect("--metrics")).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer and the end");
        let value = answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("{name} is missing in {answer}")).parse().unwrap()
    }

    /// Memory that the relay has in use.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = self.status();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).expect("VmRSS in /proc")
    }

    fn status(&self) -> String {
        std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("the relay is alive")
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // Fails when it has ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of a pipe, read by a thread that ends with the pipe.
fn lines_of(pipe: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let lines = std::io::BufRead::lines(std::io::BufReader::new(pipe));
        for line in lines.map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
