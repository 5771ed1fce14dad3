//! Which bans and mutes are in force, for operators.

use std::cmp::Reverse;

use tertulia_wire::limits::NAME_BYTES_MAX;
use tertulia_wire::tags::escape;
use tertulia_wire::time::rfc3339;

use super::super::{ANSWER_BYTES_MAX, Chat, ClientId};
use super::acts::WHY_BYTES_MAX;
use crate::account::{Sanction, Target};

/// Bans and mutes that are told at once, the newest ones: what fits into an answer.
const SANCTIONS_LISTED_MAX: usize = 64;

/// What stands in a line besides names and reason: its words, two times and a label.
const OTHER_BYTES_MAX: usize = 200;

const _: () = assert!(
    SANCTIONS_LISTED_MAX * (2 * NAME_BYTES_MAX * 2 + 2 * WHY_BYTES_MAX + OTHER_BYTES_MAX) < ANSWER_BYTES_MAX
);

impl Chat {
    /// `/bans`
    pub(super) fn list_sanctions(&mut self, client: ClientId) {
        let unix_ms = self.ids.unix_ms();
        let all = self.accounts.sanctions.values();
        let mut all: Vec<&Sanction> = all.filter(|one| super::is_in_force(one, unix_ms)).collect();
        let total = all.len();
        all.sort_by_key(|one| Reverse((one.since_unix_ms, one.kind, one.target)));
        all.truncate(SANCTIONS_LISTED_MAX);
        let mut answer: String = all.iter().map(|one| self.sanction_line(one)).collect();
        answer.push_str(&format!("* END BANS shown={} of={total}\n", all.len()));
        self.answer_lines(client, answer);
    }

    fn sanction_line(&self, sanction: &Sanction) -> String {
        let target = match sanction.target {
            Target::Account(number) => self.accounts.row(number).map(|row| escape(&row.name).into_owned()),
            Target::Block(block) => Some(block.to_string()),
        };
        let Some(target) = target else { return String::new() };
        let until = sanction.until_unix_ms.map_or_else(String::new, |at| format!(" until={}", rfc3339(at)));
        let why = match sanction.why.as_str() {
            "" => String::new(),
            why => format!(" why={}", escape(why)),
        };
        // Of one from before that was kept, nobody knows.
        let since = match sanction.since_unix_ms {
            0 => String::new(),
            at => format!(" since={}", rfc3339(at)),
        };
        let (kind, by) = (sanction.kind.word(), escape(&sanction.by));
        format!("* BANS kind={kind} target={target}{since}{until} by={by}{why}\n")
    }
}
