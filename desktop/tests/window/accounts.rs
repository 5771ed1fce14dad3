//! Accounts in the real window: TLS with a certificate that is confirmed once, logging in, what operators do, what another
//! device has read.

use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use tertulia_wire::tls::rustls::crypto::ring::default_provider;
use tertulia_wire::tls::rustls::pki_types::pem::PemObject;
use tertulia_wire::tls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tertulia_wire::tls::rustls::{ServerConfig, ServerConnection, Stream};

use super::{LIGHT, RED, WARNING, session, settings};
use crate::support::desk::{Desk, Window, home};
use crate::support::{Folder, Plain, Relay, password_of, until};

/// Where the newest line of a window of 800x600 stands.
const NEWEST: (i32, i32) = (330, 505);

fn open<'a>(desk: &'a Desk, home: &Folder, more: &[&str]) -> Window<'a> {
    desk.window(&home.0, &[&["--lang", "es", "--login", "Ana"], more].concat())
}

/// Waits until a question lies over the window, which is dimmed by it; or until none does.
fn await_question(window: &Window<'_>, is_asked: bool) {
    window.await_picture("the question", |picture| (picture.pixel(300, 150) != LIGHT) == is_asked);
    window.still();
}

/// Accepts the certificate, once it is asked about.
fn confirm(window: &Window<'_>, home: &Folder) {
    await_question(window, true);
    window.keys(&["Return"]);
    until("the certificate in the settings", || settings(home).contains("[certificates]").then_some(()));
    window.still();
}

/// Gives the password, once it is asked for, and says a line.
fn log_in(window: &Window<'_>, relay: &Relay, line: &str) {
    await_question(window, true);
    window.types(&password_of("Ana"));
    window.keys(&["Return"]);
    await_question(window, false);
    say(window, relay, line);
}

fn say(window: &Window<'_>, relay: &Relay, line: &str) {
    window.types(line);
    window.keys(&["Return"]);
    relay.await_said(&format!("Ana: {line}"));
}

/// All that was written down in a home.
fn written(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            text.push_str(&written(&path));
        } else {
            text.push_str(&String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()));
        }
    }
    text
}

#[test]
fn a_certificate_is_confirmed_once_the_password_is_asked_for_and_nothing_keeps_it() {
    let relay = Relay::start_with(true, &[("Ana", "user")]);
    let (desk, home) = (Desk::open(), home());
    let address = relay.tls_address().to_string();
    let window = open(&desk, &home, &["--relay", &address, "--tls"]);
    confirm(&window, &home);
    log_in(&window, &relay, "hola por TLS");
    let secret = password_of("Ana");
    assert!(!written(&home.0).contains(&secret), "no file has the password");
    assert_eq!(relay.said(), ["Ana: hola por TLS"], "nor has the room");
    let arguments = std::fs::read(format!("/proc/{}/cmdline", window.pid())).unwrap();
    assert!(!String::from_utf8_lossy(&arguments).contains(&secret));
    window.close();
    let again = open(&desk, &home, &["--relay", &address, "--tls"]);
    await_question(&again, false);
    say(&again, &relay, "otra vez, sin preguntas");
    again.close();
}

/// Somebody with another certificate, who tells what is said to them and how often a handshake failed.
fn impostor(address: SocketAddr, folder: &Path) -> Receiver<String> {
    let certificates = CertificateDer::pem_file_iter(folder.join("certificate.pem")).unwrap();
    let certificates = certificates.collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .unwrap();
    let listener = until("the port", || TcpListener::bind(address).ok());
    let (sender, told) = channel();
    std::thread::spawn(move || {
        let config = Arc::new(config);
        for mut stream in listener.incoming().flatten() {
            let mut tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut heard = String::new();
            let outcome = Stream::new(&mut tls, &mut stream).read_to_string(&mut heard);
            if sender
                .send(format!("{heard}{}", outcome.map_or_else(|error| error.to_string(), |_| String::new())))
                .is_err()
            {
                return;
            }
        }
    });
    told
}

#[test]
fn a_certificate_that_has_changed_is_refused_and_nothing_is_said_to_who_shows_it() {
    let mut relay = Relay::start_with(true, &[("Ana", "user")]);
    let (desk, home) = (Desk::open(), home());
    let address = relay.tls_address();
    let window = open(&desk, &home, &["--relay", &address.to_string(), "--tls"]);
    confirm(&window, &home);
    log_in(&window, &relay, "al relay");
    relay.kill();
    relay.certify();
    let told = impostor(address, &relay.folder().file("tls"));
    window.types("solo para el relay");
    window.keys(&["Return", "F5"]);
    let heard = told.recv_timeout(crate::support::DEADLINE).expect("somebody connects");
    assert!(heard.contains("alert") && !heard.contains("hello") && !heard.contains("relay"), "{heard}");
    window.await_picture("what is wrong", |picture| picture.count(WARNING, 0) > 5_000);
    assert!(session(&home).contains("solo"), "what was typed is kept");
    window.close();
}

#[test]
fn an_operator_kicks_somebody_from_the_menu_and_says_why() {
    let relay = Relay::start_with(false, &[("Ana", "operator")]);
    let (desk, home) = (Desk::open(), home());
    let window = open(&desk, &home, &["--relay", &relay.address().to_string()]);
    log_in(&window, &relay, "soy operadora");
    let mut luis = relay.plain("Luis");
    kick_from_menu(&window, &mut luis);
    window.close();
}

/// Somebody says something, and is kicked for it.
fn kick_from_menu(window: &Window<'_>, luis: &mut Plain) {
    luis.say("mucho ruido");
    window.await_transcript("what Luis said", |lines| {
        lines.last().is_some_and(|line| line.ends_with("mucho ruido"))
    });
    window.click(NEWEST.0, NEWEST.1, 3);
    window.still();
    // Answer, copy, talk privately, ignore, kick.
    window.keys(&["Down", "Down", "Down", "Down", "Return"]);
    window.still();
    window.types("ruido");
    window.keys(&["Return"]);
    luis.await_line("the kick", |line| line.starts_with("* FAIL RELAY KICKED"));
}

/// Somebody with an account and `nc`.
fn with_account(relay: &Relay, name: &str) -> Plain {
    let mut plain = relay.plain("Nadie");
    plain.send(&format!("/login {name} {}", password_of(name)));
    plain.await_line("the log-in", |line| line.starts_with("* NOTE LOGIN DONE"));
    plain
}

#[test]
fn who_was_kicked_says_nothing_until_enter_brings_them_back() {
    let relay = Relay::start_with(false, &[("Ana", "user"), ("Jefa", "operator")]);
    let (desk, home) = (Desk::open(), home());
    let window = open(&desk, &home, &["--relay", &relay.address().to_string()]);
    log_in(&window, &relay, "hola");
    let mut jefa = with_account(&relay, "Jefa");
    jefa.send("/kick Ana ruido");
    jefa.await_said("Ana ha abandonado el chat.");
    window.await_picture("what has happened", |picture| picture.count(WARNING, 0) > 5_000);
    window.types("y qué");
    window.keys(&["Return"]);
    window.await_picture("that nobody hears it", |picture| picture.count(RED, 60) > 100);
    window.keys(&["ctrl+a", "BackSpace", "Return"]);
    jefa.await_said("Ana se ha unido al chat.");
    window.await_picture("the window without trouble", |picture| picture.count(WARNING, 0) == 0);
    say(&window, &relay, "ya está");
    assert_eq!(relay.said(), ["Ana: hola", "Ana: ya está"]);
    window.close();
}

#[test]
fn a_password_that_was_changed_on_another_device_is_asked_for_again() {
    let relay = Relay::start_with(false, &[("Ana", "user")]);
    let (desk, home) = (Desk::open(), home());
    let window = open(&desk, &home, &["--relay", &relay.address().to_string()]);
    log_in(&window, &relay, "hola");
    let mut phone = with_account(&relay, "Ana");
    phone.send("/clave una muy distinta");
    await_question(&window, true);
    window.types("una muy distinta");
    window.keys(&["Return"]);
    await_question(&window, false);
    say(&window, &relay, "con la nueva");
    window.close();
}

#[test]
fn who_is_made_an_operator_while_the_window_is_open_kicks_from_its_menu() {
    let relay = Relay::start_with(false, &[("Ana", "user"), ("Jefa", "operator")]);
    let (desk, home) = (Desk::open(), home());
    let window = open(&desk, &home, &["--relay", &relay.address().to_string()]);
    log_in(&window, &relay, "aún no lo soy");
    let mut jefa = with_account(&relay, "Jefa");
    jefa.send("/op Ana");
    window.await_transcript("what Ana is now", |lines| {
        lines.iter().any(|line| line.starts_with("ahora eres operador"))
    });
    let mut luis = relay.plain("Luis");
    kick_from_menu(&window, &mut luis);
    window.close();
}

#[test]
fn what_is_read_in_one_window_is_read_in_the_other() {
    let relay = Relay::start_with(false, &[("Ana", "user")]);
    let (desk, home, phone) = (Desk::open(), home(), home());
    let address = relay.address().to_string();
    let other = open(&desk, &phone, &["--relay", &address]);
    log_in(&other, &relay, "desde el teléfono");
    let window = open(&desk, &home, &["--relay", &address]);
    log_in(&window, &relay, "desde aquí");
    other.move_to(900, 0);
    let elsewhere = Folder::new();
    let third = desk.window(&elsewhere.0, &["--relay", &address, "--name", "Eva", "--lang", "es"]);
    third.focus();
    let mut luis = relay.plain("Luis");
    luis.say("uno");
    luis.say("dos");
    until("the counts", || {
        (window.title().starts_with("(2)") && other.title().starts_with("(2)")).then_some(())
    });
    window.focus();
    until("what was read", || (!other.title().starts_with('(')).then_some(()));
    third.close();
    window.close();
    other.close();
}
