//! Accounts, bans, closed rooms and read markers.

use rusqlite::{Connection, Row, params};
use tertulia_wire::secret::Secret;

use super::sessions::{set_value, value};
use super::{Store, StoreError, number};
use crate::account::{
    AccountRow, AccountsKept, Change, ReadMarker, Role, RoomAccess, RoomRow, Sanction, SanctionKind, Target,
};
use crate::cidr::Cidr;

/// Name in the table `value`: grows when somebody else than the relay has changed an account.
const VERSION: &str = "account_version";

/// Before the number of an account that is a target.
const ACCOUNT_MARK: &str = "#";

impl Store {
    /// All that is kept of accounts.
    pub fn accounts(&self) -> Result<AccountsKept, StoreError> {
        let read = || {
            // All of the same moment.
            let _moment = self.connection.unchecked_transaction()?;
            Ok(AccountsKept {
                version: value(&self.connection, VERSION)?.unwrap_or_default(),
                accounts: self.all_rows(
                    "SELECT number, name, password, role, seen_unix_ms, token_epoch FROM account",
                    account,
                )?,
                sanctions: self
                    .all_rows(
                        "SELECT kind, target, until_unix_ms, by, why, since_unix_ms FROM sanction",
                        sanction,
                    )?
                    .into_iter()
                    .flatten()
                    .collect(),
                rooms: self.all_rows("SELECT room, access, members FROM room_access", room)?,
                markers: self.all_rows("SELECT account, room, id FROM read_marker", marker)?,
            })
        };
        self.told(read())
    }

    /// The same, if somebody else than the relay has changed an account since that version.
    pub fn accounts_since(&self, version: u64) -> Result<Option<AccountsKept>, StoreError> {
        let now = self.told(value(&self.connection, VERSION))?;
        if now.unwrap_or_default() <= version { Ok(None) } else { self.accounts().map(Some) }
    }

    /// Keeps what a tool has changed. A relay that runs meanwhile sees it at SIGHUP, and when next somebody logs in.
    pub fn change_accounts(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        self.write(|transaction| {
            let version = value(transaction, VERSION)?.unwrap_or_default();
            set_value(transaction, VERSION, version.saturating_add(1))?;
            changes.iter().try_for_each(|change| revoke(transaction, change))?;
            write(transaction, changes)
        })
    }

    fn all_rows<T>(
        &self,
        query: &str,
        read: impl FnMut(&Row<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<Vec<T>, rusqlite::Error> {
        self.connection.prepare(query)?.query_map([], read)?.collect()
    }
}

/// A role that is not known gives no rights.
fn account(row: &Row<'_>) -> Result<AccountRow, rusqlite::Error> {
    let role: String = row.get(3)?;
    Ok(AccountRow {
        number: row.get(0)?,
        name: row.get(1)?,
        password: Secret(row.get(2)?),
        role: Role::parse(&role).unwrap_or_default(),
        seen_unix_ms: row.get(4)?,
        token_epoch: row.get(5)?,
    })
}

/// None: it is of a kind, or for somebody, that is not known.
fn sanction(row: &Row<'_>) -> Result<Option<Sanction>, rusqlite::Error> {
    let (kind, target): (String, String) = (row.get(0)?, row.get(1)?);
    let target = match target.strip_prefix(ACCOUNT_MARK) {
        Some(number) => number.parse().ok().map(Target::Account),
        None => Cidr::parse(&target).map(Target::Block),
    };
    let (Some(kind), Some(target)) = (SanctionKind::parse(&kind), target) else { return Ok(None) };
    Ok(Some(Sanction {
        kind,
        target,
        since_unix_ms: row.get(5)?,
        until_unix_ms: row.get(2)?,
        by: row.get(3)?,
        why: row.get(4)?,
    }))
}

/// An access that is not known lets in whom it names.
fn room(row: &Row<'_>) -> Result<RoomRow, rusqlite::Error> {
    let (access, members): (String, String) = (row.get(1)?, row.get(2)?);
    Ok(RoomRow {
        room: row.get(0)?,
        access: RoomAccess::parse(&access).unwrap_or(RoomAccess::Members),
        members: members.split(' ').filter_map(|member| member.parse().ok()).collect(),
    })
}

fn marker(row: &Row<'_>) -> Result<ReadMarker, rusqlite::Error> {
    Ok(ReadMarker { account: row.get(0)?, room: row.get(1)?, id: row.get(2)? })
}

fn target_text(target: Target) -> String {
    match target {
        Target::Account(number) => format!("{ACCOUNT_MARK}{number}"),
        Target::Block(block) => block.to_string(),
    }
}

/// Where an account gets another password, tokens that were given for the old one are worth nothing; not those either that a relay
/// still writes which does not know of it.
fn revoke(connection: &Connection, change: &Change) -> Result<(), rusqlite::Error> {
    let Change::Password { number: account, .. } = change else { return Ok(()) };
    let execute = |query: &str| connection.execute(query, [number(*account)]).map(drop);
    execute("UPDATE account SET token_epoch = token_epoch + 1 WHERE number = ?1")?;
    execute("DELETE FROM session WHERE account = ?1")
}

/// Writes changes, in their order. Of an account that is gone nothing comes back.
pub(super) fn write<'a>(
    connection: &Connection,
    changes: impl IntoIterator<Item = &'a Change>,
) -> Result<(), rusqlite::Error> {
    changes.into_iter().try_for_each(|change| write_one(connection, change))
}

fn write_one(connection: &Connection, change: &Change) -> Result<(), rusqlite::Error> {
    let execute = |query: &str, parameters: &[&dyn rusqlite::ToSql]| {
        connection.prepare_cached(query)?.execute(parameters).map(drop)
    };
    match change {
        Change::Sanction(row) => execute(
            "INSERT OR REPLACE INTO sanction SELECT ?1, ?2, ?3, ?4, ?5, ?7
             WHERE ?6 IS NULL OR EXISTS (SELECT 1 FROM account WHERE number = ?6)",
            params![
                row.kind.word(),
                target_text(row.target),
                row.until_unix_ms.map(number),
                row.by,
                row.why,
                if let Target::Account(account) = row.target { Some(number(account)) } else { None },
                number(row.since_unix_ms),
            ],
        ),
        Change::SanctionGone(kind, target) => execute(
            "DELETE FROM sanction WHERE kind = ?1 AND target = ?2",
            params![kind.word(), target_text(*target)],
        ),
        Change::Room(row) if row.access == RoomAccess::Open => {
            execute("DELETE FROM room_access WHERE room = ?1", params![row.room])
        }
        Change::Room(row) => {
            let members: Vec<String> = row.members.iter().map(u64::to_string).collect();
            let parameters = params![row.room, row.access.word(), members.join(" ")];
            execute("INSERT OR REPLACE INTO room_access VALUES (?1, ?2, ?3)", parameters)
        }
        Change::ReadGone(account, room) => {
            let parameters = params![number(*account), room];
            execute("DELETE FROM read_marker WHERE account = ?1 AND room = ?2", parameters)
        }
        Change::Read(marker) => execute(
            "INSERT INTO read_marker SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM account WHERE number = ?1)
             ON CONFLICT (account, room) DO UPDATE SET id = excluded.id WHERE excluded.id > id",
            params![number(marker.account), marker.room, number(marker.id)],
        ),
        change => write_account(connection, change),
    }
}

/// A change of an account itself. Where that is gone, it stays so.
fn write_account(connection: &Connection, change: &Change) -> Result<(), rusqlite::Error> {
    let execute = |query: &str, parameters: &[&dyn rusqlite::ToSql]| {
        connection.prepare_cached(query)?.execute(parameters).map(drop)
    };
    match change {
        // Where a tool has given the name to another account meanwhile, that one is it.
        Change::Account(row) => execute(
            "INSERT INTO account VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
            params![
                number(row.number),
                row.name,
                *row.password,
                row.role.word(),
                row.seen_unix_ms.map(number),
                number(row.token_epoch)
            ],
        ),
        Change::Role(account, role) => {
            let parameters = params![number(*account), role.word()];
            execute("UPDATE account SET role = ?2 WHERE number = ?1", parameters)
        }
        Change::Password { number: account, before, password } => execute(
            "UPDATE account SET password = ?2 WHERE number = ?1 AND password = coalesce(?3, password)",
            params![number(*account), **password, before.as_deref()],
        ),
        Change::Seen(account, unix_ms) => {
            let parameters = params![number(*account), number(*unix_ms)];
            execute("UPDATE account SET seen_unix_ms = ?2 WHERE number = ?1", parameters)
        }
        Change::AccountGone(gone) => {
            execute("DELETE FROM account WHERE number = ?1", params![number(*gone)])?;
            execute("DELETE FROM read_marker WHERE account = ?1", params![number(*gone)])?;
            let target = target_text(Target::Account(*gone));
            execute("DELETE FROM sanction WHERE target = ?1", params![target])?;
            execute("DELETE FROM session WHERE account = ?1", params![number(*gone)])
        }
        Change::Sanction(_)
        | Change::SanctionGone(..)
        | Change::Room(_)
        | Change::Read(_)
        | Change::ReadGone(..) => Ok(()),
    }
}
