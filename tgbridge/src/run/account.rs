//! The bridge's session and its account at the relay: where it goes on, what becomes of its log-in, and what that means for the one
//! who runs it.

use std::time::Duration;

use tertulia_wire::session::{Config, Reason, Session};
use tokio::time::Instant;

use super::{Ended, NAME_WAIT, Runner, say};
use crate::bridge::Saved;
use crate::network;
use crate::options::Options;
use crate::phrases::{Language, Told};
use crate::trust::untrusted;

/// The wait before a password is tried again that was refused for a reason that may pass: the account may be banned for a time.
const LOGIN_WAIT: Duration = Duration::from_secs(600);

/// The role that may speak for others in every relay, and is not slowed by flood control.
pub(crate) const ROLE: &str = "bridge";

/// The session that was kept, else a new one; with the account's password, where there is one. The history is the bridge's to read:
/// gaps are not fetched by the session.
pub(super) fn session(options: &Options, saved: &Saved) -> Result<Session, String> {
    let rooms: Vec<&str> = options.settings.links.iter().map(|link| link.room.as_str()).collect();
    let seed =
        options.settings.started_unix_ms.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(std::process::id());
    let mut config = Config::new(&options.way.address, &options.settings.name, &rooms, seed);
    config.gap_lines_max = 0;
    // One that began as somebody else would come back as that. What it had said without an answer comes from Telegram again.
    let is_same = saved.account.as_ref() == options.login.as_ref().map(|login| &login.name);
    let mut session = match saved.session.as_str() {
        text if is_same && !text.is_empty() => restored(options, config, text)?,
        _ => Session::new(config),
    };
    if let Some(login) = &options.login {
        session.log_in(&login.password).map_err(|error| format!("--login: {error}"))?;
    }
    Ok(session)
}

fn restored(options: &Options, config: Config, saved: &str) -> Result<Session, String> {
    Session::restore(config, saved).map_err(|error| {
        let path = options.state.display();
        match options.settings.language {
            Language::Es => format!(
                "{path}: la sesión que guarda no se puede usar ({error}); apártalo para empezar de nuevo"
            ),
            Language::En => {
                format!("{path}: the session in it cannot be used ({error}); move it away to begin anew")
            }
        }
    })
}

impl Runner {
    /// Whether a refused greeting is about the log-in, so that all is told of it that there is to tell.
    pub(super) fn is_told_of_login(&mut self, code: &str) -> bool {
        if code == "LOGIN_NEEDED" && self.options.login.is_none() {
            self.end_for_good(&Told::new(
                "este relay solo deja entrar con una cuenta: pasa --login NOMBRE, con su contraseña en TERTULIA_RELAY_PASSWORD o en --password-file",
                "this relay lets only accounts in: pass --login NAME, with its password in TERTULIA_RELAY_PASSWORD or in --password-file",
            ));
            return true;
        }
        if code == "NOT_PRIVATE" {
            self.end_as_not_private();
            return true;
        }
        self.options.login.is_some() && matches!(code, "LOGIN_NEEDED" | "NAME_REGISTERED")
    }

    pub(super) fn note_login_needed(&mut self, is_private: bool) {
        if self.options.login.is_some() && !is_private {
            self.end_as_not_private();
        }
    }

    /// A password is tried once. Where another try could help without anybody's doing, it comes late.
    pub(super) fn note_login_refused(&mut self, code: &str, sentence: &str, again_in: Option<Duration>) {
        let name = self.options.settings.name.clone();
        match (code, again_in) {
            ("REFUSED", _) => self.end_for_good(&Told::new(
                format!("el relay no acepta la contraseña de {name}, o no tiene esa cuenta; la pone quien lo administra: tertulia-relay account passwd {name}"),
                format!("the relay does not accept the password of {name}, or has no such account; its operator sets it: tertulia-relay account passwd {name}"),
            )),
            ("NOT_PRIVATE", _) => self.end_as_not_private(),
            (code, again_in) => {
                // Who has the name may be the bridge itself, as it was before it had the account.
                let wait = if code.starts_with("NAME_") { NAME_WAIT } else { LOGIN_WAIT };
                if again_in.is_none() {
                    self.login_again_at = Some(Instant::now() + wait);
                }
                let seconds = again_in.unwrap_or(wait).as_secs();
                say(&format!("relay: {code} {name}: {sentence}; {seconds} s"));
            }
        }
    }

    /// What the relay takes the bridge for.
    pub(super) fn tell_login(&mut self) {
        let Some(login) = &self.options.login else { return };
        self.account = self.relay.session.role().map(|_| login.name.clone());
        let (name, role) = (&login.name, self.relay.session.role());
        let told = match role {
            Some(role) if role == ROLE => Told::new(
                format!("el puente ha entrado como {name}, papel {role}"),
                format!("the bridge has logged in as {name}, role {role}"),
            ),
            Some(role) => Told::new(
                format!(
                    "aviso: el puente ha entrado como {name}, papel {role}: con --access registered no puede hablar por otros, y el relay le frena; tertulia-relay account role {name} bridge"
                ),
                format!(
                    "warning: the bridge has logged in as {name}, role {role}: with --access registered it cannot speak for others, and the relay slows it; tertulia-relay account role {name} bridge"
                ),
            ),
            None => Told::new(
                format!(
                    "aviso: el relay no tiene la cuenta {name}, y el puente está sin ella; tertulia-relay account add {name} --role bridge, y arranca de nuevo los dos"
                ),
                format!(
                    "warning: the relay has no account {name}, and the bridge is there without; tertulia-relay account add {name} --role bridge, and start both anew"
                ),
            ),
        };
        say(told.shown(self.language()));
    }

    pub(super) fn log_in_again(&mut self) {
        if self.login_again_at.is_some_and(|at| at <= Instant::now()) {
            self.login_again_at = None;
            if let Some(login) = &self.options.login {
                // It was taken at the start, so it can be a password.
                let _ = self.relay.session.log_in(&login.password);
            }
        }
    }

    /// In a relay of accounts alone only bridges speak for others. Ended, it loses nothing: no message is confirmed.
    pub(super) fn end_as_no_bridge(&mut self) {
        let name = self.options.settings.name.clone();
        self.end_for_good(&Told::new(
            format!("el relay no deja a {name} hablar por otros; quien lo administra: tertulia-relay account role {name} bridge"),
            format!("the relay does not let {name} speak for others; its operator: tertulia-relay account role {name} bridge"),
        ));
    }

    fn end_as_not_private(&mut self) {
        self.end_for_good(&Told::new(
            "la contraseña no va por una conexión que otros pueden leer: usa --relay-tls, o --relay-fingerprint",
            "the password does not go over a connection that others can read: use --relay-tls, or --relay-fingerprint",
        ));
    }

    /// Why there is no connection. Of a certificate that is not trusted the fingerprint is told, so that somebody can compare it.
    pub(super) fn why_waiting(&self, reason: Reason) -> String {
        let is_spanish = self.language() == Language::Es;
        let why = if is_spanish { reason.in_spanish() } else { reason.in_english() };
        match self.relay.trouble().filter(|_| reason == Reason::ConnectFailed) {
            Some(trouble) => {
                let fingerprint = untrusted(trouble).map(|untrusted| format!(" ({})", untrusted.shown));
                let trouble = network::told(trouble);
                format!("{why}: {}{}", trouble.shown(self.language()), fingerprint.unwrap_or_default())
            }
            None => why.to_owned(),
        }
    }

    fn end_for_good(&mut self, told: &Told) {
        self.stop = Some(Ended::for_good(told.shown(self.language())));
    }

    fn language(&self) -> Language {
        self.options.settings.language
    }
}
