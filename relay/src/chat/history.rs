//! What is kept of what is said, and what is asked of it. The file is the shell's: lines and questions go out, answers
//! come in.

use std::collections::{BTreeSet, VecDeque};

use super::pages::{Order, Page};
use super::pressure::Unkept;
pub use super::questions::{Answer, Question, Wanted};
use super::rooms::{Encoding, Place};
use super::sessions::{Fate, Known, SessionId};
use super::tagged::TagValues;
use super::{Chat, ClientId, RoomId};
use crate::batch::{Batch, Durability, Kept, SessionRow, Work};
use crate::moment::Moment;
use crate::phrases::Phrase;
use crate::sabotage::{self, Bug};

/// Lines of the history that are given at once, where nobody says how many, and at most.
pub const HISTORY_LINES: u32 = 20;
/// See [`HISTORY_LINES`].
pub const HISTORY_LINES_MAX: u32 = 1000;

/// Questions that wait to be taken by the history; beyond it `/history` is refused. Each connection has one at most.
pub const QUESTIONS_MAX: usize = 64;

/// Searches that wait for their answers, of connections that are gone too; beyond it `/search` is refused. Each may take a
/// fraction of a second, and of them one after the other is answered.
pub const SEARCHES_MAX: usize = 8;

/// What was kept before the relay started.
#[derive(Debug, Default)]
pub struct Remembered {
    /// The highest id that may have been given.
    pub newest: u64,
    /// Ids up to this one were set apart for the run that begins, and that is kept.
    pub id_ceiling: u64,
    /// The highest number that may have been given to a session.
    pub last_sid: u64,
    /// Numbers up to this one were set apart for the run that begins, and that is kept.
    pub sid_ceiling: u64,
    /// The sessions.
    pub sessions: Vec<SessionRow>,
    /// The newest lines.
    pub recent: Batch,
    /// All lines behind this id are in `recent`.
    pub recent_after: u64,
    /// The accounts.
    #[cfg(feature = "history")]
    pub accounts: crate::account::AccountsKept,
}

/// Who waits for which answer.
#[derive(Debug)]
struct Asker {
    /// Of the question.
    ticket: u64,
    client: ClientId,
    for_what: Purpose,
}

#[derive(Debug)]
pub(super) enum Purpose {
    /// `/history` or `/search`
    Page(Page),
    /// Labels of its session are needed.
    Labels(SessionId),
    /// Somebody logs in, or the like.
    #[cfg(feature = "history")]
    Accounts(super::accounts::Pending),
    /// An operator changes an account.
    #[cfg(feature = "history")]
    Act(super::accounts::PendingAct),
}

/// Whether what is said is kept, and how that goes.
///
/// A build for use without the feature `history` keeps nothing, so there this has no value, and the compiler leaves out all
/// that follows from one. With debug assertions it has, for the tests of the core.
#[derive(Debug)]
#[cfg_attr(any(feature = "history", debug_assertions), derive(Default))]
pub(super) struct Keeping {
    #[cfg(not(any(feature = "history", debug_assertions)))]
    _none: core::convert::Infallible,
    pub(super) durability: Durability,
    /// Of the work that is being gathered.
    pub(super) number: u64,
    lines: Batch,
    pub(super) questions: VecDeque<Question>,
    /// Searches without an answer, by their tickets.
    pub(super) searches: BTreeSet<u64>,
    /// One of each connection at most; the first one is answered first.
    askers: VecDeque<Asker>,
    pub(super) last_ticket: u64,
    pub(super) is_in_trouble: bool,
    pub(super) unkept: Unkept,
}

/// Where it lies, out of the way of what each line touches.
#[cfg(any(feature = "history", debug_assertions))]
pub(super) type KeepingPlace = Box<Keeping>;
#[cfg(not(any(feature = "history", debug_assertions)))]
pub(super) type KeepingPlace = Keeping;

impl Keeping {
    /// Memory of the lines that are being gathered.
    pub(super) fn gathered_bytes(&self) -> usize {
        self.lines.bytes()
    }

    /// The connection waits for nothing any more. All may go at once: one look at those who ask, and none at the questions.
    fn forget(&mut self, client: ClientId) {
        let index = self.askers.iter().position(|asker| asker.client == client);
        let Some(Asker { ticket, .. }) = index.and_then(|index| self.askers.remove(index)) else { return };
        // What the history has taken, it answers all the same.
        if let Ok(index) = self.questions.binary_search_by_key(&ticket, |question| question.ticket) {
            self.questions.remove(index);
            self.searches.remove(&ticket);
        }
    }
}

impl Chat {
    /// What the clock says now, in milliseconds since 1970. Lines said from now on carry that time.
    pub fn handle_clock(&mut self, unix_ms: u64) {
        self.ids.set_clock(unix_ms);
    }

    /// From now on lines are kept; before it, what was kept in earlier runs is taken up.
    #[cfg(any(feature = "history", debug_assertions))]
    pub fn keep_history(&mut self, durability: Durability, remembered: Remembered) {
        let keeping = Keeping { durability, number: 1, ..Keeping::default() };
        self.keeping = Some(Box::new(keeping));
        #[cfg(feature = "history")]
        self.keep_accounts(remembered.accounts);
        self.ids.keep(remembered.newest, remembered.id_ceiling);
        self.rooms.forget_up_to(remembered.recent_after);
        let sids = (remembered.last_sid, remembered.sid_ceiling);
        self.sessions.restore(remembered.sessions, sids, remembered.newest);
        self.hold_places();
        self.refill(&remembered.recent, remembered.newest);
    }

    /// Rooms that somebody may come back to get their newest lines again. Up to `newest`, nothing is known of the others.
    #[cfg(any(feature = "history", debug_assertions))]
    fn refill(&mut self, recent: &Batch, newest: u64) {
        for line in recent.iter() {
            let Some(room) = self.rooms.find(line.room) else { continue };
            let mut tags = String::new();
            TagValues::of(&line, "").write(&mut tags);
            let text = [&tags, line.name, ": ", line.text, "\n"].map(str::as_bytes);
            self.rooms.append(Place { room, encoding: Encoding::Tagged }, &text);
            if let Some(room) = self.rooms.get_mut(room) {
                room.newest = line.id;
            }
        }
        self.rooms.forget_up_to(newest);
    }

    /// Whether something is to be kept that [`Chat::poll_kept`] has not given yet.
    pub(super) fn has_work(&self) -> bool {
        #[cfg(feature = "history")]
        let has_changes = !self.accounts.has_no_changes();
        #[cfg(not(feature = "history"))]
        let has_changes = false;
        let has_lines = self.keeping.as_ref().is_some_and(|keeping| !keeping.lines.is_empty());
        has_lines || self.sessions.has_changes() || has_changes
    }

    /// What is to be kept since the last call.
    pub fn poll_kept(&mut self) -> Option<Work> {
        if !self.has_work() {
            return None;
        }
        let keeping = self.keeping.as_mut()?;
        let lines = std::mem::take(&mut keeping.lines);
        keeping.unkept.add(keeping.number, lines.bytes());
        let mut work = Work { number: keeping.number, lines, ..Work::default() };
        keeping.number += 1;
        work.id_ceiling = self.ids.ceiling_to_keep();
        self.sessions.add_changes(&mut work);
        #[cfg(feature = "history")]
        {
            work.changes = self.accounts.take_changes();
        }
        work.sid_ceiling = self.sessions.ceiling_to_keep();
        self.promise_ceilings(work.number, work.id_ceiling, work.sid_ceiling);
        Some(work)
    }

    /// The next question to the history; searches come behind all others. What was said before it is already in what
    /// [`Chat::poll_kept`] gave, if that is called first.
    pub fn poll_question(&mut self) -> Option<Question> {
        let Keeping { questions, searches, .. }: &mut Keeping = self.keeping.as_mut()?;
        let first = questions.iter().position(|question| !searches.contains(&question.ticket));
        questions.remove(first.unwrap_or_default())
    }

    /// Keeps a line that was said.
    pub(super) fn keep(&mut self, room: RoomId, line: &Kept<'_>) {
        let Some(keeping) = &mut self.keeping else { return };
        let Some(room) = self.rooms.get(room) else { return };
        let quote = line.quote.filter(|_| !sabotage::has(Bug::QuoteNotKept));
        let key = line.key.filter(|_| !sabotage::has(Bug::KeyNotKept));
        keeping.lines.push(Kept { room: &room.name, quote, key, ..*line });
        self.note_pressure();
    }

    /// Asks for the labels of a session; nothing is taken from its connection until then.
    pub(super) fn ask_labels(&mut self, client: ClientId, session: SessionId) {
        if let Some((sid, to)) = self.sessions.get(session).map(|session| (session.sid, session.newest)) {
            self.ask(client, Purpose::Labels(session), Wanted::Labels(sid, to));
        }
    }

    pub(super) fn ask(&mut self, client: ClientId, for_what: Purpose, what: Wanted) {
        let Some(keeping) = &mut self.keeping else { return };
        keeping.last_ticket += 1;
        let ticket = keeping.last_ticket;
        if matches!(what, Wanted::Search { .. }) {
            keeping.searches.insert(ticket);
        }
        keeping.askers.push_back(Asker { ticket, client, for_what });
        keeping.questions.push_back(Question { ticket, what });
        if let Some(state) = self.client_mut(client) {
            state.awaits_history = true;
        }
    }

    /// Whether the connection waits for the history.
    pub(super) fn awaits_history(&self, client: ClientId) -> bool {
        self.client(client).is_some_and(|state| state.awaits_history)
    }

    /// The connection is gone, and with it what it asked.
    pub(super) fn forget_questions(&mut self, client: ClientId) {
        let Some(state) = self.client_mut(client).filter(|state| state.awaits_history) else { return };
        state.awaits_history = false;
        #[cfg(feature = "history")]
        self.forget_verdicts(client);
        self.keeping.iter_mut().for_each(|keeping| keeping.forget(client));
    }

    /// What came of a question.
    pub fn handle_answer(&mut self, ticket: u64, answer: &Answer) {
        let Some(keeping) = &mut self.keeping else { return };
        keeping.searches.remove(&ticket);
        let Some(index) = keeping.askers.iter().position(|asker| asker.ticket == ticket) else {
            return self.handle_unasked(ticket, answer);
        };
        let Some(Asker { client, for_what, .. }) = keeping.askers.remove(index) else { return };
        if let Some(state) = self.client_mut(client) {
            state.awaits_history = false;
        }
        self.resumed.push_back(client);
        let page = match for_what {
            Purpose::Labels(session) => return self.handle_labels(client, session, answer),
            #[cfg(feature = "history")]
            Purpose::Accounts(pending) => return self.handle_accounts(client, pending, ticket, answer),
            #[cfg(feature = "history")]
            Purpose::Act(pending) => return self.handle_act(client, pending, ticket, answer),
            Purpose::Page(page) => page,
        };
        match answer {
            // Who asks for what it missed would take these for all there is.
            Answer::Early(_) if page.order == Order::Oldest => {
                self.answer_labeled(
                    client,
                    "FAIL HISTORY BUSY",
                    page.label.as_deref(),
                    Some(Phrase::HistoryBusy),
                );
            }
            Answer::Lines(lines) | Answer::Early(lines) => {
                self.insert(client, &page.write(lines, self.is_extended(client)));
            }
            #[cfg(feature = "history")]
            Answer::Accounts(_) | Answer::AccountsUnreadable(_) => {}
            Answer::Costly => {
                let words = format!("FAIL {} BUSY", page.command());
                self.answer_labeled(client, &words, page.label.as_deref(), Some(Phrase::SearchCostly));
            }
            Answer::Unreadable | Answer::Damaged => {
                let words = format!("FAIL {} UNREADABLE", page.command());
                self.answer_labeled(client, &words, page.label.as_deref(), Some(Phrase::HistoryTrouble));
            }
        }
    }

    fn handle_labels(&mut self, client: ClientId, session: SessionId, answer: &Answer) {
        match answer {
            // What it says unanswered holds the labels in memory, so that the others are all written.
            Answer::Lines(lines) | Answer::Early(lines) => {
                let known = lines.iter().filter_map(|line| {
                    let (Kept { id, unix_ms, .. }, key) = (line, line.key?);
                    Some((key.label, Known { id, unix_ms, hash: key.hash, fate: Fate::Kept }))
                });
                self.sessions.set_labels(session, known);
            }
            #[cfg(feature = "history")]
            Answer::Accounts(_) | Answer::AccountsUnreadable(_) => {}
            // It is not known whether a line was said before: it is to try again later. If that will not be known then
            // either, it comes back as somebody else, who has said nothing yet.
            Answer::Unreadable | Answer::Damaged | Answer::Costly => {
                if let Some(session) = self.sessions.get_mut(session) {
                    session.is_damaged = matches!(answer, Answer::Damaged);
                }
                self.answer(client, "FAIL HISTORY UNREADABLE", Some(Phrase::HistoryTrouble));
                self.ended.push_back(client);
            }
        }
    }

    /// Who comes while the history is in trouble hears of it too.
    pub(super) fn tell_trouble(&mut self, client: ClientId) {
        if self.keeping.as_ref().is_some_and(|keeping| keeping.is_in_trouble) {
            self.answer(client, "NOTE HISTORY TROUBLE", Some(Phrase::HistoryTrouble));
        }
    }

    /// The history cannot be written, or can again: every room is told, once.
    pub fn handle_history_trouble(&mut self, is_in_trouble: bool, now: Moment) {
        let Some(keeping) = &mut self.keeping else { return };
        if std::mem::replace(&mut keeping.is_in_trouble, is_in_trouble) == is_in_trouble {
            return;
        }
        let (code, phrase) =
            if is_in_trouble { ("TROUBLE", Phrase::HistoryTrouble) } else { ("KEPT", Phrase::HistoryKept) };
        let line = format!("* NOTE HISTORY {code} :{}\n", phrase.in_language(self.settings.language));
        let rooms: Vec<RoomId> = self.rooms.iter_mut().map(|(id, _)| id).collect();
        for room in rooms {
            self.tell_room(room, &line);
        }
        if is_in_trouble {
            self.relieve();
            self.answer_without_keeping(now);
        }
    }
}
