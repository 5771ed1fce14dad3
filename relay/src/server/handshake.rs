//! TLS handshakes, which never keep the others waiting, and how they fail.

use super::Server;
use super::conn::{Awaits, Finish};
use super::tls::{Progress, Pushed, Secure};
use crate::certificate::{Files, Identity};
use crate::chat::Origin;
use crate::moment::Moment;
use crate::options::Options;
use crate::phrases::Phrase;

impl Server {
    /// Takes up certificate and key, if there are any. Says which, for the log.
    pub fn open_tls(&mut self) -> Result<Option<String>, String> {
        let Some(files) = self.options.tls.files() else { return Ok(None) };
        let identity = Identity::load(&files, None)?;
        let line = announce(&files, &identity);
        self.identity = Some(identity);
        Ok(Some(line))
    }

    /// Takes up anew what can be changed while it runs.
    #[cfg(not(feature = "config"))]
    pub(super) fn reload(&mut self) {
        self.reload_tls(&self.options.clone());
    }

    /// Takes up certificate and key anew, for whoever comes from now on. If they are bad, the old ones stay, and what was
    /// said of them counts.
    pub(super) fn reload_tls(&mut self, before: &Options) {
        let (Some(files), Some(old)) = (self.options.tls.files(), &self.identity) else { return };
        match Identity::load(&files, Some(old)) {
            Ok(identity) => {
                let line = announce(&files, &identity);
                self.identity = Some(identity);
                self.journal.tell(&line);
            }
            Err(error) => {
                let kept = Phrase::CertificateKept.in_language(self.options.language);
                self.journal.tell(&format!("{error}; {kept}"));
                self.options.tls = before.tls.clone();
            }
        }
    }

    /// Has the bytes of a new connection pass through TLS from now on.
    pub(super) fn begin_tls(&mut self, index: usize, origin: Origin) {
        let tls = self.identity.as_ref().and_then(|identity| Secure::new(identity.config(), origin).ok());
        let Some((tls, conn)) = tls.zip(self.conns.get_mut(index)) else {
            return self.remove(index, self.now());
        };
        conn.tls = Some(tls);
        self.begin_entry(index, Awaits::Handshake);
    }

    /// The peer has had its time.
    pub(super) fn end_handshake(&mut self, index: usize, now: Moment) {
        let tls = self.conns.get(index).and_then(|conn| conn.tls.as_ref());
        if tls.is_some_and(|tls| tls.has_read()) {
            self.fail_handshake(index, "the peer did not finish in time", now);
        } else {
            // Whoever says nothing may be waiting to hear something: the text of another port.
            self.refuse_plaintext(index, now);
        }
    }

    /// Goes on with a handshake.
    pub(super) fn shake(&mut self, index: usize, now: Moment) {
        let Some(conn) = self.conns.get_mut(index) else { return };
        let Some(tls) = &mut conn.tls else { return };
        match tls.shake(&mut conn.stream) {
            Progress::Waiting => conn.is_readable = false,
            Progress::Done => {
                let origin = tls.origin();
                self.counts.handshakes += 1;
                self.open(index, origin);
                // What it has said already stands in TLS's memory, for which no event comes.
                self.list(index);
            }
            Progress::Plaintext => self.refuse_plaintext(index, now),
            Progress::Left => self.remove(index, now),
            Progress::Failed(why) => self.fail_handshake(index, &why, now),
        }
    }

    /// The connection can be written to: what was encrypted goes first. False: there is still some, or there is no
    /// connection any more.
    pub(super) fn push_tls(&mut self, index: usize, now: Moment) -> bool {
        let Some(conn) = self.conns.get_mut(index) else { return false };
        let Some(tls) = &mut conn.tls else { return true };
        if conn.awaits != Awaits::Nothing && !conn.is_lingering {
            conn.is_readable = true;
            self.list(index);
            return false;
        }
        match tls.push(&mut conn.stream) {
            Pushed::All => {
                if conn.is_lingering && (conn.finish() == Finish::Broken || conn.has_ended) {
                    self.remove(index, now);
                    return false;
                }
                true
            }
            Pushed::Full => false,
            Pushed::Broken => {
                self.remove(index, now);
                false
            }
        }
    }

    /// The connection broke: says so if it was TLS that did.
    pub(super) fn note_fault(&mut self, index: usize, now: Moment) {
        let fault = self.conns.get_mut(index).and_then(|conn| conn.tls.as_mut()?.take_fault());
        if let Some(why) = fault {
            self.tell_failure(index, &why, now);
        }
    }

    fn fail_handshake(&mut self, index: usize, why: &str, now: Moment) {
        self.tell_failure(index, why, now);
        self.close(index, now);
    }

    fn tell_failure(&mut self, index: usize, why: &str, now: Moment) {
        self.counts.handshakes_failed += 1;
        let address = self.conns.get(index).and_then(|conn| conn.stream.peer_addr().ok());
        let from = address.map_or_else(String::new, |address| format!(" from={address}"));
        self.journal.note_line(&format!("tls_failed{from} :{why}"), now);
    }

    /// Tells a peer that speaks plain text, or says nothing, that this port is for TLS.
    fn refuse_plaintext(&mut self, index: usize, now: Moment) {
        self.tell_failure(index, "the peer does not speak TLS", now);
        let sentence = Phrase::TlsNeeded.in_language(self.options.language);
        if let Some(conn) = self.conns.get_mut(index) {
            conn.tls = None;
            conn.tell(&format!("* FAIL RELAY TLS_NEEDED :{sentence}\n"));
        }
        self.close(index, now);
    }
}

fn announce(files: &Files, identity: &Identity) -> String {
    format!("certificate {}: sha256 {}", files.certificate.display(), identity.fingerprint())
}
