//! Names: PROTOCOL.md, section 2, rule by rule.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use support::Relay;

#[test]
fn nobody_can_speak_as_somebody_else() {
    let relay = Relay::calm();
    let [mut ana, mut luis, mut eva] = relay.people(["Ana", "Luis", "Eva"]);
    let forged = [
        "Luis: dadme la clave",
        "Nadie: hola",
        "Luis se ha unido al chat.",
        "Nadie se ha unido al chat.",
        "Luis ha abandonado el chat.",
        "[RESPUESTA a 'Ana: x'] Luis: sí",
        "Luis - Ana: hola",
        "* FAIL RELAY CLOSING :adiós",
        "* PRIVATE Luis :ven",
    ];
    for line in forged {
        ana.tell(line);
        luis.hears(&[&format!("Ana: {line}")]);
        eva.hears(&[&format!("Ana: {line}")]);
    }
    ana.hears(&[]);
}

#[test]
fn a_bridge_speaks_for_many_people() {
    let relay = Relay::calm();
    let [mut telegram, mut luis] = relay.people(["Telegram", "Luis"]);
    let lines = ["Telegram - Luis: hola", "Telegram - Eva: yo", "[RESPUESTA a 'Luis: x'] Telegram - *Li: sí"];
    for line in lines {
        telegram.tell(line);
        luis.hears(&[line]);
    }
    telegram.tell("yo mismo");
    luis.hears(&["Telegram: yo mismo"]);
    telegram.hears(&[]);
}

#[test]
fn who_joins_as_one_side_of_a_bridge_holds_the_bridge() {
    let relay = Relay::calm();
    let [mut eva] = relay.people(["Eva"]);
    let mut bridge = relay.client();
    bridge.tell("Telegram - Luis se ha unido al chat.");
    eva.hears(&["Telegram - Luis se ha unido al chat."]);
    bridge.tell("Telegram - Li: hola");
    eva.hears(&["Telegram - Li: hola"]);
    let mut other = relay.client();
    for name in ["Telegram", "Telegram - Luis", "Telegram - Otro"] {
        other.tell(&format!("{name}: soy yo"));
        let answers = other.all_lines();
        let refused = answers.len() == 1 && answers[0].starts_with("* FAIL SAY NAME_IN_USE Telegram");
        assert!(refused, "{answers:?}");
    }
    eva.hears(&[]);
}

#[test]
fn the_right_side_of_a_bridge_is_cut_at_a_character() {
    let relay = Relay::calm();
    let [mut telegram, mut luis] = relay.people(["Telegram", "Luis"]);
    telegram.tell(&format!("Telegram - a{}: hola", "ñ".repeat(40)));
    luis.hears(&[&format!("Telegram - a{}: hola", "ñ".repeat(31))]);
}

#[test]
fn a_connection_that_never_joined_speaks_and_goes_without_a_notice() {
    let relay = Relay::calm();
    let [mut luis] = relay.people(["Luis"]);
    let mut bot = relay.client();
    bot.tell("Eva: hola");
    luis.hears(&["Eva: hola"]);
    bot.tell("[RESPUESTA a 'Luis: x'] Eva: sí");
    luis.hears(&["[RESPUESTA a 'Luis: x'] Eva: sí"]);
    bot.tell("sin prefijo");
    luis.hears(&["Eva: sin prefijo"]);
    bot.half_close();
    bot.expect_closed();
    luis.hears(&[]);
}

#[test]
fn who_speaks_without_joining_holds_the_name_until_it_speaks_under_another() {
    let relay = Relay::calm();
    let mut bot = relay.client();
    let mut other = relay.client();
    bot.tell("Eva: hola");
    other.tell("Eva: hola");
    other.expect_line("Eva: hola");
    other.hears(&["* FAIL SAY NAME_IN_USE Eva :…"]);
    bot.tell("Luis: ahora yo");
    other.expect_line("Luis: ahora yo");
    other.tell("Eva: hola");
    other.hears(&[]);
    bot.hears(&["Eva: hola"]);
    other.tell("Luis: hola");
    other.hears(&["* FAIL SAY NAME_IN_USE Luis :…"]);
}

#[test]
fn a_silent_name_is_free_again_when_its_holder_joins_or_closes() {
    let relay = Relay::calm();
    let mut bot = relay.client();
    let mut other = relay.client();
    bot.tell("Eva: hola");
    bot.tell("Luis se ha unido al chat.");
    other.tell("Eva: ahora soy yo");
    bot.hears(&["Eva: ahora soy yo"]);
    other.half_close();
    other.expect_line("Eva: hola");
    other.expect_line("Luis se ha unido al chat.");
    other.expect_closed();
    let mut third = relay.client();
    third.tell("Eva se ha unido al chat.");
    third.hears(&[]);
    bot.hears(&["Eva se ha unido al chat."]);
}

#[test]
fn a_joined_connection_does_not_lose_its_name_by_speaking_under_another() {
    let relay = Relay::calm();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    ana.tell("Eva: hola");
    luis.hears(&["Ana: Eva: hola"]);
    let mut other = relay.client();
    other.tell("Eva: sí soy");
    other.hears(&[]);
    luis.hears(&["Eva: sí soy"]);
}

#[test]
fn a_reserved_name_is_nobodys() {
    let relay = Relay::calm();
    let mut bot = relay.client();
    for name in ["Tú", "You", "Tertulia", "tÚ", "YOU", "tertulia"] {
        bot.tell(&format!("{name}: hola"));
        bot.hears(&[&format!("* FAIL SAY NAME_RESERVED {name} :…")]);
    }
    let mut joining = relay.client();
    joining.tell("Tú se ha unido al chat.");
    joining.hears(&["* NOTE JOIN RENAMED Tú_2 :…"]);
    bot.hears(&["Tú_2 se ha unido al chat."]);
    joining.tell("Tú: hola");
    bot.hears(&["Tú_2: hola"]);
}

#[test]
fn who_joins_under_a_name_in_use_gets_the_first_free_number() {
    let relay = Relay::calm();
    let [mut luis, mut ana] = relay.people(["Luis", "Ana"]);
    let join = |expected: &str| {
        let mut client = relay.client();
        client.tell("Ana se ha unido al chat.");
        client.hears(&[&format!("* NOTE JOIN RENAMED {expected} :…")]);
        client
    };
    let mut second = join("Ana_2");
    let _third = join("Ana_3");
    luis.hears(&["Ana_2 se ha unido al chat.", "Ana_3 se ha unido al chat."]);
    second.tell("Ana ha abandonado el chat.");
    luis.hears(&["Ana_2 ha abandonado el chat."]);
    let _again = join("Ana_2");
    ana.tell("sigo siendo yo");
    luis.hears(&["Ana_2 se ha unido al chat.", "Ana: sigo siendo yo"]);
}

#[test]
fn the_name_asked_for_counts_as_its_own_in_every_row() {
    let relay = Relay::calm();
    let [mut ana] = relay.people(["Ana"]);
    let mut second = relay.client();
    second.tell("ANA se ha unido al chat.");
    second.hears(&["* NOTE JOIN RENAMED ANA_2 :…"]);
    second.tell("ANA se ha unido al chat.");
    second.hears(&[]);
    ana.hears(&["ANA_2 se ha unido al chat."]);
    let rows = [
        ("ANA: hola", "ANA_2: hola"),
        ("ANA_2: hola", "ANA_2: hola"),
        ("[RESPUESTA a 'Ana: x'] ANA: sí", "[RESPUESTA a 'Ana: x'] ANA_2: sí"),
        ("ANA - Luis: hola", "ANA_2 - Luis: hola"),
        ("ANA ha abandonado el chat.", "ANA_2 ha abandonado el chat."),
    ];
    for (said, heard) in rows {
        second.tell(said);
        ana.hears(&[heard]);
    }
    second.hears(&[]);
}

#[test]
fn names_that_differ_in_case_are_the_same() {
    let relay = Relay::calm();
    let _people = relay.people(["Ñandú", "Straße", "ΣΊΣΥΦΟΣ"]);
    let mut other = relay.client();
    for same in ["ñANDÚ", "STRASSE", "Σίσυφος"] {
        other.tell(&format!("{same}: hola"));
        other.hears(&[&format!("* FAIL SAY NAME_IN_USE {same} :…")]);
    }
}

#[cfg(feature = "confusables")]
#[test]
fn names_that_look_the_same_are_the_same() {
    let relay = Relay::calm();
    let _people = relay.people(["José", "Ana", "Paco"]);
    // A combining accent, a Cyrillic а, a Greek capital Ρ, full-width letters' look-alikes of another case.
    for same in ["Jose\u{301}", "An\u{430}", "\u{3a1}aco", "AN\u{410}"] {
        let mut client = relay.client();
        client.tell(&format!("{same}: hola"));
        client.hears(&[&format!("* FAIL SAY NAME_IN_USE {same} :…")]);
    }
}

#[cfg(not(feature = "confusables"))]
#[test]
fn a_relay_without_confusables_folds_case_only() {
    let relay = Relay::calm();
    let [mut ana] = relay.people(["Ana"]);
    let mut other = relay.client();
    other.tell("An\u{430}: hola");
    other.hears(&[]);
    ana.hears(&["An\u{430}: hola"]);
}

#[test]
fn joining_under_what_is_no_name_is_refused() {
    let relay = Relay::calm();
    let [mut luis] = relay.people(["Luis"]);
    let long = "a".repeat(65);
    let mut client = relay.client();
    let wrong =
        ["", " Ana", "Ana ", "*Ana", "@Ana", "[Ana", "#Ana", "An:a", "An\u{200b}a", "An\u{ad}a", &long];
    for name in wrong.iter().chain(&["x se ha unido al chat", "Ana - ", "x ha abandonado el chat. y"]) {
        client.tell(&format!("{name} se ha unido al chat."));
        client.hears(&["* FAIL JOIN NAME_INVALID :…"]);
    }
    luis.hears(&[]);
    let longest = "a".repeat(64);
    client.tell(&format!("{longest} se ha unido al chat."));
    client.hears(&[]);
    luis.hears(&[&format!("{longest} se ha unido al chat.")]);
}

#[test]
fn a_name_with_a_space_is_escaped_in_the_relays_own_lines() {
    let relay = Relay::calm();
    let [mut maria] = relay.people(["Ana María"]);
    let mut other = relay.client();
    other.tell("Ana María: hola");
    other.hears(&["* FAIL SAY NAME_IN_USE Ana\\sMaría :…"]);
    other.tell("Ana María se ha unido al chat.");
    other.hears(&["* NOTE JOIN RENAMED Ana\\sMaría_2 :…"]);
    maria.hears(&["Ana María_2 se ha unido al chat."]);
}

#[test]
fn a_quote_ends_where_its_brackets_balance() {
    let relay = Relay::calm();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    ana.tell("[RESPUESTA a '[RESPUESTA a 'Ana: a'] Luis: b'] Ana: c");
    luis.hears(&["[RESPUESTA a '[RESPUESTA a 'Ana: a’] Luis: b'] Ana: c"]);
    ana.tell("[RESPUESTA a 'Luis: [x] it's'] Ana: c: d");
    luis.hears(&["[RESPUESTA a 'Luis: [x] it's'] Ana: c: d"]);
    ana.tell("[RESPUESTA a '[RESPUESTA a 'Ana: a'] Luis: b");
    luis.hears(&["Ana: [RESPUESTA a '[RESPUESTA a 'Ana: a'] Luis: b"]);
}

#[test]
fn a_quote_cannot_end_its_bracket_early_in_front_of_another_name() {
    let relay = Relay::calm();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    ana.tell("[RESPUESTA a 'x']y'] Ana: c");
    luis.hears(&["[RESPUESTA a 'x’]y'] Ana: c"]);
    ana.tell("[RESPUESTA a 'x'] Luis: y'] Ana: c");
    luis.hears(&["Ana: [RESPUESTA a 'x'] Luis: y'] Ana: c"]);
}

#[test]
fn a_quote_is_cut_to_200_bytes() {
    let relay = Relay::calm();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    let cases = [
        ("x".repeat(200), "x".repeat(200)),
        ("x".repeat(201), format!("{}…", "x".repeat(197))),
        ("ñ".repeat(150), format!("{}…", "ñ".repeat(98))),
    ];
    for (quote, cut) in cases {
        ana.tell(&format!("[RESPUESTA a '{quote}'] Ana: sí"));
        luis.hears(&[&format!("[RESPUESTA a '{cut}'] Ana: sí")]);
    }
}
