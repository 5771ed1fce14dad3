//! What the end-to-end tests share: a relay and a bridge as processes of their own, killed when their values go, and a
//! client of the relay. Nothing here sleeps for a fixed time: what must come is awaited up to [`DEADLINE`].

#![allow(dead_code, reason = "every test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use crate::fake::{BOT_ID, Fake, SECRET};

/// Longest wait for anything that must come.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);

/// A folder that goes with the value.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tertulia-bridge-test-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A process whose standard error is kept, line by line. Whoever looks at it, and the end of the value, fails the test where the
/// token is in it.
pub(crate) struct Process {
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let said = Arc::new(Mutex::new(Vec::new()));
        let (pipe, lines) = (child.stderr.take().unwrap(), said.clone());
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                lines.lock().unwrap().push(String::from_utf8_lossy(&line).into_owned());
            }
        });
        Self { child, said, reader: Some(reader) }
    }

    pub(crate) fn said(&self) -> Vec<String> {
        let said = self.said.lock().unwrap().clone();
        said.iter().for_each(|line| assert_hides_token(line));
        said
    }

    pub(crate) fn await_said(&self, words: &str) -> String {
        until(
            || self.said().into_iter().find(|line| line.contains(words)),
            || format!("{words:?} in {:?}", self.said()),
        )
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// As `kill -9` does.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// As a service manager does; the exit code.
    pub(crate) fn terminate(&mut self) -> Option<i32> {
        Command::new("kill").args(["-TERM", &self.pid().to_string()]).status().unwrap();
        self.child.wait().unwrap().code()
    }

    pub(crate) fn await_exit(&mut self) -> Option<i32> {
        let child = &mut self.child;
        until(|| child.try_wait().unwrap(), || "its end".to_owned()).code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        let is_read = self.reader.take().is_none_or(|reader| reader.join().is_ok());
        if !std::thread::panicking() {
            assert!(is_read, "all that it said was read");
            self.said();
        }
    }
}

/// The password of the bridge's account, which nothing may ever show either.
pub(crate) const PASSWORD: &str = "caballo correcto-42";

/// Neither the token nor its secret half, nor the password.
pub(crate) fn assert_hides_token(text: &str) {
    assert!(!text.contains(PASSWORD), "the password is in: {}", text.replace(PASSWORD, "<here>"));
    assert!(!text.contains(SECRET), "the token is in: {}", text.replace(SECRET, "<here>"));
}

/// Waits until there is something.
pub(crate) fn until<T>(mut look: impl FnMut() -> Option<T>, what: impl Fn() -> String) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "never came: {}", what());
        std::thread::sleep(Duration::from_millis(3));
    }
}

/// The relay's program, built where this test's own program is.
fn relay_program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        if let Some(program) = std::env::var_os("TERTULIA_RELAY") {
            return program.into();
        }
        let program = Path::new(env!("CARGO_BIN_EXE_tertulia-tgbridge")).with_file_name("tertulia-relay");
        let folder = program.parent().and_then(Path::parent).unwrap();
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../relay/Cargo.toml");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--bin", "tertulia-relay", "--manifest-path"]).arg(manifest);
        cargo.arg("--target-dir").arg(folder);
        if program.parent().is_some_and(|profile| profile.ends_with("release")) {
            cargo.arg("--release");
        }
        assert!(cargo.status().unwrap().success(), "the relay is built");
        program
    })
}

/// A relay that keeps its history in a folder, and its port over a restart.
pub(crate) struct Relay {
    process: Process,
    pub(crate) address: SocketAddr,
    history: String,
    flags: &'static [&'static str],
}

impl Relay {
    pub(crate) fn start(folder: &Folder) -> Self {
        Self::with(folder, &["--flood", "0"])
    }

    pub(crate) fn with(folder: &Folder, flags: &'static [&'static str]) -> Self {
        let history = folder.path("history.db");
        let (process, address) = Self::process("127.0.0.1:0", &history, flags);
        Self { process, address, history, flags }
    }

    /// Runs one of the relay's subcommands about its history, with a line for its standard input; whether it went well.
    pub(crate) fn administer(folder: &Folder, arguments: &[&str], input: &str) -> bool {
        let mut command = Command::new(relay_program());
        command.env_clear().args(arguments).args(["--history", &folder.path("history.db")]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(format!("{input}\n").as_bytes()).unwrap();
        child.wait().unwrap().success()
    }

    /// A certificate and its key in the folder, `certificate.pem` and `key.pem`; the fingerprint.
    pub(crate) fn certificate(folder: &Folder, flags: &[&str]) -> String {
        let mut command = Command::new(relay_program());
        let path = folder.0.to_str().unwrap();
        let output =
            command.env_clear().args(["cert", "self-signed", "--out", path]).args(flags).output().unwrap();
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8(told).unwrap();
        let line = told.lines().find_map(|line| line.strip_prefix("sha256 ")).unwrap();
        line.trim().to_owned()
    }

    /// Where it listens for something else than plain connections: `tls`, `proxy`.
    pub(crate) fn address_of(&self, what: &str) -> SocketAddr {
        let start = format!("{what} on ");
        self.process.await_said(&start).strip_prefix(&start).unwrap().parse().unwrap()
    }

    fn process(listen: &str, history: &str, flags: &[&str]) -> (Process, SocketAddr) {
        let mut command = Command::new(relay_program());
        let folder = Path::new(history).parent().unwrap();
        command.env_clear().current_dir(folder).args(["--listen", listen]).args(flags);
        if !flags.contains(&"none") {
            command.args(["--history", history]);
        }
        let process = Process::start(&mut command);
        let line = process.await_said("listening on ");
        let address = line.strip_prefix("listening on ").unwrap().parse().unwrap();
        (process, address)
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    pub(crate) fn restart(&mut self) {
        self.process.kill();
        self.process = Self::process(&self.address.to_string(), &self.history, self.flags).0;
    }

    /// Somebody who has said nothing yet.
    pub(crate) fn caller(&self) -> Client {
        let client = Client { stream: TcpStream::connect(self.address).unwrap(), heard: Arc::default() };
        let (reader, heard) = (BufReader::new(client.stream.try_clone().unwrap()), client.heard.clone());
        std::thread::spawn(move || {
            for line in reader.lines().map_while(Result::ok) {
                heard.lock().unwrap().push(line);
            }
        });
        client
    }

    pub(crate) fn client(&self, name: &str) -> Client {
        let mut client = self.caller();
        client.tell(&format!("{name} se ha unido al chat."));
        client.tell("/ping ya");
        client.await_heard("* PONG ya");
        client
    }
}

/// A plain client.
pub(crate) struct Client {
    stream: TcpStream,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Client {
    pub(crate) fn tell(&mut self, line: &str) {
        self.stream.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.heard.lock().unwrap().len()
    }

    pub(crate) fn last(&self) -> Option<String> {
        self.heard.lock().unwrap().last().cloned()
    }

    pub(crate) fn await_heard(&self, words: &str) -> String {
        until(
            || self.heard().into_iter().find(|line| line.contains(words)),
            || format!("{words:?} in {:?}", self.heard()),
        )
    }
}

/// A bridge between the fake's group and `general`, with no pace but what a test gives.
pub(crate) struct Bridge {
    pub(crate) process: Process,
    flags: Vec<String>,
}

impl Bridge {
    pub(crate) fn start(fake: &Fake, relay: &Relay, folder: &Folder, flags: &[&str]) -> Self {
        let api = format!("http://{}", fake.address);
        let (state, status) = (folder.path("bridge.json"), folder.path("status.json"));
        let relay = relay.address.to_string();
        let mut all: Vec<String> = Vec::new();
        let group = crate::fake::GROUP.to_string();
        let usual = [
            "--api-url",
            &api,
            "--relay",
            &relay,
            "--state",
            &state,
            "--status",
            &status,
            "--poll-timeout",
            "1",
        ];
        all.extend(usual.map(str::to_owned));
        if !flags.contains(&"--pace") {
            all.extend(["--pace", "0,0"].map(str::to_owned));
        }
        if !flags.contains(&"--chat") && !flags.contains(&"--config") {
            all.extend(["--chat", &group].map(str::to_owned));
        }
        all.extend(flags.iter().map(|flag| (*flag).to_owned()));
        let process = Self::process(&all);
        Self { process, flags: all }
    }

    fn process(flags: &[String]) -> Process {
        Process::start(Self::command().args(flags))
    }

    pub(crate) fn command() -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tertulia-tgbridge"));
        command.env_clear().env("TERTULIA_TELEGRAM_TOKEN", format!("{BOT_ID}:{SECRET}"));
        command.env("TERTULIA_RELAY_PASSWORD", PASSWORD);
        command
    }

    /// What it says on both outputs until it ends, and its exit code.
    pub(crate) fn output(flags: &[&str]) -> (String, Option<i32>) {
        let output = Self::command().args(flags).output().unwrap();
        let text =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        assert_hides_token(&text);
        (text, output.status.code())
    }

    /// It has said that the relay greeted it.
    pub(crate) fn await_ready(&self) {
        self.process.await_said("durability");
    }

    pub(crate) fn restart(&mut self) {
        self.process.kill();
        self.process = Self::process(&self.flags);
    }
}
