//! The thread that writes the history, the thread that reads it, and the queues to them. The poll loop never waits for
//! either.

use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::store::{Durability, Retention, Store, StoreError};
use crate::batch::Batch;
use crate::chat::{Answer, Question};

/// Lines that wait to be written, as bytes of memory. Beyond it lines are not kept, and counted.
pub const WAITING_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Questions that wait for an answer. Beyond it the next one is refused.
pub const QUESTIONS_MAX: usize = 64;

/// How long after a write that failed it is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How long a question waits for what was said before it to be written.
const CATCH_UP_MAX: Duration = Duration::from_secs(2);

/// Lines that go at once when they are too old or too many, and how often that is looked at.
const PRUNE_ROWS: u64 = 10_000;
const PRUNE_EVERY: Duration = Duration::from_secs(600);

/// How the history fares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// Lines that will never be kept.
    pub not_kept: u64,
    /// Why nothing can be written now.
    pub trouble: Option<String>,
    /// Lines in the file.
    pub rows: u64,
}

/// Both threads. They end, once all is written, with this value.
#[derive(Debug)]
pub struct Keeper {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    desk: Mutex<Desk>,
    /// For the writer: lines lie on the desk.
    writes: Condvar,
    /// For the reader: a question lies on the desk, or what one waits for was written.
    reads: Condvar,
}

#[derive(Debug, Default)]
struct Desk {
    waiting: Vec<Batch>,
    waiting_bytes: usize,
    /// Batches ever put here, and those of them that are in the file or lost.
    put: u64,
    done: u64,
    /// Each with how many batches were put before it.
    questions: Vec<(Question, u64)>,
    /// A question waits for what was said before it.
    is_asked: bool,
    answers: Vec<(u64, Answer)>,
    state: State,
    is_ending: bool,
}

impl Shared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a history is kept.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// When a line counts as kept.
    pub durability: Durability,
    /// How much of it is.
    pub retention: Retention,
}

/// Rings where somebody is to look for answers; called from other threads.
pub type Bell = Arc<dyn Fn() + Send + Sync>;

impl Keeper {
    /// Opens the file and starts the threads. `bell` rings when there is an answer,
    /// or [`Keeper::state`] has changed. Gives the id of the newest line too.
    pub fn start(path: &Path, manner: Manner, bell: Bell) -> Result<(Self, u64), StoreError> {
        let store = Store::open(path, manner.durability)?;
        let newest = store.newest()?.unwrap_or_default();
        let reader = Store::open_to_read(path)?;
        let shared = Arc::new(Shared::default());
        shared.desk().state.rows = store.rows();
        let mut keeper = Self { shared: Arc::clone(&shared), threads: Vec::new() };
        let desk = Arc::clone(&shared);
        let threads = [
            spawn("history", {
                let bell = Arc::clone(&bell);
                move || Writer { store, shared: desk, manner, bell }.run()
            }),
            spawn("history-reads", move || answer_all(&reader, &shared, &bell)),
        ];
        for thread in threads {
            keeper.threads.push(thread.map_err(|error| StoreError::thread(path, &error))?);
        }
        Ok((keeper, newest))
    }

    /// Has lines written. Lines that find no place are counted as not kept.
    pub fn put(&self, batch: Batch) {
        let mut desk = self.shared.desk();
        if desk.waiting_bytes + batch.bytes() > WAITING_BYTES_MAX {
            desk.state.not_kept += batch.len() as u64;
            return;
        }
        desk.waiting_bytes += batch.bytes();
        desk.waiting.push(batch);
        desk.put += 1;
        self.shared.writes.notify_one();
    }

    /// Asks something. False: too much is being asked already.
    pub fn ask(&self, question: Question) -> bool {
        let mut desk = self.shared.desk();
        if desk.questions.len() >= QUESTIONS_MAX {
            return false;
        }
        // What was said before is part of the answer.
        let behind = desk.put;
        desk.questions.push((question, behind));
        self.shared.reads.notify_one();
        true
    }

    /// The answers there are, with the tickets of their questions.
    pub fn take_answers(&self) -> Vec<(u64, Answer)> {
        std::mem::take(&mut self.shared.desk().answers)
    }

    /// How it fares.
    pub fn state(&self) -> State {
        self.shared.desk().state.clone()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.shared.desk().is_ending = true;
        self.shared.writes.notify_one();
        self.shared.reads.notify_one();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).stack_size(256 * 1024).spawn(run)
}

struct Writer {
    store: Store,
    shared: Arc<Shared>,
    manner: Manner,
    bell: Bell,
}

impl Writer {
    /// Writes all that waits in one transaction, again and again.
    fn run(mut self) {
        let mut next_prune = Instant::now();
        loop {
            let Some((batches, is_ending)) = self.take(next_prune) else { return };
            if !batches.is_empty() {
                self.write(&batches, is_ending);
            }
            if Instant::now() >= next_prune || self.is_too_much() {
                let is_more = self.prune();
                next_prune = Instant::now() + if is_more { Duration::ZERO } else { PRUNE_EVERY };
            }
        }
    }

    /// What waits; none where all is written and the relay ends. Waits until then.
    fn take(&self, until: Instant) -> Option<(Vec<Batch>, bool)> {
        let mut desk = self.shared.desk();
        loop {
            if !desk.waiting.is_empty() {
                return Some((std::mem::take(&mut desk.waiting), desk.is_ending));
            }
            if desk.is_ending {
                return None;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Some((Vec::new(), false));
            }
            let woken = self.shared.writes.wait_timeout(desk, left);
            desk = woken.map_or_else(|error| error.into_inner().0, |(desk, _)| desk);
        }
    }

    /// Writes lines, and tries again as long as that fails and the relay lives.
    fn write(&mut self, batches: &[Batch], mut is_ending: bool) {
        let bytes: usize = batches.iter().map(Batch::bytes).sum();
        loop {
            let outcome = self.store.insert(batches);
            let mut desk = self.shared.desk();
            let trouble = outcome.as_ref().err().map(ToString::to_string);
            if desk.state.trouble != trouble {
                desk.state.trouble = trouble;
                (self.bell)();
            }
            if outcome.is_ok() || is_ending {
                if outcome.is_err() {
                    desk.state.not_kept += batches.iter().map(Batch::len).sum::<usize>() as u64;
                }
                desk.waiting_bytes -= bytes;
                desk.done += batches.len() as u64;
                desk.state.rows = self.store.rows();
                if !desk.questions.is_empty() || desk.is_asked {
                    self.shared.reads.notify_one();
                }
                return;
            }
            is_ending = self.pause(desk);
        }
    }

    /// Waits before the next try. True: the relay ends.
    fn pause(&self, mut desk: MutexGuard<'_, Desk>) -> bool {
        let end = Instant::now() + RETRY_AFTER;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if desk.is_ending || left.is_zero() {
                return desk.is_ending;
            }
            let woken = self.shared.writes.wait_timeout(desk, left);
            desk = woken.map_or_else(|error| error.into_inner().0, |(desk, _)| desk);
        }
    }

    /// Whether there are more lines than there are to be, by so many that it is worth a write.
    fn is_too_much(&self) -> bool {
        let rows_max = self.manner.retention.rows_max;
        rows_max > 0 && self.store.rows() > rows_max + rows_max / 16
    }

    /// Drops what is too old or too much. True: there is more of it.
    fn prune(&mut self) -> bool {
        let unix_ms = super::unix_ms();
        // Where this fails, writing does too, and says so.
        let gone = self.store.prune(self.manner.retention, unix_ms, PRUNE_ROWS).unwrap_or_default();
        self.shared.desk().state.rows = self.store.rows();
        gone >= PRUNE_ROWS
    }
}

/// Answers what is asked until the relay ends.
fn answer_all(store: &Store, shared: &Shared, bell: &Bell) {
    loop {
        let mut desk = shared.desk();
        while desk.questions.is_empty() && !desk.is_ending {
            desk = shared.reads.wait(desk).unwrap_or_else(PoisonError::into_inner);
        }
        if desk.is_ending {
            return;
        }
        let (question, behind) = desk.questions.remove(0);
        desk.is_asked = true;
        let end = Instant::now() + CATCH_UP_MAX;
        while desk.done < behind && desk.state.trouble.is_none() && !desk.is_ending {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let woken = shared.reads.wait_timeout(desk, left);
            desk = woken.map_or_else(|error| error.into_inner().0, |(desk, _)| desk);
        }
        desk.is_asked = false;
        drop(desk);
        let lines = store.last(&question.room, question.before, question.limit);
        let answer = lines.map_or(Answer::Unreadable, Answer::Lines);
        shared.desk().answers.push((question.ticket, answer));
        bell();
    }
}
