//! What operators do, from any client.

use std::collections::BTreeSet;

use tertulia_wire::account::{Act, ActKind};
use tertulia_wire::limits::{NAME_BYTES_MAX, ROOM_DEFAULT};
use tertulia_wire::name::{Name, check_room};
use tertulia_wire::secret::Secret;
use tertulia_wire::tags::escape;
use tertulia_wire::text::cut as cut_text;

use super::super::commands::echoed;
use super::super::history::{Answer, Purpose, Wanted};
use super::super::rooms::{DEFAULT_ROOM, Notice};
use super::super::{Chat, ClientId, Cut, Event, ROOMS_MAX};
use super::owed::Owed;
use crate::account::{Change, Role, RoomAccess, Sanction, SanctionKind, Target};
use crate::cidr::Cidr;
use crate::moment::Moment;
use crate::phrases::Phrase;

/// How long an address is banned or muted, where nobody says: it may be somebody else's tomorrow.
const BLOCK_SPAN_S: u64 = 24 * 3600;

/// Bytes of a reason that are kept.
pub(super) const WHY_BYTES_MAX: usize = 200;

/// Code and sentence of a refusal.
pub(super) type Refusal = (&'static str, Phrase);

/// Nobody shuts this machine out, nor itself.
const PROTECTED: Refusal = ("PROTECTED", Phrase::Protected);

/// Who may be meant by a name.
pub(super) enum Meant {
    Account(u64),
    /// Nobody has logged in as it.
    Guests(Vec<ClientId>),
}

/// An act that waits until the file was looked at.
#[derive(Debug)]
pub(in crate::chat) struct PendingAct {
    act: Act<'static>,
    role: Role,
    label: Option<Box<str>>,
}

impl Chat {
    /// An operator's act.
    pub(super) fn act(&mut self, client: ClientId, act: &Act<'_>, now: Moment) {
        if !self.check_operator(client, act.kind) {
            return;
        }
        let mut blocks = BTreeSet::new();
        let outcome = match act.kind {
            ActKind::Bans => return self.list_sanctions(client),
            ActKind::Kick => self.kick(act, now),
            ActKind::Mute => self.mute(client, act, &mut blocks),
            ActKind::Unmute => self.unmute(&act.target),
            ActKind::Ban => self.ban(client, act, &mut blocks, now),
            ActKind::Unban => self.unban(&act.target),
            ActKind::Op => return self.look_first(client, act, Role::Operator),
            ActKind::Deop => return self.look_first(client, act, Role::User),
            ActKind::Room => self.set_room_access(&act.target, &act.object, now),
            ActKind::Allow => self.set_member(&act.target, &act.object, true, now),
            ActKind::Deny => self.set_member(&act.target, &act.object, false, now),
        };
        if blocks.is_empty() {
            return self.tell_outcome(client, act, outcome);
        }
        // By these it is taken back: the name is nobody's any more.
        let blocks: Vec<String> = blocks.iter().map(Cidr::to_string).collect();
        self.tell_outcome(client, &Act { object: blocks.join(",").into(), ..act.clone() }, outcome);
    }

    fn check_operator(&mut self, client: ClientId, kind: ActKind) -> bool {
        let is_operator = self.role_of(client) == Some(Role::Operator);
        if !is_operator {
            let words = format!("FAIL {} NOT_OPERATOR", kind.command());
            self.answer(client, &words, Some(Phrase::NotOperator));
        }
        is_operator
    }

    /// The operator is told, of what is to be kept once it is. What was done, its log has.
    fn tell_outcome(&mut self, client: ClientId, act: &Act<'_>, outcome: Result<(), Refusal>) {
        let kind = act.kind.command();
        if let Err((code, phrase)) = outcome {
            let target = echoed(cut_text(&act.target, 2 * NAME_BYTES_MAX)).unwrap_or("NAME".into());
            return self.answer(client, &format!("FAIL {kind} {code} {target}"), Some(phrase));
        }
        self.events.push_back(Event::Act {
            kind: act.kind.word(),
            by: self.account_name(client).unwrap_or_default(),
            target: act.target.to_string(),
            object: act.object.to_string(),
            span_s: act.span_s,
            why: act.why.clone(),
        });
        let told = |chat: &Self, code, phrase| {
            Secret(chat.answer_text(client, &format!("NOTE {kind} {code} {}", target_of(act)), Some(phrase)))
        };
        let answer = told(self, "DONE", Phrase::ActDone);
        if act.kind == ActKind::Kick || !self.has_work() {
            return self.insert(client, &answer);
        }
        let unkept = Some(told(self, "NOT_KEPT", Phrase::ActNotKept));
        self.owe(Owed { client, answer, unkept, role: None });
    }

    /// A tool may have taken the account away meanwhile: first the file is looked at.
    fn look_first(&mut self, client: ClientId, act: &Act<'_>, role: Role) {
        if let Err((code, _, phrase)) = self.check_place() {
            return self.tell_outcome(client, act, Err((code, phrase)));
        }
        let label = self.label_of(client).map(Box::from);
        let (target, why) = (act.target.to_string().into(), act.why.clone());
        let act = Act { kind: act.kind, target, object: "".into(), span_s: None, why };
        let pending = PendingAct { act, role, label };
        self.ask(client, Purpose::Act(pending), Wanted::Accounts { after: self.accounts.version });
    }

    /// The file was looked at: now the act is done.
    pub(in crate::chat) fn handle_act(
        &mut self,
        client: ClientId,
        pending: PendingAct,
        ticket: u64,
        answer: &Answer,
    ) {
        if !self.take_accounts(client, ticket, answer) {
            return;
        }
        let PendingAct { act, role, label } = pending;
        self.labeling = label.map(|label| (client, label));
        if self.check_operator(client, act.kind) {
            let outcome = self.set_role(&act.target, role);
            self.tell_outcome(client, &act, outcome);
        }
        self.labeling = None;
    }

    /// Whom a name means.
    pub(super) fn meant(&self, name: &str) -> Result<Meant, Refusal> {
        let base = Name::parse(name).map_or("", |name| name.base());
        if let Some(number) = self.find_account(base) {
            return Ok(Meant::Account(number));
        }
        let guests = self.names.holders(base);
        if guests.is_empty() { Err(("NOT_HERE", Phrase::NotHere)) } else { Ok(Meant::Guests(guests)) }
    }

    fn kick(&mut self, act: &Act<'_>, now: Moment) -> Result<(), Refusal> {
        let why = cut_text(&act.why, WHY_BYTES_MAX);
        match self.meant(&act.target)? {
            Meant::Account(number) => self.cut_account(number, Cut::Kicked, why, now),
            Meant::Guests(guests) => {
                guests.into_iter().for_each(|guest| self.cut_for_good(guest, Cut::Kicked, why, now));
            }
        }
        Ok(())
    }

    fn until(&self, span_s: Option<u64>) -> Option<u64> {
        span_s.map(|seconds| self.ids.unix_ms().saturating_add(seconds.saturating_mul(1000)))
    }

    fn sanction_of(&self, client: ClientId, act: &Act<'_>, kind: SanctionKind, target: Target) -> Sanction {
        let by = self.account_name(client).unwrap_or_default();
        let why = cut_text(&act.why, WHY_BYTES_MAX).to_owned();
        let since_unix_ms = self.ids.unix_ms();
        Sanction { kind, target, since_unix_ms, until_unix_ms: self.until(act.span_s), by, why }
    }

    fn sanction_of_block(
        &self,
        client: ClientId,
        act: &Act<'_>,
        kind: SanctionKind,
        block: Cidr,
    ) -> Sanction {
        let sanction = self.sanction_of(client, act, kind, Target::Block(block));
        let until_unix_ms = sanction.until_unix_ms.or(self.until(Some(BLOCK_SPAN_S)));
        Sanction { until_unix_ms, ..sanction }
    }

    /// `blocks`: those that were muted for whom the name means.
    fn mute(&mut self, client: ClientId, act: &Act<'_>, blocks: &mut BTreeSet<Cidr>) -> Result<(), Refusal> {
        match self.meant(&act.target)? {
            Meant::Account(number) => {
                let sanction = self.sanction_of(client, act, SanctionKind::Mute, Target::Account(number));
                self.put(sanction)?;
                self.settle_account(number);
            }
            Meant::Guests(guests) => {
                *blocks = self.blocks_of(&guests);
                for block in &*blocks {
                    self.put(self.sanction_of_block(client, act, SanctionKind::Mute, *block))?;
                    self.restrain_block(*block);
                }
                let until = self.until(act.span_s).unwrap_or(u64::MAX);
                guests.into_iter().for_each(|guest| self.mute_itself(guest, until));
            }
        }
        Ok(())
    }

    fn put(&mut self, sanction: Sanction) -> Result<(), Refusal> {
        if self.put_sanction(sanction) { Ok(()) } else { Err(("FULL", Phrase::TooManySanctions)) }
    }

    /// `blocks`: those that were banned for whom the name means.
    fn ban(
        &mut self,
        client: ClientId,
        act: &Act<'_>,
        blocks: &mut BTreeSet<Cidr>,
        now: Moment,
    ) -> Result<(), Refusal> {
        if let Some(block) = Cidr::parse(&act.target) {
            let own = ["127.0.0.1", "::1"].iter().filter_map(|own| own.parse().ok());
            let is_this_machine = own.into_iter().any(|own| block.contains(own));
            return if is_this_machine { Err(PROTECTED) } else { self.ban_block(client, act, block, now) };
        }
        match self.meant(&act.target)? {
            Meant::Account(number) => {
                let devices = self.accounts.by_number.get(&number).map(|account| account.devices.clone());
                if devices.unwrap_or_default().iter().any(|device| self.is_protected(*device, number)) {
                    return Err(PROTECTED);
                }
                let sanction = self.sanction_of(client, act, SanctionKind::Ban, Target::Account(number));
                self.put(sanction)?;
                self.cut_account(number, Cut::Banned, cut_text(&act.why, WHY_BYTES_MAX), now);
                Ok(())
            }
            Meant::Guests(guests) => {
                // An address of this machine that a proxy names is one like any other: a ban of it reaches nobody who is here.
                let address = |guest: &ClientId| {
                    let origin = self.client(*guest).map(|state| state.origin);
                    origin.filter(|origin| !origin.is_here)?.address
                };
                *blocks = guests.iter().filter_map(address).map(Cidr::around).collect();
                if blocks.is_empty() {
                    return Err(PROTECTED);
                }
                blocks.iter().try_for_each(|block| self.ban_block(client, act, *block, now))
            }
        }
    }

    /// Nobody shuts itself out.
    fn ban_block(
        &mut self,
        client: ClientId,
        act: &Act<'_>,
        block: Cidr,
        now: Moment,
    ) -> Result<(), Refusal> {
        if self.clients_from(block).contains(&client) {
            return Err(PROTECTED);
        }
        self.put(self.sanction_of_block(client, act, SanctionKind::Ban, block))?;
        self.cut_block(block, cut_text(&act.why, WHY_BYTES_MAX), now);
        Ok(())
    }

    fn unban(&mut self, target: &str) -> Result<(), Refusal> {
        let account = || self.find_account(target).map(Target::Account);
        // An address alone, or as whoever came from there was banned.
        let blocks = [Cidr::parse(target), target.parse().ok().map(Cidr::around)];
        let targets: Vec<Target> = match blocks {
            [None, None] => account().into_iter().collect(),
            blocks => blocks.into_iter().flatten().map(Target::Block).collect(),
        };
        let taken = targets.into_iter().find_map(|target| self.take_sanction(SanctionKind::Ban, target));
        taken.map(drop).ok_or(("NO_SUCH", Phrase::NoSuchSanction))
    }

    fn account_named(&self, name: &str) -> Result<u64, Refusal> {
        self.find_account(name).ok_or(("NO_ACCOUNT", Phrase::NoAccount))
    }

    fn set_role(&mut self, name: &str, role: Role) -> Result<(), Refusal> {
        let number = self.account_named(name)?;
        let before = self.accounts.row(number).map(|row| row.role);
        self.change_account(Change::Role(number, role));
        self.settle_role(number);
        if before != Some(role) {
            self.tell_role(number);
        }
        Ok(())
    }

    fn set_room_access(&mut self, room: &str, access: &str, now: Moment) -> Result<(), Refusal> {
        let room = room.to_lowercase();
        let access = RoomAccess::parse(access).ok_or(("ACCESS_INVALID", Phrase::AccessInvalid))?;
        if check_room(&room).is_err() {
            return Err(("ROOM_INVALID", Phrase::RoomInvalid));
        }
        if room == ROOM_DEFAULT {
            return Err(("DEFAULT_ROOM", Phrase::DefaultRoom));
        }
        let mut row = self.accounts.rooms.get(room.as_str()).cloned().unwrap_or_default();
        if access == RoomAccess::Open {
            self.accounts.rooms.remove(room.as_str());
        } else if self.accounts.rooms.len() >= ROOMS_MAX && row.access == RoomAccess::Open {
            return Err(("TOO_MANY_ROOMS", Phrase::TooManyRooms));
        }
        (row.room, row.access) = (room.clone(), access);
        self.accounts.changes.push(Change::Room(row.clone()));
        if access != RoomAccess::Open {
            self.accounts.rooms.insert(room.as_str().into(), row);
        }
        self.empty_room(&room, now);
        Ok(())
    }

    fn set_member(&mut self, room: &str, name: &str, is_member: bool, now: Moment) -> Result<(), Refusal> {
        let number = self.account_named(name)?;
        let room = room.to_lowercase();
        let Some(row) = self.accounts.rooms.get_mut(room.as_str()) else {
            return Err(("NOT_CLOSED", Phrase::RoomNotClosed));
        };
        row.members.retain(|member| *member != number);
        if is_member {
            row.members.push(number);
        }
        let row = row.clone();
        self.accounts.changes.push(Change::Room(row));
        self.empty_room(&room, now);
        Ok(())
    }

    /// Those who are in the room and may not be any more leave it.
    pub(super) fn empty_room(&mut self, name: &str, now: Moment) {
        let Some(room) = self.rooms.find(name) else { return };
        let members = self.rooms.get(room).map_or(Vec::new(), |room| room.members.clone());
        for client in members.into_iter().filter(|client| !self.may_enter(*client, name)).collect::<Vec<_>>()
        {
            if self.is_extended(client) {
                self.leave_room(client, name, now);
                // Who had no other would else hear nothing at all, and not know why.
                if self.rooms_of(client).is_empty() {
                    self.add_room(client, ROOM_DEFAULT, now);
                }
                continue;
            }
            let shown = self.shown_name(client).filter(|_| self.is_announced(client));
            let notice = |chat: &mut Self, kind| {
                shown.iter().for_each(|_| chat.notice(client, kind, now));
            };
            notice(self, Notice::Leave);
            self.move_to(client, DEFAULT_ROOM);
            notice(self, Notice::Join);
            let words = format!("JOINED room={ROOM_DEFAULT}");
            self.answer(client, &words, Some(Phrase::RoomClosed));
        }
    }
}

/// Whom and what an act was about, as words of an answer.
fn target_of(act: &Act<'_>) -> String {
    let words = [&act.target, &act.object].map(|word| escape(word));
    words.iter().map(AsRef::as_ref).filter(|word: &&str| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
