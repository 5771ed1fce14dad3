//! A relay without accounts: everybody may do everything.

use super::names::Refused;
use super::rooms::DEFAULT_ROOM;
use super::sessions::SessionId;
use super::{Chat, ClientId, RoomId};
use crate::moment::Moment;
use crate::phrases::Phrase;

type HelloRefusal = (&'static str, String, Phrase);

impl Chat {
    pub(super) fn first_room(&mut self, _: ClientId) -> RoomId {
        DEFAULT_ROOM
    }

    pub(super) fn account_of(&self, _: ClientId) -> Option<u64> {
        None
    }

    pub(super) fn account_name(&self, _: ClientId) -> Option<String> {
        None
    }

    pub(super) fn is_restrained(&self, _: ClientId) -> bool {
        false
    }

    pub(super) fn restrain(&mut self, _: ClientId, _: &str, _: Moment) -> bool {
        false
    }

    pub(super) fn speaks_for_others(&self, _: ClientId) -> bool {
        true
    }

    pub(super) fn check_tail(&self, _: ClientId, _: &str) -> Result<(), Refused> {
        Ok(())
    }

    pub(super) fn may_enter(&self, _: ClientId, _: &str) -> bool {
        true
    }

    pub(super) fn admits(&mut self, _: ClientId, _: &str, _: &str) -> bool {
        true
    }

    pub(super) fn claim_name(&mut self, client: ClientId, base: &str) -> Result<(), Refused> {
        self.names.claim(base, client, None)
    }

    pub(super) fn check_newcomer(&mut self, _: ClientId) -> Result<(), HelloRefusal> {
        Ok(())
    }

    pub(super) fn check_first_room(&self, _: ClientId, _: &str) -> Result<(), HelloRefusal> {
        Ok(())
    }

    pub(super) fn note_wants_hello(&mut self, _: ClientId) {}

    pub(super) fn has_logged_in_for_hello(&self, _: ClientId) -> bool {
        false
    }

    pub(super) fn check_resume(
        &mut self,
        _: ClientId,
        session: SessionId,
        _: Moment,
    ) -> Result<Option<SessionId>, HelloRefusal> {
        Ok(Some(session))
    }

    pub(super) fn do_account_command(&mut self, _: ClientId, _: &str, _: Moment) -> bool {
        false
    }

    pub(super) fn help_accounts(&self, _: ClientId, _: &mut String) {}

    pub(super) fn enter_as(&mut self, _: ClientId, _: u64) {}

    pub(super) fn log_session_in(&mut self, _: SessionId, _: Option<u64>) {}

    pub(super) fn forget_device(&mut self, _: ClientId) {}

    pub(super) fn tell_own_devices(
        &mut self,
        _: ClientId,
        _: &[ClientId],
        _: &str,
        _: &str,
        _: super::tagged::TagValues<'_>,
    ) {
    }

    pub(super) fn is_elsewhere(&self, _: ClientId, _: RoomId) -> bool {
        false
    }

    pub(super) fn is_session_elsewhere(&self, _: SessionId, _: RoomId) -> bool {
        false
    }

    pub(super) fn is_listed_before(&self, _: ClientId, _: RoomId) -> bool {
        false
    }

    pub(super) fn is_session_listed_before(&self, _: SessionId, _: RoomId) -> bool {
        false
    }

    pub(super) fn tell_markers(&mut self, _: ClientId) {}

    pub(super) fn hello_words(&self, _: ClientId) -> &'static str {
        ""
    }

    pub(super) fn share_mute(&mut self, _: ClientId) {}

    pub(super) fn is_listed_for(&self, _: ClientId, _: ClientId) -> bool {
        true
    }

    pub(super) fn is_muted_guest(&self, _: ClientId) -> bool {
        false
    }

    pub(super) fn handle_unasked(&mut self, _: u64, _: &super::history::Answer) {}
}
