//! A bridge with an account at a real relay, with TLS and without.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod fake;
mod support;

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};

use fake::Fake;
use serde_json::json;
use support::{Bridge, Client, Folder, PASSWORD, Relay, assert_hides_token, until};

const NAME: &str = "Puente";

/// Only accounts come in.
const REGISTERED: &[&str] = &["--flood", "0", "--access", "registered"];

/// The same, with TLS on a port of its own.
const TLS: &[&str] = &[
    "--flood",
    "0",
    "--access",
    "registered",
    "--tls-listen",
    "127.0.0.1:0",
    "--tls-cert",
    "certificate.pem",
    "--tls-key",
    "key.pem",
];

/// A folder in which the relay has two accounts.
fn folder(role: &str) -> Folder {
    let folder = Folder::new();
    assert!(Relay::administer(&folder, &["account", "add", NAME, "--role", role], PASSWORD));
    assert!(Relay::administer(&folder, &["account", "add", "Ana"], "contraseña de Ana"));
    folder
}

/// Somebody in a relay that lets only accounts in.
fn ana(relay: &Relay) -> Client {
    let mut ana = relay.caller();
    ana.tell("/login Ana contraseña de Ana");
    ana.await_heard("* NOTE LOGIN DONE");
    ana
}

fn others(fingerprint: &str) -> String {
    let last = if fingerprint.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", &fingerprint[..fingerprint.len() - 1])
}

fn state(folder: &Folder) -> String {
    std::fs::read_to_string(folder.path("bridge.json")).unwrap_or_default()
}

fn crosses(fake: &Fake, ana: &mut Client, words: &str) {
    fake.message("Luis", json!({"text": format!("{words} de allí")}));
    let heard = ana.await_heard(&format!("{words} de allí"));
    assert_eq!(heard, format!("{NAME} - Luis: {words} de allí"));
    ana.tell(&format!("{words} de aquí"));
    until(
        || fake.lines().iter().any(|line| *line == format!("Ana: {words} de aquí")).then_some(()),
        || format!("{:?}", fake.lines()),
    );
}

#[test]
fn over_tls_with_a_pinned_certificate_it_logs_in_and_speaks_for_others_where_only_accounts_may() {
    let (fake, folder) = (Fake::start(), folder("bridge"));
    let fingerprint = Relay::certificate(&folder, &[]);
    let relay = Relay::with(&folder, TLS);
    let tls = relay.address_of("tls").to_string();
    let flags = ["--login", NAME, "--relay", &tls, "--relay-fingerprint", &fingerprint];
    let mut bridge = Bridge::start(&fake, &relay, &folder, &flags);
    bridge.process.await_said("el puente ha entrado como Puente, papel bridge");
    let mut ana = ana(&relay);
    crosses(&fake, &mut ana, "uno");
    // As after a power cut: the session comes back, over TLS again.
    bridge.restart();
    bridge.process.await_said("(resumed)");
    crosses(&fake, &mut ana, "dos");
    assert_eq!(bridge.process.terminate(), Some(0));
    assert_hides_token(&state(&folder));
    let (text, code) = Bridge::output(
        &["check", "--api-url", &format!("http://{}", fake.address), "--chat", "-5"]
            .iter()
            .chain(&flags)
            .copied()
            .collect::<Vec<_>>(),
    );
    assert_eq!(code, Some(0), "{text}");
    for words in [
        format!("bien: TLS con el relay: la huella es la de --relay-fingerprint, {fingerprint}"),
        "bien: el puente entra como Puente, papel bridge".to_owned(),
    ] {
        assert!(text.contains(&words), "{words} in {text}");
    }
    assert!(!ana.heard().iter().any(|line| line.contains("tgbridge-check")));
}

#[test]
fn a_certificate_that_is_not_the_pinned_one_gets_no_password_and_is_told_with_its_fingerprint() {
    let (fake, folder) = (Fake::start(), folder("bridge"));
    let fingerprint = Relay::certificate(&folder, &[]);
    let relay = Relay::with(&folder, TLS);
    let tls = relay.address_of("tls").to_string();
    let flags = ["--login", NAME, "--relay", &tls, "--relay-fingerprint", &others(&fingerprint)];
    let bridge = Bridge::start(&fake, &relay, &folder, &flags);
    bridge.process.await_said(&format!("su certificado tiene otra huella ({fingerprint})"));
    // Nor does the system vouch for it.
    let api = format!("http://{}", fake.address);
    let (text, code) = Bridge::output(&["check", "--api-url", &api, "--relay", &tls, "--relay-tls"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("nadie de confianza") && text.contains(&fingerprint), "{text}");
    // The plain port speaks no TLS.
    let plain = relay.address.to_string();
    let (text, code) = Bridge::output(&["check", "--api-url", &api, "--relay", &plain, "--relay-tls"]);
    assert!(text.contains("ahí no se habla TLS") && code == Some(1), "{text}");
    assert!(bridge.process.said().iter().all(|line| !line.contains("ha entrado")));
}

#[test]
fn one_that_is_turned_away_before_tls_says_why_and_comes_in_once_there_is_place() {
    const NARROW: &[&str] = &[
        "--flood",
        "0",
        "--max-per-ip",
        "1",
        "--tls-listen",
        "127.0.0.1:0",
        "--tls-cert",
        "certificate.pem",
        "--tls-key",
        "key.pem",
    ];
    let (fake, folder) = (Fake::start(), folder("bridge"));
    let fingerprint = Relay::certificate(&folder, &[]);
    let relay = Relay::with(&folder, NARROW);
    let mut first = relay.client("Luis");
    let tls = relay.address_of("tls").to_string();
    let flags = ["--login", NAME, "--relay", &tls, "--relay-fingerprint", &fingerprint];
    let bridge = Bridge::start(&fake, &relay, &folder, &flags);
    bridge.process.await_said("relay: ADDRESS_FULL: demasiadas conexiones desde tu dirección");
    let api = format!("http://{}", fake.address);
    let mut check = vec!["check", "--api-url", &api];
    check.extend(flags);
    let (text, _) = Bridge::output(&check);
    assert!(text.contains("no deja entrar a cualquiera: ADDRESS_FULL"), "{text}");
    assert!(!bridge.process.said().iter().any(|line| line.contains("no se habla TLS")));
    first.tell("/quit");
    bridge.process.await_said("papel bridge");
}

#[test]
fn a_certificate_that_the_system_trusts_needs_no_fingerprint() {
    let (fake, folder) = (Fake::start(), folder("bridge"));
    let fingerprint = Relay::certificate(&folder, &[]);
    let relay = Relay::with(&folder, TLS);
    let address = format!("localhost:{}", relay.address_of("tls").port());
    let api = format!("http://{}", fake.address);
    let check = |address: &str| {
        let mut command = Bridge::command();
        command.env("SSL_CERT_FILE", folder.path("certificate.pem"));
        command.args(["check", "--api-url", &api, "--login", NAME, "--relay-tls", "--relay", address]);
        let output = command.output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.status.code())
    };
    let (text, code) = check(&address);
    assert!(text.contains(&format!("el sistema confía en el certificado, {fingerprint}")), "{text}");
    assert_eq!(code, Some(0), "{text}");
    drop(relay);
    ["certificate.pem", "key.pem"].iter().for_each(|file| std::fs::remove_file(folder.path(file)).unwrap());
    Relay::certificate(&folder, &["--host", "otro.example"]);
    let relay = Relay::with(&folder, TLS);
    let (text, code) = check(&format!("localhost:{}", relay.address_of("tls").port()));
    assert!(text.contains("su certificado es de otro nombre") && code == Some(1), "{text}");
}

#[test]
fn a_refused_password_is_told_once_and_ends_it() {
    let (fake, folder) = (Fake::start(), folder("bridge"));
    let relay = Relay::with(&folder, REGISTERED);
    let file = folder.path("password");
    std::fs::write(&file, "otra que no es\n").unwrap();
    let mut bridge = Bridge::start(&fake, &relay, &folder, &["--login", NAME, "--password-file", &file]);
    assert_eq!(bridge.process.await_exit(), Some(2));
    bridge.process.await_said("tertulia-relay account passwd Puente");
    let said = bridge.process.said();
    assert_eq!(said.iter().filter(|line| line.contains("contraseña")).count(), 1, "{said:?}");
    assert!(!said.iter().any(|line| line.contains("otra que no es")), "{said:?}");
    let (api, address) = (format!("http://{}", fake.address), relay.address.to_string());
    let check = ["check", "--api-url", &api, "--relay", &address, "--login", NAME, "--password-file", &file];
    let (text, code) = Bridge::output(&check);
    assert!(text.contains("no acepta la cuenta y la contraseña: REFUSED") && code == Some(1), "{text}");
}

#[test]
fn where_only_accounts_may_one_that_has_none_ends_with_what_to_do() {
    let (fake, folder) = (Fake::start(), folder("bridge"));
    let relay = Relay::with(&folder, REGISTERED);
    let mut bridge = Bridge::start(&fake, &relay, &folder, &[]);
    assert_eq!(bridge.process.await_exit(), Some(2));
    bridge.process.await_said("--login NOMBRE");
}

#[test]
fn one_that_may_not_speak_for_others_ends_and_loses_no_message() {
    let (fake, folder) = (Fake::start(), folder("user"));
    let relay = Relay::with(&folder, REGISTERED);
    fake.message("Luis", json!({"text": "para más tarde"}));
    let mut bridge = Bridge::start(&fake, &relay, &folder, &["--login", NAME]);
    assert_eq!(bridge.process.await_exit(), Some(2));
    bridge.process.await_said("papel user");
    bridge.process.await_said("no deja a Puente hablar por otros");
    assert!(Relay::administer(&folder, &["account", "role", NAME, "bridge"], ""));
    let ana = ana(&relay);
    bridge.restart();
    assert_eq!(ana.await_heard("para más tarde"), "Puente - Luis: para más tarde");
    assert_eq!(ana.heard().iter().filter(|line| line.contains("para más tarde")).count(), 1);
}

#[test]
fn one_that_an_operator_kicks_says_so_comes_back_and_loses_no_message() {
    let (fake, folder) = (Fake::start(), folder("bridge"));
    assert!(Relay::administer(&folder, &["account", "add", "Jefa", "--role", "operator"], "la de la jefa"));
    let relay = Relay::with(&folder, REGISTERED);
    let bridge = Bridge::start(&fake, &relay, &folder, &["--login", NAME]);
    bridge.process.await_said("papel bridge");
    let mut jefa = relay.caller();
    jefa.tell("/login Jefa la de la jefa");
    jefa.await_heard("* NOTE LOGIN DONE");
    jefa.tell(&format!("/kick {NAME} ruido"));
    bridge.process.await_said("relay: KICKED: ");
    fake.message("Luis", json!({"text": "mientras tanto"}));
    assert_eq!(jefa.await_heard("mientras tanto"), "Puente - Luis: mientras tanto");
    assert_eq!(jefa.heard().iter().filter(|line| line.contains("mientras tanto")).count(), 1);
}

#[test]
fn an_account_outlives_the_relays_death_and_a_bridge_that_had_none_gets_one_with_its_state() {
    let (fake, folder) = (Fake::start(), folder("bridge"));
    let mut relay = Relay::with(&folder, &["--flood", "0"]);
    let mut bridge = Bridge::start(&fake, &relay, &folder, &[]);
    bridge.await_ready();
    let eva = relay.client("Eva");
    fake.message("Luis", json!({"text": "sin cuenta"}));
    eva.await_heard("Telegram - Luis: sin cuenta");
    assert_eq!(bridge.process.terminate(), Some(0));
    let bridge = Bridge::start(&fake, &relay, &folder, &["--login", NAME]);
    bridge.process.await_said("papel bridge");
    relay.restart();
    until(
        || {
            (bridge.process.said().iter().filter(|line| line.contains("papel bridge")).count() == 2)
                .then_some(())
        },
        || format!("{:?}", bridge.process.said()),
    );
    let mut ana = ana(&relay);
    crosses(&fake, &mut ana, "tres");
}

#[test]
fn an_account_that_the_relay_does_not_have_is_told_and_costs_nothing_where_everybody_may_come() {
    let (fake, folder) = (Fake::start(), Folder::new());
    let mut relay = Relay::start(&folder);
    let mut bridge = Bridge::start(&fake, &relay, &folder, &["--login", NAME]);
    bridge.process.await_said("no tiene la cuenta Puente");
    let ana = relay.client("Ana");
    fake.message("Luis", json!({"text": "hola"}));
    assert_eq!(ana.await_heard("hola"), "Puente - Luis: hola");
    // It gets it at the next start, whatever session it had.
    assert_eq!(bridge.process.terminate(), Some(0));
    assert!(Relay::administer(&folder, &["account", "add", NAME, "--role", "bridge"], PASSWORD));
    relay.restart();
    bridge.restart();
    bridge.process.await_said("papel bridge");
}

/// As a proxy does that says who called: a relay behind it sees somebody from afar.
fn from_afar(proxy: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for caller in listener.incoming().map_while(Result::ok) {
            let mut relay = TcpStream::connect(proxy).unwrap();
            relay.write_all(b"PROXY TCP4 203.0.113.5 127.0.0.1 40000 2000\r\n").unwrap();
            let (mut from, mut to) = (caller.try_clone().unwrap(), relay.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
            let mut caller = caller;
            std::thread::spawn(move || std::io::copy(&mut relay, &mut caller));
        }
    });
    address
}

#[test]
fn where_others_could_read_the_password_it_ends_and_says_so() {
    let (fake, folder) = (Fake::start(), folder("bridge"));
    let flags = &["--flood", "0", "--proxy-listen", "127.0.0.1:0", "--proxy-from", "127.0.0.1"];
    let relay = Relay::with(&folder, flags);
    let address = from_afar(relay.address_of("proxy")).to_string();
    let mut bridge = Bridge::start(&fake, &relay, &folder, &["--login", NAME, "--relay", &address]);
    assert_eq!(bridge.process.await_exit(), Some(2));
    bridge.process.await_said("--relay-tls");
}

#[test]
fn with_an_account_of_a_bridge_the_relays_flood_control_does_not_slow_it() {
    let (fake, folder) = (Fake::start(), folder("bridge"));
    let relay = Relay::with(&folder, &["--flood", "1,1"]);
    let bridge = Bridge::start(&fake, &relay, &folder, &["--login", NAME]);
    bridge.process.await_said("papel bridge");
    let ana = relay.client("Eva");
    let started = std::time::Instant::now();
    // At a line a second this would take longer than anything is awaited.
    for number in 0..300 {
        fake.message("Luis", json!({"text": format!("mensaje {number}.")}));
    }
    ana.await_heard("mensaje 299.");
    println!("300 messages in {:?}", started.elapsed());
    let heard = ana.heard().iter().filter(|line| line.contains("mensaje")).count();
    assert_eq!(heard, 300);
}
