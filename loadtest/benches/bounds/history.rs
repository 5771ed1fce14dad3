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
use tertulia_loadtest::plan::Plan;
use tertulia_loadtest::report::median;
use tertulia_loadtest::run::{Pair, pair};
use tertulia_loadtest::schedule::Pace;
use tertulia_loadtest::stage::Stage;
use tertulia_loadtest::swarm::Settings;

use crate::table::{Bound, Row};
use crate::works::{SPINNING, crowd_plan, plan};
use crate::{Options, Outcome, words};

const PAIRS: u32 = 2;
const TALK: Duration = Duration::from_secs(20);
/// Text and name of a line of the crowd.
const LINE_BYTES: f64 = 71.0;
pub(crate) const MILLION: u64 = 1_000_000;
const QUESTIONS: usize = 50;
/// How long the index of words may take, and how often it is looked at.
const INDEXED_MAX: Duration = Duration::from_secs(120);
const INDEX_LOOK_EVERY: Duration = Duration::from_millis(250);
/// Text of a line of the million.
const TEXT_BYTES: usize = 64;
/// A word of every line, one of each line of so many, and one of the others.
const OFTEN: &str = "siempre";
const FEW: u64 = 20_000;
pub(crate) const SELDOM: &str = "rara";
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
    pub(crate) fn tool(&self, word: &str) -> Outcome<Command> {
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

    /// The same, once there are so many of them, or they have taken too long.
    fn filed_when(&self, accepted: u64) -> Outcome<Filed> {
        let end = Instant::now() + WRITTEN_MAX;
        loop {
            let filed = self.filed()?;
            if filed.distinct() >= accepted || Instant::now() >= end {
                return Ok(filed);
            }
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn history(options: &Options) -> Outcome<Vec<Row>> {
    let mut rows = crowd(options)?;
    rows.extend(written(options)?);
    rows.extend(slow()?);
    rows.extend(rush(options)?);
    rows.extend(million()?);
    rows.extend(words::many_words()?);
    Ok(rows)
}

/// Bytes that a process caused to be written to disks.
fn written_bytes(pid: Option<u32>) -> Outcome<f64> {
    let pid = pid.ok_or("no process")?;
    let io = std::fs::read_to_string(format!("/proc/{pid}/io"))?;
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: ")).ok_or("no write_bytes")?;
    Ok(line.parse()?)
}

/// An error where nothing was written: a file in memory would make every figure of this bench a good one.
fn require_disk(bytes: f64) -> Outcome<()> {
    if bytes > 0.0 {
        return Ok(());
    }
    let folder = std::env::temp_dir();
    let folder = folder.display();
    Err(format!("{folder}: nothing goes to a disk there; set TMPDIR to a folder that is not in memory")
        .into())
}

/// The crowd with everything kept, beside the floor.
fn crowd(options: &Options) -> Outcome<Vec<Row>> {
    let length = if options.is_quick { TALK / 5 } else { TALK };
    let (mut rates, mut resident_kib, mut wrong) = (Vec::new(), 0u64, 0u64);
    let plan = crowd_plan();
    for number in 0..options.pairs(PAIRS) {
        let scratch = Scratch::new(&number.to_string())?;
        limits::make_place(2 * plan.clients, 1)?;
        let grounds = [scratch.relay()?, Ground::floor()?];
        let _pin = ground::apart(&[&grounds[0], &grounds[1]]);
        let sides = [(&plan, &grounds[0]), (&plan, &grounds[1])];
        let mut live = Live::new("history");
        let both = pair(sides, number, SPINNING, length, &AtomicBool::new(false), &mut live)?;
        let Pair { ours, floor } = both;
        let (ours, floor): (Measured, Measured) = (ours.finish().1, floor.finish().1);
        options.check("relay", &ours)?;
        options.check("floor", &floor)?;
        wrong += scratch.filed_when(ours.accepted)?.wrong(ours.accepted);
        rates.push((ours.figures().rate_per_s, floor.figures().rate_per_s));
        resident_kib = resident_kib.max(ours.resident_peak_kib);
    }
    let row = |figure: &str, value, bound| Row::plain("history", figure, None, value, bound);
    Ok(vec![
        Row::paired("history", "deliveries/s, crowd", &rates, Bound::AtLeast(0.7)),
        row("lines of it that the file has not, or not once", wrong as f64, Bound::AtMost(0.0)),
        row("KiB resident at most", resident_kib as f64, Bound::None),
    ])
}

/// What goes to the disk for each byte of what was said, while clients speak and nobody else has the relay's time, and once
/// all words are in the index.
fn written_per_byte(plan: &Plan, name: &str, length: Duration) -> Outcome<(f64, f64)> {
    let scratch = Scratch::new(name)?;
    let ground = scratch.relay()?;
    let _pin = ground::apart(&[&ground]);
    let stop = AtomicBool::new(false);
    let mut stage = Stage::open(plan, &ground.target, SPINNING, &stop, &mut |_| ())?;
    let before = written_bytes(ground.own_pid())?;
    stage.measure(length, &stop, &mut |_| ())?;
    let loaded = written_bytes(ground.own_pid())? - before;
    let accepted = stage.finish().1.accepted as f64;
    // The index of words is filled while nobody speaks.
    let mut all = loaded;
    loop {
        std::thread::sleep(INDEX_LOOK_EVERY * 4);
        let now = written_bytes(ground.own_pid())? - before;
        if now <= all {
            break;
        }
        all = now;
    }
    require_disk(loaded)?;
    Ok((loaded / accepted / LINE_BYTES, all / accepted / LINE_BYTES))
}

fn written(options: &Options) -> Outcome<Vec<Row>> {
    let length = if options.is_quick { TALK / 5 } else { TALK };
    let (mut under_load, mut resting) = (Vec::new(), Vec::new());
    for number in 0..options.pairs(PAIRS) {
        let (loaded, all) = written_per_byte(&crowd_plan(), &format!("written-{number}"), length)?;
        under_load.push(loaded);
        resting.push(all);
    }
    let row = |figure: &str, value, bound| Row::plain("history", figure, None, value, bound);
    let mut rows = vec![
        row(
            "bytes written for each of its own, under load",
            median(&under_load).ok_or("no run")?,
            Bound::AtMost(6.0),
        ),
        row("the same once all words are in the index", median(&resting).ok_or("no run")?, Bound::None),
    ];
    for per_s in [100.0, 1_000.0] {
        let plan = Plan { pace: Pace::Rate(per_s), ..plan(20, 10) };
        let (loaded, all) = written_per_byte(&plan, &format!("written-at-{per_s}"), length)?;
        rows.push(row(&format!("the same at {per_s} lines/s, under load"), loaded, Bound::None));
        rows.push(row(&format!("the same at {per_s} lines/s, with all words"), all, Bound::None));
    }
    Ok(rows)
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

/// As many lines as the writer takes: two clients that hear each other, so that little else is to be done. That the
/// generator has to share its processor with the writer makes it slower, and nothing else of this figure wrong.
fn rush(options: &Options) -> Outcome<Vec<Row>> {
    let length = if options.is_quick { TALK / 10 } else { TALK / 2 };
    let plan = Plan { pace: Pace::Window(512), ..plan(2, 2) };
    let scratch = Scratch::new("rush")?;
    let ground = scratch.relay()?;
    let stop = AtomicBool::new(false);
    let mut stage = Stage::open(&plan, &ground.target, Settings::default(), &stop, &mut |_| ())?;
    let (begun, before) = (Instant::now(), written_bytes(ground.own_pid())?);
    stage.measure(length, &stop, &mut |_| ())?;
    let measured = stage.finish().1;
    // Until the last one is in the file, too, and the file was read once.
    let filed = scratch.filed_when(measured.accepted)?;
    let per_s = filed.distinct() as f64 / begun.elapsed().as_secs_f64();
    require_disk(written_bytes(ground.own_pid())? - before)?;
    let row = |figure: &str, value, bound| Row::plain("history", figure, None, value, bound);
    Ok(vec![
        row("lines/s said and written, sustained", per_s, Bound::AtLeast(100_000.0)),
        row(
            "of them those that the file has not, or not once",
            filed.wrong(measured.accepted) as f64,
            Bound::AtMost(0.0),
        ),
    ])
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
        row("lines/s taken in by the tool", per_s, Bound::AtLeast(100_000.0)),
        row("ms for 100 lines of a million", last_ms, Bound::AtMost(5.0)),
        row("s until it finds all words of a million", indexed_s, Bound::None),
        row("ms for 100 of a million that all have a word", often_ms, Bound::AtMost(50.0)),
        row("ms for the 50 of a million that have a word", seldom_ms, Bound::AtMost(50.0)),
    ])
}

/// A client that asks.
pub(crate) struct Asker {
    questions: TcpStream,
    answers: BufReader<TcpStream>,
}

impl Asker {
    pub(crate) fn connect(ground: &Ground) -> Outcome<Self> {
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
            if line.starts_with("* FAIL ") {
                return Err(format!("{question}: {line}").into());
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

    /// Asks many times, whatever the answer; the median until the last line of it is there.
    pub(crate) fn median_answer_ms(&mut self, question: &str) -> Outcome<f64> {
        let mut all_ms = Vec::new();
        for _ in 0..QUESTIONS {
            let begun = Instant::now();
            self.ask(question)?;
            all_ms.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        median(&all_ms).ok_or_else(|| "no answer".into())
    }

    /// Asks until the answer has so many lines.
    pub(crate) fn seconds_until(&mut self, question: &str, shown: u64) -> Outcome<f64> {
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
