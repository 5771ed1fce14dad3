//! Which names are held, and by whom. A name is held by a set of connections: one, until one person may be
//! connected from several devices.

use std::collections::HashMap;

use tertulia_wire::limits::NAME_BYTES_MAX;
use tertulia_wire::text::cut;

use super::ClientId;
use super::sessions::SessionId;
use crate::sabotage::{self, Bug};

/// Names that nobody may hold: what a client calls its own user, and the program itself.
pub const RESERVED: [&str; 3] = ["Tú", "You", "Tertulia"];

/// Numbers tried one by one behind a name in use; above it the search goes on where the last one ended.
const RENAME_TRIES: u32 = 16;

/// Why a name cannot be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    InUse,
    Reserved,
    /// It is an account's, and the connection has not logged in as that.
    #[cfg(feature = "history")]
    Registered,
    /// The connection has logged in as somebody else.
    #[cfg(feature = "history")]
    NotYours,
    /// It may not say a line as `NAME - WHO`.
    #[cfg(feature = "history")]
    NotBridge,
}

/// Who holds a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    Client(ClientId),
    /// Its connection is gone, and may come back.
    Away(SessionId),
}

/// All held names.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Each held name stands here under each of its keys; no two held names share one.
    by_key: HashMap<Box<str>, Held>,
    /// As [`Held::last_number`], for names that nobody can hold.
    last_reserved_number: u32,
    /// The accounts whose names these are, under each of their keys.
    #[cfg(feature = "history")]
    owned: HashMap<Box<str>, u64>,
}

#[derive(Debug)]
struct Held {
    holders: Vec<Holder>,
    /// All of them have logged in as this account.
    account: Option<u64>,
    /// The last number given to somebody who asked for this name.
    last_number: u32,
}

impl Names {
    /// The connections that hold this name, or one that counts as the same.
    pub(super) fn holders(&self, base: &str) -> Vec<ClientId> {
        let held = keys(base).iter().find_map(|key| self.by_key.get(key.as_str()));
        let holders = held.map_or(&[][..], |held| &held.holders);
        let client = |holder: &Holder| if let Holder::Client(client) = holder { Some(*client) } else { None };
        holders.iter().filter_map(client).collect()
    }

    /// Lets `client` hold the name; also if others do who have logged in as the same `account`.
    pub(super) fn claim(
        &mut self,
        base: &str,
        client: ClientId,
        account: Option<u64>,
    ) -> Result<(), Refused> {
        self.claim_from(base, client, None, account)
    }

    /// Lets `client` hold the name, also if `before` holds it: another connection of the same session.
    pub(super) fn claim_from(
        &mut self,
        base: &str,
        client: ClientId,
        before: Option<Holder>,
        account: Option<u64>,
    ) -> Result<(), Refused> {
        let keys = keys(base);
        let holder = Holder::Client(client);
        self.check(&keys, account, |other| other == holder || Some(other) == before)?;
        for key in keys {
            let held = self.by_key.entry(key.into()).or_insert(Held {
                holders: Vec::new(),
                account,
                last_number: 1,
            });
            held.account = account;
            if !held.holders.contains(&holder) {
                held.holders.push(holder);
            }
        }
        Ok(())
    }

    /// Lets `client` hold the name, or the first free one of `NAME_2`, `NAME_3`, …; returns which.
    pub(super) fn claim_or_rename(&mut self, base: &str, client: ClientId) -> String {
        let mut number = 1;
        loop {
            let candidate = numbered(base, number);
            if self.claim(&candidate, client, None).is_ok() {
                return candidate;
            }
            number = match number {
                ..RENAME_TRIES => number + 1,
                // Many people of one name: each search ends where the one before it did.
                _ => self.next_number(base),
            };
        }
    }

    /// The name is held for somebody who is not there, if nobody holds it.
    pub(super) fn hold_for(&mut self, base: &str, session: SessionId, account: Option<u64>) {
        let keys = keys(base);
        if self.check(&keys, account, |_| false).is_ok() {
            for key in keys {
                let held = Held { holders: Vec::new(), account, last_number: 1 };
                self.by_key.entry(key.into()).or_insert(held).holders.push(Holder::Away(session));
            }
        }
    }

    /// The name stays held while its holder is away.
    pub(super) fn leave_to(&mut self, base: &str, client: ClientId, session: SessionId) {
        for key in keys(base) {
            for holder in self.by_key.get_mut(key.as_str()).into_iter().flat_map(|held| &mut held.holders) {
                if *holder == Holder::Client(client) {
                    *holder = Holder::Away(session);
                }
            }
        }
    }

    /// Takes the name away from `client`.
    pub(super) fn release(&mut self, base: &str, client: ClientId) {
        self.release_from(base, Holder::Client(client));
    }

    /// Takes the name away from its holder.
    pub(super) fn release_from(&mut self, base: &str, holder: Holder) {
        for key in keys(base) {
            if let Some(held) = self.by_key.get_mut(key.as_str()) {
                held.holders.retain(|&other| other != holder);
                if held.holders.is_empty() {
                    self.by_key.remove(key.as_str());
                }
            }
        }
    }

    fn check(
        &self,
        keys: &[String],
        account: Option<u64>,
        is_own: impl Fn(Holder) -> bool,
    ) -> Result<(), Refused> {
        if sabotage::has(Bug::NameHeldTwice) {
            return Ok(());
        }
        if keys.iter().any(|key| is_reserved(key)) {
            return Err(Refused::Reserved);
        }
        #[cfg(feature = "history")]
        if keys.iter().any(|key| self.owned.get(key.as_str()).is_some_and(|owner| Some(*owner) != account)) {
            return Err(Refused::Registered);
        }
        let by_other = |key: &String| {
            self.by_key
                .get(key.as_str())
                .filter(|held| account.is_none() || held.account != account)
                .is_some_and(|held| held.holders.iter().any(|&holder| !is_own(holder)))
        };
        if keys.iter().any(by_other) { Err(Refused::InUse) } else { Ok(()) }
    }

    /// From now on the name is an account's.
    #[cfg(feature = "history")]
    pub(super) fn own(&mut self, base: &str, account: u64) {
        self.owned.extend(keys(base).into_iter().map(|key| (key.into(), account)));
    }

    /// The name is no account's any more.
    #[cfg(feature = "history")]
    pub(super) fn disown(&mut self, base: &str) {
        for key in keys(base) {
            self.owned.remove(key.as_str());
        }
    }

    /// The account whose name this is, or looks like.
    #[cfg(feature = "history")]
    pub(super) fn owner(&self, base: &str) -> Option<u64> {
        keys(base).iter().find_map(|key| self.owned.get(key.as_str())).copied()
    }

    /// Whether the name is nobody's: no account's, and held by nobody but `client`.
    #[cfg(feature = "history")]
    pub(super) fn check_free(&self, base: &str, client: ClientId) -> Result<(), Refused> {
        self.check(&keys(base), None, |holder| holder == Holder::Client(client))
    }

    /// Takes the name, and those that look like it, away from all who have not logged in as the account. Gives who they
    /// were.
    #[cfg(feature = "history")]
    pub(super) fn evict(&mut self, base: &str, account: u64) -> Vec<Holder> {
        let is_foreign = |held: &&Held| held.account != Some(account);
        let keys = keys(base);
        let held = keys.iter().filter_map(|key| self.by_key.get(key.as_str())).filter(is_foreign);
        let mut holders: Vec<Holder> = held.flat_map(|held| held.holders.clone()).collect();
        holders.dedup();
        for key in &keys {
            if self.by_key.get(key.as_str()).as_ref().is_some_and(is_foreign) {
                self.by_key.remove(key.as_str());
            }
        }
        holders
    }

    fn next_number(&mut self, base: &str) -> u32 {
        let key = keys(base).into_iter().find(|key| self.by_key.contains_key(key.as_str()));
        let held = key.and_then(|key| self.by_key.get_mut(key.as_str()));
        let last = held.map_or(&mut self.last_reserved_number, |held| &mut held.last_number);
        *last = (*last).max(RENAME_TRIES).saturating_add(1);
        *last
    }
}

/// Whether the name is one of [`RESERVED`], or looks like one.
fn is_reserved(key: &str) -> bool {
    RESERVED.iter().any(|reserved| keys(reserved).iter().any(|reserved| reserved == key))
}

fn numbered(base: &str, number: u32) -> String {
    if number == 1 {
        return base.to_owned();
    }
    let number = format!("_{number}");
    let base = cut(base, NAME_BYTES_MAX.saturating_sub(number.len())).trim_end();
    format!("{base}{number}")
}

/// Under which keys a name stands: names that share one count as the same.
#[cfg(feature = "confusables")]
pub(super) fn keys(base: &str) -> Vec<String> {
    use unicode_security::confusable_detection::skeleton;
    let folded = folded(base);
    // Folding first catches `ANA` and `ana`; the skeleton first catches `PaypaI`, whose last letter is an i.
    let mut keys =
        vec![skeleton(&folded).collect(), skeleton(base).collect::<String>().to_lowercase(), folded];
    keys.dedup();
    keys
}

#[cfg(not(feature = "confusables"))]
pub(super) fn keys(base: &str) -> Vec<String> {
    vec![folded(base)]
}

#[cfg(feature = "confusables")]
fn folded(base: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    // Upper case first: `ß` and `SS` fold to the same, as Unicode's full case folding has them.
    base.nfc().collect::<String>().to_uppercase().to_lowercase().nfc().collect()
}

/// What folds to other letters than its small ones (CaseFolding.txt of Unicode, as far as there are keys for them). The table of
/// capital letters, which would say more, takes some 15 KiB.
#[cfg(not(feature = "confusables"))]
const FOLDED: [(char, &str); 18] = [
    ('ß', "ss"),
    ('ſ', "s"),
    ('ς', "σ"),
    ('µ', "μ"),
    ('ŉ', "ʼn"),
    ('ϐ', "β"),
    ('ϑ', "θ"),
    ('ϕ', "φ"),
    ('ϖ', "π"),
    ('ϰ', "κ"),
    ('ϱ', "ρ"),
    ('ϵ', "ε"),
    ('ẛ', "ṡ"),
    ('ﬀ', "ff"),
    ('ﬁ', "fi"),
    ('ﬂ', "fl"),
    ('ﬃ', "ffi"),
    ('ﬄ', "ffl"),
];

#[cfg(not(feature = "confusables"))]
fn folded(base: &str) -> String {
    let mut folded = String::with_capacity(base.len());
    for small in base.chars().flat_map(char::to_lowercase) {
        match FOLDED.iter().find(|(letter, _)| *letter == small) {
            Some((_, others)) => folded.push_str(others),
            None => folded.push(small),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: ClientId = ClientId(1);
    const TWO: ClientId = ClientId(2);

    #[test]
    fn a_name_in_use_is_refused_in_any_case_and_free_again_when_released() {
        let mut names = Names::default();
        assert_eq!(names.claim("Ana", ONE, None), Ok(()));
        assert_eq!(names.claim("ANA", TWO, None), Err(Refused::InUse));
        assert_eq!(names.claim("ana", ONE, None), Ok(()));
        assert_eq!(names.holders("aNA"), [ONE]);
        names.release("Ana", ONE);
        assert_eq!(names.claim("ana", TWO, None), Ok(()));
    }

    #[test]
    fn releasing_a_name_leaves_nothing_behind() {
        let mut names = Names::default();
        names.claim("Illimani", ONE, None).unwrap();
        names.release("Illimani", ONE);
        assert!(names.by_key.is_empty());
    }

    #[test]
    fn reserved_names_are_refused() {
        let mut names = Names::default();
        for name in ["Tú", "TÚ", "you", "Tertulia", "TERTULIA"] {
            assert_eq!(names.claim(name, ONE, None), Err(Refused::Reserved), "{name}");
        }
    }

    #[test]
    fn who_asks_for_a_name_in_use_gets_the_first_free_number() {
        let mut names = Names::default();
        let given: Vec<String> = (0..40).map(|id| names.claim_or_rename("Ana", ClientId(id))).collect();
        assert_eq!(given.first().map(String::as_str), Some("Ana"));
        assert_eq!(given.get(1).map(String::as_str), Some("Ana_2"));
        assert_eq!(given.get(39).map(String::as_str), Some("Ana_40"));
        names.release("Ana_2", ClientId(1));
        assert_eq!(names.claim_or_rename("Ana", ClientId(99)), "Ana_2");
    }

    #[test]
    fn a_number_keeps_the_name_within_its_limit() {
        let mut names = Names::default();
        let long = "ñ".repeat(32);
        names.claim(&long, ONE, None).unwrap();
        assert_eq!(names.claim_or_rename(&long, TWO), format!("{}_2", "ñ".repeat(31)));
    }

    #[cfg(feature = "confusables")]
    #[test]
    fn names_that_look_alike_are_the_same() {
        let mut names = Names::default();
        for (name, look_alike) in
            [("Ana", "Аna"), ("José", "Jose\u{301}"), ("Paypal", "PaypaI"), ("IVAN", "ivan")]
        {
            names.claim(name, ONE, None).unwrap();
            assert_eq!(names.claim(look_alike, TWO, None), Err(Refused::InUse), "{look_alike}");
            assert_eq!(names.holders(look_alike), [ONE], "{look_alike}");
            names.release(name, ONE);
        }
    }
}
