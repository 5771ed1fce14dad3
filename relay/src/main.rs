//! `tertulia-relay`: reads the command line, opens the sockets, runs the loop.

use std::io::Write;
#[cfg(feature = "metrics")]
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
#[cfg(feature = "history")]
use std::sync::Arc;

use signal_hook::consts::{SIGINT, SIGTERM};
use tertulia_relay::listen::{self, Listener, Transport};
#[cfg(not(feature = "config"))]
use tertulia_relay::options::parse;
#[cfg(feature = "config")]
use tertulia_relay::options::parse_all;
use tertulia_relay::options::{Asked, Options, OptionsError, help};
use tertulia_relay::server::{DOORS_MAX, Server, Signals};
use tertulia_relay::systemd;
use tertulia_wire::limits::PORT;
#[cfg(feature = "tls")]
use tertulia_wire::limits::TLS_PORT;

/// A wrong command line, or sockets that cannot be had.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let text = match asked() {
        Ok(Asked::Run(options)) => return run(*options),
        Ok(Asked::Help(language)) => help(language).to_owned(),
        Ok(Asked::Version) => format!("tertulia-relay {}\n", env!("CARGO_PKG_VERSION")),
        #[cfg(feature = "history")]
        Ok(Asked::History(tool, options)) => return use_history(tool, &options),
        #[cfg(feature = "history")]
        Ok(Asked::Account(tool, options)) => return use_accounts(&tool, &options),
        #[cfg(feature = "config")]
        Ok(Asked::Check(options)) => return check(&options),
        #[cfg(feature = "tls")]
        Ok(Asked::Certificate(wanted)) => match wanted.make() {
            Ok(text) => text,
            Err(sentence) => return fail(&sentence),
        },
        Err(error) => return fail(&error.to_string()),
    };
    // A reader that has seen enough is no error.
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

/// What the command line asks for, with what stands in a file and in the environment.
#[cfg(feature = "config")]
fn asked() -> Result<Asked, OptionsError> {
    parse_all(std::env::args_os().skip(1), std::env::vars_os())
}

/// What the command line asks for.
#[cfg(not(feature = "config"))]
fn asked() -> Result<Asked, OptionsError> {
    parse(std::env::args_os().skip(1))
}

/// Says how things stand, and whether a relay could run.
#[cfg(feature = "config")]
fn check(options: &Options) -> ExitCode {
    use tertulia_relay::check::{Verdict, check};
    let findings = check(options);
    for finding in &findings {
        let _ = writeln!(std::io::stdout(), "{finding}");
    }
    let is_good = findings.iter().all(|finding| finding.verdict != Verdict::Bad);
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(feature = "history")]
fn use_history(
    tool: tertulia_relay::history::tools::Tool,
    options: &tertulia_relay::options::HistoryOptions,
) -> ExitCode {
    let (input, output) = (std::io::stdin().lock(), std::io::stdout().lock());
    match tertulia_relay::history::tools::run(tool, options, input, output) {
        Ok(sentence) => {
            say(&sentence);
            ExitCode::SUCCESS
        }
        Err(sentence) => fail(&sentence),
    }
}

#[cfg(feature = "history")]
fn use_accounts(tool: &tertulia_relay::history::accounts::AccountTool, options: &Options) -> ExitCode {
    let output = std::io::stdout().lock();
    match tertulia_relay::history::accounts::run(tool, &options.history, &options.accounts, output) {
        Ok(sentence) => {
            say(&sentence);
            ExitCode::SUCCESS
        }
        Err(sentence) => fail(&sentence),
    }
}

fn run(options: Options) -> ExitCode {
    let server = match start(options) {
        Ok(server) => server,
        Err(sentence) => return fail(&sentence),
    };
    match server.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("the poll loop failed: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn start(options: Options) -> Result<Server, String> {
    let listeners = open_listeners(&options)?;
    let signals = catch_signals().map_err(|error| format!("cannot catch signals: {error}"))?;
    #[cfg(feature = "metrics")]
    let metrics = open_metrics(&options)?;
    #[cfg(feature = "config")]
    for sentence in tertulia_relay::check::warnings(&options) {
        say(&format!("warning: {sentence}"));
    }
    #[cfg_attr(
        not(any(feature = "history", feature = "tls", feature = "config")),
        expect(unused_mut, reason = "nothing is opened")
    )]
    let mut server = Server::new(
        options,
        listeners,
        signals,
        #[cfg(feature = "metrics")]
        metrics,
    )
    .map_err(|error| format!("cannot start the poll loop: {error}"))?;
    #[cfg(feature = "history")]
    if let Some(line) = server.open_history()? {
        say(&line);
    }
    #[cfg(feature = "tls")]
    if let Some(line) = server.open_tls()? {
        say(&line);
    }
    #[cfg(feature = "config")]
    server.reread_by(Box::new(|| match asked() {
        Ok(Asked::Run(options)) => Ok(*options),
        Ok(_) => Err("nothing to run".into()),
        Err(error) => Err(error.to_string()),
    }));
    for (transport, address) in server.addresses() {
        say(&format!("{} {address}", transport.announcement()));
    }
    if let Err(error) = systemd::notify("READY=1") {
        say(&format!("cannot tell the service manager: {error}"));
    }
    Ok(server)
}

/// The sockets passed by the service manager and those of `--listen`; without either, the well-known port. The same
/// for TLS, with a certificate.
fn open_listeners(options: &Options) -> Result<Vec<Listener>, String> {
    let mut listeners = systemd::passed_listeners()?;
    let default = [([0, 0, 0, 0], PORT).into()];
    let addresses =
        if listeners.is_empty() && options.listen.is_empty() { &default[..] } else { &options.listen };
    listeners.extend(listen::bind_all(addresses, Transport::Plain)?);
    #[cfg(feature = "tls")]
    if options.tls.files().is_some() {
        let default = [([0, 0, 0, 0], TLS_PORT).into()];
        let is_passed = listeners.iter().any(|listener| listener.transport == Transport::Tls);
        let addresses =
            if options.tls.listen.is_empty() && !is_passed { &default[..] } else { &options.tls.listen };
        listeners.extend(listen::bind_all(addresses, Transport::Tls)?);
    }
    #[cfg(feature = "proxy")]
    listeners.extend(listen::bind_all(&options.proxy.listen, Transport::Proxy)?);
    if listeners.len() > DOORS_MAX {
        return Err(format!("--listen: at most {DOORS_MAX} addresses"));
    }
    Ok(listeners)
}

#[cfg(feature = "metrics")]
fn open_metrics(options: &Options) -> Result<Option<TcpListener>, String> {
    let Some(address) = options.metrics else { return Ok(None) };
    let listener = TcpListener::bind(address).map_err(|error| {
        format!("cannot serve metrics on {address}: {error}; pass --metrics with another address")
    })?;
    if let Ok(address) = listener.local_addr() {
        say(&format!("metrics on {address}"));
    }
    Ok(Some(listener))
}

/// To end: SIGTERM and SIGINT. To take up anew: SIGHUP.
fn catch_signals() -> std::io::Result<Signals<UnixStream>> {
    // A file that may not grow is a write that fails, and no reason to end.
    #[cfg(feature = "history")]
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default())?;
    Ok(Signals {
        end: catch(&[SIGTERM, SIGINT])?,
        #[cfg(any(feature = "config", feature = "tls"))]
        reload: catch(&[signal_hook::consts::SIGHUP])?,
    })
}

/// Becomes readable at one of these.
fn catch(signals: &[i32]) -> std::io::Result<UnixStream> {
    let (reader, writer) = UnixStream::pair()?;
    reader.set_nonblocking(true)?;
    for signal in signals {
        signal_hook::low_level::pipe::register(*signal, writer.try_clone()?)?;
    }
    Ok(reader)
}

fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn fail(sentence: &str) -> ExitCode {
    say(&format!("tertulia-relay: {sentence}"));
    ExitCode::from(EXIT_USAGE)
}
