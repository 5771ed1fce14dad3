//! How a relay is run: a file of settings, the environment, reloading, the watchdog, and the look beforehand.

#![cfg(feature = "config")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

use support::{Client, DEADLINE, Folder, Relay};

/// A file of settings in a folder of its own, readable by its owner alone.
fn settings(folder: &Folder, text: &str) -> PathBuf {
    let path = folder.0.join("relay.toml");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    path
}

/// Exit code, and what it said on standard output.
fn check(flags: &[&str]) -> (Option<i32>, Vec<String>) {
    let output = Relay::program().arg("check").args(flags).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), said.lines().map(str::to_owned).collect())
}

#[test]
fn a_relay_runs_as_the_file_and_the_environment_say() {
    let folder = Folder::new();
    let path =
        settings(&folder, "listen = \"127.0.0.1:0\"\nhistory = \"none\"\nlang = \"en\"\nmax-clients = 1\n");
    let mut command = Relay::program();
    command.env("TERTULIA_RELAY_CONFIG", &path).env("TERTULIA_RELAY_MAX_CLIENTS", "2");
    let relay = Relay::from_command(command);
    let mut first = relay.client();
    first.send("/nope");
    first.expect_line("* FAIL NOPE UNKNOWN_COMMAND :there is no such command; see /help (for text that starts with /, write //)");
    relay.client().sync();
    let second = relay.client();
    let mut third = relay.client();
    drop(second);
    third.expect_line("* FAIL RELAY FULL :…");
}

#[test]
fn a_wrong_setting_stops_the_start_with_file_and_line() {
    let folder = Folder::new();
    let path = settings(&folder, "lang = \"en\"\ncolour = 1\n");
    let mut command = Relay::command();
    command.arg("--config").arg(&path);
    let Err((status, said)) = Relay::try_from_command(command) else { panic!("it runs") };
    assert_eq!(status.code(), Some(2));
    let expected = format!("tertulia-relay: {}:2: colour: there is no such setting", path.display());
    assert!(said.len() == 1 && said[0].starts_with(&expected), "{said:?}");
}

#[test]
fn at_a_hangup_new_settings_hold_and_those_that_need_a_restart_are_named() {
    let folder = Folder::new();
    let base = "listen = \"127.0.0.1:0\"\nlang = \"en\"\nhistory = \"none\"\n";
    let path = settings(&folder, &format!("{base}max-clients = 1\n"));
    let mut command = Relay::program();
    command.arg("--config").arg(&path);
    let mut relay = Relay::from_command(command);
    let mut ana = relay.named("Ana");
    Client::connect(relay.address()).expect_line("* FAIL RELAY FULL :…");
    settings(
        &folder,
        &format!(
            "{base}max-clients = 5\nflood = \"1,1\"\nroom-log-bytes = 0\nallow-plaintext-login = true\n"
        ),
    );
    relay.signal("HUP");
    relay.await_said("taken up anew: flood, max-clients");
    relay.await_said("only a restart takes up: room-log-bytes, allow-plaintext-login");
    let mut luis = relay.named("Luis");
    ana.forget();
    luis.tell("hola");
    ana.hears(&["Luis: hola"]);
    // It still waits, whatever else changes meanwhile; what is as it was at the start does not.
    settings(&folder, &format!("{base}max-clients = 6\nroom-log-bytes = 0\n"));
    relay.signal("HUP");
    relay.await_said("taken up anew: flood, max-clients");
    let line = relay.await_said("only a restart takes up: ");
    assert!(line.ends_with(": room-log-bytes"), "{line}");
    // What is wrong changes nothing.
    settings(&folder, "lang = \"fr\"\n");
    relay.signal("HUP");
    let line = relay.await_said("the settings from before stay");
    assert!(line.contains("relay.toml:1: lang fr: expected es or en"), "{line}");
    ana.tell("sigo");
    luis.hears(&["Ana: sigo"]);
}

#[test]
fn a_service_manager_that_watches_hears_that_the_relay_still_runs() {
    let path = std::env::temp_dir().join(format!("tertulia-watchdog-{}.sock", std::process::id()));
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut command = Relay::command();
    command.args(["--listen", "127.0.0.1:0"]).env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "100000");
    let _relay = Relay::from_command(command);
    let mut states = Vec::new();
    while states.iter().filter(|state| *state == "WATCHDOG=1").count() < 3 {
        let mut state = [0; 64];
        let length = match socket.recv(&mut state) {
            // The machine itself may have stood still.
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            received => received.expect("the relay tells its state"),
        };
        states.push(String::from_utf8_lossy(&state[..length]).into_owned());
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn check_says_of_each_thing_how_it_stands() {
    let folder = Folder::new();
    let path = settings(&folder, "listen = \"127.0.0.1:0\"\n");
    let (config, history) = (path.to_str().unwrap(), folder.file());
    let history = history.to_str().unwrap();
    let base = ["--config", config, "--history", history];
    let (code, said) = check(&base);
    assert_eq!(code, Some(0), "{said:?}");
    assert_eq!(said[0], format!("ok   config {config}"));
    assert!(said.contains(&"ok   listening on 127.0.0.1:0".to_owned()), "{said:?}");
    if cfg!(feature = "history") {
        assert!(said.contains(&format!("ok   history {history}: is made at the start")), "{said:?}");
        std::fs::write(history, "no database, but long enough to be one".repeat(100)).unwrap();
        std::fs::set_permissions(history, PermissionsExt::from_mode(0o600)).unwrap();
        let (code, said) = check(&base);
        assert!(said.iter().any(|line| line.starts_with(&format!("fail history {history}: "))), "{said:?}");
        assert_eq!(code, Some(1));
        std::fs::remove_file(history).unwrap();
        let nowhere = folder.0.join("missing/history.db");
        let nowhere = nowhere.to_str().unwrap();
        let (code, said) = check(&["--listen", "127.0.0.1:0", "--history", nowhere]);
        let told = format!("fail history {nowhere}: no file can be made in ");
        assert!(said.iter().any(|line| line.starts_with(&told)), "{said:?}");
        assert_eq!(code, Some(1));
        let said = check(&[&base[..], &["--argon2-memory", "64", "--argon2-passes", "1"]].concat()).1;
        let told = "ok   passwords: argon2-memory 64 KiB, argon2-passes 1: ";
        assert!(said.iter().any(|line| line.starts_with(told)), "{said:?}");
    }
    let open = ["--trusted", "10.0.0.0/8,0.0.0.0/0", "--allow-plaintext-login"];
    let (code, said) = check(&[&base[..], &open].concat());
    let warned = said.iter().filter(|line| line.starts_with("warn ")).count();
    assert_eq!((code, warned), (Some(0), 2), "{said:?}");
    assert!(said.iter().any(|line| line.starts_with("warn trusted 0.0.0.0/0: ")), "{said:?}");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, said) = check(&[&base[..], &["--listen", &address]].concat());
    assert!(said.iter().any(|line| line.starts_with("fail ") && line.contains(&address)), "{said:?}");
    assert_eq!(code, Some(1));
    if cfg!(feature = "metrics") {
        let (code, said) = check(&[&base[..], &["--metrics", &address]].concat());
        let told = format!("fail cannot serve metrics on {address}: ");
        assert!(said.iter().any(|line| line.starts_with(&told)), "{said:?}");
        assert_eq!(code, Some(1));
    }
}

#[test]
fn files_that_others_can_read_are_named_by_check_and_at_the_start() {
    let folder = Folder::new();
    std::fs::set_permissions(&folder.0, PermissionsExt::from_mode(0o755)).unwrap();
    let path = settings(&folder, "history = \"none\"\nlisten = \"127.0.0.1:0\"\n");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    let config = path.to_str().unwrap();
    let warned = format!("config {config}: others can read it (mode 644); chmod 600 {config}");
    let (code, said) = check(&["--config", config]);
    assert!(said.contains(&format!("warn {warned}")), "{said:?}");
    assert_eq!(code, Some(0));
    let mut command = Relay::program();
    command.arg("--config").arg(&path);
    let relay = Relay::from_command(command);
    assert!(relay.said().contains(&format!("warning: {warned}")), "{:?}", relay.said());
    // A group was given it on purpose.
    for mode in [0o640, 0o660] {
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        assert!(!check(&["--config", config]).1.iter().any(|line| line.starts_with("warn ")), "{mode:o}");
    }
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o646)).unwrap();
    assert!(
        check(&["--config", config]).1.iter().any(|line| line.contains(": others can write it (mode 646)"))
    );
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    if cfg!(feature = "history") {
        let history = folder.file();
        let flags = ["--config", config, "--history", history.to_str().unwrap()];
        let warned = |mode| {
            std::fs::write(&history, "").unwrap();
            std::fs::set_permissions(&history, PermissionsExt::from_mode(mode)).unwrap();
            check(&flags).1.iter().any(|line| line.starts_with("warn history "))
        };
        assert!(!warned(0o640) && warned(0o644));
    }
    // In a folder that nobody else can enter it does not matter.
    std::fs::set_permissions(&folder.0, PermissionsExt::from_mode(0o700)).unwrap();
    assert!(!check(&["--config", config]).1.iter().any(|line| line.starts_with("warn ")));
}

#[cfg(feature = "tls")]
#[test]
fn check_shows_the_certificate_or_what_is_wrong_with_it() {
    let folder = Folder::new();
    let made = Relay::program().args(["cert", "self-signed", "--out"]).arg(&folder.0).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let file = |name: &str| folder.0.join(name).to_str().unwrap().to_owned();
    let (certificate, key) = (file("certificate.pem"), file("key.pem"));
    let base = ["--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0", "--history", "none"];
    let flags = [&base[..], &["--tls-cert", &certificate, "--tls-key", &key]].concat();
    let (code, said) = check(&flags);
    assert_eq!(code, Some(0), "{said:?}");
    assert!(said[0].starts_with(&format!("ok   certificate {certificate}: sha256 ")), "{said:?}");
    assert!(said.contains(&"ok   tls on 127.0.0.1:0".to_owned()), "{said:?}");
    std::fs::set_permissions(&folder.0, PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o640)).unwrap();
    assert!(!check(&flags).1.iter().any(|line| line.starts_with("warn ")), "a group is no stranger");
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).unwrap();
    assert!(check(&flags).1.iter().any(|line| line.starts_with(&format!("warn tls-key {key}: "))));
    std::fs::write(&key, "nothing").unwrap();
    let (code, said) = check(&flags);
    assert!(said[0].starts_with("fail --tls-key "), "{said:?}");
    assert_eq!(code, Some(1));
}
