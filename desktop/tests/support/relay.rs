//! A relay, and a plain client of it.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::{DEADLINE, Folder, until};

/// The relay's program: the one that is named in the environment, or lies beside the window's, where it is built if it is
/// missing.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        if let Some(path) = std::env::var_os("TERTULIA_RELAY") {
            return path.into();
        }
        let path = Path::new(env!("CARGO_BIN_EXE_tertulia-desktop")).with_file_name("tertulia-relay");
        if !path.exists() {
            let build = ["build", "--locked", "-p", "tertulia-relay"];
            let status = Command::new(env!("CARGO")).args(build).status().expect("cargo");
            assert!(status.success(), "the relay cannot be built");
        }
        path
    })
}

/// The password of each account.
pub(crate) fn password_of(name: &str) -> String {
    format!("{name}-contraseña")
}

/// A relay with a history of its own, killed when the value goes.
pub(crate) struct Relay {
    folder: Folder,
    child: Option<Child>,
    address: SocketAddr,
    /// Where TLS is spoken with it.
    tls: Option<SocketAddr>,
}

impl Relay {
    pub(crate) fn start() -> Self {
        Self::start_with(false, &[])
    }

    /// With accounts, each a name and a role; its password is [`password_of`] the name. With TLS, by a certificate of its own.
    pub(crate) fn start_with(has_tls: bool, accounts: &[(&str, &str)]) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let tls = has_tls.then_some(address);
        let mut relay = Self { folder: Folder::new(), child: None, address, tls };
        if has_tls {
            relay.certify();
        }
        for (name, role) in accounts {
            let add = ["account", "add", name, "--role", role, "--history"];
            relay.run(&add, Some(&relay.history()), &format!("{}\n", password_of(name)));
        }
        relay.start_again();
        relay
    }

    /// Another certificate, for the next start. The fingerprint that the relay tells of it.
    pub(crate) fn certify(&self) -> String {
        let folder = self.folder.file("tls");
        let _ = std::fs::remove_dir_all(&folder);
        let said = self.run(&["cert", "self-signed", "--out"], Some(&folder), "");
        said.lines().find_map(|line| line.strip_prefix("sha256 ")).expect("a fingerprint").to_owned()
    }

    fn run(&self, arguments: &[&str], path: Option<&Path>, input: &str) -> String {
        let mut child = Command::new(program())
            .env_clear()
            .args(arguments)
            .args(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the relay's program");
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Where TLS is spoken.
    pub(crate) fn tls_address(&self) -> SocketAddr {
        self.tls.expect("a relay with TLS")
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it keeps what it keeps.
    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    fn history(&self) -> PathBuf {
        self.folder.file("history.db")
    }

    /// Starts it where it was, with what it knew.
    pub(crate) fn start_again(&mut self) {
        assert!(self.child.is_none(), "it runs");
        let listen = self.address.to_string();
        let tls = self.tls.map(|address| address.to_string());
        let tls = tls.as_ref().map(|tls| (tls, self.folder.file("tls")));
        let spawn = || {
            let mut child = Command::new(program())
                .env_clear()
                .args(["--flood", "0", "--listen", &listen, "--history"])
                .arg(self.history())
                .args(tls.iter().flat_map(|(listen, folder)| {
                    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
                    let flag = |name: &str| OsString::from(name);
                    [flag("--tls-listen"), OsString::from(listen), flag("--tls-cert"), certificate.into()]
                        .into_iter()
                        .chain([flag("--tls-key"), key.into()])
                }))
                .stdin(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .expect("the relay starts");
            let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
            let (mut address, mut secure) = (None, None);
            while address.is_none() || secure.is_some() != tls.is_some() {
                let Some(Ok(line)) = said.next() else {
                    child.wait().unwrap();
                    return None;
                };
                let told =
                    |what: &str| line.strip_prefix(what).map(|address| address.parse().expect("an address"));
                address = address.or(told("listening on "));
                secure = secure.or(told("tls on "));
            }
            // A pipe nobody reads would stop it one day.
            std::thread::spawn(move || said.for_each(drop));
            Some((child, address?, secure))
        };
        // The port may be held for a moment by what was killed.
        let (child, address, tls) = until("the relay", spawn);
        (self.child, self.address, self.tls) = (Some(child), address, tls);
    }

    /// What `kill -9` does.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// All that was said, as `NAME: TEXT`, from its history.
    pub(crate) fn said(&self) -> Vec<String> {
        let output = Command::new(program())
            .env_clear()
            .args(["history", "export", "--history"])
            .arg(self.history())
            .output()
            .expect("the relay's program");
        let lines = String::from_utf8(output.stdout).expect("text");
        lines.lines().filter_map(|line| line.split_once(' ')).map(|(_, said)| said.to_owned()).collect()
    }

    /// Waits until this was said, as `NAME: TEXT`.
    pub(crate) fn await_said(&self, line: &str) {
        until(line, || self.said().iter().any(|said| said == line).then_some(()));
    }

    /// A plain client, which has given its name.
    pub(crate) fn plain(&self, name: &str) -> Plain {
        let stream = TcpStream::connect(self.address).expect("a relay");
        let (sender, heard) = channel();
        let reader = BufReader::new(stream.try_clone().unwrap());
        std::thread::spawn(move || {
            for line in reader.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut plain = Plain { name: name.to_owned(), stream, heard };
        plain.send(&format!("{name} se ha unido al chat."));
        plain
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Somebody with `nc`.
pub(crate) struct Plain {
    name: String,
    stream: TcpStream,
    heard: Receiver<String>,
}

impl Plain {
    pub(crate) fn send(&mut self, line: &str) {
        self.stream.write_all(format!("{line}\n").as_bytes()).expect("the relay reads");
    }

    pub(crate) fn say(&mut self, text: &str) {
        let line = format!("{}: {text}", self.name);
        self.send(&line);
    }

    /// Waits for a line that is right, and gives it.
    pub(crate) fn await_line(&self, what: &str, is_right: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + DEADLINE;
        let mut others = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.heard.recv_timeout(left.max(Duration::from_millis(1))) {
                Ok(line) if is_right(&line) => return line,
                Ok(line) => others.push(line),
                Err(error) => panic!("{what}: {error}; heard {others:?}"),
            }
        }
    }

    pub(crate) fn await_said(&self, line: &str) {
        self.await_line(line, |heard| heard == line);
    }
}
