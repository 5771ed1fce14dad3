//! Answers as the Bot API's documentation describes them, whole, each in a file under `replies/`: what they are decoded to. And a
//! connection that breaks off.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::io::{Read, Write};
use std::time::Duration;

use tertulia_tgbridge::bridge::Poll;
use tertulia_tgbridge::bridge::describe;
use tertulia_tgbridge::phrases::Language;
use tertulia_tgbridge::telegram::client::Client;
use tertulia_tgbridge::telegram::reply::{CallError, decode, decode_updates};
use tertulia_tgbridge::telegram::token::Token;
use tertulia_tgbridge::telegram::types::{Update, integer, string};

fn file(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/replies/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn updates(name: &str) -> Vec<Update> {
    decode_updates(200, &file(name)).unwrap()
}

#[test]
fn every_update_of_the_documentation_is_understood() {
    let cases = [
        ("text", -1_001_234, None, "hola a todos"),
        ("edited", -1_001_234, None, "hola a todas"),
        ("photo", -1_001_234, None, "[foto] la playa"),
        ("topic", -1_001_234, Some(7), "¿qué vemos?"),
        ("channel_post", -1_009_876, None, "mañana no hay"),
        ("poll", -1_001_234, None, "[encuesta: ¿Cuándo? — hoy / mañana]"),
        ("rich_message", -1_001_234, None, "Lista\n• pan duro"),
        ("migrated_message", -1234, None, "[el grupo es ahora un supergrupo]"),
    ];
    for (name, chat, thread, text) in cases {
        let updates = updates(name);
        assert_eq!(updates.len(), 1, "{name}");
        let message = updates[0].message.as_ref().unwrap();
        assert_eq!(
            (message.chat, message.thread, message.is_edit),
            (chat, thread, name == "edited"),
            "{name}"
        );
        assert_eq!(describe(&message.body, Language::Es), text, "{name}");
    }
}

#[test]
fn what_is_not_known_yet_gives_its_id_and_its_name() {
    let updates = updates("of_tomorrow");
    assert_eq!(updates.iter().map(|update| update.id).collect::<Vec<_>>(), [900_009, 900_010]);
    assert_eq!(updates[0].message, None);
    let shown = describe(&updates[1].message.as_ref().unwrap().body, Language::En);
    assert_eq!(shown, "[a message of a kind that this bridge does not know: hologram]");
    assert_eq!(decode_updates(200, &file("empty")), Ok(vec![]));
}

#[test]
fn results_of_other_calls_are_understood() {
    assert_eq!(string(&decode(200, &file("getMe")).unwrap(), "username"), "puente_bot");
    assert_eq!(integer(&decode(200, &file("sendMessage")).unwrap(), "message_id"), Some(812));
}

#[test]
fn every_refusal_of_the_documentation_is_understood() {
    let cases = [
        ("too_many_requests", 429, Some(Duration::from_secs(35)), None),
        ("conflict", 409, None, None),
        ("migrated", 400, None, Some(-1_001_234)),
        ("kicked", 403, None, None),
        ("unauthorized", 401, None, None),
    ];
    for (name, expected, wait, chat) in cases {
        let status = u16::try_from(expected).unwrap();
        let CallError::Refused { code, retry_after, migrate_to, .. } =
            decode(status, &file(name)).unwrap_err()
        else {
            panic!("{name} is a refusal")
        };
        assert_eq!((code, retry_after, migrate_to), (expected, wait, chat), "{name}");
    }
}

/// A server that takes one request, says this, and closes.
fn server(answer: &'static [u8]) -> std::net::SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut caller, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let _ = caller.read(&mut request);
        let _ = caller.write_all(answer);
    });
    address
}

fn call(address: &str) -> Result<serde_json::Value, CallError> {
    call_within(address, Duration::from_secs(20))
}

fn call_within(address: &str, wait: Duration) -> Result<serde_json::Value, CallError> {
    let client = Client::new(address, Token::parse("4242:AAEsecret").unwrap(), None).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let call = async { client.call("sendMessage", &serde_json::json!({}), wait).await };
    runtime.block_on(call)
}

#[test]
fn of_a_call_whose_connection_breaks_in_the_middle_of_the_answer_nobody_knows() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"ok\":true,\"result\":{\"message_id\":1"[..],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{\"ok\":true",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"",
    ] {
        let error = call(&format!("http://{}", server(answer))).unwrap_err();
        assert!(matches!(error, CallError::Unknown(_)), "{error:?}");
        assert_is_for_people(&error);
    }
}

#[test]
fn a_call_without_a_connection_was_not_sent() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    assert!(matches!(call(&format!("http://{address}")), Err(CallError::NotSent(_))));
}

/// A sentence in two languages, without addresses, numbers of errors or the token.
fn assert_is_for_people(error: &CallError) -> (String, String) {
    let told = error.told();
    let both = (told.shown(Language::Es).to_owned(), told.shown(Language::En).to_owned());
    for words in [&both.0, &both.1] {
        for wrong in ["os error", "http://", "https://", "AAEsecret", "error sending", "client error"] {
            assert!(!words.contains(wrong), "{words}");
        }
    }
    both
}

#[test]
fn each_way_of_not_reaching_telegram_has_a_sentence_in_both_languages() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for (address, spanish, english) in [
        (format!("http://{nobody}"), "conexión rechazada", "connection refused"),
        ("http://there-is-no-such-host.invalid".to_owned(), "ninguna máquina", "no machine"),
        (format!("http://{}", server(b"")), "se ha cortado", "was cut"),
        (
            format!("http://{}", server(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{")),
            "se ha cortado",
            "was cut",
        ),
        (
            format!("https://{}", server(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
            "no se habla TLS",
            "no TLS is spoken",
        ),
        (format!("http://{}", silent.local_addr().unwrap()), "a tiempo", "in time"),
    ] {
        let wait = if address.ends_with(&silent.local_addr().unwrap().to_string()) { 1 } else { 20 };
        let error = call_within(&address, Duration::from_secs(wait)).unwrap_err();
        let (es, en) = assert_is_for_people(&error);
        assert!(es.contains(spanish) && en.contains(english), "{address}: {es} / {en}");
    }
}

#[test]
fn a_poll_tells_what_the_clock_there_showed() {
    let answer = b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 23\r\n\r\n{\"ok\":true,\"result\":[]}";
    let client =
        Client::new(&format!("http://{}", server(answer)), Token::parse("4242:AAEsecret").unwrap(), None);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let poll = Poll { offset: None, limit: 1, timeout: Duration::ZERO };
    let given = runtime.block_on(async { client.unwrap().updates(poll).await }).unwrap();
    assert_eq!((given.updates.len(), given.unix_ms), (0, Some(784_111_777_000)));
}
