//! Clients that log in: as accounts of the server that stand in a row, before anything else is said. Comparing a password is
//! slow on purpose, and a server lets few wait: so few are under way at once.

use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tertulia_wire::account::is_password;
use tertulia_wire::limits::PASSWORD_BYTES_MAX;
use tertulia_wire::secret::Secret;

use crate::names::Names;
use crate::protocol::Protocol;
use crate::swarm::Swarm;

/// Log-ins without an answer, of all clients: a relay lets twice as many wait.
const UNDER_WAY_MAX: usize = 8;
/// For so long no answer may come.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often it is looked whether it is to stop.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Where the password may stand.
pub const PASSWORD_VARIABLE: &str = "TERTULIA_PASSWORD";

/// As whom clients log in.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    names: Names,
    password: Secret<String>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Login {
    /// As the accounts of these names, which have one password.
    pub fn new(names: Names, password: &str) -> Result<Self, String> {
        let password = password.trim_end_matches(['\r', '\n']);
        if !is_password(password) || password.contains(char::is_control) {
            return Err(format!("--login: a password has 8 to {PASSWORD_BYTES_MAX} bytes, in one line"));
        }
        Ok(Self { names, password: Secret(password.to_owned()) })
    }

    /// What the accounts are called.
    pub fn names(&self) -> Names {
        self.names
    }

    /// What the n-th client says to log in.
    pub(crate) fn line(&self, number: usize) -> Vec<u8> {
        format!("/login {} {}\n", self.names.of(number), *self.password).into_bytes()
    }
}

/// The password: from a file, `-` for standard input, or else from the environment. Never from the command line, which
/// everybody on the machine can read.
pub fn read_password(file: Option<&Path>) -> Result<Secret<String>, String> {
    let Some(file) = file else {
        let password = std::env::var(PASSWORD_VARIABLE);
        return password.map(Secret).map_err(|_| {
            format!("--login: no password; give it in {PASSWORD_VARIABLE}, or with --password-file FILE (-: standard input)")
        });
    };
    let wrong = |error: io::Error| format!("--password-file {}: {error}", file.display());
    if file == Path::new("-") {
        let mut text = Secret(String::new());
        io::stdin().read_to_string(&mut text).map_err(wrong)?;
        return Ok(text);
    }
    fs::read_to_string(file).map(Secret).map_err(wrong)
}

/// The log-ins of a swarm.
#[derive(Debug)]
pub(crate) struct Logins {
    pub(crate) login: Login,
    /// By client: when it was sent, and not answered yet.
    sent: Vec<Option<Instant>>,
    under_way: usize,
    pub(crate) took_us: Histogram<u64>,
}

impl Logins {
    pub(crate) fn new(login: Login, clients: usize) -> Result<Self, String> {
        Ok(Self { login, sent: vec![None; clients], under_way: 0, took_us: crate::latency::histogram()? })
    }

    /// What a client says that has connected: nothing before it is its turn; one that comes back does not wait for it.
    pub(crate) fn hello(&self, number: usize, hello: Vec<u8>, comes_back: bool) -> Vec<u8> {
        if comes_back { [self.login.line(number), hello].concat() } else { Vec::new() }
    }

    fn begin(&mut self, number: usize) -> Vec<u8> {
        if let Some(sent) = self.sent.get_mut(number) {
            *sent = Some(Instant::now());
            self.under_way += 1;
        }
        self.login.line(number)
    }

    /// The server has let the client in.
    pub(crate) fn note_done(&mut self, number: usize) {
        if let Some(sent) = self.sent.get_mut(number).and_then(Option::take) {
            self.under_way = self.under_way.saturating_sub(1);
            self.took_us.saturating_record(crate::plan::micros(sent.elapsed()));
        }
    }
}

impl Swarm {
    /// Has all clients log in, if they are to, and then say hello; those that are through, once `stop` is true.
    pub fn log_in(&mut self, stop: &AtomicBool) -> Result<(), String> {
        if self.logins.is_none() {
            return Ok(());
        }
        let clients = self.plan.clients;
        let (mut next, mut done, mut since) = (0, 0, Instant::now());
        while done < clients as u64 && !stop.load(Ordering::Relaxed) {
            while next < clients
                && self.logins.as_ref().is_some_and(|logins| logins.under_way < UNDER_WAY_MAX)
            {
                self.begin_login(next);
                next += 1;
            }
            self.look(LOOK_EVERY, &mut |_, _| ())?;
            let through = self.logins.as_ref().map_or(0, |logins| logins.took_us.len());
            if through > done {
                (done, since) = (through, Instant::now());
            }
            let complaint = self.tally().complaints().0.first().map(|words| format!(": {words}"));
            if complaint.is_some() || self.closed() > 0 || since.elapsed() > PATIENCE {
                let names = (self.tally().names().of(0), self.tally().names().of(clients.saturating_sub(1)));
                return Err(format!(
                    "{done} of {clients} clients have logged in at {}{}; it needs the accounts {} to {}, all with the password \
                     that was given",
                    self.target,
                    complaint.unwrap_or_default(),
                    names.0,
                    names.1
                ));
            }
        }
        Ok(())
    }

    fn begin_login(&mut self, number: usize) {
        let is_extended = self.plan.protocol == Protocol::Extended;
        let Some(logins) = &mut self.logins else { return };
        self.tally.expect_logins();
        // Extended mode is asked for first, and then again.
        let hello = if is_extended { self.tally.hello(number) } else { Vec::new() };
        let line = [hello, logins.begin(number)].concat();
        if let Some(client) = self.clients.get_mut(number).and_then(Option::as_mut) {
            client.send(&line);
        }
    }

    /// How long log-ins took, in microseconds. None: nobody was to log in.
    pub fn login_us(&self) -> Option<&Histogram<u64>> {
        self.logins.as_ref().map(|logins| &logins.took_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_one_line_and_is_not_shown() {
        let names: Names = "abc".parse().unwrap();
        let login = Login::new(names, "dos palabras\n").unwrap();
        assert_eq!(login.line(10), b"/login abc000a dos palabras\n");
        assert!(!format!("{login:?}").contains("palabras"));
        for wrong in ["corta", "una\notra larga", ""] {
            assert!(Login::new(names, wrong).is_err(), "{wrong}");
        }
        assert!(
            read_password(Some(Path::new("/nowhere"))).unwrap_err().starts_with("--password-file /nowhere: ")
        );
    }
}
