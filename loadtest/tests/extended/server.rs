//! A server of extended mode with one room and a history, which does to each line what it is told to.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) const TIME: &str = "2026-11-22T16:37:00.123Z";

/// A line on its way through the server.
pub(crate) struct Said {
    /// Which of the run's lines, from 0; none for what is said before it begins.
    pub(crate) number: Option<usize>,
    /// The id it is to have; the next one is ten above it.
    pub(crate) id: u64,
    pub(crate) sid: usize,
    pub(crate) label: String,
    pub(crate) name: String,
    pub(crate) text: String,
}

impl Said {
    pub(crate) fn heard_line(&self, id: u64) -> String {
        let Self { sid, label, name, text, .. } = self;
        format!("@id={id};time={TIME};room=general;key={sid}.{label} {name}: {text}\n")
    }

    pub(crate) fn heard(&self, id: u64) -> Out {
        Out::Others(self.heard_line(id))
    }

    pub(crate) fn ack(&self, id: u64) -> Out {
        Out::Sender(format!("* ACK label={} id={id} time={TIME}\n", self.label))
    }

    /// It stands in the history.
    pub(crate) fn kept(&self, id: u64) -> Out {
        Out::Kept(id, self.heard_line(id))
    }

    /// Heard, kept and acknowledged as it should be.
    pub(crate) fn through(&self) -> Vec<Out> {
        vec![self.heard(self.id), self.kept(self.id), self.ack(self.id)]
    }

    /// Four of 400 lines, that harm is done to.
    pub(crate) fn is_one_of_a_hundred(&self) -> bool {
        self.number.is_some_and(|number| number % 100 == 50)
    }
}

/// What the server writes, and to whom.
pub(crate) enum Out {
    Others(String),
    /// The same; those that came in behind the first eight hear it a fifth of a second later.
    OthersLater(String),
    /// The same, but for who came in last of those that are there.
    OthersButOne(String),
    /// The same, with its second half so late that it is a read of its own.
    OthersInHalves(String),
    Sender(String),
    /// Into the history.
    Kept(u64, String),
}

/// What becomes of a line.
pub(crate) type Harm = fn(&Said) -> Vec<Out>;

/// A line, who is to hear it, and when.
type Late = (Instant, Vec<TcpStream>, String);

struct Room {
    /// By connection.
    hearers: BTreeMap<usize, TcpStream>,
    late: Sender<Late>,
    lines: usize,
    said: u64,
    /// By name.
    sids: HashMap<String, usize>,
    rows: Vec<(u64, String)>,
}

/// Writes what is late, when it is time.
fn write_late() -> Sender<Late> {
    let (late, lates) = mpsc::channel::<Late>();
    thread::spawn(move || {
        for (due, hearers, line) in lates {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            hearers.iter().for_each(|mut hearer| drop(hearer.write_all(line.as_bytes())));
        }
    });
    late
}

/// How often clients did something that is no line.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) pongs: AtomicUsize,
    pub(crate) resumed: AtomicUsize,
}

/// What becomes of lines, what it promises of those that it acknowledges, and whether it has a history.
#[derive(Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) harm: Harm,
    pub(crate) durability: &'static str,
    pub(crate) has_history: bool,
}

pub(crate) fn server(harm: Harm) -> (SocketAddr, Arc<Seen>) {
    server_of(Manner { harm, durability: "sync", has_history: true })
}

pub(crate) fn server_of(manner: Manner) -> (SocketAddr, Arc<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let room = Room {
        hearers: BTreeMap::new(),
        late: write_late(),
        lines: 0,
        said: 0,
        sids: HashMap::new(),
        rows: Vec::new(),
    };
    let (room, seen) = (Arc::new(Mutex::new(room)), Arc::<Seen>::default());
    let told = Arc::clone(&seen);
    thread::spawn(move || {
        for (connection, stream) in listener.incoming().map_while(Result::ok).enumerate() {
            stream.set_nodelay(true).unwrap();
            let (room, seen) = (Arc::clone(&room), Arc::clone(&seen));
            thread::spawn(move || serve(connection, stream, manner, &room, &seen));
        }
    });
    (address, told)
}

fn serve(connection: usize, mut stream: TcpStream, manner: Manner, room: &Mutex<Room>, seen: &Seen) {
    let (mut name, mut sid) = (String::new(), 0);
    for line in BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok) {
        if let Some(rest) = line.strip_prefix("/hello v=1 name=") {
            let (own, token) = rest.split_once(" resume=").unwrap_or((rest, ""));
            seen.resumed.fetch_add(usize::from(token == format!("token-{own}")), Ordering::Relaxed);
            name = own.to_owned();
            // Whoever says something then is heard by this one, or is not behind `last`.
            let mut room = room.lock().unwrap();
            let sids = room.sids.len();
            sid = *room.sids.entry(name.clone()).or_insert(sids);
            let Manner { durability, .. } = manner;
            let hello = format!(
                "* HELLO v=1 name={name} token=token-{name} sid={sid} line=16384 burst=30 rate=7000 durability={durability}\n\
                 * JOINED room=general last={} :estás dentro\n* PING {connection}\n",
                room.said * 10
            );
            let _ = stream.write_all(hello.as_bytes());
            room.hearers.insert(connection, stream.try_clone().unwrap());
            continue;
        }
        if line == format!("/pong {connection}") {
            seen.pongs.fetch_add(1, Ordering::Relaxed);
        } else if line == "/quit" {
            break;
        } else if let Some(question) = line.strip_prefix("/history room=general after=") {
            let page = if manner.has_history {
                room.lock().unwrap().page(question)
            } else {
                "* FAIL HISTORY NOT_KEPT label=h :no\n".to_owned()
            };
            let _ = stream.write_all(page.as_bytes());
        } else {
            room.lock().unwrap().take(connection, (sid, &name), &line, manner.harm, &mut stream);
        }
    }
    room.lock().unwrap().hearers.remove(&connection);
}

impl Room {
    fn take(
        &mut self,
        connection: usize,
        (sid, name): (usize, &str),
        line: &str,
        harm: Harm,
        stream: &mut TcpStream,
    ) {
        let (label, text) = line.strip_prefix("@label=").unwrap().split_once(' ').unwrap();
        let is_line = text.starts_with('~');
        self.said += 1;
        self.lines += usize::from(is_line);
        let said = Said {
            number: is_line.then(|| self.lines - 1),
            id: self.said * 10,
            sid,
            label: label.to_owned(),
            name: name.to_owned(),
            text: text.to_owned(),
        };
        let outs = if is_line { harm(&said) } else { said.through() };
        for out in outs {
            match out {
                Out::Sender(line) => drop(stream.write_all(line.as_bytes())),
                Out::Kept(id, line) => self.rows.push((id, line)),
                Out::Others(line) => write(self.others(connection, |_| true), &line),
                Out::OthersLater(line) => {
                    write(self.others(connection, |other| other < 8), &line);
                    let late = self.hearers.range(8..).map(|(_, hearer)| hearer.try_clone().unwrap());
                    let late = late.collect();
                    self.late.send((Instant::now() + Duration::from_millis(200), late, line)).unwrap();
                }
                Out::OthersInHalves(line) => {
                    let (first, second) = line.split_at(line.len() / 2);
                    write(self.others(connection, |_| true), first);
                    thread::sleep(Duration::from_millis(20));
                    write(self.others(connection, |_| true), second);
                }
                Out::OthersButOne(line) => {
                    let last = self.hearers.keys().rfind(|other| **other != connection).copied();
                    write(self.others(connection, |other| Some(other) != last), &line);
                }
            }
        }
    }

    fn others(&self, own: usize, is_meant: impl Fn(usize) -> bool) -> impl Iterator<Item = &TcpStream> {
        self.hearers
            .iter()
            .filter(move |(other, _)| **other != own && is_meant(**other))
            .map(|(_, hearer)| hearer)
    }

    /// `ID limit=N label=h`: 300 lines at most, so that there are pages.
    fn page(&self, question: &str) -> String {
        let (after, rest) = question.split_once(' ').unwrap();
        let (after, limit): (u64, usize) =
            (after.parse().unwrap(), rest.split(['=', ' ']).nth(1).unwrap().parse().unwrap());
        let mut rows: Vec<_> = self.rows.iter().filter(|(id, _)| *id > after).collect();
        rows.sort_by_key(|(id, _)| *id);
        let count = rows.len().min(limit).min(300);
        let lines = rows.iter().take(count).map(|(_, line)| line.replacen('@', "@label=h;", 1));
        let more = u8::from(count < rows.len());
        lines.collect::<String>() + &format!("* END HISTORY room=general more={more} label=h\n")
    }
}

fn write<'a>(hearers: impl Iterator<Item = &'a TcpStream>, line: &str) {
    hearers.for_each(|mut hearer| drop(hearer.write_all(line.as_bytes())));
}
