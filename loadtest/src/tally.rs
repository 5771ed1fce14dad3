//! What the clients hear, checked and timed. Knows no socket and no clock: bytes and the time in.

use crate::latency::Flights;
use crate::plan::{Joins, Plan};
use crate::protocol::{Kind, PIECE_BYTES_MAX, Piece};
use crate::schedule::{Due, Pace};
use crate::stamp::{MARK, Stamp, Unstamped};
use crate::stats::{Arrivals, Counts};
use crate::transcript::Transcript;
use crate::verdict::COMPLAINTS_MAX;

/// A closed loop does not wait longer for a line: it is taken for lost, and the next one goes out.
const LOST_AFTER_CLOSED_US: u64 = 5_000_000;
/// Nor does an open loop remember it longer.
const LOST_AFTER_OPEN_US: u64 = 60_000_000;

/// What has been said and heard so far.
#[derive(Debug)]
pub struct Tally {
    plan: Plan,
    /// Receivers that read and stay.
    steady: usize,
    arrivals: Arrivals,
    flights: Flights,
    transcript: Transcript,
    /// By receiver: the number of the line of the transcript that it is to hear next.
    cursors: Vec<u64>,
    /// By receiver: pieces that were not said by a sender.
    others: Vec<u32>,
    /// By sender: lines that were accepted.
    accepted: Vec<u32>,
    /// Deliveries to those that stay that there are to be.
    expected: u64,
    /// Deliveries to those that come and go.
    churned: u64,
    last_heard_us: u64,
    /// Closed loop, by sender: the receiver whose hearing a line lets the next one go out.
    watchers: Vec<u32>,
    /// Senders whose watcher has heard a line.
    freed: Vec<u16>,
    complaints: Vec<String>,
    complained: u64,
}

/// What bytes came to.
#[derive(Debug, Default)]
pub struct Heard {
    /// How many of them were whole pieces. The rest is to be given again, with what follows it.
    pub bytes: usize,
    /// What the client has to answer.
    pub answer: Vec<u8>,
    /// The server said that the client is in the room.
    pub is_ready: bool,
}

/// What the n-th client is called in the room.
pub fn client_name(number: usize) -> String {
    format!("s{number:04x}")
}

/// What a client is to say first.
pub fn hello(plan: &Plan, number: usize) -> Vec<u8> {
    let says_so = match plan.joins {
        Joins::Senders => number < plan.senders,
        Joins::All => true,
        Joins::None => false,
    };
    plan.protocol.hello(&client_name(number), says_so)
}

/// Whose hearing a sender's line lets the next one go out: a client that only listens, where there is one, and another
/// one for each sender as far as they go.
fn watcher(plan: &Plan, sender: usize) -> u32 {
    let steady = plan.churners().start;
    let listeners = steady.saturating_sub(plan.senders);
    let number = match listeners {
        0 if plan.senders == 1 => 0,
        0 => (sender + 1) % plan.senders,
        _ => plan.senders + sender % listeners,
    };
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Tally {
    /// Nothing said, nothing heard. `interval_us`: of the timeline.
    pub fn new(plan: &Plan, interval_us: u64, keeps_log: bool) -> Result<Self, String> {
        let churners = plan.churners();
        Ok(Self {
            steady: churners.start,
            arrivals: Arrivals::new(plan.hearers(), plan.senders, churners),
            flights: Flights::new(
                plan.senders,
                matches!(plan.pace, Pace::Window(_)),
                interval_us,
                keeps_log,
            )?,
            transcript: Transcript::default(),
            cursors: vec![0; plan.hearers()],
            others: vec![0; plan.hearers()],
            accepted: vec![0; plan.senders],
            expected: 0,
            churned: 0,
            last_heard_us: 0,
            watchers: match plan.pace {
                Pace::Window(_) => (0..plan.senders).map(|sender| watcher(plan, sender)).collect(),
                Pace::Rate(_) => Vec::new(),
            },
            freed: Vec::new(),
            complaints: Vec::new(),
            complained: 0,
            plan: plan.clone(),
        })
    }

    /// The next line of a sender, as it goes to the server. The sequence of `due` is not used: a line that was left
    /// out leaves no gap.
    pub fn write(&self, due: Due, line: &mut Vec<u8>) {
        let sequence = self.accepted.get(usize::from(due.sender)).copied().unwrap_or_default();
        let stamp = Stamp { sender: due.sender, sequence, due_us: due.due_us };
        let mut text = Vec::with_capacity(self.plan.sizes.max_bytes);
        stamp.write(self.plan.sizes, &mut text);
        self.plan.protocol.say(&client_name(usize::from(due.sender)), &text, line);
    }

    /// That line was sent.
    pub fn note_sent(&mut self, due: Due, now_us: u64) {
        let Some(accepted) = self.accepted.get_mut(usize::from(due.sender)) else { return };
        *accepted += 1;
        let itself = usize::from(!self.plan.protocol.hears_itself());
        let receivers = self.steady.saturating_sub(itself) as u32;
        self.expected += u64::from(receivers);
        self.flights.launch(due.sender, due.due_us, now_us, receivers);
    }

    /// A receiver heard these bytes.
    pub fn hear(&mut self, receiver: u32, bytes: &[u8], now_us: u64) -> Heard {
        let mut heard = Heard::default();
        let mut cursor = self.cursors.get(receiver as usize).copied().unwrap_or_default();
        loop {
            let rest = bytes.get(heard.bytes..).unwrap_or_default();
            heard.bytes += self.hear_known(receiver, rest, now_us, &mut cursor);
            let rest = bytes.get(heard.bytes..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
            let Some(Piece { bytes: length, kind }) = self.plan.protocol.split(rest, self.plan.sizes) else {
                break;
            };
            let length = length.clamp(1, rest.len());
            let piece = rest.get(..length).unwrap_or(rest);
            heard.bytes += length;
            self.take(receiver, piece, kind, now_us, &mut cursor, &mut heard);
        }
        if bytes.len() - heard.bytes > PIECE_BYTES_MAX {
            self.arrivals.note_corrupt();
            heard.bytes = bytes.len();
        }
        if let Some(place) = self.cursors.get_mut(receiver as usize) {
            *place = cursor;
        }
        heard
    }

    /// Takes the lines that are the next ones of the transcript, its own left out. Gives how many bytes they were.
    fn hear_known(&mut self, receiver: u32, bytes: &[u8], now_us: u64, cursor: &mut u64) -> usize {
        let hears_itself = self.plan.protocol.hears_itself();
        let is_awaited = (receiver as usize) < self.steady;
        let Self { transcript, arrivals, flights, watchers, freed, .. } = self;
        let mut heard_bytes = 0;
        let mut heard_lines = 0;
        loop {
            let run = transcript.from(*cursor);
            let mut same_bytes = run.same_bytes(bytes.get(heard_bytes..).unwrap_or_default());
            let mut lines = 0;
            for (length, stamp) in run.lines().take_while(|(length, _)| {
                let is_whole = same_bytes >= *length;
                same_bytes = same_bytes.saturating_sub(*length);
                is_whole
            }) {
                lines += 1;
                heard_bytes += length;
                if arrivals.note(receiver, &stamp) {
                    heard_lines += 1;
                    let is_watcher = watchers.get(usize::from(stamp.sender)) == Some(&receiver);
                    if is_watcher && flights.note_watched(&stamp) {
                        freed.push(stamp.sender);
                    }
                    flights.land(&stamp, now_us, is_awaited);
                }
            }
            // What stands next in the transcript, and did not come, may be its own.
            let next = run.behind(lines).lines().next();
            let is_own = next.is_some_and(|(_, stamp)| u32::from(stamp.sender) == receiver) && !hears_itself;
            lines += usize::from(is_own);
            *cursor += lines as u64;
            if lines == 0 {
                break;
            }
        }
        if heard_lines > 0 {
            self.last_heard_us = now_us;
            self.churned += if is_awaited { 0 } else { heard_lines };
        }
        heard_bytes
    }

    /// A piece that is not the next one of the transcript.
    fn take(
        &mut self,
        receiver: u32,
        piece: &[u8],
        kind: Kind<'_>,
        now_us: u64,
        cursor: &mut u64,
        heard: &mut Heard,
    ) {
        match kind {
            Kind::Said { name, text } => match self.read(name, text) {
                Ok(stamp) => {
                    match self.flights.place(&stamp) {
                        // Another order than that of the first who heard it.
                        Some(place) => *cursor = place + 1,
                        None if self.flights.due_us(&stamp).is_some() => {
                            let place = self.transcript.append(piece, stamp);
                            self.flights.set_place(&stamp, place);
                            *cursor = place + 1;
                        }
                        None => {}
                    }
                    self.land(receiver, &stamp, now_us);
                }
                Err(Unstamped::Corrupt) => self.arrivals.note_corrupt(),
                Err(Unstamped::Foreign) => self.note_other(receiver),
            },
            Kind::Ready => heard.is_ready = true,
            Kind::Ask(answer) => heard.answer.extend_from_slice(&answer),
            Kind::Complaint(text) => {
                self.complained += 1;
                if self.complaints.len() < COMPLAINTS_MAX {
                    self.complaints.push(String::from_utf8_lossy(text).trim_end().to_owned());
                }
            }
            Kind::Other => self.note_other(receiver),
        }
    }

    /// The stamp of a text, which has to be that of a line that was sent, under its sender's name.
    fn read(&self, name: Option<&[u8]>, text: &[u8]) -> Result<Stamp, Unstamped> {
        if text.first() != Some(&MARK) {
            return Err(Unstamped::Foreign);
        }
        let stamp = Stamp::read(text, self.plan.sizes)?;
        let is_name = name.is_none_or(|name| name == client_name(usize::from(stamp.sender)).as_bytes());
        let is_due = self.flights.due_us(&stamp).is_none_or(|due_us| due_us == stamp.due_us);
        let was_sent =
            self.accepted.get(usize::from(stamp.sender)).is_some_and(|sent| stamp.sequence < *sent);
        if is_name && is_due && was_sent { Ok(stamp) } else { Err(Unstamped::Corrupt) }
    }

    fn land(&mut self, receiver: u32, stamp: &Stamp, now_us: u64) {
        if !self.arrivals.note(receiver, stamp) {
            return;
        }
        self.last_heard_us = now_us;
        let is_awaited = (receiver as usize) < self.steady;
        self.churned += u64::from(!is_awaited);
        let is_watcher = self.watchers.get(usize::from(stamp.sender)) == Some(&receiver);
        if is_watcher && self.flights.note_watched(stamp) {
            self.freed.push(stamp.sender);
        }
        self.flights.land(stamp, now_us, is_awaited);
    }

    fn note_other(&mut self, receiver: u32) {
        if let Some(others) = self.others.get_mut(receiver as usize) {
            *others = others.saturating_add(1);
        }
    }

    /// A receiver left.
    pub fn note_left(&mut self, receiver: u32) {
        self.arrivals.note_left(receiver);
    }

    /// Gives up lines that nobody will hear any more, and ends pieces of the timeline.
    pub fn tick(&mut self, now_us: u64) {
        let (patience_us, is_closed) = match self.plan.pace {
            Pace::Window(_) => (LOST_AFTER_CLOSED_US, true),
            Pace::Rate(_) => (LOST_AFTER_OPEN_US, false),
        };
        let mut given_up = Vec::new();
        self.flights.give_up(now_us.saturating_sub(patience_us), &mut given_up);
        if is_closed {
            self.freed.append(&mut given_up);
        }
        self.flights.tick(now_us);
    }

    /// Senders whose watcher has heard a line, each as often as it may send another one.
    pub fn take_freed(&mut self) -> Vec<u16> {
        std::mem::take(&mut self.freed)
    }

    /// Begins or ends recording latencies.
    pub fn record(&mut self, is_recording: bool, now_us: u64) {
        self.flights.record(is_recording, now_us);
    }

    /// The four counts, if nothing more came.
    pub fn counts(&self) -> Counts {
        let hears_itself = self.plan.protocol.hears_itself();
        self.arrivals.finish(&self.accepted, |receiver, sender| hears_itself || receiver != u32::from(sender))
    }

    /// The four counts where lines still come: lost is only what was jumped over.
    pub fn counts_under_way(&self) -> Counts {
        self.arrivals.finish(&[], |_, _| true)
    }

    /// What was heard so far; nothing is lost yet.
    pub fn counts_so_far(&self) -> Counts {
        self.arrivals.counts()
    }

    /// Lines accepted, of all senders.
    pub fn accepted(&self) -> u64 {
        self.accepted.iter().map(|accepted| u64::from(*accepted)).sum()
    }

    /// Lines accepted of one sender.
    pub fn accepted_of(&self, sender: u16) -> u32 {
        self.accepted.get(usize::from(sender)).copied().unwrap_or_default()
    }

    /// Deliveries that there were to be: to those that stay, and, to those that come and go, what came.
    pub fn expected(&self) -> u64 {
        self.expected + self.churned
    }

    /// When the last line was heard for the first time by somebody.
    pub fn last_heard_us(&self) -> u64 {
        self.last_heard_us
    }

    /// Lines on their way, and latencies.
    pub fn flights(&self) -> &Flights {
        &self.flights
    }

    /// What the server said against it: the first few, and how many in all.
    pub fn complaints(&self) -> (&[String], u64) {
        (&self.complaints, self.complained)
    }

    /// The most pieces that one receiver heard which no sender said: notices, above all.
    pub fn others_max(&self) -> u32 {
        self.others.iter().copied().max().unwrap_or_default()
    }
}
