//! The relay behind TLS: who speaks it is in the same chat, and who attacks it harms nobody.

#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod client;
#[path = "../support/mod.rs"]
mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use client::{BOTH, End, Secure, pinned};
use rustls::{ClientConfig, HandshakeKind};
use socket2::{Domain, Socket, Type};
use support::{Client, DEADLINE, Folder, Relay, matches};

/// A relay with a certificate of its own, and how to know it.
struct Ground {
    relay: Relay,
    folder: Folder,
    config: Arc<ClientConfig>,
}

impl Ground {
    fn new(flags: &[&str]) -> Self {
        let folder = Folder::new();
        let fingerprint = make_certificate(&folder.0);
        let file = |name: &str| folder.0.join(name).to_str().unwrap().to_owned();
        let (certificate, key) = (file("certificate.pem"), file("key.pem"));
        let tls = ["--tls-listen", "127.0.0.1:0", "--tls-cert", &certificate, "--tls-key", &key];
        let relay = Relay::start(&[&["--flood", "0"], &tls[..], flags].concat());
        let announced = format!("certificate {certificate}: sha256 {fingerprint}");
        assert!(relay.said().contains(&announced), "{:?}", relay.said());
        Self { relay, folder, config: pinned(&fingerprint, &BOTH) }
    }

    fn client(&self) -> Secure {
        Secure::connect(self.relay.tls.unwrap(), &self.config)
    }

    fn client_that_says(&self, lines: [&str; 2]) -> Secure {
        Secure::connect_and_say(self.relay.tls.unwrap(), &self.config, lines)
    }

    fn raw(&self) -> TcpStream {
        let stream = TcpStream::connect_timeout(&self.relay.tls.unwrap(), DEADLINE).unwrap();
        stream.set_read_timeout(Some(2 * DEADLINE)).unwrap();
        stream
    }
}

/// Has the relay make one. Returns its fingerprint.
fn make_certificate(folder: &Path) -> String {
    let mut command = Relay::program();
    let output = command
        .args(["cert", "self-signed", "--host", "relay.example", "--out"])
        .arg(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    said.lines().find_map(|line| line.strip_prefix("sha256 ")).expect("a fingerprint").to_owned()
}

/// The first bytes of a TLS 1.2 or 1.3 hello.
fn hello(config: &Arc<ClientConfig>) -> Vec<u8> {
    let name = rustls::pki_types::ServerName::try_from("relay.example").unwrap();
    let mut tls = rustls::ClientConnection::new(Arc::clone(config), name).unwrap();
    let mut bytes = Vec::new();
    tls.write_tls(&mut bytes).unwrap();
    bytes
}

#[test]
fn who_speaks_tls_and_who_does_not_hear_each_other() {
    let ground = Ground::new(&[]);
    let mut luis = ground.relay.named("Luis");
    let mut ana = ground.client().named("Ana");
    luis.forget();
    ana.send("Ana: hola");
    luis.hears(&["Ana: hola"]);
    let long = "x".repeat(16_000);
    luis.tell(&format!("Luis: {long}"));
    ana.expect_line(&format!("Luis: {long}"));
    ana.say_goodbye();
    luis.expect_line("Ana ha abandonado el chat.");
}

#[test]
fn both_versions_of_tls_are_spoken() {
    let ground = Ground::new(&[]);
    for version in BOTH {
        let config = ClientConfig::clone(&pinned(&fingerprint_of(&ground), &[version]));
        let mut client = Secure::connect(ground.relay.tls.unwrap(), &Arc::new(config));
        client.sync();
        assert_eq!(client.tls.protocol_version(), Some(version.version));
    }
}

fn fingerprint_of(ground: &Ground) -> String {
    let line = ground.relay.said().iter().find(|line| line.starts_with("certificate ")).unwrap();
    line.rsplit(' ').next().unwrap().to_owned()
}

#[test]
fn extended_mode_goes_through_tls() {
    let ground = Ground::new(&[]);
    let mut ana = ground.client();
    ana.send("/hello v=1 name=Ana");
    ana.expect_line("* HELLO v=1 name=Ana token=… sid=… line=16384 burst=… rate=… durability=none");
    ana.expect_line("* JOINED room=general last=… :…");
    let mut luis = ground.relay.named("Luis");
    ana.expect_line("@id=…;time=…;room=general;notice=join Luis se ha unido al chat.");
    ana.send("@label=1 hola");
    ana.expect_line("* ACK label=1 id=… time=…");
    luis.hears(&["Ana: hola"]);
}

#[test]
fn two_hundred_connect_at_once_and_each_hears_what_is_said() {
    let ground = Ground::new(&[]);
    let mut luis = ground.relay.named("Luis");
    // All hellos are there before the first is answered.
    let mut streams = Vec::new();
    for _ in 0..200 {
        streams.push(ground.raw());
    }
    let mut clients: Vec<Secure> = streams
        .into_iter()
        .map(|stream| Secure::over(stream, &ground.config).expect("the handshake is finished"))
        .collect();
    clients.iter_mut().for_each(Secure::sync);
    luis.tell("Luis: hola");
    clients.iter_mut().for_each(|client| client.expect_line("Luis: hola"));
}

#[test]
fn half_open_handshakes_delay_nobody_and_end_in_their_time() {
    let ground = Ground::new(&[]);
    let begun = Instant::now();
    let hello = hello(&ground.config);
    let silent = ground.raw();
    let mut halves: Vec<TcpStream> = (0..50)
        .map(|number| {
            let mut half = ground.raw();
            half.write_all(&hello[..1 + number]).unwrap();
            half
        })
        .collect();
    let mut luis = ground.relay.named("Luis");
    let mut ana = ground.client().named("Ana");
    luis.forget();
    ana.send("Ana: hola");
    luis.hears(&["Ana: hola"]);
    // One that sends a byte now and then gains nothing.
    let mut slow = halves.pop().unwrap();
    slow.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut rest = hello[50..].iter();
    loop {
        match slow.read(&mut [0; 64]) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(_) => drop(rest.next().map(|byte| slow.write_all(&[*byte]))),
        }
        assert!(begun.elapsed() < 2 * DEADLINE, "it goes on for ever");
    }
    for mut half in halves {
        let mut heard = Vec::new();
        let _ = half.read_to_end(&mut heard);
        assert!(heard.is_empty(), "{}", String::from_utf8_lossy(&heard));
    }
    // Whoever says nothing may have expected text.
    let mut heard = String::new();
    (&silent).read_to_string(&mut heard).unwrap();
    assert!(matches("* FAIL RELAY TLS_NEEDED :…", heard.trim_end()), "{heard:?}");
    luis.hears(&[]);
}

#[test]
fn two_hundred_handshakes_that_are_never_finished_delay_no_line_and_take_little_memory() {
    const HALVES: usize = 200;
    const ROUNDS: usize = 50;
    /// What a client may take that has finished its own: one that has not must not take more.
    const KIB_MAX: u64 = 24;
    let ground = Ground::new(&[]);
    let hello = hello(&ground.config);
    let [mut luis] = ground.relay.people(["Luis"]);
    let mut ana = ground.client().named("Ana");
    luis.forget();
    let resident_kib = ground.relay.resident_kib();
    let mut halves: Vec<TcpStream> = (0..HALVES).map(|_| ground.raw()).collect();
    for (number, half) in halves.iter_mut().enumerate() {
        half.write_all(&hello[..1 + number % (hello.len() - ROUNDS - 1)]).unwrap();
    }
    for round in 0..ROUNDS {
        for (number, half) in halves.iter_mut().enumerate() {
            let next = 1 + number % (hello.len() - ROUNDS - 1) + round;
            // On a machine that is this slow its time may be over.
            let _ = half.write_all(&hello[next..=next]);
        }
        ana.send(&format!("Ana: {round}"));
        luis.expect_line(&format!("Ana: {round}"));
        ground.client().sync();
    }
    let grown_kib = ground.relay.resident_kib().saturating_sub(resident_kib);
    assert!(grown_kib < HALVES as u64 * KIB_MAX, "{grown_kib} KiB for {HALVES} half handshakes");
    luis.hears(&[]);
}

#[cfg(all(feature = "history", feature = "metrics"))]
#[test]
fn whoever_is_banned_is_turned_away_before_its_handshake_costs_anything() {
    // On a machine without any network nobody comes from elsewhere.
    let Some(outside) = support::outer_address() else {
        eprintln!("not tried: this machine has no address but its own");
        return;
    };
    let accounts = Folder::new();
    accounts.make_accounts(&[("Jefa", "operator")]);
    let file = accounts.file();
    let kept = ["--history", file.to_str().unwrap(), "--metrics", "127.0.0.1:0"];
    let ground = Ground::new(&[&kept[..], &support::CHEAP].concat());
    let tls = ground.relay.tls.unwrap();
    let from_outside = |address| Client::connect_from(outside, address);
    let mut jefa = ground.relay.client();
    jefa.tell("/login Jefa Jefa-password");
    let mut early = from_outside(ground.relay.address());
    early.sync();
    let late = from_outside(tls).stream().try_clone().unwrap();
    jefa.forget();
    jefa.tell(&format!("/ban {outside} 1h"));
    jefa.hears(&[&format!("* NOTE BAN DONE {outside} :…")]);
    assert!(matches("* FAIL RELAY BANNED :…", early.lines_until_closed().last().unwrap()));
    for address in [ground.relay.address(), tls] {
        let lines = from_outside(address).lines_until_closed();
        assert!(lines.len() == 1 && matches("* FAIL RELAY BANNED :…", &lines[0]), "{lines:?}");
    }
    let again = from_outside(tls).stream().try_clone().unwrap();
    assert!(Secure::over(again, &ground.config).is_err());
    let refused = || ground.relay.metric("tertulia_refused_total{reason=\"banned\"}");
    let handshakes = || ground.relay.metric("tertulia_tls_handshakes_total");
    assert_eq!((refused(), handshakes()), (3.0, 0.0));
    assert_eq!(ground.relay.metric("tertulia_tls_failed_total"), 0.0);
    // Who was let in before, and is not through yet, is met by the chat.
    let told = Secure::over(late, &ground.config).unwrap().until_the_end(DEADLINE).0;
    assert!(told.len() == 1 && matches("* FAIL RELAY BANNED :…", &told[0]), "{told:?}");
    // Whoever is on this machine comes in.
    ground.client().sync();
    jefa.tell(&format!("/unban {outside}"));
    from_outside(ground.relay.address()).sync();
    assert_eq!((refused(), handshakes()), (3.0, 2.0));
}

#[test]
fn plain_text_where_tls_is_spoken_is_told_so_and_closed() {
    let mut ground = Ground::new(&[]);
    let mut luis = ground.relay.named("Luis");
    for text in ["Ana se ha unido al chat.\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "h"] {
        let mut client = Client::connect(ground.relay.tls.unwrap());
        client.send_bytes(text.as_bytes());
        let lines = client.lines_until_closed();
        assert!(lines.len() == 1 && matches("* FAIL RELAY TLS_NEEDED :…", &lines[0]), "{lines:?}");
    }
    luis.hears(&[]);
    ground.relay.await_said(":the peer does not speak TLS");
}

#[test]
fn tls_where_plain_text_is_spoken_fails_at_once() {
    let ground = Ground::new(&[]);
    let error = Secure::try_connect(ground.relay.address(), &ground.config).err().expect("no handshake");
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData, "{error}");
}

#[test]
fn a_handshake_that_fails_is_said_once_in_words() {
    let mut ground = Ground::new(&[]);
    let other = pinned("AB:CD", &BOTH);
    assert!(Secure::try_connect(ground.relay.tls.unwrap(), &other).is_err());
    let line = ground.relay.await_said("tls_failed from=127.0.0.1:");
    assert!(line.contains(" :"), "{line}");
    let mut raw = ground.raw();
    // A client's hello with nothing in it.
    raw.write_all(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00").unwrap();
    raw.shutdown(Shutdown::Write).unwrap();
    let mut heard = Vec::new();
    let _ = raw.read_to_end(&mut heard);
    assert_eq!(heard.first(), Some(&21), "an alert: {heard:?}");
    let line = ground.relay.await_said("tls_failed from=127.0.0.1:");
    let said = ground.relay.stop();
    assert_eq!(said.iter().filter(|other| **other == line).count(), 1, "{said:?}");
}

#[test]
fn what_comes_while_a_handshake_ends_is_heard_without_more_having_to_come() {
    let ground = Ground::new(&[]);
    for number in 0..400 {
        let ping = format!("/ping {number}");
        let mut client = ground.client_that_says(["/who", &ping]);
        while client.next_line() != format!("* PONG {number}") {}
    }
}

#[test]
fn what_was_cut_off_is_not_said() {
    let ground = Ground::new(&[]);
    let mut luis = ground.relay.named("Luis");
    let mut ana = ground.client().named("Ana");
    luis.forget();
    ana.send("Ana: entera");
    ana.send_bytes("Ana: no vengas a las cinco".as_bytes());
    luis.expect_line("Ana: entera");
    // The end that whoever is on the way can make.
    ana.stream.shutdown(Shutdown::Write).unwrap();
    luis.expect_line("Ana ha abandonado el chat.");
    // The end that only she can make.
    let mut eva = ground.client().named("Eva");
    luis.expect_line("Eva se ha unido al chat.");
    eva.send_bytes("Eva: adiós".as_bytes());
    eva.say_goodbye();
    luis.expect_line("Eva: adiós");
    luis.expect_line("Eva ha abandonado el chat.");
    luis.hears(&[]);
}

#[test]
fn records_cut_short_or_changed_on_the_way_end_that_connection_alone() {
    let mut ground = Ground::new(&[]);
    let mut luis = ground.relay.named("Luis");
    let record = |client: &mut Secure, line: &str| {
        client.tls.writer().write_all(line.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        client.tls.write_tls(&mut bytes).unwrap();
        bytes
    };
    let mut short = ground.client().named("Ana");
    let bytes = record(&mut short, "Ana: hola\n");
    short.stream.write_all(&bytes[..bytes.len() - 1]).unwrap();
    short.stream.shutdown(Shutdown::Write).unwrap();
    assert!(short.until_the_end(DEADLINE).0.is_empty());
    let mut changed = ground.client().named("Eva");
    let mut bytes = record(&mut changed, "Eva: hola\n");
    *bytes.last_mut().unwrap() ^= 1;
    changed.stream.write_all(&bytes).unwrap();
    assert_eq!(changed.until_the_end(DEADLINE).1, End::CutOff);
    ground.relay.await_said("tls_failed from=127.0.0.1:");
    for name in ["Ana", "Eva"] {
        luis.expect_line(&format!("{name} se ha unido al chat."));
        luis.expect_line(&format!("{name} ha abandonado el chat."));
    }
    luis.hears(&[]);
}

#[test]
fn a_reader_that_stands_still_is_cut_when_it_goes_on_and_takes_no_memory() {
    let ground = Ground::new(&["--room-log-bytes", "131072"]);
    let address = ground.relay.tls.unwrap();
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect_timeout(&address.into(), DEADLINE).unwrap();
    let mut sleeper = Secure::over(socket.into(), &ground.config).unwrap();
    sleeper.sync();
    let [mut ana, mut luis] = ground.relay.people(["Ana", "Luis"]);
    let resident_kib = ground.relay.resident_kib();
    let line = |number: usize| format!("Ana: {number:04} {}", "x".repeat(16_000));
    for number in 0..400 {
        ana.send(&line(number));
        luis.expect_line(&line(number));
    }
    let grown_kib = ground.relay.resident_kib().saturating_sub(resident_kib);
    assert!(grown_kib < 4096, "{grown_kib} KiB for one who sleeps");
    let (mut lines, end) = sleeper.until_the_end(DEADLINE);
    assert_eq!(end, End::Clean);
    let last = lines.pop().unwrap();
    assert!(matches("* FAIL SLOW :…", &last), "{last:.80?}");
    let cut = lines.pop().unwrap();
    lines.drain(..2);
    assert!(lines.len() < 400);
    assert!(line(lines.len()).starts_with(&cut), "{cut:.80?} after {} lines", lines.len());
    assert!((0..).zip(&lines).all(|(number, heard)| *heard == line(number)));
    luis.hears(&[]);
}

#[test]
fn who_asks_and_never_reads_is_not_read_until_it_does_and_then_gets_every_answer() {
    let ground = Ground::new(&[]);
    let address = ground.relay.tls.unwrap();
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect_timeout(&address.into(), DEADLINE).unwrap();
    let mut asking = Secure::over(socket.into(), &ground.config).unwrap();
    asking.sync();
    asking.stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let mut sent = 0;
    // Until the relay takes no more: the rest stands in the client's own memory.
    loop {
        asking.tls.writer().write_all(format!("/ping {sent:050}\n").as_bytes()).unwrap();
        sent += 1;
        if asking.tls.write_tls(&mut asking.stream).is_err() {
            break;
        }
        assert!(sent < 200_000, "the relay takes everything");
    }
    asking.stream.set_write_timeout(Some(DEADLINE)).unwrap();
    for number in 0..sent {
        asking.expect_line(&format!("* PONG {number:050}"));
        // What it hears makes place for what it has still to say.
        asking.stream.set_nonblocking(true).unwrap();
        while asking.tls.wants_write() && asking.tls.write_tls(&mut asking.stream).is_ok() {}
        asking.stream.set_nonblocking(false).unwrap();
    }
}

#[test]
fn at_the_end_of_the_relay_everybody_is_told_and_nothing_is_cut_off() {
    let ground = Ground::new(&[]);
    let mut ana = ground.client().named("Ana");
    ground.relay.signal("TERM");
    let (lines, end) = ana.until_the_end(DEADLINE);
    assert!(lines.len() == 1 && matches("* NOTE RELAY CLOSING :…", &lines[0]), "{lines:?}");
    assert_eq!(end, End::Clean);
}

#[test]
fn who_comes_back_with_a_ticket_needs_no_signature_also_after_a_new_certificate() {
    let mut ground = Ground::new(&[]);
    for version in BOTH {
        let config = pinned(&fingerprint_of(&ground), &[version]);
        let mut first = Secure::connect(ground.relay.tls.unwrap(), &config);
        first.sync();
        assert_eq!(first.kind(), Some(HandshakeKind::Full));
        let mut second = Secure::connect(ground.relay.tls.unwrap(), &config);
        second.sync();
        assert_eq!(second.kind(), Some(HandshakeKind::Resumed), "{version:?}");
        ground.relay.signal("HUP");
        ground.relay.await_said("certificate ");
        let third = Secure::connect(ground.relay.tls.unwrap(), &config);
        assert_eq!(third.kind(), Some(HandshakeKind::Resumed), "{version:?}");
    }
}

#[test]
fn at_a_hangup_a_good_certificate_takes_the_place_and_a_bad_one_does_not() {
    let mut ground = Ground::new(&["--lang", "en"]);
    let mut ana = ground.client().named("Ana");
    let file = |name: &str| ground.folder.0.join(name);
    let bad: [(&str, &str); 3] = [
        ("certificate.pem", ""),
        ("key.pem", "no key"),
        ("certificate.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    ];
    for (name, text) in bad {
        let good = std::fs::read(file(name)).unwrap();
        std::fs::write(file(name), text).unwrap();
        ground.relay.signal("HUP");
        ground.relay.await_said("the certificate from before stays");
        ground.client().sync();
        std::fs::write(file(name), good).unwrap();
    }
    // One that does not belong to the key.
    let others = Folder::new();
    let fingerprint = make_certificate(&others.0);
    std::fs::copy(others.0.join("certificate.pem"), file("certificate.pem")).unwrap();
    ground.relay.signal("HUP");
    ground.relay.await_said("the certificate from before stays");
    ground.client().sync();
    // And now both.
    std::fs::copy(others.0.join("key.pem"), file("key.pem")).unwrap();
    ground.relay.signal("HUP");
    ground.relay.await_said(&fingerprint);
    let mut luis = Secure::connect(ground.relay.tls.unwrap(), &pinned(&fingerprint, &BOTH)).named("Luis");
    luis.send("Luis: hola");
    ana.expect_line("Luis se ha unido al chat.");
    ana.expect_line("Luis: hola");
}

#[test]
fn a_certificate_is_made_once_and_its_key_is_its_owners_alone() {
    let folder = Folder::new();
    let below = folder.0.join("new");
    let fingerprint = make_certificate(&below);
    assert_eq!(fingerprint.split(':').count(), 32, "{fingerprint}");
    let mode = |name: &str| std::fs::metadata(below.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("key.pem"), 0o600);
    let key = std::fs::read(below.join("key.pem")).unwrap();
    let mut command = Relay::program();
    let output = command.args(["cert", "self-signed", "--out"]).arg(&below).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is there already"), "{output:?}");
    assert_eq!(std::fs::read(below.join("key.pem")).unwrap(), key);
}

#[test]
fn a_certificate_is_for_names_and_addresses_that_there_can_be() {
    let folder = Folder::new();
    for wrong in ["", "foo bar", "relay..example", "café.example"] {
        let below = folder.0.join("wrong");
        let mut command = Relay::program();
        let command = command.args(["cert", "self-signed"]).arg(format!("--host={wrong}"));
        let output = command.arg("--out").arg(&below).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains("expected a name or an address"),
            "{wrong}: {said}"
        );
        assert!(!below.exists());
    }
    for right in ["relay_1.example", "::1", "192.0.2.1", "*.example", "localhost"] {
        let mut command = Relay::program();
        let command = command.args(["cert", "self-signed"]).arg(format!("--host={right}"));
        let output = command.arg("--out").arg(folder.0.join(right)).output().unwrap();
        assert!(output.status.success(), "{right}: {output:?}");
    }
}

#[test]
fn a_certificate_that_is_of_no_use_stops_the_start_with_a_sentence_that_shows_no_key() {
    let folder = Folder::new();
    make_certificate(&folder.0);
    let file = |name: &str| folder.0.join(name).to_str().unwrap().to_owned();
    let (certificate, key) = (file("certificate.pem"), file("key.pem"));
    let secret = std::fs::read_to_string(&key).unwrap().replace("PRIVATE KEY", "SECRET");
    std::fs::write(file("broken.pem"), &secret).unwrap();
    let (missing, broken) = (file("missing.pem"), file("broken.pem"));
    let cases: [(&[&str], &str); 6] = [
        (&["--tls-cert", &certificate], "--tls-key FILE must go with it"),
        (&["--tls-key", &key], "--tls-cert FILE must go with it"),
        (&["--tls-listen", "127.0.0.1:0"], "cert self-signed"),
        (&["--tls-cert", &missing, "--tls-key", &key], "--tls-cert"),
        (&["--tls-cert", &certificate, "--tls-key", &broken], "no key in it"),
        (&["--tls-cert", &key, "--tls-key", &key], "no certificate in it"),
    ];
    for (flags, part) in cases {
        let mut command = Relay::command();
        command.args(["--listen", "127.0.0.1:0"]).args(flags);
        if !flags.contains(&"--tls-listen") {
            command.args(["--tls-listen", "127.0.0.1:0"]);
        }
        let Err((status, said)) = Relay::try_from_command(command) else { panic!("{flags:?}: it runs") };
        assert_eq!(status.code(), Some(2), "{said:?}");
        let sentence = said.last().unwrap();
        assert!(sentence.contains(part), "{flags:?}: {sentence}");
        assert!(!secret.lines().any(|line| line.len() > 20 && sentence.contains(line)), "{sentence}");
    }
}
