//! Clients that log in, at a real relay with accounts.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::traced::build_relay;

const PROGRAM: &str = env!("CARGO_BIN_EXE_tertulia-loadtest");
const CLIENTS: usize = 3;
const PASSWORD: &str = "dos palabras";

/// A relay that lets in nobody without an account; it ends, and its folder goes, with this value.
struct Relay {
    child: Child,
    address: String,
    folder: PathBuf,
}

impl Relay {
    fn start(test: &str) -> Self {
        build_relay();
        let folder = std::env::temp_dir().join(format!("tertulia-login-{}-{test}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let history = folder.join("history.db");
        let relay = Path::new(PROGRAM).with_file_name("tertulia-relay");
        for number in 0..CLIENTS {
            let name = format!("abc{number:04x}");
            let add = ["account", "add", &name, "--history"];
            let mut child = Command::new(&relay)
                .args(add)
                .arg(&history)
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            child.stdin.take().unwrap().write_all(format!("{PASSWORD}\n").as_bytes()).unwrap();
            assert!(child.wait().unwrap().success());
        }
        let flags = ["--listen", "127.0.0.1:0", "--flood", "0", "--access", "registered", "--history"];
        let mut child =
            Command::new(&relay).args(flags).arg(&history).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let address = said.find_map(|line| line.strip_prefix("listening on ").map(str::to_owned)).unwrap();
        std::thread::spawn(move || said.for_each(drop));
        Self { child, address, folder }
    }

    /// The code, the report, and what was said.
    fn run(&self, flags: &[&str], password: &str) -> (Option<i32>, serde_json::Value, String) {
        let work = ["--senders", "2", "--window", "1", "--duration", "300ms", "--warmup", "100ms"];
        let output = Command::new(PROGRAM)
            .args(["run", "--target", &self.address, "--json", "-", "--login", "abc"])
            .args(work)
            .args(flags)
            .env("TERTULIA_PASSWORD", password)
            .output()
            .unwrap();
        let report = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code(), report, String::from_utf8(output.stderr).unwrap())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn clients_log_in_before_they_are_measured_and_how_long_it_took_is_told() {
    let relay = Relay::start("good");
    for protocol in ["plain", "extended"] {
        let (_, report, words) = relay.run(&["--clients", "3", "--protocol", protocol], PASSWORD);
        assert_eq!(report["login_us"]["count"], CLIENTS, "{protocol}: {words}");
        assert!(report["login_us"]["p50"].as_u64().is_some_and(|p50| p50 > 100), "{report:#}");
        assert!(report["accepted"].as_u64().unwrap() > 0 && report["lost"] == 0, "{protocol}: {report:#}");
        assert!(!words.contains("palabras") && !report.to_string().contains("palabras"));
    }
}

#[test]
fn who_is_not_let_in_is_told_with_what_is_needed() {
    let relay = Relay::start("bad");
    let (code, _, words) = relay.run(&["--clients", "3"], "no es esta");
    assert_eq!(code, Some(1));
    assert!(words.contains("of 3 clients have logged in") && words.contains("FAIL LOGIN REFUSED"), "{words}");
    assert!(words.contains("the accounts abc0000 to abc0002"), "{words}");
    let (code, _, words) = relay.run(&["--clients", "3", "--password-file", "/nowhere/password"], PASSWORD);
    assert!(code == Some(1) && words.contains("--password-file /nowhere/password: "), "{words}");
    let (code, _, words) = relay.run(&["--clients", "3"], "corta");
    assert!(code == Some(1) && words.contains("a password has 8 to 256 bytes"), "{words}");
}

#[test]
fn a_password_goes_to_no_other_machine_unencrypted() {
    let refused = |flags: &[&str]| {
        let output = Command::new(PROGRAM)
            .args(["run", "--target", "192.0.2.1:9"])
            .args(flags)
            .env("TERTULIA_PASSWORD", PASSWORD)
            .output()
            .unwrap();
        assert!(output.status.code().is_some_and(|code| code != 0));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused(&["--login", "abc"]).contains("192.0.2.1:9 is another machine"));
    assert!(refused(&["--login", "abcd"]).contains("expected 3 letters or digits"));
    assert!(refused(&["--login", "abc", "--protocol", "irc"]).contains("--protocol irc knows no accounts"));
}
