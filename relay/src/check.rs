//! `tertulia-relay check`: whether a relay could run like this, and whether it should. Looks at each thing that only
//! shows at the start or later, changes nothing, and says one line for each.

use std::fmt;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tertulia_wire::limits::PORT;
#[cfg(feature = "tls")]
use tertulia_wire::limits::TLS_PORT;

use crate::listen::{Transport, bind_all};
use crate::options::Options;

/// Bits of a file's mode that let others than its owner and its group at it. A group that has a file was given it on purpose:
/// keys of a group that many services share are the rule on some systems.
const OTHERS: u32 = 0o007;

/// How a thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is well.
    Good,
    /// The relay runs with it, and somebody should know.
    Doubtful,
    /// The relay does not run with it.
    Bad,
}

/// A thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How it stands.
    pub verdict: Verdict,
    /// What it is, and what is to be said of it.
    pub sentence: String,
}

impl Finding {
    fn of(outcome: Result<String, String>) -> Self {
        match outcome {
            Ok(sentence) => Self { verdict: Verdict::Good, sentence },
            Err(sentence) => Self { verdict: Verdict::Bad, sentence },
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.verdict {
            Verdict::Good => "ok",
            Verdict::Doubtful => "warn",
            Verdict::Bad => "fail",
        };
        write!(f, "{word:<4} {}", self.sentence)
    }
}

/// Looks at configuration, certificate, history, ports and permissions.
pub fn check(options: &Options) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(config) = &options.config {
        findings.push(Finding::of(Ok(format!("config {}", config.display()))));
    }
    #[cfg(feature = "tls")]
    if let Some(files) = options.tls.files() {
        let loaded = crate::certificate::Identity::load(&files, None);
        findings.push(Finding::of(loaded.map(|identity| {
            format!("certificate {}: sha256 {}", files.certificate.display(), identity.fingerprint())
        })));
    }
    #[cfg(feature = "history")]
    findings.extend(check_history(options));
    #[cfg(feature = "history")]
    findings.extend(check_passwords(options));
    findings.extend(check_ports(options));
    let warnings = warnings(options);
    findings.extend(warnings.into_iter().map(|sentence| Finding { verdict: Verdict::Doubtful, sentence }));
    findings
}

/// Files that others can read or write and should not, a certificate whose time is over or nearly so, and settings that
/// open more than is usual: a sentence for each. The relay says them at its start, too.
pub fn warnings(options: &Options) -> Vec<String> {
    let files = [
        ("config", options.config.clone()),
        #[cfg(feature = "tls")]
        ("tls-key", options.tls.key.clone()),
        #[cfg(feature = "history")]
        ("history", crate::history::path(&options.history).ok().flatten()),
    ];
    let warnings = files.into_iter().filter_map(|(what, path)| warning(what, &path?));
    #[cfg(feature = "tls")]
    let warnings = warnings.chain(options.tls.files().and_then(|files| {
        crate::certificate::validity_warning(
            &files,
            std::time::Duration::from_millis(crate::clock::unix_ms()),
        )
    }));
    warnings.chain(settings_to_doubt(options)).collect()
}

/// Settings that let in, or tell, more than somebody may have thought.
fn settings_to_doubt(options: &Options) -> Vec<String> {
    let mut doubts = Vec::new();
    if options.accounts.takes_plaintext {
        doubts.push("allow-plaintext-login: whoever sees the packets reads the passwords".to_owned());
    }
    for block in options.trusted.iter().filter(|block| block.is_everybody()) {
        doubts.push(format!("trusted {block}: nothing slows anybody, not even who guesses passwords"));
    }
    #[cfg(feature = "metrics")]
    if let Some(address) = options.metrics.filter(|address| !address.ip().is_loopback()) {
        doubts
            .push(format!("metrics {address}: others can read them; --metrics 127.0.0.1:{}", address.port()));
    }
    doubts
}

fn warning(what: &str, path: &Path) -> Option<String> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    let others = mode & OTHERS;
    // Whoever cannot come into the folder cannot come to the file.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let is_shut = folder
        .and_then(|folder| std::fs::metadata(folder).ok())
        .is_some_and(|folder| folder.permissions().mode() & 0o001 == 0);
    (others != 0 && !is_shut).then(|| {
        let can = if others & 0o002 == 0 { "read" } else { "write" };
        let path = path.display();
        format!("{what} {path}: others can {can} it (mode {:o}); chmod 600 {path}", mode & 0o777)
    })
}

#[cfg(feature = "history")]
fn check_history(options: &Options) -> Option<Finding> {
    use crate::history::{BUSY_WAIT, Store, path};
    let path = match path(&options.history) {
        Ok(path) => path?,
        Err(sentence) => return Some(Finding::of(Err(sentence))),
    };
    let shown = path.display();
    if !path.exists() {
        return Some(Finding::of(
            check_folder(&path).map(|()| format!("history {shown}: is made at the start")),
        ));
    }
    let checked = Store::open_to_read(&path, BUSY_WAIT).and_then(|store| store.check());
    Some(Finding::of(match checked.map(|checked| checked.fault) {
        Ok(None) => Ok(format!("history {shown}: whole")),
        Ok(Some(fault)) => Err(format!("history {shown}: {fault}; --history-repair moves it aside")),
        Err(error) => Err(format!("history {shown}: {error}")),
    }))
}

/// Whether a file can be made there.
#[cfg(feature = "history")]
fn check_folder(path: &Path) -> Result<(), String> {
    use rustix::fs::{Access, access};
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    access(folder, Access::WRITE_OK | Access::EXEC_OK).map_err(|error| {
        let error = std::io::Error::from(error);
        format!("history {}: no file can be made in {}: {error}", path.display(), folder.display())
    })
}

/// What a password costs, tried once.
#[cfg(feature = "history")]
fn check_passwords(options: &Options) -> Option<Finding> {
    crate::history::path(&options.history).ok().flatten()?;
    let cost = options.accounts.cost;
    let words = format!("argon2-memory {} KiB, argon2-passes {}", cost.memory_kib, cost.passes);
    let begun = std::time::Instant::now();
    let is_hashed = cost.hash("a password to try").is_some();
    let took = begun.elapsed().as_millis();
    Some(Finding::of(match is_hashed {
        true => Ok(format!("passwords: {words}: {took} ms for a log-in")),
        false => Err(format!("passwords: {words}: this machine has not so much memory; lower it")),
    }))
}

/// Opens each port for a moment.
fn check_ports(options: &Options) -> Vec<Finding> {
    let or_default = |addresses: &[SocketAddr], port: u16| match addresses {
        [] => vec![SocketAddr::from(([0, 0, 0, 0], port))],
        addresses => addresses.to_vec(),
    };
    let doors = [
        Some((Transport::Plain, or_default(&options.listen, PORT))),
        #[cfg(feature = "tls")]
        options.tls.files().map(|_| (Transport::Tls, or_default(&options.tls.listen, TLS_PORT))),
        #[cfg(feature = "proxy")]
        Some((Transport::Proxy, options.proxy.listen.clone())),
    ];
    let look = |transport: Transport, address: SocketAddr| {
        let what = format!("{} {address}", transport.announcement());
        Finding::of(bind_all(&[address], transport).map(|_| what))
    };
    let of_doors = doors.into_iter().flatten().flat_map(|(transport, addresses)| {
        addresses.into_iter().map(move |address| look(transport, address))
    });
    #[cfg(feature = "metrics")]
    let of_doors = of_doors.chain(options.metrics.map(|address| {
        let bound = std::net::TcpListener::bind(address);
        Finding::of(match bound {
            Ok(_) => Ok(format!("metrics on {address}")),
            Err(error) => Err(format!("cannot serve metrics on {address}: {error}")),
        })
    }));
    of_doors.collect()
}
