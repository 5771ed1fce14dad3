//! Who has an account, and what follows from it: names that are their owner's, rooms that not everybody enters, bans. The
//! password itself is compared elsewhere; what comes of it is told here. PROTOCOL.md, "Accounts".

mod access;
mod acts;
mod attempts;
mod devices;
mod file;
mod listed;
mod login;
mod mutes;
mod owed;
mod permits;
mod sanctions;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use tertulia_wire::limits::NAME_BYTES_MAX;

use super::names::keys;
use super::rare::{Rare, Unchanged};
use super::{Chat, ClientId, Cut};
use crate::account::{
    AccountRow, AccountsKept, Change, PasswordTask, Role, RoomRow, Sanction, SanctionKind, Target,
};
use crate::cidr::Cidr;
pub(super) use acts::PendingAct;
pub use attempts::ATTEMPTS_MAX;
use attempts::Attempts;
pub(super) use login::Pending;
use owed::Owed;

/// Accounts there may be; beyond it nobody can register.
pub const ACCOUNTS_MAX: usize = 65_536;

/// Passwords that wait to be compared, or hashed; beyond it the next log-in is refused as busy.
pub const TASKS_MAX: usize = 16;

/// Log-ins from one address: so many are free, and the longest delay.
const ADDRESS_TRIES: (u32, Duration) = (8, Duration::from_secs(15 * 60));

/// Log-ins under one name. The owner must not be kept out for long by whoever guesses.
const NAME_TRIES: (u32, Duration) = (4, Duration::from_secs(60));

/// Addresses from which an account has logged in that are remembered until the relay ends; beyond it the one used longest ago goes.
/// Home, work, a telephone, and some on the way.
const PLACES_MAX: usize = 8;

/// New accounts from one address.
const REGISTER_TRIES: (u32, Duration) = (4, Duration::from_secs(60 * 60));

/// New passwords of one account.
const PASSWD_TRIES: (u32, Duration) = (4, Duration::from_secs(60));

/// Who may come in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rules {
    /// Nothing is heard or said before a log-in.
    pub is_registered_only: bool,
    /// A password is taken also where others may read it on its way.
    pub takes_plaintext: bool,
}

/// What is known of a connection because of its account, or of what it did. Of most nothing is: that takes no memory but a
/// pointer's.
pub(in crate::chat) type Standing = Rare<Known>;

#[derive(Debug)]
pub(in crate::chat) struct Known {
    /// The number of the account that it logged in as.
    account: Option<u64>,
    /// Not everything that it sends is taken: each of its lines is looked at.
    is_restrained: bool,
    /// It comes from where nobody may come from: nothing is taken.
    is_unwelcome: bool,
    /// Until when it may say nothing, whatever it logs in to, in milliseconds since 1970.
    muted_until: u64,
    /// It is free of flood control because of its role.
    is_freed: bool,
    /// It has asked for extended mode, and will again once it has logged in.
    wants_hello: bool,
}

impl Known {
    const NOTHING: Self = Self {
        account: None,
        is_restrained: false,
        is_unwelcome: false,
        muted_until: 0,
        is_freed: false,
        wants_hello: false,
    };
}

impl Unchanged for Known {
    const UNCHANGED: &'static Self = &Self::NOTHING;
}

impl Default for Known {
    fn default() -> Self {
        Self::NOTHING
    }
}

/// An account, and who is there as it.
#[derive(Debug)]
struct Account {
    row: AccountRow,
    devices: Vec<ClientId>,
    /// From where it has logged in; the last one last.
    places: VecDeque<Cidr>,
    /// Up to where it has read each room.
    markers: BTreeMap<Box<str>, u64>,
    /// Ticket of the last question to the history before it was changed here: what that answers is older.
    touched: u64,
}

/// All that is known of accounts.
#[derive(Debug)]
pub(in crate::chat) struct Accounts {
    /// There is a file for them.
    is_kept: bool,
    rules: Rules,
    by_number: HashMap<u64, Account>,
    /// Of the file, as far as it was read.
    version: u64,
    sanctions: BTreeMap<(SanctionKind, Target), Sanction>,
    rooms: BTreeMap<Box<str>, RoomRow>,
    by_address: Attempts,
    by_name: Attempts,
    registers: Attempts,
    passwds: Attempts,
    /// What is to be kept.
    changes: Vec<Change>,
    tasks: VecDeque<PasswordTask>,
    /// Who waits for which verdict, by its ticket.
    waiting: BTreeMap<u64, (ClientId, Pending)>,
    /// Answers that are given once what they tell of is kept, by their tickets.
    owed: BTreeMap<u64, Owed>,
    last_ticket: u64,
    /// The question to the file that nobody waits for.
    looking: Option<u64>,
    /// Accounts as which, and as whose name, nobody goes on who has not logged in with the newest password.
    revoked: Vec<u64>,
    /// Connections that are to be cut, and why.
    unwelcome: Vec<(ClientId, Cut)>,
    /// Somebody may be in a closed room who may not any more.
    is_role_changed: bool,
}

impl Default for Accounts {
    fn default() -> Self {
        let attempts = |(free, delay_max)| Attempts::new(free, delay_max);
        Self {
            is_kept: false,
            rules: Rules::default(),
            by_number: HashMap::new(),
            version: 0,
            sanctions: BTreeMap::new(),
            rooms: BTreeMap::new(),
            by_address: attempts(ADDRESS_TRIES),
            by_name: attempts(NAME_TRIES),
            registers: attempts(REGISTER_TRIES),
            passwds: attempts(PASSWD_TRIES),
            changes: Vec::new(),
            tasks: VecDeque::new(),
            waiting: BTreeMap::new(),
            owed: BTreeMap::new(),
            last_ticket: 0,
            looking: None,
            revoked: Vec::new(),
            unwelcome: Vec::new(),
            is_role_changed: false,
        }
    }
}

impl Accounts {
    /// What is to be kept since the last call.
    pub(in crate::chat) fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    pub(in crate::chat) fn has_no_changes(&self) -> bool {
        self.changes.is_empty()
    }

    fn row(&self, number: u64) -> Option<&AccountRow> {
        self.by_number.get(&number).map(|account| &account.row)
    }

    /// The ban or mute that is in force now.
    fn sanction(&self, kind: SanctionKind, target: Target, unix_ms: u64) -> Option<&Sanction> {
        self.sanctions.get(&(kind, target)).filter(|sanction| is_in_force(sanction, unix_ms))
    }
}

fn is_in_force(sanction: &Sanction, unix_ms: u64) -> bool {
    sanction.until_unix_ms.is_none_or(|until| until > unix_ms)
}

impl Chat {
    /// Who may come in, from now on. Before it everybody may.
    pub fn set_rules(&mut self, rules: Rules) {
        self.accounts.rules = rules;
    }

    /// The accounts of earlier runs; from now on there are some.
    pub(super) fn keep_accounts(&mut self, kept: AccountsKept) {
        self.accounts.is_kept = true;
        self.accounts.version = kept.version;
        kept.accounts.into_iter().for_each(|row| self.put_account(row, 0));
        let sanctions = kept.sanctions.into_iter();
        self.accounts.sanctions = sanctions.map(|row| ((row.kind, row.target), row)).collect();
        self.accounts.rooms = kept.rooms.into_iter().map(|row| (row.room.as_str().into(), row)).collect();
        for marker in kept.markers {
            if let Some(account) = self.accounts.by_number.get_mut(&marker.account) {
                account.markers.insert(marker.room.into(), marker.id);
            }
        }
    }

    /// The next password to compare or to hash.
    pub fn poll_password(&mut self) -> Option<PasswordTask> {
        self.accounts.tasks.pop_front()
    }

    /// The number of the account that the connection logged in as.
    pub(super) fn account_of(&self, client: ClientId) -> Option<u64> {
        self.client(client)?.standing.account
    }

    fn row_of(&self, client: ClientId) -> Option<&AccountRow> {
        self.accounts.row(self.account_of(client)?)
    }

    /// The name that the connection must have, because it logged in.
    pub(super) fn account_name(&self, client: ClientId) -> Option<String> {
        self.row_of(client).map(|row| row.name.clone())
    }

    fn role_of(&self, client: ClientId) -> Option<Role> {
        self.row_of(client).map(|row| row.role)
    }

    /// The account whose name this is, or looks like.
    fn find_account(&self, name: &str) -> Option<u64> {
        // Nothing longer is a name, and comparing it takes time.
        if name.len() > NAME_BYTES_MAX { None } else { self.names.owner(name) }
    }

    /// An account is new, or has changed, here or in the file. What hangs on it stays.
    fn put_account(&mut self, row: AccountRow, touched: u64) {
        self.names.own(&row.name, row.number);
        match self.accounts.by_number.get_mut(&row.number) {
            Some(account) => (account.row, account.touched) = (row, touched),
            None => {
                let (devices, places, markers) = (Vec::new(), VecDeque::new(), BTreeMap::new());
                let account = Account { row, devices, places, markers, touched };
                self.accounts.by_number.insert(account.row.number, account);
            }
        }
    }

    /// Changes an account, or makes one, and has that kept. Answers of the history that are on their way know nothing of it.
    fn change_account(&mut self, change: Change) {
        let touched = self.keeping.as_ref().map_or(0, |keeping| keeping.last_question());
        match &change {
            Change::Account(row) => self.put_account(row.clone(), touched),
            Change::Role(number, role) => self.touch_account(*number, touched, |row| row.role = *role),
            Change::Password { number, password, .. } => {
                self.touch_account(*number, touched, |row| row.password = password.clone());
            }
            _ => {}
        }
        self.accounts.changes.push(change);
    }

    fn touch_account(&mut self, number: u64, touched: u64, change: impl FnOnce(&mut AccountRow)) {
        if let Some(account) = self.accounts.by_number.get_mut(&number) {
            change(&mut account.row);
            account.touched = touched;
        }
    }
}

/// Whether two names count as the same.
pub fn is_same_name(one: &str, other: &str) -> bool {
    let others = keys(other);
    keys(one).iter().any(|key| others.contains(key))
}
