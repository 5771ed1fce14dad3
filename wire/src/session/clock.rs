//! What is due when.

use std::time::Duration;

use super::config::{ANSWER_WAIT, QUIET_MAX};
use super::event::{Action, Reason};
use super::{Link, Session};
use crate::limits::PONG_WAIT;

/// The word by which the answer to «are you there» is known.
pub(super) const ALIVE: &str = "alive";

impl Session {
    /// Time has passed: does what is due.
    pub fn handle_time(&mut self, now: Duration) {
        self.advance(now);
        if self.quit.is_some_and(|quit| quit.is_sent && quit.until <= self.now) {
            self.actions.push_back(Action::Close);
            return self.end();
        }
        match self.link {
            Link::Waiting { until } if until <= self.now => {
                self.link = Link::Connecting;
                self.actions.push_back(Action::Connect);
            }
            Link::Greeting { until } if until <= self.now => {
                let is_known = self.connection.is_relay || self.identity.is_some();
                self.give_up(if is_known { Reason::Silent } else { Reason::NotTertulia });
            }
            Link::Refused { again_at: Some(again_at) } if again_at <= self.now => self.send_hello(),
            Link::Ready => self.handle_time_ready(),
            _ => {}
        }
    }

    fn handle_time_ready(&mut self) {
        if self.unanswered.first_sent_at().is_some_and(|at| at.saturating_add(ANSWER_WAIT) <= self.now) {
            self.unanswered.send_first_again();
        }
        if self.silent_at() > self.now {
            return;
        }
        if self.connection.is_alive_asked {
            return self.give_up(Reason::Silent);
        }
        self.connection.is_alive_asked = true;
        self.send_urgent(&format!("/ping {ALIVE}"));
    }

    /// When the relay has been silent for too long.
    fn silent_at(&self) -> Duration {
        let answer = if self.connection.is_alive_asked { PONG_WAIT } else { Duration::ZERO };
        self.connection.heard_at.saturating_add(QUIET_MAX).saturating_add(answer)
    }

    /// When [`Session::handle_time`] is to be called next, if nothing happens before; a moment that has passed means now.
    /// None: nothing is due.
    pub fn next_due(&self) -> Option<Duration> {
        let quit = self.quit.filter(|quit| quit.until > self.now || quit.is_sent).map(|quit| quit.until);
        let link = match self.link {
            Link::Waiting { until } | Link::Greeting { until } => Some(until),
            Link::Refused { again_at } => again_at,
            Link::Ready => {
                let answer = self.unanswered.first_sent_at().map(|at| at.saturating_add(ANSWER_WAIT));
                let dues =
                    [answer, Some(self.silent_at()), self.fetches.next_due(self.now), self.sending_due()];
                dues.into_iter().flatten().min()
            }
            Link::Connecting | Link::Ended => None,
        };
        quit.into_iter().chain(link).min()
    }
}
