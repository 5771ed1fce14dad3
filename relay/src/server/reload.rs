//! What comes from outside while the loop runs, other than from clients: signals, and the service manager's watchdog.

use std::io;
use std::time::Duration;

use mio::net::UnixStream;
use mio::{Interest, Registry, Token};

use super::Server;
use super::conn::INDEX_MAX;
use crate::moment::Moment;
use crate::options::Options;
use crate::phrases::Phrase;
use crate::systemd;

pub(super) const END: Token = Token(INDEX_MAX + 1);
pub(super) const RELOAD: Token = Token(INDEX_MAX + 17);

/// Streams that become readable at a signal.
#[derive(Debug)]
pub struct Signals<S> {
    /// The relay is to end.
    pub end: S,
    /// It is to take up anew what can be changed while it runs.
    pub reload: S,
}

impl Signals<std::os::unix::net::UnixStream> {
    pub(super) fn register(self, registry: &Registry) -> io::Result<Signals<UnixStream>> {
        let mut signals =
            Signals { end: UnixStream::from_std(self.end), reload: UnixStream::from_std(self.reload) };
        registry.register(&mut signals.end, END, Interest::READABLE)?;
        registry.register(&mut signals.reload, RELOAD, Interest::READABLE)?;
        Ok(signals)
    }
}

/// Reads the operator's wishes once more, wherever they stand; or says what is wrong with them.
pub type Reread = Box<dyn FnMut() -> Result<Options, String>>;

/// The service manager waits to hear that the loop still turns.
#[derive(Debug)]
pub(super) struct Watchdog {
    interval: Duration,
    due: Moment,
}

impl Watchdog {
    pub(super) fn wanted() -> Option<Self> {
        Some(Self { interval: systemd::watchdog_interval()?, due: Moment::START })
    }

    pub(super) fn due(&self) -> Moment {
        self.due
    }

    pub(super) fn tell(&mut self, now: Moment) {
        if self.due <= now {
            self.due = now.after(self.interval);
            // It asks again.
            let _ = systemd::notify("WATCHDOG=1");
        }
    }
}

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
        let (changed, waiting) = differences(&old, &self.options);
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

/// The flags that are no longer what they were: those that were taken up, and those that only a restart takes up.
fn differences(old: &Options, new: &Options) -> (Vec<&'static str>, Vec<&'static str>) {
    let named = |pairs: &[(&'static str, bool)]| {
        pairs.iter().filter(|(_, is_changed)| *is_changed).map(|(flag, _)| *flag).collect()
    };
    let files = |options: &Options| (options.tls.certificate.clone(), options.tls.key.clone());
    // Where TLS begins or ends there are sockets to open or to close.
    let has_tls = |options: &Options| options.tls.certificate.is_some();
    let is_tls_swapped = has_tls(old) != has_tls(new);
    let changed = named(&[
        ("flood", old.flood != new.flood),
        ("max-clients", old.max_clients != new.max_clients),
        ("max-per-ip", old.max_per_ip != new.max_per_ip),
        ("max-per-ip-exempt", old.max_per_ip_exempt != new.max_per_ip_exempt),
        ("trusted", old.trusted != new.trusted),
        ("proxy-from", old.proxy.from != new.proxy.from),
        ("lang", old.language != new.language),
        ("tls-cert, tls-key", files(old) != files(new) && !is_tls_swapped),
    ]);
    let waiting = named(&[
        ("listen", old.listen != new.listen),
        ("tls-listen", old.tls.listen != new.tls.listen || is_tls_swapped),
        ("proxy-listen", old.proxy.listen != new.proxy.listen),
        ("room-log-bytes", old.room_log_bytes != new.room_log_bytes),
        ("metrics", old.metrics != new.metrics),
        ("history", old.history != new.history),
    ]);
    (changed, waiting)
}
