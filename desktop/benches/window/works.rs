//! What is measured.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::eye::{Eye, Part};
use crate::process::{processor_time, resident_mib, sleeps};
use crate::support::desk::{Desk, Window, home};
use crate::support::{Folder, Relay, until};
use crate::{Options, Row};
use tertulia_desktop::outbox::HEARD_KEPT_AFTER;

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
    // What a window does after it was greeted is done by then, what it says for a while is gone, and what it heard is kept.
    std::thread::sleep(tertulia_desktop::model::HINT_SHOWN + HEARD_KEPT_AFTER + GREETED);
    let span = Duration::from_secs(if options.is_quick { 5 } else { 60 });
    let (time, slept) = (processor_time(window.pid()), sleeps(window.pid()));
    // Nothing is waited for: this is how long nothing happens.
    std::thread::sleep(span);
    let used = processor_time(window.pid()).saturating_sub(time);
    let woken = sleeps(window.pid()).saturating_sub(slept);
    drop(people);
    let row = |figure, value, at_most, unit| Row { work: "idle", figure, value, at_most, unit };
    let per_second = used.as_secs_f64() * 1000.0 / span.as_secs_f64();
    vec![
        row("processor time a second, 1,000 people", per_second, 0.05, "ms"),
        // A relay that says nothing is asked every 90 s whether it is there, and answers.
        row("times it is woken in a minute", woken as f64 * 60.0 / span.as_secs_f64(), 4.0, ""),
    ]
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
fn flood_line(number: u64) -> String {
    format!("línea {number} de muchas, con unas cuantas palabras")
}

/// Somebody who talks, and hears nothing.
fn talker(relay: &Relay) -> TcpStream {
    let mut stream = TcpStream::connect(relay.address()).expect("a relay");
    let mut drain = stream.try_clone().unwrap();
    std::thread::spawn(move || while matches!(drain.read(&mut [0; 65536]), Ok(count) if count > 0) {});
    stream.write_all(b"Luis se ha unido al chat.\n").unwrap();
    stream
}

/// Says so many lines a second.
fn talk(relay: &Relay, rate: u64, lines: u64) -> std::thread::JoinHandle<()> {
    let mut stream = talker(relay);
    std::thread::spawn(move || {
        let begin = Instant::now();
        for number in 0..lines {
            let due = begin + Duration::from_secs_f64(number as f64 / rate as f64);
            // The pace of the load.
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
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
            // As fast as a person types, and no faster: each key is seen before the next.
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

/// How long nothing new may be counted.
const WEEK_PATIENCE: Duration = Duration::from_secs(60);

/// Lines that are said in one go while the window counts.
const WEEK_CHUNK: u64 = 500;

/// Lines that may be on their way to the window: fewer than the relay holds for a reader, so that each comes by itself.
const WEEK_AHEAD: u64 = 2000;

/// A million lines, as a week of use brings. Nobody looks, so that the title counts each of them.
pub(crate) fn week(options: &Options) -> Vec<Row> {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &[]);
    let eye = Eye::open(desk.display());
    settle(&window);
    eye.take_the_keyboard_away();
    let counted = || {
        let title = eye.title(window.id());
        let count = title.strip_prefix('(').and_then(|rest| rest.split_once(')'));
        count.and_then(|(count, _)| count.parse::<u64>().ok()).unwrap_or_default()
    };
    let quarter = if options.is_quick { 20_000 } else { 250_000 };
    let mut stream = talker(&relay);
    let begin = Instant::now();
    let (mut said, mut resident) = (0, Vec::new());
    for _ in 0..4 {
        let aim = said + quarter;
        while said < aim {
            await_count(&counted, (said + WEEK_CHUNK).saturating_sub(WEEK_AHEAD));
            let lines: String =
                (said..said + WEEK_CHUNK).map(|number| format!("Luis: {}\n", flood_line(number))).collect();
            stream.write_all(lines.as_bytes()).expect("the relay reads");
            said += WEEK_CHUNK;
        }
        await_count(&counted, said);
        resident.push(resident_mib(window.pid()));
    }
    let seconds = begin.elapsed().as_secs_f64();
    let row = |figure, value, at_most, unit| Row { work: "week", figure, value, at_most, unit };
    let missed = said.abs_diff(counted());
    vec![
        row("lines of 1,000,000 that it has not counted", missed as f64, 0.0, ""),
        row("memory grown from the first quarter to the last", resident[3] - resident[0], 1.0, "MiB"),
        row("time for all of it", seconds, 180.0, "s"),
    ]
}

/// Waits until so many were counted. A machine that has much else to do may take long, but not without any progress.
fn await_count(counted: &impl Fn() -> u64, least: u64) {
    let mut last = (counted(), Instant::now());
    while last.0 < least {
        assert!(last.1.elapsed() < WEEK_PATIENCE, "{} lines have come, and no more", last.0);
        // Lets the window have the display's time.
        std::thread::sleep(Duration::from_millis(2));
        let count = counted();
        if count != last.0 {
            last = (count, Instant::now());
        }
    }
}
