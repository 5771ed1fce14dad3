//! What the thread says to the window: a queue with a bound, and a bell that rings seldom.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::TrySendError;
use std::time::Instant;

use super::queue::Sender;
use super::{BELL_EVERY, Report, Shared};
use crate::model::LinkEvent;

/// What is said to the window, and the bell.
pub(super) struct Mouth {
    /// None: all is said.
    reports: Option<Sender<Report>>,
    /// Those for which there was no place, oldest first. Few: the socket is not read while there are any.
    held: VecDeque<Report>,
    shared: Arc<Shared>,
    bell: Box<dyn Fn() + Send>,
    /// Something was said since the bell rang.
    has_news: bool,
    rang_at: Option<Instant>,
    /// Nobody listens any more.
    is_deaf: bool,
}

impl Mouth {
    pub(super) fn new(reports: Sender<Report>, shared: Arc<Shared>, bell: Box<dyn Fn() + Send>) -> Self {
        let reports = Some(reports);
        Self { reports, held: VecDeque::new(), shared, bell, has_news: false, rang_at: None, is_deaf: false }
    }

    /// Whether there is place for a report.
    pub(super) fn is_free(&mut self) -> bool {
        let Some(reports) = &self.reports else { return true };
        while let Some(report) = self.held.pop_front() {
            match reports.try_send(report) {
                Ok(()) => self.has_news = true,
                Err(TrySendError::Full(report)) => {
                    self.held.push_front(report);
                    self.shared.is_stalled.store(true, Ordering::Release);
                    return false;
                }
                Err(TrySendError::Disconnected(_)) => self.is_deaf = true,
            }
        }
        true
    }

    pub(super) fn say_event(&mut self, event: LinkEvent) {
        self.say(Report::Event(event));
    }

    /// Says it. What has no place waits, and [`Mouth::is_free`] is false until it has.
    pub(super) fn say(&mut self, report: Report) {
        if !self.is_deaf {
            self.held.push_back(report);
            self.is_free();
        }
    }

    /// Says no more: the window is gone.
    pub(super) fn close(&mut self) {
        self.is_deaf = true;
        self.held.clear();
    }

    /// Waits until then for the window to take what it has still to hear.
    pub(super) fn empty(&mut self, until: Instant) {
        while !self.is_free() && Instant::now() < until {
            self.shared.is_rung.store(true, Ordering::Release);
            (self.bell)();
            std::thread::sleep(BELL_EVERY);
        }
    }

    /// Rings, if there is something to ring for and it may ring. Else, when it may.
    pub(super) fn ring(&mut self, now: Instant) -> Option<Instant> {
        if !self.has_news || self.shared.is_rung.load(Ordering::Acquire) {
            return None;
        }
        let may_at = self.rang_at.map(|at| at + BELL_EVERY);
        if may_at.is_some_and(|at| at > now) {
            return may_at;
        }
        self.has_news = false;
        self.rang_at = Some(now);
        self.shared.is_rung.store(true, Ordering::Release);
        (self.bell)();
        None
    }
}

impl Drop for Mouth {
    /// However the thread ends, the window is to find the channel closed, and wakes to look.
    fn drop(&mut self) {
        self.reports = None;
        (self.bell)();
    }
}
