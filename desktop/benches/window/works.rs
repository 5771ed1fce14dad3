//! What is measured.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::eye::{Eye, Part};
use crate::process::{processor_time, resident_mib};
use crate::support::desk::{Desk, Window, home};
use crate::support::{Folder, Relay, until};
use crate::{Options, Row};

/// Key symbols (X11/keysymdef.h).
const LETTER: u32 = 0x61;
/// See [`LETTER`].
const BACKSPACE: u32 = 0xff08;
/// See [`LETTER`].
const ALT: u32 = 0xffe9;
/// See [`LETTER`].
const UP: u32 = 0xff52;

/// Where the window of 800x600 has its input, and its transcript.
const INPUT: Part = Part { x: 175, y: 555, w: 120, h: 24 };
/// See [`INPUT`].
const TRANSCRIPT: Part = Part { x: 200, y: 100, w: 300, h: 380 };

/// What a window does after it was greeted is done by then.
const GREETED: Duration = Duration::from_millis(1500);

fn open<'a>(desk: &'a Desk, home: &Folder, relay: &Relay, more: &[&str]) -> Window<'a> {
    let address = relay.address().to_string();
    desk.window(&home.0, &[&["--relay", &address, "--name", "Ana", "--lang", "es"], more].concat())
}

/// Waits until all that was said is seen and nothing moves any more.
fn settle(window: &Window<'_>) {
    window.still();
}

/// Waits until a line is the newest that stands in the window.
fn await_newest(window: &Window<'_>, line: &str) {
    window.await_transcript(line, |lines| lines.last().is_some_and(|last| last.ends_with(line)));
}

/// The program, as it lies there.
pub(crate) fn size(_: &Options) -> Vec<Row> {
    let bytes = std::fs::metadata(env!("CARGO_BIN_EXE_tertulia-desktop")).expect("the program").len();
    let value = bytes as f64 / 1024.0 / 1024.0;
    vec![Row { work: "size", figure: "stripped binary", value, at_most: 4.0, unit: "MiB" }]
}

/// From the start of the process to a window that is drawn.
pub(crate) fn start(options: &Options) -> Vec<Row> {
    let (relay, desk) = (Relay::start(), Desk::open());
    let eye = Eye::open(desk.display());
    let middle = Part { x: 960, y: 650, w: 2, h: 2 };
    let mut times: Vec<f64> = Vec::new();
    for _ in 0..if options.is_quick { 3 } else { 9 } {
        let home = home();
        let address = relay.address().to_string();
        let empty = eye.look(middle);
        let mut command = desk.command(&home.0, &["--relay", &address, "--name", "Ana"]);
        let begin = Instant::now();
        let mut child = command.spawn().unwrap();
        // The window opens in the middle of the screen, and its transcript is not black.
        eye.time_until(middle, |pixels| pixels != empty.as_slice());
        times.push(begin.elapsed().as_secs_f64() * 1000.0);
        child.kill().unwrap();
        child.wait().unwrap();
        until("an empty screen", || (eye.look(middle) == empty).then_some(()));
    }
    times.sort_by(f64::total_cmp);
    let value = times[times.len() / 2];
    vec![Row { work: "start", figure: "to the first picture, median", value, at_most: 150.0, unit: "ms" }]
}

/// What the window holds with words of one script, and of many.
pub(crate) fn memory(_: &Options) -> Vec<Row> {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let mut luis = relay.plain("Luis");
    let window = open(&desk, &home, &relay, &[]);
    for number in 0..200 {
        luis.say(&format!("línea {number}: el niño y la cigüeña, ¿qué más da?"));
    }
    relay.await_said("Luis: línea 199: el niño y la cigüeña, ¿qué más da?");
    settle(&window);
    let latin = resident_mib(window.pid());
    luis.say("漢字かな 한글 عربي עברית हिन्दी ไทย Ελληνικά Кириллица 👩🏽‍🚀 🇪🇸 ❤️");
    relay.await_said("Luis: 漢字かな 한글 عربي עברית हिन्दी ไทย Ελληνικά Кириллица 👩🏽‍🚀 🇪🇸 ❤️");
    settle(&window);
    let all = resident_mib(window.pid());
    let row = |figure, value, at_most| Row { work: "memory", figure, value, at_most, unit: "MiB" };
    vec![row("resident, Latin", latin, 20.0), row("resident, all scripts", all, 32.0)]
}

/// A thousand people are there and say nothing.
pub(crate) fn idle(options: &Options) -> Vec<Row> {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let people: Vec<TcpStream> = (0..1000)
        .map(|number| {
            let mut person = TcpStream::connect(relay.address()).expect("a relay");
            person.write_all(format!("P{number} se ha unido al chat.\n").as_bytes()).unwrap();
            person
        })
        .collect();
    let window = open(&desk, &home, &relay, &[]);
    // What a window does after it was greeted is done by then, and what it says for a while is gone.
    std::thread::sleep(tertulia_desktop::model::HINT_SHOWN + GREETED);
    let seconds = if options.is_quick { 3 } else { 20 };
    let before = processor_time(window.pid());
    std::thread::sleep(Duration::from_secs(seconds));
    let used = processor_time(window.pid()).saturating_sub(before);
    let value = used.as_secs_f64() * 1000.0 / seconds as f64;
    drop(people);
    vec![Row {
        work: "idle",
        figure: "processor time a second, 1,000 people",
        value,
        at_most: 0.5,
        unit: "ms",
    }]
}

/// From the key that chooses a room with 5,000 lines to its lines.
pub(crate) fn room(_: &Options) -> Vec<Row> {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &["--room", "general", "--room", "otra"]);
    let eye = Eye::open(desk.display());
    let mut luis = relay.plain("Luis");
    luis.send("/join otra");
    settle(&window);
    for number in 0..5000 {
        luis.say(&format!("línea {number} de la otra sala, con bastantes palabras para que se parta en dos"));
    }
    relay.await_said("Luis: línea 4999 de la otra sala, con bastantes palabras para que se parta en dos");
    settle(&window);
    let (alt, up) = (eye.keycode(ALT), eye.keycode(UP));
    window.focus();
    let empty = eye.look(TRANSCRIPT);
    eye.press_with(alt, up);
    let time = eye.time_until(TRANSCRIPT, |pixels| pixels != empty.as_slice());
    let value = time.as_secs_f64() * 1000.0;
    vec![Row { work: "room", figure: "a room of 5,000 lines is seen", value, at_most: 200.0, unit: "ms" }]
}

/// The n-th line of many.
fn flood_line(number: u32) -> String {
    format!("línea {number} de muchas, con unas cuantas palabras")
}

/// Says lines at a rate until told to stop.
fn talk(relay: &Relay, rate: u32, lines: u32) -> std::thread::JoinHandle<()> {
    let address = relay.address();
    std::thread::spawn(move || {
        let mut stream = TcpStream::connect(address).expect("a relay");
        let mut drain = stream.try_clone().unwrap();
        std::thread::spawn(move || while matches!(drain.read(&mut [0; 65536]), Ok(count) if count > 0) {});
        stream.write_all(b"Luis se ha unido al chat.\n").unwrap();
        let begin = Instant::now();
        for number in 0..lines {
            if rate > 0 {
                let due = begin + Duration::from_secs_f64(f64::from(number) / f64::from(rate));
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            let line = format!("Luis: {}\n", flood_line(number));
            stream.write_all(line.as_bytes()).expect("the relay reads");
        }
    })
}

/// A thousand lines a second for a minute: how late a key is answered, and what the memory does.
pub(crate) fn flood(options: &Options) -> Vec<Row> {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &[]);
    let eye = Eye::open(desk.display());
    settle(&window);
    let seconds = if options.is_quick { 8 } else { 60 };
    let (letter, backspace) = (eye.keycode(LETTER), eye.keycode(BACKSPACE));
    let talker = talk(&relay, 1000, 1000 * seconds);
    let mut latest: f64 = 0.0;
    let mut after_warm_up = None;
    let begin = Instant::now();
    while !talker.is_finished() {
        for key in [letter, backspace] {
            let before = eye.look(INPUT);
            let pressed = Instant::now();
            eye.press(key);
            eye.time_until(INPUT, |pixels| pixels != before.as_slice());
            latest = latest.max(pressed.elapsed().as_secs_f64() * 1000.0);
            std::thread::sleep(Duration::from_millis(120));
        }
        // The transcript is full after some seconds; from then on nothing may grow.
        if begin.elapsed() > Duration::from_secs(7) {
            after_warm_up.get_or_insert_with(|| resident_mib(window.pid()));
        }
    }
    talker.join().unwrap();
    let value = resident_mib(window.pid()) - after_warm_up.unwrap_or_default();
    // Looking costs memory of its own.
    await_newest(&window, &flood_line(1000 * seconds - 1));
    vec![
        Row {
            work: "flood",
            figure: "a key is seen, the latest of all",
            value: latest,
            at_most: 50.0,
            unit: "ms",
        },
        Row { work: "flood", figure: "memory grown", value, at_most: 1.0, unit: "MiB" },
    ]
}

/// A million lines, as a week of use brings.
pub(crate) fn week(options: &Options) -> Vec<Row> {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &[]);
    settle(&window);
    let step = if options.is_quick { 20_000 } else { 250_000 };
    let mut resident = Vec::new();
    for _ in 0..4 {
        talk(&relay, 0, step).join().unwrap();
        // All have come once the newest is seen.
        await_newest(&window, &flood_line(step - 1));
        resident.push(resident_mib(window.pid()));
    }
    let value = resident[3] - resident[0];
    vec![Row {
        work: "week",
        figure: "memory grown from the first quarter to 1,000,000 lines",
        value,
        at_most: 1.0,
        unit: "MiB",
    }]
}
