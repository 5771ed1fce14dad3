//! Accounts that a tool of the operator's has changed in the file: how that is found out, and what follows.

use std::collections::HashSet;

use super::super::history::{Answer, Keeping, Question, Wanted};
use super::super::{Chat, ClientId, Cut, Event};
use super::Account;
use crate::account::AccountsKept;

impl Keeping {
    /// Ticket of the newest question.
    pub(super) fn last_question(&self) -> u64 {
        self.last_ticket
    }

    /// Questions that the history has not taken.
    pub(super) fn waiting_questions(&self) -> usize {
        self.questions.len()
    }

    /// Asks for accounts that are newer than this version of them. Nobody waits for the answer to that ticket.
    fn ask_accounts(&mut self, after: u64) -> u64 {
        self.last_ticket += 1;
        let ticket = self.last_ticket;
        self.questions.push_back(Question { ticket, what: Wanted::Accounts { after } });
        ticket
    }

    fn is_waiting(&self, ticket: u64) -> bool {
        self.questions.iter().any(|question| question.ticket == ticket)
    }
}

impl Chat {
    /// Takes up what a tool has changed in the file, if it has, as soon as the history has looked.
    pub fn look_at_accounts(&mut self) {
        let Some(keeping) = &mut self.keeping else { return };
        // One that the history has not taken yet will see what is there now, too.
        if !self.accounts.looking.is_some_and(|ticket| keeping.is_waiting(ticket)) {
            self.accounts.looking = Some(keeping.ask_accounts(self.accounts.version));
        }
    }

    /// An answer that no connection waits for.
    pub(in crate::chat) fn handle_unasked(&mut self, ticket: u64, answer: &Answer) {
        if self.accounts.looking.take_if(|looking| *looking == ticket).is_none() {
            return;
        }
        let why = match answer {
            Answer::Accounts(None) => return,
            Answer::Accounts(Some(kept)) => return self.merge_accounts((**kept).clone(), ticket),
            Answer::AccountsUnreadable(why) => why.clone(),
            _ => String::new(),
        };
        self.events.push_back(Event::AccountsUnread { why });
    }

    /// The file was looked at for a connection, before what it wants is done. False: it is gone meanwhile.
    pub(super) fn take_accounts(&mut self, client: ClientId, ticket: u64, answer: &Answer) -> bool {
        if let Answer::Accounts(Some(kept)) = answer {
            self.merge_accounts((**kept).clone(), ticket);
        }
        self.client(client).is_some_and(|state| !state.is_closing)
    }

    /// The file has other accounts than were known. `ticket`: of the question.
    pub(super) fn merge_accounts(&mut self, kept: AccountsKept, ticket: u64) {
        let there: HashSet<u64> = kept.accounts.iter().map(|row| row.number).collect();
        let is_newer_here = |account: &Account| account.touched >= ticket;
        // Of what was changed here meanwhile it says nothing, and of what a tool has changed there it is asked again.
        if !self.accounts.by_number.values().any(is_newer_here) {
            self.accounts.version = kept.version;
        }
        let is_gone = |(number, account): (&u64, &Account)| {
            (!there.contains(number) && !is_newer_here(account)).then_some(*number)
        };
        // First those that are gone: their names may be others' by now.
        let gone: Vec<u64> = self.accounts.by_number.iter().filter_map(is_gone).collect();
        gone.iter().for_each(|number| self.drop_account(*number));
        let mut changed = 0;
        for mut row in kept.accounts {
            let known = self.accounts.by_number.get(&row.number);
            // Nobody but the relay knows who comes.
            row.seen_unix_ms = row.seen_unix_ms.max(known.and_then(|account| account.row.seen_unix_ms));
            if known.is_some_and(|account| is_newer_here(account) || account.row == row) {
                continue;
            }
            // Of one that is new, too: somebody may have the name who is not its owner.
            if known.is_none_or(|account| account.row.password != row.password) {
                self.accounts.revoked.push(row.number);
            }
            let (number, role) = (row.number, row.role);
            let has_other_role = known.is_some_and(|account| account.row.role != role);
            self.put_account(row, 0);
            self.settle_role(number);
            if has_other_role {
                self.tell_role(number);
            }
            changed += 1;
        }
        if changed > 0 || !gone.is_empty() {
            self.events.push_back(Event::Accounts { changed, gone: gone.len() });
        }
    }

    /// An account is no more: whoever is there as it goes, and its name is anybody's.
    fn drop_account(&mut self, number: u64) {
        let Some(account) = self.accounts.by_number.remove(&number) else { return };
        self.names.disown(&account.row.name);
        self.accounts.revoked.push(number);
        for client in account.devices {
            self.sign_off(client);
            self.accounts.unwelcome.push((client, Cut::AccountRemoved));
        }
    }
}
