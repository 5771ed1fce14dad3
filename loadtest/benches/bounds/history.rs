//! What it costs to keep what is said, and how fast it is given again.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use tertulia_loadtest::filed::Filed;
use tertulia_loadtest::ground::{self, Ground};
use tertulia_loadtest::limits;
use tertulia_loadtest::live::Live;
use tertulia_loadtest::measured::Measured;
use tertulia_loadtest::report::median;
use tertulia_loadtest::run::{Pair, pair};

use crate::table::{Bound, Row};
use crate::works::{SPINNING, crowd_plan};
use crate::{Options, Outcome};

const PAIRS: u32 = 2;
const TALK: Duration = Duration::from_secs(20);
/// Text and name of a line of the crowd.
const LINE_BYTES: f64 = 71.0;
const MILLION: u64 = 1_000_000;
const QUESTIONS: usize = 50;
/// How long the index of words may take, and how often it is looked at.
const INDEXED_MAX: Duration = Duration::from_secs(120);
const INDEX_LOOK_EVERY: Duration = Duration::from_millis(250);
/// Text of a line of the million.
const TEXT_BYTES: usize = 64;
/// A word of every line, one of each line of so many, and one of the others.
const OFTEN: &str = "siempre";
const FEW: u64 = 20_000;
const SELDOM: &str = "rara";
const OTHERWISE: &str = "otra";
const SLOW_LINES: u32 = 5;
/// How long the last lines may take to be written.
const WRITTEN_MAX: Duration = Duration::from_secs(10);

/// A file that goes with this value, and its folder.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Outcome<Self> {
        let path = std::env::temp_dir().join(format!("tertulia-bounds-{}-{name}", std::process::id()));
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }

    fn file(&self) -> String {
        self.0.join("history.db").display().to_string()
    }

    pub(crate) fn relay(&self) -> Result<Ground, String> {
        Ground::relay_with(&["--history", &self.file(), "--history-max-rows", "0", "--history-max-age", "0"])
    }

    /// The relay's own tool on the file.
    fn tool(&self, word: &str) -> Outcome<Command> {
        let relay = std::env::var_os("TERTULIA_RELAY").ok_or("run this by make bench")?;
        let mut command = Command::new(relay);
        command.args(["history", word, "--history", &self.file()]).stderr(Stdio::null());
        Ok(command)
    }

    /// Lines of the load in the file; a probe is none.
    fn filed(&self) -> Outcome<Filed> {
        let mut child = self.tool("export")?.stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or("no output")?;
        let mut filed = Filed::default();
        for line in BufReader::new(output).split(b'\n') {
            filed.note(&line?);
        }
        if !child.wait()?.success() {
            return Err("the file was not read to its end".into());
        }
        Ok(filed)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn history(options: &Options) -> Outcome<Vec<Row>> {
    let mut rows = crowd(options)?;
    rows.extend(slow()?);
    rows.extend(million()?);
    Ok(rows)
}

/// Bytes that a process caused to be written to disks.
fn written_bytes(pid: Option<u32>) -> Outcome<f64> {
    let pid = pid.ok_or("no process")?;
    let io = std::fs::read_to_string(format!("/proc/{pid}/io"))?;
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: ")).ok_or("no write_bytes")?;
    Ok(line.parse()?)
}

/// The crowd with everything kept, beside the floor.
fn crowd(options: &Options) -> Outcome<Vec<Row>> {
    let length = if options.is_quick { TALK / 5 } else { TALK };
    let (mut rates, mut bytes, mut resident_kib, mut wrong) = (Vec::new(), Vec::new(), 0u64, 0u64);
    let plan = crowd_plan();
    for number in 0..options.pairs(PAIRS) {
        let scratch = Scratch::new(&number.to_string())?;
        limits::make_place(2 * plan.clients, 1)?;
        let grounds = [scratch.relay()?, Ground::floor()?];
        let _pin = ground::apart(&[&grounds[0], &grounds[1]]);
        let before = written_bytes(grounds[0].own_pid())?;
        let sides = [(&plan, &grounds[0]), (&plan, &grounds[1])];
        let mut live = Live::new("history");
        let both = pair(sides, number, SPINNING, length, &AtomicBool::new(false), &mut live)?;
        let Pair { ours, floor } = both;
        let (ours, floor): (Measured, Measured) = (ours.finish().1, floor.finish().1);
        // Before the relay finds time for the index of words.
        let written = written_bytes(grounds[0].own_pid())? - before;
        options.check("relay", &ours)?;
        options.check("floor", &floor)?;
        let end = Instant::now() + WRITTEN_MAX;
        let mut filed = scratch.filed()?;
        while filed.distinct() < ours.accepted && Instant::now() < end {
            filed = scratch.filed()?;
        }
        wrong += filed.wrong(ours.accepted);
        rates.push((ours.figures().rate_per_s, floor.figures().rate_per_s));
        bytes.push(written / ours.accepted as f64 / LINE_BYTES);
        resident_kib = resident_kib.max(ours.resident_peak_kib);
    }
    let bytes = median(&bytes).ok_or("no pair")?;
    let row = |figure: &str, value, bound| Row::plain("history", figure, None, value, bound);
    Ok(vec![
        Row::paired("history", "deliveries/s, crowd", &rates, Bound::AtLeast(0.7)),
        row("lines of it that the file has not, or not once", wrong as f64, Bound::AtMost(0.0)),
        row("bytes written for each of its own", bytes, Bound::AtMost(6.0)),
        row("KiB resident at most", resident_kib as f64, Bound::None),
    ])
}

/// What a line costs that comes alone.
fn slow() -> Outcome<Vec<Row>> {
    let scratch = Scratch::new("slow")?;
    let ground = scratch.relay()?;
    let mut talker = TcpStream::connect(ground.target.address)?;
    talker.write_all(b"s0000 se ha unido al chat.\n")?;
    let before = written_bytes(ground.own_pid())?;
    let line = format!("s0000: ~{}\n", "x".repeat(63));
    for _ in 0..SLOW_LINES {
        talker.write_all(line.as_bytes())?;
        std::thread::sleep(Duration::from_secs(1));
    }
    let bytes = (written_bytes(ground.own_pid())? - before) / f64::from(SLOW_LINES);
    Ok(vec![Row::plain("history", "bytes written for a line a second", None, bytes, Bound::None)])
}

/// A million lines: how fast they are written, and how fast some of them are found.
fn million() -> Outcome<Vec<Row>> {
    let scratch = Scratch::new("million")?;
    let lines: String = (1..=MILLION)
        .map(|number| {
            let word = if number.is_multiple_of(FEW) { SELDOM } else { OTHERWISE };
            let text = format!("{OFTEN} {word} {}", "x".repeat(TEXT_BYTES - OFTEN.len() - word.len() - 2));
            format!("@id={};room=general s0000: {text}\n", number << 16)
        })
        .collect();
    let begun = Instant::now();
    let mut child = scratch.tool("import")?.stdin(Stdio::piped()).spawn()?;
    child.stdin.take().ok_or("no input")?.write_all(lines.as_bytes())?;
    if !child.wait()?.success() {
        return Err("the million was not taken in".into());
    }
    let per_s = MILLION as f64 / begun.elapsed().as_secs_f64();
    let ground = scratch.relay()?;
    let mut asker = Asker::connect(&ground)?;
    let last_ms = asker.median_ms("/history limit=100", 100)?;
    // The index of words is filled while nothing is said.
    let indexed_s = asker.seconds_until(&format!("/search limit=100 {SELDOM}"), MILLION / FEW)?;
    let often_ms = asker.median_ms(&format!("/search limit=100 {OFTEN}"), 100)?;
    let seldom_ms = asker.median_ms(&format!("/search limit=100 {SELDOM}"), MILLION / FEW)?;
    let row = |figure: &str, value, bound| Row::plain("history", figure, None, value, bound);
    Ok(vec![
        row("lines/s taken in", per_s, Bound::AtLeast(100_000.0)),
        row("ms for 100 lines of a million", last_ms, Bound::AtMost(5.0)),
        row("s until it finds all words of a million", indexed_s, Bound::None),
        row("ms for 100 of a million that all have a word", often_ms, Bound::AtMost(50.0)),
        row("ms for the 50 of a million that have a word", seldom_ms, Bound::AtMost(50.0)),
    ])
}

/// A client that asks.
struct Asker {
    questions: TcpStream,
    answers: BufReader<TcpStream>,
}

impl Asker {
    fn connect(ground: &Ground) -> Outcome<Self> {
        let questions = TcpStream::connect(ground.target.address)?;
        questions.set_nodelay(true)?;
        let answers = BufReader::new(questions.try_clone()?);
        Ok(Self { questions, answers })
    }

    /// The last line of the answer.
    fn ask(&mut self, question: &str) -> Outcome<String> {
        self.questions.write_all(format!("{question}\n").as_bytes())?;
        let mut line = String::new();
        while !line.starts_with("* END ") {
            line.clear();
            if self.answers.read_line(&mut line)? == 0 {
                return Err("the relay closed the connection".into());
            }
        }
        Ok(line)
    }

    /// Asks many times for what has to be so many lines; the median until the last of them is there.
    fn median_ms(&mut self, question: &str, shown: u64) -> Outcome<f64> {
        let mut all_ms = Vec::new();
        for _ in 0..QUESTIONS {
            let begun = Instant::now();
            let end = self.ask(question)?;
            all_ms.push(begun.elapsed().as_secs_f64() * 1e3);
            if !end.contains(&format!(" shown={shown} ")) {
                return Err(format!("{question}: not {shown} lines: {end}").into());
            }
        }
        median(&all_ms).ok_or_else(|| "no answer".into())
    }

    /// Asks until the answer has so many lines.
    fn seconds_until(&mut self, question: &str, shown: u64) -> Outcome<f64> {
        let begun = Instant::now();
        while !self.ask(question)?.contains(&format!(" shown={shown} ")) {
            if begun.elapsed() > INDEXED_MAX {
                return Err(format!("{question}: not {shown} lines within {INDEXED_MAX:?}").into());
            }
            std::thread::sleep(INDEX_LOOK_EVERY);
        }
        Ok(begun.elapsed().as_secs_f64())
    }
}
