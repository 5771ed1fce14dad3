//! The threads of the history, as the poll loop sees them: it puts work down, asks, and looks what is new when the bell
//! rings. It never waits for them.

use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::desk::{Bell, Shared};
use super::hold::Hold;
use super::reader::Reader;
use super::store::{Journal, Opening, Retention, Store, StoreError};
use super::writer::Writer;
use crate::batch::Work;
use crate::chat::{Answer, Question, Remembered, Wanted};
use crate::clock::unix_ms;

/// Lines that wait to be written, as bytes of memory. Beyond it lines are not kept, and counted.
pub const WAITING_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Questions that are taken from the chat and wait for an answer, searches aside. The others wait there.
pub const QUESTIONS_MAX: usize = 16;

/// Stack of a thread: what the database asks for, and some.
const STACK_BYTES: usize = 256 * 1024;

/// How the history fares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// Lines that will never be kept.
    pub not_kept: u64,
    /// Why nothing can be written now, or that the file is damaged.
    pub trouble: Option<String>,
    /// Lines in the file.
    pub rows: u64,
}

/// What is new.
#[derive(Debug)]
pub struct News {
    /// All work up to this number is in the file, but for what [`Keeper::put`] refused.
    pub kept: u64,
    /// What is above [`News::kept`], up to this number, will never be: nothing is written any more. Told once.
    pub lost: Option<u64>,
    /// Lines that somebody took in meanwhile, and that had the ids of lines that were said: they had to go. Told once.
    pub gone: u64,
    /// Answers, with the tickets of their questions.
    pub answers: Vec<(u64, Answer)>,
    /// See [`State::trouble`].
    pub trouble: Option<String>,
}

/// How a history is kept.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// How the file is opened.
    pub opening: Opening,
    /// How much of it is kept.
    pub retention: Retention,
}

/// The threads. They end, once all is written, with this value.
pub struct Keeper {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    journal: Journal,
    bell: Bell,
    /// Goes last.
    _hold: Hold,
}

impl Keeper {
    /// Opens the file and starts the threads; gives what was kept in earlier runs too. `bell` rings when there is an
    /// answer, when work was written, and when [`Keeper::state`] has changed. A thread that ends before this value goes is
    /// told as trouble: what it had to write is lost, what it had to answer cannot be read.
    pub fn start(path: &Path, manner: Manner, bell: Bell) -> Result<(Self, Remembered), StoreError> {
        let (hold, mut store) = Hold::open(path, manner.opening)?;
        let remembered = store.begin(unix_ms())?;
        let journal = store.journal();
        let shared = Arc::new(Shared::default());
        shared.desk().state.rows = store.rows();
        let mut keeper = Self {
            shared: Arc::clone(&shared),
            threads: Vec::new(),
            journal,
            bell: Arc::clone(&bell),
            _hold: hold,
        };
        if journal.has_readers() {
            let store = Store::open_to_read(path, manner.opening.busy_wait)?;
            let reader = Reader::new(store, Arc::clone(&shared), Arc::clone(&bell));
            keeper.spawn(path, "history-reads", move || reader.run())?;
        }
        let writer = Writer::new(store, shared, manner.retention, bell);
        keeper.spawn(path, "history", move || writer.run())?;
        Ok((keeper, remembered))
    }

    fn spawn(
        &mut self,
        path: &Path,
        name: &str,
        run: impl FnOnce() + Send + 'static,
    ) -> Result<(), StoreError> {
        let thread = thread::Builder::new().name(name.to_owned()).stack_size(STACK_BYTES).spawn(run);
        self.threads.push(thread.map_err(|error| StoreError::thread(path, &error))?);
        Ok(())
    }

    /// Has work written. False: there is no place for its lines; they will never be kept, and are counted. The rest of
    /// it is kept all the same, unless nothing is written any more.
    #[must_use]
    pub fn put(&self, work: Work) -> bool {
        let mut desk = self.shared.desk();
        desk.put = work.number;
        if desk.has_no_writer {
            desk.state.not_kept = desk.state.not_kept.saturating_add(work.lines.len() as u64);
            return false;
        }
        let bytes = work.lines.bytes();
        let has_place = desk.bytes.saturating_add(bytes) <= WAITING_BYTES_MAX || work.lines.is_empty();
        if has_place {
            desk.bytes = desk.bytes.saturating_add(bytes);
        } else {
            desk.state.not_kept = desk.state.not_kept.saturating_add(work.lines.len() as u64);
        }
        // Where work lies there already, the writer knows of it.
        let is_news = desk.waiting.is_empty();
        desk.waiting.add(work, has_place);
        if is_news {
            self.shared.writes.notify_one();
        }
        has_place
    }

    /// Whether there is place for another question. Where there was none, there is when the bell rings.
    pub fn takes_questions(&self) -> bool {
        self.shared.desk().questions.len() < QUESTIONS_MAX
    }

    /// Asks something.
    pub fn ask(&self, question: Question) {
        let mut desk = self.shared.desk();
        if desk.has_no_reader {
            desk.answer(question.ticket, Answer::Unreadable);
            drop(desk);
            return (self.bell)();
        }
        // What was said before is part of the answer.
        let behind = desk.put;
        if matches!(question.what, Wanted::Search { .. }) {
            desk.is_searched = true;
            self.shared.writes.notify_one();
            desk.searches.push_back((question, behind));
        } else {
            desk.questions.push_back((question, behind));
        }
        let thread = if self.journal.has_readers() { &self.shared.reads } else { &self.shared.writes };
        thread.notify_one();
    }

    /// What is new.
    pub fn take_news(&self) -> News {
        let mut desk = self.shared.desk();
        let answers = std::mem::take(&mut desk.answers);
        News {
            kept: desk.kept,
            lost: desk.lost.take(),
            gone: std::mem::take(&mut desk.gone),
            answers,
            trouble: desk.state.trouble.clone(),
        }
    }

    /// How it fares.
    pub fn state(&self) -> State {
        self.shared.desk().state.clone()
    }

    /// How writes are made whole.
    pub fn journal(&self) -> Journal {
        self.journal
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

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").field("journal", &self.journal).finish_non_exhaustive()
    }
}
