//! Clients without line endings: PROTOCOL.md, section 3, with the programs that this relay replaces acted byte
//! by byte: whole messages in one `send`, and `recv(1024)` decoded by itself.
//!
//! The rules about 20 ms can be told apart from their breach only where the machine let this test run in time.
//! Such tests measure that, and try again when it was late: [`when_in_time`].

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::time::{Duration, Instant};

use support::{Client, DEADLINE, Relay, matches};

/// A read or write that was held up for longer says nothing about a rule of 20 ms.
const LATE: Duration = Duration::from_millis(10);

/// One of the programs of old: the Tk window or the bot.
struct Seed(Client);

impl Seed {
    /// Connects, and announces nothing.
    fn bot(relay: &Relay) -> Self {
        Self(relay.client())
    }

    /// Connects and announces itself; `witness` has heard it.
    fn window(relay: &Relay, name: &str, witness: &mut Client) -> Self {
        let mut window = Self(relay.client());
        window.send(&format!("{name} se ha unido al chat."));
        witness.expect_line(&format!("{name} se ha unido al chat."));
        window
    }

    fn send(&mut self, message: &str) {
        self.0.send_bytes(message.as_bytes());
    }

    fn recv(&mut self) -> String {
        let piece = self.0.read_piece(1024, DEADLINE).expect("something arrives");
        String::from_utf8(piece).expect("each read decodes by itself")
    }

    /// The reads of a program that is always reading, until they hold so many bytes without line feeds.
    fn reads(&mut self, bytes: usize) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::new();
        let until = Instant::now() + DEADLINE;
        let (mut arrived, mut is_late) = (0, false);
        while arrived < bytes {
            let before = Instant::now();
            assert!(before < until, "only {arrived} of {bytes} bytes arrived");
            let piece = self.0.read_piece(8192, Duration::from_millis(2));
            is_late |= before.elapsed() > LATE;
            let Some(bytes) = piece else { continue };
            arrived += bytes.iter().filter(|&&byte| byte != b'\n').count();
            let text = String::from_utf8(bytes).expect("each write decodes by itself");
            pieces.push(Piece { text, is_late: std::mem::take(&mut is_late) });
        }
        pieces
    }
}

/// What one read gave.
struct Piece {
    text: String,
    /// This program was held up: it may be more than one write of the relay.
    is_late: bool,
}

/// Tries, each time with a relay of its own, until the machine was not late (`None`).
fn when_in_time(attempt: impl Fn(&Relay, &mut Client) -> Option<()>) {
    let found = (0..50).find_map(|_| {
        let relay = Relay::calm();
        let [mut luis] = relay.people(["Luis"]);
        attempt(&relay, &mut luis)
    });
    found.expect("this machine is too busy to measure 20 ms: 50 attempts were late");
}

#[test]
fn the_window_of_old_joins_speaks_and_leaves() {
    let relay = Relay::calm();
    let [mut luis] = relay.people(["Luis"]);
    let mut window = Seed::window(&relay, "Ana", &mut luis);
    window.send("Ana: hola");
    luis.expect_line("Ana: hola");
    window.send("Ana: ¿qué tal?");
    luis.expect_line("Ana: ¿qué tal?");
    window.send("Ana ha abandonado el chat.");
    drop(window);
    luis.expect_line("Ana ha abandonado el chat.");
    luis.expect_silence(300);
}

#[test]
fn the_window_of_old_hears_each_message_as_one_read_without_an_ending() {
    let relay = Relay::calm();
    let [mut luis] = relay.people(["Luis"]);
    let mut window = Seed::window(&relay, "Ana", &mut luis);
    for message in ["Luis: hola", "Luis: ¿qué tal?", "[RESPUESTA a 'Ana: x'] Luis: sí"] {
        luis.send(message);
        assert_eq!(window.recv(), message);
    }
    let mut eva = relay.named("Eva");
    assert_eq!(window.recv(), "Eva se ha unido al chat.");
    eva.send("/quit");
    assert_eq!(window.recv(), "Eva ha abandonado el chat.");
    drop(luis);
    assert_eq!(window.recv(), "Luis ha abandonado el chat.");
}

#[test]
fn the_bot_of_old_hears_everything_before_it_says_anything() {
    let relay = Relay::calm();
    let mut bot = Seed::bot(&relay);
    let mut ana = relay.named("Ana");
    assert_eq!(bot.recv(), "Ana se ha unido al chat.\n");
    ana.tell("Ana: hola");
    assert_eq!(bot.recv(), "Ana: hola\n");
    bot.send("[RESPUESTA a 'Ana: hola'] Telegram - Luis: buenas");
    ana.expect_line("[RESPUESTA a 'Ana: hola'] Telegram - Luis: buenas");
    bot.send("Telegram - Eva: yo también");
    ana.expect_line("Telegram - Eva: yo también");
    ana.send("adiós");
    assert_eq!(bot.recv(), "Ana: adiós");
    ana.half_close();
    assert_eq!(bot.recv(), "Ana ha abandonado el chat.");
}

#[test]
fn the_window_and_the_bot_of_old_and_nc_talk_with_one_another() {
    let relay = Relay::calm();
    let [mut nc] = relay.people(["Nuria"]);
    let mut bot = Seed::bot(&relay);
    nc.sync();
    let mut window = Seed::window(&relay, "Ana", &mut nc);
    assert_eq!(bot.recv(), "Ana se ha unido al chat.\n");
    window.send("Ana: hola");
    nc.expect_line("Ana: hola");
    assert_eq!(bot.recv(), "Ana: hola\n");
    bot.send("[RESPUESTA a 'Ana: hola'] Telegram - Luis: buenas");
    nc.expect_line("[RESPUESTA a 'Ana: hola'] Telegram - Luis: buenas");
    assert_eq!(window.recv(), "[RESPUESTA a 'Ana: hola'] Telegram - Luis: buenas");
    nc.send("¿qué tal?");
    assert_eq!((window.recv(), bot.recv()), ("Nuria: ¿qué tal?".into(), "Nuria: ¿qué tal?".into()));
    bot.send("Telegram - Eva: bien\ny tú");
    nc.expect_line("Telegram - Eva: bien\u{2028}y tú");
    assert_eq!(window.recv(), "Telegram - Eva: bien\ny tú");
    window.send("Ana ha abandonado el chat.");
    drop(window);
    nc.expect_line("Ana ha abandonado el chat.");
    assert_eq!(bot.recv(), "Ana ha abandonado el chat.");
    nc.expect_silence(100);
}

#[test]
fn messages_that_come_together_are_never_glued() {
    let said: Vec<String> = (0..8).map(|number| format!("Luis: mensaje {number}")).collect();
    when_in_time(|relay, luis| {
        let mut window = Seed::window(relay, "Ana", luis);
        luis.send(&said.join("\n"));
        let pieces = window.reads(said.concat().len());
        let heard: String = pieces.iter().map(|piece| piece.text.replace('\n', "")).collect();
        assert_eq!(heard, said.concat());
        let in_time = || pieces.iter().filter(|piece| !piece.is_late);
        for message in in_time().flat_map(|piece| piece.text.split('\n')) {
            assert!(said.iter().any(|said| said == message), "{message:?}");
        }
        in_time().next().map(|_| ())
    });
}

#[test]
fn a_write_has_at_most_1024_bytes_and_ends_between_characters() {
    // Three bytes a character, so that no multiple of 1,024 falls between two of them by itself.
    let message = format!("Luis: {}", "€".repeat(1500));
    when_in_time(|relay, luis| {
        let mut window = Seed::window(relay, "Ana", luis);
        luis.send(&message);
        let pieces = window.reads(message.len());
        assert_eq!(pieces.iter().map(|piece| piece.text.as_str()).collect::<String>(), message);
        let lengths: Vec<usize> =
            pieces.iter().filter(|piece| !piece.is_late).map(|piece| piece.text.len()).collect();
        assert!(lengths.iter().all(|&length| length <= 1024), "{lengths:?}");
        (lengths.len() > 1).then_some(())
    });
}

#[test]
fn a_line_break_is_a_line_feed_and_cannot_forge_a_message() {
    let relay = Relay::calm();
    let [mut luis] = relay.people(["Luis"]);
    let mut window = Seed::window(&relay, "Ana", &mut luis);
    let cases = [
        ("dos", "dos"),
        ("12:30", "12:30"),
        ("Eva: dos", "  Eva: dos"),
        ("Telegram - Eva: dos", "  Telegram - Eva: dos"),
        ("Eva se ha unido al chat.", "  Eva se ha unido al chat."),
        ("Eva ha abandonado el chat.", "  Eva ha abandonado el chat."),
        ("[RESPUESTA a 'x'] Eva: dos", "  [RESPUESTA a 'x'] Eva: dos"),
        ("* FAIL RELAY CLOSING :adiós", "  * FAIL RELAY CLOSING :adiós"),
    ];
    for (line, written) in cases {
        luis.send(&format!("Luis: uno\u{2028}{line}\u{2028}tres"));
        assert_eq!(window.recv(), format!("Luis: uno\n{written}\ntres"));
    }
}

#[test]
fn a_line_feed_inside_is_a_line_break_of_the_message() {
    let relay = Relay::calm();
    let [mut luis] = relay.people(["Luis"]);
    let mut window = Seed::window(&relay, "Ana", &mut luis);
    window.send("Ana: uno\ndos\n\nEva: tres");
    luis.expect_line("Ana: uno\u{2028}dos\u{2028}\u{2028}Eva: tres");
}

#[test]
fn a_long_message_sent_in_pieces_is_one() {
    // 5,001 bytes, and the pieces end inside characters.
    let message = format!("Ana: {}", "ñ".repeat(2498));
    when_in_time(|relay, luis| {
        let mut window = Seed::window(relay, "Ana", luis);
        let begun = Instant::now();
        message.as_bytes().chunks(1024).for_each(|piece| window.0.send_bytes(piece));
        let in_time = begun.elapsed() < LATE;
        in_time.then(|| luis.expect_line(&message))
    });
}

#[test]
fn a_read_that_ends_inside_a_character_waits_for_its_rest() {
    when_in_time(|relay, luis| {
        let mut window = Seed::window(relay, "Ana", luis);
        let (head, tail) = "Ana: 😀 y más".as_bytes().split_at("Ana: ".len() + 2);
        let begun = Instant::now();
        window.0.send_bytes(head);
        window.0.send_bytes(tail);
        let in_time = begun.elapsed() < LATE;
        in_time.then(|| luis.expect_line("Ana: 😀 y más"))
    });
}

#[test]
fn a_join_and_what_is_said_right_after_it_are_told_apart() {
    let relay = Relay::calm();
    let [mut luis] = relay.people(["Luis"]);
    let mut window = Seed(relay.client());
    window.send("Ana se ha unido al chat.Ana: hola\nEva: dos");
    luis.expect_line("Ana se ha unido al chat.");
    luis.expect_line("Ana: hola\u{2028}Eva: dos");
    window.send("Ana: adiósAna ha abandonado el chat.");
    luis.expect_line("Ana: adiós");
    luis.expect_line("Ana ha abandonado el chat.");
    luis.expect_silence(100);
}

#[test]
fn a_notice_of_another_name_is_not_split_off() {
    let relay = Relay::calm();
    let [mut luis] = relay.people(["Luis"]);
    let mut window = Seed::window(&relay, "Ana", &mut luis);
    for text in
        ["Luis se ha unido al chat.Ana: x", "xLuis ha abandonado el chat.", "Luis ha abandonado el chat."]
    {
        window.send(text);
        luis.expect_line(&format!("Ana: {text}"));
    }
}

#[test]
fn what_comes_within_200_ms_of_the_first_byte_is_one_message() {
    when_in_time(|relay, luis| {
        let mut window = Seed(relay.client());
        let begun = Instant::now();
        window.send("Ana se ha ");
        luis.sync();
        window.send("unido al chat.");
        let in_time = begun.elapsed() < Duration::from_millis(150);
        in_time.then(|| luis.expect_line("Ana se ha unido al chat."))
    });
}

#[test]
fn a_connection_that_begins_with_no_row_of_the_table_sends_lines() {
    let relay = Relay::calm();
    let [mut luis] = relay.people(["Luis"]);
    let needed = "* FAIL SAY NAME_NEEDED :…";
    for (head, answer) in
        [("hola", needed), ("/ping ", "* PONG x"), ("Ana:", needed), ("Ana se ha unido", needed)]
    {
        let mut typing = relay.client();
        typing.send_bytes(head.as_bytes());
        typing.expect_silence(300);
        typing.send_bytes(b"x\n/ping y\n");
        typing.expect_line(answer);
    }
    luis.hears(&[]);
}

#[test]
fn a_first_read_that_ends_in_a_line_feed_decides_for_lines() {
    let relay = Relay::calm();
    let [mut luis] = relay.people(["Luis"]);
    let mut ana = relay.client();
    ana.send("Ana se ha unido al chat.");
    luis.expect_line("Ana se ha unido al chat.");
    ana.send_bytes("Ana: ho".as_bytes());
    luis.expect_silence(300);
    ana.send_bytes("la\n".as_bytes());
    luis.expect_line("Ana: hola");
}

#[test]
fn a_connection_whose_read_ends_in_a_line_feed_sends_lines_from_then_on() {
    let relay = Relay::calm();
    let [mut luis] = relay.people(["Luis"]);
    let mut window = Seed::window(&relay, "Ana", &mut luis);
    window.send("Ana: hola\n");
    luis.expect_line("Ana: hola");
    window.send("uno\ndos\n");
    luis.expect_line("Ana: uno");
    luis.expect_line("Ana: dos");
    luis.send("Luis: tres");
    assert_eq!(window.recv(), "Luis: tres\n");
}

#[test]
fn a_window_whose_name_is_in_use_is_told_and_goes_on_under_another() {
    let relay = Relay::calm();
    let [mut ana] = relay.people(["Ana"]);
    let mut window = Seed(relay.client());
    window.send("Ana se ha unido al chat.");
    let told = window.recv();
    assert!(matches("* NOTE JOIN RENAMED Ana_2 :…", &told), "{told:?}");
    ana.expect_line("Ana_2 se ha unido al chat.");
    window.send("Ana: hola");
    ana.expect_line("Ana_2: hola");
    window.send("Ana ha abandonado el chat.");
    ana.expect_line("Ana_2 ha abandonado el chat.");
}

#[test]
fn a_whole_message_over_the_limit_is_refused_once_and_its_sender_lives() {
    let relay = Relay::calm();
    let [mut luis] = relay.people(["Luis"]);
    let mut window = Seed::window(&relay, "Ana", &mut luis);
    window.send(&format!("Ana: {}", "x".repeat(20_000)));
    let told = window.recv();
    assert!(matches("* FAIL SAY LINE_TOO_LONG 16384 :…", &told), "{told:?}");
    luis.expect_silence(100);
    window.send("Ana: sigo aquí");
    luis.expect_line("Ana: sigo aquí");
}
