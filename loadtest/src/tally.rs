//! What the clients hear, checked and timed. Knows no socket and no clock: bytes and the time in.

use crate::flights::{Flights, NOBODY};
use crate::followers::Followers;
use crate::names::Names;
use crate::plan::Plan;
use crate::protocol::{Kind, PIECE_BYTES_MAX, Piece};
use crate::schedule::{Due, Pace};
use crate::stamp::{MARK, Stamp, Unstamped};
use crate::stats::Arrivals;
use crate::transcript::Transcript;

mod counting;
mod extended;
mod order;
mod preview;

use extended::Extended;

/// A closed loop does not wait longer for a line: it is taken for lost, and the next one goes out.
const LOST_AFTER_CLOSED_US: u64 = 5_000_000;
/// Nor does an open loop remember it longer.
const LOST_AFTER_OPEN_US: u64 = 60_000_000;

/// Where clients come and go, a line that all who stay have is remembered for so long.
const KEPT_US: u64 = 10_000_000;

/// What has been said and heard so far.
#[derive(Debug)]
pub struct Tally {
    plan: Plan,
    names: Names,
    /// What the senders are called.
    sender_names: Vec<String>,
    /// The first sender that the server gave another name, and that name.
    renamed: Option<(u32, String)>,
    /// What is being said.
    text: Vec<u8>,
    /// Receivers that read and stay.
    steady: usize,
    arrivals: Arrivals,
    flights: Flights,
    transcript: Transcript,
    followers: Followers,
    /// Some of those that stay send nothing.
    has_listeners: bool,
    /// By receiver: pieces that were not said by a sender.
    others: Vec<u32>,
    /// By sender: lines that were accepted.
    accepted: Vec<u32>,
    /// Of those, by sender, the ones that no socket has wholly taken.
    waiting: Vec<u32>,
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
    /// That a log-in is needed is no complaint.
    expects_logins: bool,
    /// Where the server acknowledges.
    extended: Option<Box<Extended>>,
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
    /// The server said that the client has logged in.
    pub is_logged_in: bool,
}

fn flights(plan: &Plan, interval_us: u64, keeps_log: bool) -> Result<Flights, String> {
    let is_closed = matches!(plan.pace, Pace::Window(_));
    let flights = Flights::new(plan.senders, is_closed, interval_us, keeps_log)?;
    Ok(if plan.churners().is_empty() { flights } else { flights.keeping() })
}

impl Tally {
    /// Clients are going to log in where the server says that they have to.
    pub fn expect_logins(&mut self) {
        self.expects_logins = true;
    }

    /// Nothing said, nothing heard. `interval_us`: of the timeline.
    pub fn new(plan: &Plan, names: Names, interval_us: u64, keeps_log: bool) -> Result<Self, String> {
        let churners = plan.churners();
        Ok(Self {
            names,
            sender_names: (0..plan.senders).map(|number| names.of(number)).collect(),
            renamed: None,
            text: Vec::new(),
            steady: churners.start,
            arrivals: Arrivals::new(plan.hearers(), plan.senders, churners.clone()),
            flights: flights(plan, interval_us, keeps_log)?,
            transcript: Transcript::new(plan.senders),
            has_listeners: churners.start > plan.senders,
            followers: Followers::new(plan.hearers(), churners.start),
            others: vec![0; plan.hearers()],
            expects_logins: false,
            accepted: vec![0; plan.senders],
            waiting: vec![0; plan.senders],
            expected: 0,
            churned: 0,
            last_heard_us: 0,
            watchers: match plan.pace {
                // Where it is answered, a sender need not wait until somebody has heard it.
                Pace::Window(_) if plan.protocol.acknowledges() => Vec::new(),
                Pace::Window(_) => (0..plan.senders).map(|sender| plan.watcher(sender)).collect(),
                Pace::Rate(_) => Vec::new(),
            },
            freed: Vec::new(),
            complaints: Vec::new(),
            complained: 0,
            extended: plan
                .protocol
                .acknowledges()
                .then(|| Box::new(Extended::new(plan.hearers(), plan.senders))),
            plan: plan.clone(),
        })
    }

    /// Appends the next line of a sender, as it goes to the server. The sequence of `due` is not used: a line that was
    /// left out leaves no gap.
    pub fn write(&mut self, due: Due, line: &mut Vec<u8>) {
        let sequence = self.accepted.get(usize::from(due.sender)).copied().unwrap_or_default();
        let stamp = Stamp { sender: due.sender, sequence, due_us: due.due_us };
        self.text.clear();
        stamp.write(self.plan.sizes, &mut self.text);
        let name = self.sender_names.get(usize::from(due.sender)).map_or("", String::as_str);
        self.plan.protocol.say(name, u64::from(sequence), &self.text, line);
    }

    /// That line was sent.
    pub fn note_sent(&mut self, due: Due, now_us: u64) {
        let Some(accepted) = self.accepted.get_mut(usize::from(due.sender)) else { return };
        *accepted += 1;
        let receivers = self.receivers();
        self.expected += u64::from(receivers);
        let watcher = self.watchers.get(usize::from(due.sender)).copied().unwrap_or(NOBODY);
        self.flights.launch(due.sender, due.due_us, now_us, receivers, watcher);
        if let Some(extended) = &mut self.extended {
            let through = self.flights.forgotten_of(due.sender);
            extended.answers.launch(due.sender, due.due_us, now_us, through);
        }
    }

    /// A receiver heard these bytes.
    pub fn hear(&mut self, receiver: u32, bytes: &[u8], now_us: u64) -> Heard {
        let mut heard = Heard::default();
        loop {
            let rest = bytes.get(heard.bytes..).unwrap_or_default();
            heard.bytes += self.hear_known(receiver, rest, now_us);
            let rest = bytes.get(heard.bytes..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
            if let Some(length) = self.hear_previewed(receiver, rest, now_us) {
                heard.bytes += length;
                continue;
            }
            let Some(Piece { bytes: length, kind }) = self.plan.protocol.split(rest, self.plan.sizes) else {
                break;
            };
            let length = length.clamp(1, rest.len());
            let piece = rest.get(..length).unwrap_or(rest);
            heard.bytes += length;
            self.take(receiver, piece, kind, now_us, &mut heard);
        }
        if bytes.len() - heard.bytes > PIECE_BYTES_MAX {
            self.arrivals.note_corrupt();
            heard.bytes = bytes.len();
        }
        heard
    }

    /// A piece that is not the next one of the transcript.
    fn take(&mut self, receiver: u32, piece: &[u8], kind: Kind<'_>, now_us: u64, heard: &mut Heard) {
        match kind {
            Kind::Said { name, text } => match self.read(name, text) {
                Ok(stamp) => self.take_line(receiver, piece, &stamp, None, now_us),
                Err(Unstamped::Corrupt) => self.arrivals.note_corrupt(),
                Err(Unstamped::Foreign) => self.note_other(receiver),
            },
            Kind::Tagged { tags, name, text } => {
                self.take_tagged(receiver, piece, tags, (name, text), now_us);
            }
            Kind::Answered { number, answer, words } => {
                self.take_answer(receiver, number, answer, words, now_us);
            }
            Kind::Greeted(greeting) => self.take_greeting(receiver, &greeting),
            Kind::Ready => heard.is_ready = true,
            Kind::LoggedIn => heard.is_logged_in = true,
            Kind::Ask(answer) => heard.answer.extend_from_slice(&answer),
            Kind::LoginNeeded(_) if self.expects_logins => {}
            Kind::Complaint(words) | Kind::LoginNeeded(words) => self.note_complaint(words),
            Kind::Renamed(name) => self.note_renamed(receiver, name),
            Kind::Other => self.note_other(receiver),
        }
    }

    /// The stamp of a text, which has to be that of a line that was sent, under its sender's name.
    fn read(&self, name: Option<&[u8]>, text: &[u8]) -> Result<Stamp, Unstamped> {
        if text.first() != Some(&MARK) {
            return Err(self.names.unstamped(self.plan.senders, name, text));
        }
        let stamp = Stamp::read(text, self.plan.sizes)?;
        let is_name = name.is_none_or(|name| {
            self.sender_names.get(usize::from(stamp.sender)).is_some_and(|own| own.as_bytes() == name)
        });
        let is_due = self.flights.due_us(&stamp).is_none_or(|due_us| due_us == stamp.due_us);
        let was_sent =
            self.accepted.get(usize::from(stamp.sender)).is_some_and(|sent| stamp.sequence < *sent);
        if is_name && is_due && was_sent { Ok(stamp) } else { Err(Unstamped::Corrupt) }
    }

    fn note_renamed(&mut self, receiver: u32, name: &[u8]) {
        self.note_other(receiver);
        if (receiver as usize) < self.plan.senders && self.renamed.is_none() {
            self.renamed = Some((receiver, String::from_utf8_lossy(name).into_owned()));
        }
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
        let patience_us = match self.plan.pace {
            Pace::Window(_) => LOST_AFTER_CLOSED_US,
            Pace::Rate(_) => LOST_AFTER_OPEN_US,
        };
        // Who has just come back may hear what all others have.
        let through_us = if self.steady < self.plan.hearers() { KEPT_US } else { 0 };
        let [patience_us, through_us] = [patience_us, through_us].map(|us| now_us.saturating_sub(us));
        self.flights.give_up(patience_us, through_us, &mut self.freed);
        if let Some(extended) = self.extended.as_mut().filter(|_| matches!(self.plan.pace, Pace::Window(_))) {
            extended.answers.give_up(patience_us, &mut self.freed);
        }
        self.flights.tick(now_us);
    }

    /// Lines that are not there by now are lost, and nothing waits for them.
    pub fn give_up_all(&mut self) {
        self.flights.give_up(u64::MAX, u64::MAX, &mut self.freed);
    }

    /// All senders begin anew: what was said before lets none of them go on.
    pub fn begin_anew(&mut self) {
        if let Some(extended) = &mut self.extended {
            extended.answers.give_up(u64::MAX, &mut self.freed);
        }
        self.freed.clear();
    }

    /// Senders whose watcher has heard a line, each as often as it may send another one.
    pub fn take_freed(&mut self) -> Vec<u16> {
        std::mem::take(&mut self.freed)
    }

    /// Begins or ends recording latencies.
    pub fn record(&mut self, is_recording: bool, now_us: u64) {
        self.flights.record(is_recording, now_us);
        if let Some(extended) = &mut self.extended {
            extended.answers.record(is_recording);
        }
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

    /// What the clients are called.
    pub fn names(&self) -> Names {
        self.names
    }

    /// The first sender that the server gave another name, and that name: its lines come back under it.
    pub fn renamed(&self) -> Option<(u32, &str)> {
        self.renamed.as_ref().map(|(sender, name)| (*sender, name.as_str()))
    }

    /// The most pieces that one receiver heard which no sender said: notices, above all.
    pub fn others_max(&self) -> u32 {
        self.others.iter().copied().max().unwrap_or_default()
    }
}
