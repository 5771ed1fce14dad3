//! Lines: PROTOCOL.md, section 1, rule by rule.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use support::Relay;
use tertulia_wire::limits::LINE_BYTES_MAX;

#[test]
fn a_line_is_heard_by_the_others_and_never_by_its_sender() {
    let relay = Relay::calm();
    let [mut ana, mut luis, mut eva] = relay.people(["Ana", "Luis", "Eva"]);
    ana.tell("Ana: hola: ¿qué tal?");
    luis.hears(&["Ana: hola: ¿qué tal?"]);
    eva.hears(&["Ana: hola: ¿qué tal?"]);
    ana.hears(&[]);
}

#[test]
fn a_join_is_shown_to_the_others_once() {
    let relay = Relay::calm();
    let [mut luis] = relay.people(["Luis"]);
    let mut ana = relay.client();
    ana.tell("Ana se ha unido al chat.");
    ana.tell("Ana se ha unido al chat.");
    luis.hears(&["Ana se ha unido al chat."]);
    ana.hears(&[]);
}

#[test]
fn an_unnamed_connection_hears_the_default_room_and_is_not_in_who() {
    let relay = Relay::calm();
    let mut quiet = relay.client();
    quiet.sync();
    let mut ana = relay.named("Ana");
    ana.tell("Ana: hola");
    quiet.hears(&["Ana se ha unido al chat.", "Ana: hola"]);
    quiet.tell("/who");
    quiet.hears(&["* WHO room=general name=Ana", "* END WHO room=general shown=1 of=1"]);
}

#[test]
fn text_without_a_name_is_said_under_the_name_held() {
    let relay = Relay::calm();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    for text in ["hola", "12:30", "Ana:hola", "https://a.example/b", "#x: y", "  sangrado", ": nadie"] {
        ana.tell(text);
        luis.hears(&[&format!("Ana: {text}")]);
    }
    ana.hears(&[]);
}

#[test]
fn text_of_an_unnamed_connection_is_refused_and_not_said() {
    let relay = Relay::calm();
    let [mut luis] = relay.people(["Luis"]);
    let mut nobody = relay.client();
    for text in ["hola", "//tmp", "[RESPUESTA a 'sin fin", "Ana:hola"] {
        nobody.tell(text);
        nobody.hears(&["* FAIL SAY NAME_NEEDED :…"]);
    }
    luis.hears(&[]);
}

#[test]
fn leaving_is_shown_once_and_takes_the_name_away() {
    let relay = Relay::calm();
    let [mut luis, mut ana] = relay.people(["Luis", "Ana"]);
    ana.tell("Ana ha abandonado el chat.");
    luis.hears(&["Ana ha abandonado el chat."]);
    ana.tell("hola");
    ana.hears(&["* FAIL SAY NAME_NEEDED :…"]);
    ana.half_close();
    ana.expect_closed();
    luis.hears(&[]);
    let mut other = relay.client();
    other.tell("Ana se ha unido al chat.");
    other.hears(&[]);
}

#[test]
fn a_reply_is_said_with_its_bracket() {
    let relay = Relay::calm();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    luis.tell("[RESPUESTA a 'Ana: hola'] Luis: buenas");
    ana.hears(&["[RESPUESTA a 'Ana: hola'] Luis: buenas"]);
    luis.hears(&[]);
}

#[test]
fn a_second_slash_makes_text_of_a_command() {
    let relay = Relay::calm();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    ana.tell("//quit");
    luis.hears(&["Ana: /quit"]);
    ana.tell("Ana: /quit");
    luis.hears(&["Ana: /quit"]);
}

#[test]
fn who_vanishes_is_shown_to_leave() {
    let relay = Relay::calm();
    let [mut luis, ana, eva] = relay.people(["Luis", "Ana", "Eva"]);
    drop(ana);
    luis.expect_line("Ana ha abandonado el chat.");
    eva.reset();
    luis.expect_line("Eva ha abandonado el chat.");
}

#[test]
fn who_never_took_a_name_leaves_no_trace() {
    let relay = Relay::calm();
    let mut witness = relay.client();
    witness.sync();
    let mut nobody = relay.client();
    nobody.tell("hola");
    nobody.half_close();
    nobody.lines_until_closed();
    relay.client().reset();
    witness.hears(&[]);
    let said = relay.stop();
    assert_eq!(said.len(), 1, "not only where it listens: {said:?}");
}

#[test]
fn what_stands_without_an_ending_at_the_end_is_a_last_line() {
    let relay = Relay::calm();
    let [mut luis, mut ana] = relay.people(["Luis", "Ana"]);
    ana.send_bytes("Ana: uno\nAna: y dos".as_bytes());
    ana.half_close();
    ana.expect_closed();
    luis.expect_line("Ana: uno");
    luis.expect_line("Ana: y dos");
    luis.expect_line("Ana ha abandonado el chat.");
}

#[test]
fn a_client_that_half_closes_still_gets_its_answers() {
    let relay = Relay::calm();
    let [mut luis] = relay.people(["Luis"]);
    let mut printf_nc = relay.client();
    printf_nc.send_bytes("/who\nAna: hola\n/ping x\nhola otra vez".as_bytes());
    printf_nc.half_close();
    let who = ["* WHO room=general name=Luis", "* END WHO room=general shown=1 of=1", "* PONG x"];
    assert_eq!(printf_nc.lines_until_closed(), who);
    luis.expect_line("Ana: hola");
    luis.expect_line("Ana: hola otra vez");
    luis.hears(&[]);
}

#[test]
fn an_empty_line_says_nothing() {
    let relay = Relay::calm();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    ana.send_bytes(b"\n\r\n\n\r\n");
    ana.hears(&[]);
    luis.hears(&[]);
    let mut nobody = relay.client();
    nobody.send_bytes(b"\n\r\n");
    nobody.hears(&[]);
}

#[test]
fn a_carriage_return_before_the_line_feed_is_dropped() {
    let relay = Relay::calm();
    let [mut luis] = relay.people(["Luis"]);
    let mut ana = relay.client();
    ana.send_bytes(b"Ana se ha unido al chat.\r\nAna: hola\r\n/ping x\r\nadios\r\n");
    ana.expect_line("* PONG x");
    ana.sync();
    luis.hears(&["Ana se ha unido al chat.", "Ana: hola", "Ana: adios"]);
}

#[test]
fn a_line_break_inside_a_message_cannot_forge_a_second_line() {
    let relay = Relay::calm();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    ana.tell("Ana: uno\u{2028}Eva: dos");
    luis.hears(&["Ana: uno\u{2028}Eva: dos"]);
    ana.tell("Ana: uno\u{2029}Eva: dos");
    luis.hears(&["Ana: uno\u{2028}Eva: dos"]);
}

#[test]
fn control_characters_and_bidi_controls_are_removed() {
    let relay = Relay::calm();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    ana.tell("Ana: a\u{1b}[2Jb\u{7}c\u{0}d\re\u{85}f\u{7f}g\u{9b}h");
    luis.hears(&["Ana: a[2Jbcdefgh"]);
    ana.tell("Ana: a\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}b\u{2066}\u{2067}\u{2068}\u{2069}c");
    luis.hears(&["Ana: abc"]);
    ana.tell("Ana: \tשלום, «señor»… 👩‍👧 €");
    luis.hears(&["Ana: \tשלום, «señor»… 👩‍👧 €"]);
}

#[test]
fn dirt_cannot_hide_a_notice_or_a_name() {
    let relay = Relay::calm();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    ana.tell("A\u{7}na: ho\u{202e}la");
    luis.hears(&["Ana: hola"]);
    ana.tell("\u{7}* FAIL RELAY CLOSING :adiós");
    luis.hears(&["Ana: * FAIL RELAY CLOSING :adiós"]);
    let mut nobody = relay.client();
    nobody.tell("A\u{202e}na: soy otra");
    nobody.hears(&["* FAIL SAY NAME_IN_USE Ana :…"]);
}

#[test]
fn a_line_that_is_not_utf8_is_refused_and_the_connection_lives() {
    let relay = Relay::calm();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    for bytes in
        [&b"Ana: \xff\xfe\n"[..], b"Ana: ma\xf1ana\n", b"\xc3\n", b"Ana: \xed\xa0\x80\n", b"\xc0\xaf\n"]
    {
        ana.send_bytes(bytes);
        ana.hears(&["* FAIL SAY NOT_UTF8 :…"]);
    }
    ana.tell("Ana: mañana");
    luis.hears(&["Ana: mañana"]);
}

#[test]
fn a_line_of_16384_bytes_passes() {
    let relay = Relay::calm();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    let line = format!("Ana: {}", "x".repeat(LINE_BYTES_MAX - "Ana: ".len()));
    for ending in ["\n", "\r\n"] {
        ana.send_bytes(format!("{line}{ending}").as_bytes());
        ana.hears(&[]);
        luis.hears(&[&line]);
    }
}

#[test]
fn a_line_of_16385_bytes_is_refused_once_and_the_connection_lives() {
    let relay = Relay::calm();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    let line = format!("Ana: {}", "x".repeat(LINE_BYTES_MAX + 1 - "Ana: ".len()));
    for ending in ["\n", "\r\n"] {
        ana.send_bytes(format!("{line}{ending}Ana: vivo{ending}").as_bytes());
        ana.hears(&["* FAIL SAY LINE_TOO_LONG 16384 :…"]);
        luis.hears(&["Ana: vivo"]);
    }
}

#[test]
fn the_longest_line_is_said_whole_under_the_longest_name() {
    let relay = Relay::calm();
    let name = "ñ".repeat(32);
    let [mut long, mut luis] = relay.people([&name, "Luis"]);
    let text = "€".repeat(LINE_BYTES_MAX / 3);
    long.tell(&text);
    luis.hears(&[&format!("{name}: {text}")]);
}

#[test]
fn a_character_cut_in_two_by_tcp_arrives_whole() {
    let relay = Relay::calm();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    for cut in 1..4 {
        let (head, tail) = "😀\n".as_bytes().split_at(cut);
        ana.send_bytes(head);
        // By the time of this answer the relay has read the first part by itself.
        luis.sync();
        ana.send_bytes(tail);
        ana.hears(&[]);
        luis.hears(&["Ana: 😀"]);
    }
}

#[test]
fn lines_are_the_same_whatever_way_tcp_cuts_them() {
    let relay = Relay::calm();
    let [mut luis] = relay.people(["Luis"]);
    let mut ana = relay.client();
    ana.sync();
    for byte in "Ana se ha unido al chat.\r\nAna: año\r\n[RESPUESTA a 'Luis: ¿?'] Ana: sí\nadiós\n".bytes()
    {
        ana.send_bytes(&[byte]);
    }
    ana.hears(&[]);
    let said = ["Ana: año", "[RESPUESTA a 'Luis: ¿?'] Ana: sí", "Ana: adiós"];
    luis.expect_line("Ana se ha unido al chat.");
    luis.hears(&said);
    ana.tell(&said.join("\n"));
    luis.hears(&said);
}

#[test]
fn an_answer_does_not_overtake_what_was_said_before_it() {
    let relay = Relay::calm();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    for round in 0..50 {
        ana.tell(&format!("Ana: {round}"));
        luis.send("/ping x");
        luis.expect_line(&format!("Ana: {round}"));
        luis.expect_line("* PONG x");
    }
}
