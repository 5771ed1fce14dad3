//! What the window orders, done with the session.

use std::sync::mpsc::TryRecvError;
use std::time::Instant;

use tertulia_wire::session::{AskError, Say, Session, Ticket};

use super::begin::{Begin, tell_restored};
use super::turn::{Socket, Turn};
use crate::model::{AskId, LinkCommand, LinkEvent, SayLine};

/// Orders that a turn takes before it writes.
const ORDERS_OF_A_TURN: u32 = 256;

impl Turn {
    pub(super) fn take_orders(&mut self) {
        for _ in 0..ORDERS_OF_A_TURN {
            match self.orders.try_recv() {
                Ok(order) => self.obey(order),
                Err(TryRecvError::Empty) => {
                    self.has_orders = false;
                    return;
                }
                // The window is gone without a word.
                Err(TryRecvError::Disconnected) => {
                    self.has_orders = false;
                    self.mouth.close();
                    return self.session.quit(self.began.elapsed());
                }
            }
        }
        self.has_orders = true;
    }

    fn obey(&mut self, order: LinkCommand) {
        let now = self.began.elapsed();
        match order {
            LinkCommand::Start { relay, name, rooms, tls } => {
                self.start_over(&Begin { relay, name, rooms, tls });
            }
            LinkCommand::Say(line) => self.say(line),
            LinkCommand::Join { room } => {
                self.must_keep = true;
                // The window has looked at the name, and counts the rooms.
                let _ = self.session.join(&room);
            }
            LinkCommand::Part { room } => {
                self.must_keep = true;
                self.session.part(&room);
            }
            LinkCommand::Rename { name } => {
                self.must_keep = true;
                // The window has looked at it.
                let _ = self.session.rename(&name);
            }
            LinkCommand::Fetch { ask, room, way, limit } => {
                let ticket = self.session.fetch(&room, way, limit);
                self.tell_asked(ask, ticket);
            }
            LinkCommand::Search { ask, room, words, before, limit } => {
                let ticket = self.session.search(&room, &words, before, limit);
                self.tell_asked(ask, ticket);
            }
            LinkCommand::List { line } => {
                if self.session.command(&line).is_err() {
                    self.mouth.say_event(LinkEvent::ListFailed);
                }
            }
            LinkCommand::LogIn { password } => {
                // The window has looked at it.
                let _ = self.session.log_in(&password);
            }
            LinkCommand::Command { line } => {
                if let Err(error) = self.session.command(&line) {
                    self.mouth.say_event(LinkEvent::CommandFailed { error });
                }
            }
            LinkCommand::Read { room, id } => {
                // Where it cannot be told now, the next one tells more.
                let _ = self.session.mark_read(&room, id);
            }
            LinkCommand::ForgetRefused { label } => {
                // Forgotten again at the next start, if this is not kept in time.
                self.session.forget_refused(&label);
                self.outbox.touch(Instant::now());
            }
            LinkCommand::Reconnect => self.session.start(now),
            LinkCommand::Quit => self.session.quit(now),
        }
    }

    fn tell_asked(&mut self, ask: AskId, ticket: Result<Ticket, AskError>) {
        let event = match ticket {
            Ok(ticket) => LinkEvent::Asked { ask, ticket },
            Err(error) => LinkEvent::AskFailed { ask, error },
        };
        self.mouth.say_event(event);
    }

    fn say(&mut self, line: SayLine) {
        let SayLine { label, room, to, reply, text } = line;
        let say = Say { room: &room, text: &text, reply, as_who: None, to: to.as_deref() };
        match self.session.say_labeled(&label, &say) {
            Ok(()) => self.must_keep = true,
            Err(error) => self.mouth.say_event(LinkEvent::SayFailed { label, error }),
        }
    }

    /// Another relay, name or rooms. What was said and has no answer comes along, but is not said to another relay's people.
    fn start_over(&mut self, begin: &Begin) {
        let session = Session::restore(begin.config(), &self.session.saved());
        // What a session has saved can be restored.
        self.session = session.unwrap_or_else(|_| Session::new(begin.config()));
        tell_restored(&self.session, &mut self.mouth);
        self.address.clone_from(&begin.relay);
        self.tls = begin.tls;
        self.trust = None;
        self.began = Instant::now();
        self.socket = Socket::None;
        self.must_keep = true;
    }
}
