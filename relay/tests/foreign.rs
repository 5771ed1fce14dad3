//! Other protocols on the chat's port: PROTOCOL.md, section 4, `FOREIGN_PROTOCOL`. Not a line of theirs may reach
//! the room: a web page must not be able to chat through a visitor's browser.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use support::{Client, Relay, matches};

const CURL: &str =
    "GET /index.html HTTP/1.1\r\nHost: localhost:2000\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n";

const BROWSER: &str = "POST / HTTP/1.1\r\nHost: localhost:2000\r\nConnection: keep-alive\r\nContent-Length: 80\r\n\
    Content-Type: text/plain\r\nOrigin: http://evil.example\r\n\r\n\
    Ana se ha unido al chat.\nAna: hola\n[RESPUESTA a 'x'] Ana: sí\n/nick Eva\nAna ha abandonado el chat.\n";

const SSH: &str = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n";

/// The start of a TLS 1.3 client hello as OpenSSL sends it, with a line feed and chat inside.
const TLS: &[u8] =
    b"\x16\x03\x01\x00\xf8\x01\x00\x00\xf4\x03\x03\x0a\xb7Ana: hola\nAna: hola\n\x13\x02\x13\x03\x00\xff";

/// Sends the pieces and says what the relay answered before it closed.
fn answer(relay: &Relay, pieces: &[&[u8]]) -> Vec<String> {
    let mut client = relay.client();
    // The relay may close before it has read all.
    let _ = pieces.iter().all(|piece| client.try_send_bytes(piece));
    client.lines_until_closed()
}

fn assert_turned_away(answer: &[String], which: &str) {
    let pattern = format!("* FAIL RELAY FOREIGN_PROTOCOL {which} :…");
    assert!(answer.len() == 1 && matches(&pattern, &answer[0]), "{answer:?}");
}

/// A relay and one who listens in its room.
fn relay_with_witness() -> (Relay, Client) {
    let relay = Relay::calm();
    let mut witness = relay.client();
    witness.sync();
    (relay, witness)
}

#[test]
fn an_http_request_is_told_and_closed_and_nothing_of_it_reaches_the_room() {
    let (relay, mut witness) = relay_with_witness();
    assert_turned_away(&answer(&relay, &[CURL.as_bytes()]), "http");
    assert_turned_away(&answer(&relay, &[BROWSER.as_bytes()]), "http");
    for method in ["HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let request = BROWSER.replace("POST", method);
        assert_turned_away(&answer(&relay, &[request.as_bytes()]), "http");
    }
    let connect = "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n";
    assert_turned_away(&answer(&relay, &[connect.as_bytes()]), "http");
    assert_turned_away(&answer(&relay, &[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]), "http");
    witness.hears(&[]);
}

#[test]
fn a_tls_and_an_ssh_hello_are_told_and_closed() {
    let (relay, mut witness) = relay_with_witness();
    assert_turned_away(&answer(&relay, &[TLS]), "tls");
    assert_turned_away(&answer(&relay, &[SSH.as_bytes()]), "ssh");
    witness.hears(&[]);
}

#[test]
fn a_request_that_comes_byte_by_byte_is_told_and_closed() {
    let (relay, mut witness) = relay_with_witness();
    for (request, which) in
        [(CURL.as_bytes(), "http"), (BROWSER.as_bytes(), "http"), (TLS, "tls"), (SSH.as_bytes(), "ssh")]
    {
        let bytes: Vec<&[u8]> = request.chunks(1).collect();
        assert_turned_away(&answer(&relay, &bytes), which);
    }
    witness.hears(&[]);
}

#[test]
fn a_request_whose_first_line_comes_slowly_is_told_and_closed() {
    let (relay, mut witness) = relay_with_witness();
    for cut in [1, 3, 5, 20] {
        let mut client = relay.client();
        client.send_bytes(&BROWSER.as_bytes()[..cut]);
        // Longer than the relay waits to tell lines from whole messages. It may know already and close.
        let early = client.hear(std::time::Duration::from_millis(300));
        client.try_send_bytes(&BROWSER.as_bytes()[cut..]);
        let mut answer = client.lines_until_closed();
        if let support::Heard::Line(line) = early {
            answer.insert(0, line);
        }
        assert_turned_away(&answer, "http");
    }
    witness.hears(&[]);
}

#[test]
fn who_is_chatting_may_say_what_looks_like_another_protocol() {
    let relay = Relay::calm();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    for line in ["GET / HTTP/1.1", "SSH-2.0-x", "POST / HTTP/1.1"] {
        ana.tell(line);
        luis.hears(&[&format!("Ana: {line}")]);
    }
}

/// The relay's core, for what depends on where one read ends and the next begins.
mod in_the_core {
    use std::io::IoSlice;

    use tertulia_relay::chat::{Chat, ClientId, Origin, Sent, Settings, Sink};
    use tertulia_relay::moment::Moment;
    use tertulia_relay::phrases::Language;

    const SPEAKER: ClientId = ClientId(0);
    const WITNESS: ClientId = ClientId(1);

    #[derive(Default)]
    struct Ears(Vec<u8>);

    impl Sink for Ears {
        fn write(&mut self, client: ClientId, pieces: &[IoSlice<'_>]) -> Sent {
            let bytes: Vec<u8> = pieces.iter().flat_map(|piece| piece.iter().copied()).collect();
            if client == WITNESS {
                self.0.extend(&bytes);
            }
            Sent::Bytes(bytes.len())
        }
    }

    /// What the witness hears of these reads of one connection.
    fn heard(reads: &[&[u8]]) -> String {
        let settings = Settings {
            flood: None,
            language: Language::Es,
            room_log_bytes: 0,
            token_key: [0; 32].into(),
            labels_max: 1000,
        };
        let mut chat = Chat::new(settings);
        [SPEAKER, WITNESS].into_iter().for_each(|client| chat.handle_connect(client, Origin::default()));
        for read in reads {
            chat.handle_bytes(SPEAKER, read, Moment::START);
        }
        let mut ears = Ears::default();
        chat.flush(Moment::START, &mut ears);
        String::from_utf8(ears.0).unwrap()
    }

    #[test]
    fn the_second_half_of_a_line_is_never_taken_for_another_protocol() {
        for half in ["GET /foo da 404", "SSH-2.0-OpenSSH"] {
            let line = format!("{half}\n");
            let heard = heard(&[b"\n", b"Ana: he visto que ", line.as_bytes()]);
            assert_eq!(heard, format!("Ana: he visto que {half}\n"));
        }
    }

    #[test]
    fn an_empty_line_before_a_request_hides_nothing() {
        // RFC 9112, section 2.2: a server is to ignore such a line.
        assert_eq!(heard(&[b"\r\nPOST / HTTP/1.1\r\nHost: x\r\n\r\nEva: hola\n"]), "");
    }
}
