//! Settings that change while the relay runs: which are taken up, and which only a restart takes up.

use super::Server;
use crate::options::Options;
use crate::phrases::Phrase;

/// Reads the operator's wishes once more, wherever they stand; or says what is wrong with them.
pub type Reread = Box<dyn FnMut() -> Result<Options, String>>;

impl Server {
    /// Where the operator's wishes are read anew at SIGHUP.
    pub fn reread_by(&mut self, reread: Reread) {
        self.reread = Some(reread);
    }

    /// Takes up anew what can be changed while it runs, and says what that was. What is wrong changes nothing.
    pub(super) fn reload(&mut self) {
        let old = self.options.clone();
        match self.reread.as_mut().map(|reread| reread()) {
            Some(Ok(new)) => self.take_options(new),
            Some(Err(error)) => {
                let kept = Phrase::SettingsKept.in_language(self.options.language);
                return self.journal.tell(&format!("{error}; {kept}"));
            }
            None => {}
        }
        #[cfg(feature = "tls")]
        self.reload_tls(&old);
        let changed = taken_up(&old, &self.options);
        let waiting = waiting(&self.options_at_start, &self.options);
        let language = self.options.language;
        if !changed.is_empty() {
            let words = Phrase::SettingsTaken.in_language(language);
            self.journal.tell(&format!("{words}: {}", changed.join(", ")));
        }
        if !waiting.is_empty() {
            let words = Phrase::SettingsWait.in_language(language);
            self.journal.tell(&format!("{words}: {}", waiting.join(", ")));
        }
    }

    fn take_options(&mut self, new: Options) {
        self.chat.handle_settings(new.flood, new.language);
        self.max_clients = new.max_clients.unwrap_or(self.clients_that_fit);
        self.options = new;
    }
}

/// The flags that are no longer what they were, and that a relay takes up while it runs.
fn taken_up(old: &Options, new: &Options) -> Vec<&'static str> {
    let mut changed = Vec::new();
    let mut note = |flag, is_changed: bool| {
        if is_changed {
            changed.push(flag);
        }
    };
    note("flood", old.flood != new.flood);
    note("max-clients", old.max_clients != new.max_clients);
    note("max-per-ip", old.max_per_ip != new.max_per_ip);
    note("trusted", old.trusted != new.trusted);
    note("lang", old.language != new.language);
    #[cfg(feature = "proxy")]
    note("proxy-from", old.proxy.from != new.proxy.from);
    #[cfg(feature = "proxy")]
    note("max-per-ip-exempt", old.proxy.exempt != new.proxy.exempt);
    #[cfg(feature = "tls")]
    note("tls-cert, tls-key", old.tls.files() != new.tls.files() && !is_tls_swapped(old, new));
    changed
}

/// Where TLS begins or ends there are sockets to open or to close.
#[cfg(feature = "tls")]
fn is_tls_swapped(old: &Options, new: &Options) -> bool {
    old.tls.files().is_some() != new.tls.files().is_some()
}

/// The flags that are not what they were when the relay started, and that only a restart takes up.
fn waiting(old: &Options, new: &Options) -> Vec<&'static str> {
    let mut waiting = Vec::new();
    let mut note = |flag, is_changed: bool| {
        if is_changed {
            waiting.push(flag);
        }
    };
    note("listen", old.listen != new.listen);
    #[cfg(feature = "tls")]
    note("tls-listen", old.tls.listen != new.tls.listen || is_tls_swapped(old, new));
    #[cfg(feature = "proxy")]
    note("proxy-listen", old.proxy.listen != new.proxy.listen);
    note("room-log-bytes", old.room_log_bytes != new.room_log_bytes);
    note("metrics", old.metrics != new.metrics);
    note("history", old.history != new.history);
    note("access", old.accounts.is_registered_only != new.accounts.is_registered_only);
    note("allow-plaintext-login", old.accounts.takes_plaintext != new.accounts.takes_plaintext);
    #[cfg(feature = "history")]
    note("argon2-memory, argon2-passes", old.accounts.cost != new.accounts.cost);
    waiting
}
