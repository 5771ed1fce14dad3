//! What each event of the link does. A table: what is done is in the modules that it calls.

use std::time::Duration;

use tertulia_wire::session::Event as Said;

use super::asks::Purpose;
use super::connection::Status;
use super::conversation::{Kind, Seat};
use super::event::{ConnectError, LinkEvent};
use super::{Command, Model, QUIET_AFTER_READY, Sentence, ViewCommand};
use crate::phrases::Phrase;

impl Model {
    pub(super) fn handle_link(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Session(event) => self.handle_session(event),
            LinkEvent::Connecting => self.handle_connecting(),
            LinkEvent::ConnectFailed(error) => {
                if let ConnectError::CertificateUnknown(fingerprint) = error {
                    self.handle_certificate(fingerprint);
                }
                let reason = tertulia_wire::session::Reason::ConnectFailed;
                self.status = Status::Waiting { reason, error: Some(error), until: self.now.monotonic };
            }
            LinkEvent::Restored(lines) => self.restore_unsent(lines),
            LinkEvent::Asked { ask, ticket } => self.asks.note_ticket(ask, ticket),
            LinkEvent::AskFailed { ask, error } => {
                if let Some(ask) = self.asks.remove_failed(ask) {
                    self.give_up_asking(ask.purpose, &error.to_string());
                }
                self.ask_next();
            }
            LinkEvent::SayFailed { label, error } => self.handle_say_failed(&label, error),
            LinkEvent::CommandFailed { error } => self.handle_command_failed(error),
            LinkEvent::ListFailed => self.handle_list_failed(),
            LinkEvent::OutboxFailed { reason } => self.outbox_error = Some(reason),
            LinkEvent::OutboxWritten => self.outbox_error = None,
            LinkEvent::Gone => self.handle_gone(),
        }
    }

    /// Nobody says or hears anything any more: what has no answer is the person's again, and is kept.
    fn handle_gone(&mut self) {
        if self.status == Status::Ended {
            return;
        }
        self.status = Status::LinkGone;
        self.handle_cut();
        let mut labels: Vec<String> = self.unsent.keys().cloned().collect();
        labels.sort_unstable();
        labels.iter().for_each(|label| self.refuse(label, Phrase::LinkGone.into()));
        if self.closing_since.is_some() {
            self.commands.push_back(Command::View(ViewCommand::Close));
        }
    }

    fn handle_session(&mut self, event: Said) {
        match event {
            Said::Heard { line, source } => self.handle_heard(line, None, source),
            Said::Own { label, line, source } => self.handle_heard(line, Some(&label), source),
            Said::Acknowledged { label, id, unix_ms } => self.handle_acknowledged(&label, id, unix_ms),
            Said::NotKept { label, id } => self.handle_not_kept(&label, id),
            Said::Refused { label, code, sentence } => self.handle_refused(&label, &code, &sentence),
            Said::Fetched { ticket, is_more } => self.handle_fetched(ticket, is_more),
            Said::FetchRefused { ticket, code } => self.handle_fetch_refused(ticket, &code),
            Said::Who { room, name, .. } => self.handle_who(&room, name),
            Said::Room { room, .. } => self.handle_room_listed(room),
            Said::AnswerEnd { what, .. } => self.handle_list_end(&what),
            Said::Storm { room, joined, left } => self.handle_storm(&room, joined, left),
            Said::GapFound { room, from, to } => self.handle_gap_found(&room, from, to),
            Said::GapClosed { room, to, .. } => self.handle_gap_closed(&room, to),
            Said::GapLeft { room, from, to, .. } => self.handle_gap_left(&room, from, to),
            other => self.handle_connection(other),
        }
    }

    /// What is about the connection, the name and the rooms.
    fn handle_connection(&mut self, event: Said) {
        match event {
            Said::Ready { name, .. } => self.handle_ready(name),
            Said::HelloRefused { code, name, sentence, again_in } => {
                self.handle_hello_refused(&code, name, &sentence, again_in);
            }
            Said::LoginNeeded { is_private, .. } => self.handle_login_needed(is_private),
            Said::LoginRefused { code, sentence, again_in } => {
                self.handle_login_refused(&code, &sentence, again_in);
            }
            Said::LoggedIn { role } => self.handle_logged_in(role),
            Said::RoleChanged { role } => self.handle_role(role),
            Said::Read { room, id } => self.handle_mark(&room, id),
            Said::Waiting { reason, retry_in } => self.handle_waiting(reason, retry_in),
            Said::TakenOver => {
                self.status = Status::TakenOver;
                self.handle_cut();
            }
            Said::Removed { code, sentence } => self.handle_removed(&code, &sentence),
            Said::Ended => self.handle_ended(),
            Said::Joined { room } => self.handle_joined(&room),
            Said::JoinRefused { room, code, sentence } => self.handle_join_refused(&room, &code, &sentence),
            Said::Parted { room } => self.handle_parted(&room),
            Said::Renamed { name } => self.handle_renamed(name),
            Said::RenameRefused { code, sentence } => self.handle_rename_refused(&code, &sentence),
            Said::MayBeDoubled { room } => {
                if let Some(id) = self.conversations.find(Kind::Room, &room) {
                    self.tell(id, Phrase::MayBeDoubled);
                }
            }
            Said::History { is_kept } => {
                self.is_history_kept = is_kept;
                if is_kept {
                    self.hint(Phrase::HistoryKept);
                }
            }
            Said::Closing => self.hint(Phrase::Closing),
            Said::Unreadable => self.complain(Phrase::Unreadable),
            Said::Other { words, sentence, .. } => self.handle_other(&words, &sentence),
            _ => {}
        }
    }

    fn handle_connecting(&mut self) {
        if self.status == Status::NotBegun || matches!(self.status, Status::Ended) {
            self.status = Status::Connecting;
        }
    }

    fn handle_ready(&mut self, name: String) {
        self.status = Status::Ready;
        self.naming = None;
        self.lists.clear();
        self.is_history_kept = true;
        self.note_greeted();
        self.quiet_until = self.now.monotonic.saturating_add(QUIET_AFTER_READY);
        self.take_name(name);
    }

    fn handle_hello_refused(&mut self, code: &str, name: String, sentence: &str, again_in: Option<Duration>) {
        self.end_checking();
        let again_at = again_in.map(|wait| self.now.monotonic.saturating_add(wait));
        if again_at.is_none() {
            match code {
                "NAME_REGISTERED" | "LOGIN_NEEDED" => return self.handle_account_needed(code, name),
                "NAME_IN_USE" => self.ask_name(Some((name.clone(), Phrase::NameInUse))),
                "NAME_RESERVED" => self.ask_name(Some((name.clone(), Phrase::NameReserved))),
                "NAME_INVALID" => self.ask_name(Some((name.clone(), Phrase::NameInvalid))),
                _ => {
                    let why = match code {
                        "ROOM_INVALID" => Sentence::from(Phrase::RoomInvalid),
                        _ if sentence.is_empty() => Sentence::quoted(code),
                        _ => Sentence::quoted(sentence),
                    };
                    self.status = Status::HelloRefused { why };
                    return;
                }
            }
        }
        self.status = Status::NameRefused { name, again_at };
    }

    fn handle_waiting(&mut self, reason: tertulia_wire::session::Reason, retry_in: Duration) {
        let error = match std::mem::replace(&mut self.status, Status::NotBegun) {
            Status::Waiting { error, .. } => error,
            _ => None,
        };
        let error = error.filter(|_| reason == tertulia_wire::session::Reason::ConnectFailed);
        let until = self.now.monotonic.saturating_add(retry_in);
        self.status = Status::Waiting { reason, error, until };
        self.handle_cut();
    }

    /// The connection is gone: what was asked over it and is not asked again has no answer.
    pub(super) fn handle_cut(&mut self) {
        self.lists.clear();
        self.end_checking();
        // What is not read from now on has a rule of its own above it.
        self.conversations.for_each_mut(|conversation| {
            if conversation.unread == 0 {
                conversation.clear_unread_line();
            }
        });
    }

    fn handle_ended(&mut self) {
        self.status = Status::Ended;
        self.handle_cut();
        if self.closing_since.is_some() {
            self.commands.push_back(Command::View(ViewCommand::Close));
        }
    }

    fn handle_join_refused(&mut self, room: &str, code: &str, sentence: &str) {
        let why = match code {
            "ROOM_INVALID" => Sentence::from(Phrase::RoomInvalid),
            _ if sentence.is_empty() => Sentence::quoted(code),
            _ => Sentence::quoted(sentence),
        };
        let why = why.in_language(self.language());
        self.complain(Sentence::new(Phrase::JoinRefused, &[room, &why]));
        let Some(id) = self.conversations.find(Kind::Room, room) else { return };
        if let Some(conversation) = self.conversations.get_mut(id) {
            conversation.seat = Seat::Out;
        }
        self.close_if_nothing_is_lost(id);
    }

    fn handle_rename_refused(&mut self, code: &str, sentence: &str) {
        let name = self.renaming.take().unwrap_or_default();
        match code {
            "NAME_IN_USE" => self.complain(Sentence::new(Phrase::NameInUse, &[&name])),
            "NAME_RESERVED" => self.complain(Sentence::new(Phrase::NameReserved, &[&name])),
            "NAME_INVALID" => self.complain(Phrase::NameInvalid),
            _ => self.complain(Sentence::quoted(sentence)),
        }
    }

    fn handle_other(&mut self, words: &str, sentence: &str) {
        let is_list = ["FAIL WHO", "FAIL ROOMS"].iter().any(|start| words.starts_with(start));
        if is_list {
            self.handle_list_failed();
        }
        if self.handle_account_answer(words)
            || self.handle_act_done(words, sentence)
            || self.handle_sanctions(words)
        {
            return;
        }
        let is_for_people = words.starts_with("FAIL") || words.starts_with("WARN");
        if is_for_people && !sentence.is_empty() {
            self.complain(Sentence::quoted(sentence));
        }
    }

    /// What was asked does not come.
    pub(super) fn give_up_asking(&mut self, purpose: Purpose, code: &str) {
        match purpose {
            Purpose::Older { conversation, .. } | Purpose::Newer(conversation) => {
                self.handle_page_refused(conversation, code);
            }
            Purpose::Around { .. } => self.complain(Phrase::QuoteGone),
            Purpose::Search => self.handle_search_refused(code),
        }
    }

    /// Passes the next question on.
    pub(super) fn ask_next(&mut self) {
        while let Some(command) = self.asks.take_next() {
            self.link(command);
        }
    }
}
