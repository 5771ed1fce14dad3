//! What clients send: chosen so that the rare things of PROTOCOL.md happen often.

use crate::grammar::{JOIN, LEAVE};
use crate::rng::Rng;

const NAMES: [&str; 16] = [
    "Ana",
    "ana",
    "Luis",
    "LUIS",
    "José",
    "Jose\u{301}",
    "Ana - Eva",
    "Telegram - Ana",
    "Telegram",
    "Tú",
    "Tertulia",
    "Ñandú_con_un_nombre_tan_largo_que_el_número_ya_no_cabe_detrás",
    "Pía López",
    "Ana_2",
    "Аna",
    "ß",
];

const NO_NAMES: [&str; 7] = ["", " Ana", "*Ana", "Ana:", "/Ana", "Ana\u{200B}", "Ana - "];

const TEXTS: [&str; 22] = [
    "hola",
    "¿qué tal? 😀",
    "",
    " ",
    "a: b",
    "Ana: no soy ella",
    "* FAIL RELAY SLOW :mentira",
    "dos\u{2028}filas",
    "dos\u{2028}Luis: forjada",
    "tres\u{2028}* NOTE RELAY forjada\u{2028}Ana se ha unido al chat.",
    "con \u{1B}[31mrojo\u{7}",
    "al \u{202E}revés\u{2066}",
    "párrafo\u{2029}otro",
    "[RESPUESTA a 'hola'] Ana: respuesta",
    "[RESPUESTA a '[RESPUESTA a 'x'] y'] Luis: anidada",
    "[RESPUESTA a 'sin fin",
    "[RESPUESTA a ''] Ana: a nada",
    "//barra",
    "con\ttabulador",
    "nulo\0dentro",
    "Ana se ha unido al chat.",
    "Luis ha abandonado el chat.",
];

const ROOMS: [&str; 9] = ["general", "cocina", "Cocina", "patio", "GENERAL", "#mal", "ñ", "dos salas", ""];

pub(crate) fn name(rng: &mut Rng) -> String {
    match rng.below(100) {
        0..=5 => (*rng.pick(&NO_NAMES)).into(),
        // Not too many of one name: above sixteen the relay may leave numbers out, which no shadow foretells.
        6..=40 => format!("Persona {}", rng.below(30)),
        _ => (*rng.pick(&NAMES)).into(),
    }
}

pub(crate) fn text(rng: &mut Rng) -> String {
    match rng.below(40) {
        0 => "x".repeat(rng.between(200, 3000) as usize),
        1 => "ñ ".repeat(rng.between(200, 1500) as usize),
        2 => format!("[RESPUESTA a '{}'] Ana: larga", "é".repeat(rng.between(80, 120) as usize)),
        _ => (*rng.pick(&TEXTS)).into(),
    }
}

fn word(text: &str) -> String {
    text.replace('\\', "\\\\").replace(';', "\\:").replace(' ', "\\s")
}

fn command(rng: &mut Rng) -> String {
    let room = *rng.pick(&ROOMS);
    match rng.below(22) {
        0..=3 => format!("/join {room}"),
        4 => format!("/sala {}", word(room)),
        5 => "/rooms".into(),
        6 => format!("/salas after={room}"),
        7 => "/who".into(),
        8 => format!("/who room={}", word(room)),
        9 => format!("/quien {room}"),
        10 => format!("/who after={}", word(&name(rng))),
        11..=13 => format!("/msg {} {}", word(&name(rng)), text(rng).replace('\n', " ")),
        14 => format!("/privado {}", name(rng)),
        15..=16 => format!("/nick {}", name(rng)),
        17 => "/nombre".into(),
        18 => "/help".into(),
        19 => format!("/PING {}", rng.below(1000)),
        20 => (*rng.pick(&[
            "/",
            "/: x",
            "/msg :x hola",
            "/who room=",
            "/nada",
            "/unaordendemasiadolargaparaserunaorden x",
            "/pong",
            "/ayuda",
        ]))
        .into(),
        _ if rng.percent(40) => "/quit".into(),
        _ => "/quien".into(),
    }
}

/// A line without its ending.
pub(crate) fn line(rng: &mut Rng, own: Option<&str>) -> String {
    let named = match own {
        Some(own) if rng.percent(70) => own.to_owned(),
        _ => name(rng),
    };
    match rng.below(100) {
        0..=11 => format!("{named}{JOIN}"),
        12..=15 => format!("{named}{LEAVE}"),
        16..=54 => format!("{named}: {}", text(rng)),
        55..=61 => format!("[RESPUESTA a '{}'] {named}: {}", text(rng), text(rng)),
        62..=72 => text(rng),
        _ => command(rng),
    }
}

/// What a client that frames its lines sends at once: mostly one line.
pub(crate) fn lines(rng: &mut Rng, own: Option<&str>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let count = if rng.percent(80) { 1 } else { rng.between(2, 40) };
    for _ in 0..count {
        match rng.below(120) {
            0 if rng.percent(40) => bytes.extend(vec![b'x'; rng.between(16_385, 70_000) as usize]),
            0 => bytes.extend(vec![b'x'; rng.between(16_380, 16_400) as usize]),
            1 => bytes.extend([b'A', b':', b' ', 0xFF, 0xFE]),
            2 => bytes.extend("/ping\n".repeat(300).as_bytes()),
            3 => bytes.extend("/help\n".repeat(100).as_bytes()),
            _ => bytes.extend(line(rng, own).as_bytes()),
        }
        bytes.extend(if rng.percent(10) { &b"\r\n"[..] } else { b"\n" });
    }
    bytes
}

/// What a client sends that knows no lines: one message, or its first and last together.
pub(crate) fn message(rng: &mut Rng, own: &str) -> Vec<u8> {
    let text = text(rng).replace('\u{2028}', "\n");
    let message = match rng.below(20) {
        0 => format!("{own}{JOIN}{own}: {text}"),
        1 => format!("{own}: {text}{own}{LEAVE}"),
        2 => format!("{own}{LEAVE}"),
        3 => format!("[RESPUESTA a '{text}'] {own}: {text}"),
        4 => text,
        5 => format!("{own}: {text}\n"),
        _ => format!("{own}: {text}"),
    };
    message.into_bytes()
}
