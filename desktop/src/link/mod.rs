//! The thread that owns the socket, the session and its file. The window gives it orders and takes its reports; neither
//! ever waits for the other, and data goes by channels only: the bell says no more than that there is something.

mod begin;
mod dial;
mod mouth;
mod obey;
mod queue;
mod secure;
mod signals;
mod stream;
mod turn;

use std::cell::Cell;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, TryRecvError, TrySendError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::model::{LinkCommand, LinkEvent};
use crate::phrases::Sentence;
use mio::{Events, Poll, Waker};
use tertulia_wire::session::Event;

use begin::Begin;
use mouth::Mouth;
use queue::{Receiver, Sender, queue};
use signals::{SIGNALS, Signals};
use turn::Turn;

pub use dial::{ADDRESSES_MAX, CONNECT_WAIT, LOOK_UP_WAIT};

/// Reports that may wait for the window; beyond it the socket is not read.
pub const REPORTS_MAX: usize = 4096;

/// The shortest time between two rings of the bell: as often as a picture changes, and far less often than what a
/// window system chokes on.
pub const BELL_EVERY: Duration = Duration::from_millis(34);

/// Orders that may wait for the thread; a further one is not taken. More than a window ever has to say at once
/// ([`crate::model::UNSENT_MAX`]) and to ask.
pub const ORDERS_MAX: usize = 8192;

/// How long the end of the program waits for the thread.
pub const END_WAIT: Duration = Duration::from_secs(12);

/// How often it looks whether the thread has ended, once that has nothing more to say.
const END_LOOK_EVERY: Duration = Duration::from_millis(2);

/// What the thread tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// For the model.
    Event(LinkEvent),
    /// The file of the session was none; it is kept there, and a new one begun.
    SetAside {
        /// Where it is now.
        path: PathBuf,
        /// What is wrong with it, for people.
        why: Sentence,
    },
    /// The system asks the program to end.
    Signal,
}

/// What both sides look at.
#[derive(Debug, Default)]
struct Shared {
    /// The window has not answered the bell yet.
    is_rung: AtomicBool,
    /// The thread has more reports than there was place for.
    is_stalled: AtomicBool,
}

/// The window's end of it.
#[derive(Debug)]
pub struct Link {
    orders: Sender<LinkCommand>,
    reports: Receiver<Report>,
    /// It was told that the thread has ended.
    is_gone_told: Cell<bool>,
    waker: Arc<Waker>,
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

impl Link {
    /// Begins to wait for orders; the first one is [`LinkCommand::Start`]. The session is kept in that file. `bell` is
    /// called on the thread, at most once in [`BELL_EVERY`] and not again before [`Link::answer_bell`]; it must not wait.
    pub fn begin(session_file: &Path, bell: impl Fn() + Send + 'static) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), turn::WAKE)?);
        let (orders, taken) = queue(ORDERS_MAX);
        let (reporter, reports) = queue(REPORTS_MAX);
        let shared = Arc::new(Shared::default());
        let mouth = Mouth::new(reporter, Arc::clone(&shared), Box::new(bell));
        let (file, wakes) = (session_file.to_owned(), Arc::clone(&waker));
        let signals = Signals::catch(poll.registry())?;
        let run = move || run(mouth, &file, poll, wakes, signals, taken);
        let thread = thread::Builder::new().name("link".to_owned()).spawn(run)?;
        Ok(Self { orders, reports, is_gone_told: Cell::new(false), waker, shared, thread })
    }

    /// Gives an order. They are done in their order. Given back: the thread has ended, and does nothing any more, or
    /// [`ORDERS_MAX`] wait for it.
    pub fn give(&self, order: LinkCommand) -> Result<(), LinkCommand> {
        let given = self.orders.try_send(order).map_err(|error| match error {
            TrySendError::Full(order) | TrySendError::Disconnected(order) => order,
        });
        // A waker that fails is one whose poll is full of wakes already.
        let _ = self.waker.wake();
        given
    }

    /// The bell was heard: it may ring again. To be called before the reports are taken.
    pub fn answer_bell(&self) {
        self.shared.is_rung.store(false, Ordering::Release);
    }

    /// The next report, if there is one. The last of all, once, is [`LinkEvent::Gone`].
    pub fn take(&self) -> Option<Report> {
        match self.reports.try_recv() {
            Ok(report) => Some(report),
            Err(TryRecvError::Disconnected) => self.tell_gone(),
            Err(TryRecvError::Empty) => {
                if self.shared.is_stalled.swap(false, Ordering::AcqRel) {
                    let _ = self.waker.wake();
                }
                None
            }
        }
    }

    /// Waits for a report until then. For where there is no window whose loop could.
    pub fn wait(&self, until: Instant) -> Option<Report> {
        if let Some(report) = self.take() {
            return Some(report);
        }
        match self.reports.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(report) => Some(report),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => self.tell_gone(),
        }
    }

    fn tell_gone(&self) -> Option<Report> {
        let is_told = self.is_gone_told.replace(true);
        (!is_told).then_some(Report::Event(LinkEvent::Gone))
    }

    /// Waits until the thread has ended, once it was ordered to quit, and hands over what it still reports; not longer than
    /// [`END_WAIT`]. False: it has not.
    pub fn end(self, mut hear: impl FnMut(&Self, Report)) -> bool {
        let until = Instant::now() + END_WAIT;
        while let Some(report) = self.wait(until) {
            hear(&self, report);
        }
        while !self.thread.is_finished() {
            if Instant::now() >= until {
                return false;
            }
            thread::sleep(END_LOOK_EVERY);
        }
        self.thread.join().is_ok()
    }
}

/// The thread: waits for the first start, then turns until the session has ended.
/// The mouth goes last: who finds it closed can give no order any more.
fn run(
    mut mouth: Mouth,
    file: &Path,
    mut poll: Poll,
    waker: Arc<Waker>,
    mut signals: Signals,
    orders: Receiver<LinkCommand>,
) {
    let Some(begin) = await_start(&mut mouth, &mut poll, &mut signals, &orders) else { return };
    Turn::new(&begin, file, poll, waker, signals, orders, mouth).run();
}

/// What is ordered before there is a session is without meaning, and to leave is done. None: it does not come.
fn await_start(
    mouth: &mut Mouth,
    poll: &mut Poll,
    signals: &mut Signals,
    orders: &Receiver<LinkCommand>,
) -> Option<Begin> {
    let mut events = Events::with_capacity(turn::EVENTS_OF_A_TURN);
    loop {
        match orders.try_recv() {
            Ok(LinkCommand::Start { relay, name, rooms, tls }) => {
                return Some(Begin { relay, name, rooms, tls });
            }
            Ok(LinkCommand::Quit) | Err(TryRecvError::Disconnected) => {
                mouth.say_event(LinkEvent::Session(Event::Ended));
                return None;
            }
            Ok(_) => continue,
            Err(TryRecvError::Empty) => {}
        }
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return None,
            _ => {}
        }
        if events.iter().any(|event| event.token() == SIGNALS) {
            signals.drain();
            mouth.say(Report::Signal);
            mouth.ring(Instant::now());
        }
    }
}
