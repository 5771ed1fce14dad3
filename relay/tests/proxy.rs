//! Clients that a proxy brings: each rule on addresses is about them, and nobody but the proxy can say who they are.

#![cfg(feature = "proxy")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

#[cfg(feature = "history")]
use support::Folder;
use support::{Client, Heard, Relay};

fn relay(flags: &[&str]) -> Relay {
    let base = ["--proxy-listen", "127.0.0.1:0", "--proxy-from", "127.0.0.1"];
    Relay::start(&[&base[..], flags].concat())
}

/// A client from this address, as a proxy of version 1 brings it.
fn brought(relay: &Relay, address: &str) -> Client {
    let mut client = Client::connect(relay.proxy.unwrap());
    let family = if address.contains(':') { "TCP6 " } else { "TCP4 " };
    let own = if address.contains(':') { "::1" } else { "127.0.0.1" };
    client.send_bytes(format!("PROXY {family}{address} {own} 40000 2000\r\n").as_bytes());
    client
}

/// A header of version 2.
fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n", &[command, family][..], &length, rest].concat()
}

#[test]
fn whom_a_proxy_brings_is_in_the_same_chat() {
    let relay = relay(&["--flood", "0"]);
    let mut luis = relay.named("Luis");
    let mut ana = brought(&relay, "192.0.2.1");
    ana.tell("Ana se ha unido al chat.");
    ana.tell("hola");
    luis.hears(&["Ana se ha unido al chat.", "Ana: hola"]);
    let mut eva = Client::connect(relay.proxy.unwrap());
    // What the client says may come in one piece with what the proxy says.
    let header = binary(0x21, 0x11, &[192, 0, 2, 2, 127, 0, 0, 1, 1, 2, 3, 4]);
    eva.send_bytes(&[&header[..], "Eva se ha unido al chat.\n".as_bytes()].concat());
    luis.expect_line("Eva se ha unido al chat.");
    let mut probe = Client::connect(relay.proxy.unwrap());
    probe.send_bytes(&binary(0x20, 0, &[]));
    probe.sync();
}

#[test]
fn a_header_in_single_bytes_is_read_and_none_of_it_is_said() {
    let relay = relay(&["--flood", "0"]);
    let mut luis = relay.named("Luis");
    let mut ana = Client::connect(relay.proxy.unwrap());
    for byte in b"PROXY TCP4 192.0.2.1 127.0.0.1 40000 2000\r\nAna se ha unido al chat.\n" {
        ana.send_bytes(&[*byte]);
    }
    ana.sync();
    luis.hears(&["Ana se ha unido al chat."]);
}

#[test]
fn the_limit_of_an_address_is_about_the_client_and_not_the_proxy() {
    let relay = relay(&["--max-per-ip", "2", "--max-per-ip-exempt", "198.51.100.0/24"]);
    let mut inside: Vec<Client> = Vec::new();
    for address in ["192.0.2.1", "192.0.2.1", "192.0.2.2", "198.51.100.1", "198.51.100.1", "198.51.100.1"] {
        let mut client = brought(&relay, address);
        client.sync();
        inside.push(client);
    }
    let mut third = brought(&relay, "192.0.2.1");
    third.expect_line("* FAIL RELAY ADDRESS_FULL :…");
    third.expect_closed();
    drop(inside.remove(0));
    // The place of the one who left is free once the relay knows.
    let until = std::time::Instant::now() + support::DEADLINE;
    loop {
        let mut next = brought(&relay, "192.0.2.1");
        next.try_send_bytes(b"/ping x\n");
        match next.hear(support::DEADLINE) {
            Heard::Line(line) if line == "* PONG x" => break,
            Heard::Line(_) | Heard::Closed => assert!(std::time::Instant::now() < until),
            Heard::Nothing => panic!("no answer"),
        }
    }
}

#[test]
fn whom_the_proxy_does_not_name_counts_as_the_proxy() {
    let relay = relay(&["--max-per-ip", "1"]);
    let mut unknown = Client::connect(relay.proxy.unwrap());
    unknown.send_bytes(b"PROXY UNKNOWN\r\n");
    unknown.sync();
    let mut second = Client::connect(relay.proxy.unwrap());
    second.send_bytes(b"PROXY UNKNOWN\r\n");
    second.expect_line("* FAIL RELAY ADDRESS_FULL :…");
}

#[test]
fn trust_is_about_the_client_that_a_proxy_brings_and_not_about_the_proxy() {
    let relay = relay(&["--flood", "1,1", "--trusted", "127.0.0.0/8,192.0.2.0/24"]);
    let mut luis = relay.named("Luis");
    let mut trusted = brought(&relay, "192.0.2.1");
    trusted.tell("Ana se ha unido al chat.");
    for _ in 0..20 {
        trusted.send("rápido");
    }
    trusted.sync();
    luis.expect_line("Ana se ha unido al chat.");
    (0..20).for_each(|_| luis.expect_line("Ana: rápido"));
    // The second is this machine's only in the words of the proxy.
    for (name, address) in [("Eva", "203.0.113.1"), ("Bea", "127.0.0.5")] {
        let mut stranger = brought(&relay, address);
        stranger.send(&format!("{name} se ha unido al chat."));
        for _ in 0..20 {
            stranger.send("rápido");
        }
        let joined = format!("{name} se ha unido al chat.");
        while luis.next_line() != joined {}
        // At one line a second most of the twenty are still to come.
        luis.tell("/ping");
        assert!(luis.all_lines().len() < 15, "{name}");
    }
}

#[test]
fn nobody_but_a_known_proxy_can_say_who_somebody_is() {
    let relay = relay(&["--flood", "0"]);
    // From another address.
    let mut stranger = Client::connect_from("127.0.0.2".parse().unwrap(), relay.proxy.unwrap());
    stranger.try_send_bytes(b"PROXY TCP4 192.0.2.1 127.0.0.1 1 2\r\n");
    assert!(stranger.lines_until_closed()[0].starts_with("* FAIL RELAY PROXY_ONLY :"));
    // Where no header is expected it is just text.
    let mut luis = relay.named("Luis");
    let mut plain = relay.client();
    plain.send("PROXY TCP4 192.0.2.1 127.0.0.1 1 2");
    plain.expect_line("* FAIL SAY NAME_NEEDED :…");
    luis.hears(&[]);
    // And where one is expected nothing else is.
    for text in ["Ana se ha unido al chat.\n", "GET / HTTP/1.1\r\n\r\n", "PROXY TCP4 localhost x 1 2\r\n"] {
        let mut client = Client::connect(relay.proxy.unwrap());
        client.send_bytes(text.as_bytes());
        let lines = client.lines_until_closed();
        assert!(lines.len() == 1 && lines[0].starts_with("* FAIL RELAY PROXY_ONLY :"), "{lines:?}");
    }
    luis.hears(&[]);
}

#[test]
fn a_header_that_never_ends_ends_in_its_time_and_delays_nobody() {
    let relay = relay(&["--flood", "0"]);
    let mut halves: Vec<Client> = (0..20)
        .map(|number| {
            let mut half = Client::connect(relay.proxy.unwrap());
            half.send_bytes(&b"PROXY TCP4 192.0.2.1 12"[..number]);
            half
        })
        .collect();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    ana.tell("hola");
    luis.hears(&["Ana: hola"]);
    for half in &mut halves {
        assert_eq!(half.hear(2 * support::DEADLINE), Heard::Closed);
    }
    // One that goes in the middle is gone.
    let mut gone = Client::connect(relay.proxy.unwrap());
    gone.send_bytes(b"PROXY TCP4");
    gone.half_close();
    gone.expect_closed();
}

#[test]
fn the_log_says_where_a_client_is_and_not_where_its_proxy_is() {
    let relay = relay(&[]);
    brought(&relay, "192.0.2.1").tell("Ana se ha unido al chat.");
    relay.named("Luis");
    let said = relay.stop();
    assert!(said.iter().any(|line| line == "named name=Ana from=192.0.2.1"), "{said:?}");
    assert!(said.iter().any(|line| line.starts_with("named name=Luis from=127.0.0.1:")), "{said:?}");
}

#[cfg(feature = "history")]
mod bans {
    use std::net::IpAddr;

    use tertulia_relay::cidr::Cidr;

    use super::*;
    use crate::support::{CHEAP, matches};

    /// A relay behind a proxy, and an operator on its machine.
    fn ground(flags: &[&str]) -> (Folder, Relay, Client) {
        let folder = Folder::new();
        folder.make_accounts(&[("Jefa", "operator"), ("Ana", "operator")]);
        let file = folder.file();
        let base = ["--flood", "0", "--history", file.to_str().unwrap(), "--metrics", "127.0.0.1:0"];
        let relay = relay(&[&base[..], &CHEAP, flags].concat());
        let mut jefa = relay.client();
        jefa.tell("/login Jefa Jefa-password");
        jefa.forget();
        (folder, relay, jefa)
    }

    /// A client from this address, as a proxy of version 2 brings it.
    fn brought_in_binary(relay: &Relay, address: &str) -> Client {
        let mut client = Client::connect(relay.proxy.unwrap());
        let header = match address.parse().unwrap() {
            IpAddr::V4(address) => {
                binary(0x21, 0x11, &[&address.octets()[..], &[127, 0, 0, 1, 1, 2, 3, 4]].concat())
            }
            IpAddr::V6(address) => {
                binary(0x21, 0x21, &[&address.octets()[..], &[0; 16], &[1, 2, 3, 4]].concat())
            }
        };
        client.send_bytes(&header);
        client
    }

    /// Somebody whom the proxy does not name, in all ways in which it may not.
    fn unnamed(relay: &Relay) -> [Client; 3] {
        [b"PROXY UNKNOWN\r\n".to_vec(), binary(0x21, 0, &[]), binary(0x20, 0x11, &[0; 12])].map(|header| {
            let mut client = Client::connect(relay.proxy.unwrap());
            client.send_bytes(&header);
            client
        })
    }

    #[track_caller]
    fn expect(client: &mut Client, line: &str, answer: &str) {
        client.forget();
        client.tell(line);
        let heard = client.all_lines();
        let last = heard.iter().rfind(|line| line.starts_with("* ")).unwrap();
        assert!(last.starts_with(answer), "{line}: {heard:?} instead of {answer:?}");
    }

    #[track_caller]
    fn expect_banned(mut client: Client) {
        let lines = client.lines_until_closed();
        assert!(matches("* FAIL RELAY BANNED :…", lines.last().unwrap()), "{lines:?}");
    }

    #[test]
    fn a_ban_of_an_address_is_about_the_client_and_neither_the_proxy_nor_the_others() {
        let (_folder, relay, mut jefa) = ground(&[]);
        let mut others = [brought(&relay, "192.0.2.2"), brought_in_binary(&relay, "2001:db8:2::1")];
        others.iter_mut().for_each(Client::sync);
        let mut present = [brought(&relay, "192.0.2.1"), brought_in_binary(&relay, "192.0.2.1")];
        present.iter_mut().for_each(Client::sync);
        expect(&mut jefa, "/ban 192.0.2.1", "* NOTE BAN DONE 192.0.2.1 :");
        present.into_iter().for_each(expect_banned);
        expect_banned(brought(&relay, "192.0.2.1"));
        expect_banned(brought_in_binary(&relay, "192.0.2.1"));
        // The same address in the clothing of the other family.
        expect_banned(brought_in_binary(&relay, "::ffff:192.0.2.1"));
        let mut present = [brought(&relay, "2001:db8:1::5"), brought_in_binary(&relay, "2001:db8:1::6")];
        present.iter_mut().zip(["Eva", "Pepe"]).for_each(|(client, name)| {
            client.tell(&format!("{name} se ha unido al chat."));
        });
        // Of IPv6 it is the whole network: whoever has it has each of its addresses.
        expect(&mut jefa, "/ban Eva", "* NOTE BAN DONE Eva 2001:db8:1::/64 :");
        present.into_iter().for_each(expect_banned);
        expect_banned(brought(&relay, "2001:db8:1::7"));
        expect_banned(brought_in_binary(&relay, "2001:db8:1:0:8::"));
        assert_eq!(relay.metric("tertulia_refused_total{reason=\"banned\"}"), 5.0);
        // The proxy, whom it brings besides, and whoever was there go on.
        let mut newcomers = [brought(&relay, "192.0.2.3"), brought_in_binary(&relay, "2001:db8:1:1::")];
        newcomers.iter_mut().chain(&mut others).chain(&mut unnamed(&relay)).for_each(Client::sync);
    }

    #[test]
    fn a_ban_of_a_loopback_address_that_a_proxy_names_shuts_nobody_out_who_is_here() {
        let (_folder, relay, mut jefa) = ground(&[]);
        for address in ["127.0.0.1", "::1"] {
            let mut eva = brought(&relay, address);
            eva.tell("Eva se ha unido al chat.");
            let mut guest = relay.client();
            guest.sync();
            let block = Cidr::around(address.parse().unwrap());
            expect(&mut jefa, "/ban Eva", &format!("* NOTE BAN DONE Eva {block} :"));
            expect_banned(eva);
            expect_banned(brought_in_binary(&relay, address));
            guest.sync();
            relay.client().sync();
            unnamed(&relay).iter_mut().for_each(Client::sync);
        }
        expect(&mut jefa, "/ban 127.0.0.1", "* FAIL BAN PROTECTED 127.0.0.1 :");
        expect(&mut jefa, "/unban 127.0.0.1", "* NOTE UNBAN DONE 127.0.0.1 :");
        brought(&relay, "127.0.0.1").sync();
    }

    #[test]
    fn whom_a_proxy_does_not_name_has_no_rights_of_this_machine() {
        let (_folder, relay, mut jefa) = ground(&["--allow-plaintext-login", "--trusted", "127.0.0.0/8"]);
        expect(&mut jefa, "/ban Ana", "* NOTE BAN DONE Ana :");
        for client in &mut unnamed(&relay) {
            client.send("/login Ana Ana-password");
            let lines = client.lines_until_closed();
            assert!(
                lines.iter().all(|line| line.starts_with("* FAIL ") && line.contains(" BANNED :")),
                "{lines:?}"
            );
        }
        let [mut eva, ..] = unnamed(&relay);
        eva.tell("Eva se ha unido al chat.");
        expect(&mut jefa, "/ban Eva", "* FAIL BAN PROTECTED Eva :");
        let (_folder, relay, _) = ground(&[]);
        for client in &mut unnamed(&relay) {
            expect(client, "/login Ana Ana-password", "* FAIL LOGIN NOT_PRIVATE :");
        }
    }

    #[test]
    fn all_whom_a_proxy_does_not_name_share_their_tries() {
        let (_folder, relay, _jefa) = ground(&["--allow-plaintext-login", "--trusted", "127.0.0.0/8"]);
        let ask = |client: &mut Client, line: &str| {
            client.tell(line);
            client.all_lines().pop().unwrap()
        };
        let (mut guesses, mut names) = (Vec::new(), Vec::new());
        for round in 0..5 {
            for (number, client) in unnamed(&relay).iter_mut().enumerate() {
                guesses.push(ask(client, &format!("/login Nadie{round}{number} adivinada")));
                names.push(ask(client, &format!("/register Nueva{round}{number} una clave")));
            }
        }
        // How many exactly depends on how long it takes here; the core's own tests know.
        let too_soon = |answers: &[String], command: &str| {
            let start = format!("* FAIL {command} TOO_SOON ");
            answers.iter().filter(|answer| answer.starts_with(&start)).count()
        };
        assert!(too_soon(&guesses, "LOGIN") > 0, "{guesses:?}");
        assert!(too_soon(&names, "REGISTER") > 0, "{names:?}");
        let mut named = brought(&relay, "192.0.2.9");
        expect(&mut named, "/login Nadie adivinada", "* FAIL LOGIN REFUSED :");
        expect(&mut named, "/register Nueva una clave", "* NOTE REGISTER DONE name=Nueva :");
    }
}
