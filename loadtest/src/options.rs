//! The command line.

mod secure;

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

pub use secure::Secure;

use crate::bounds::Bound;
use crate::connect;
use crate::plan::{Joins, Plan, parse_duration, parse_sizes, parse_sources};
use crate::protocol::Protocol;
use crate::schedule::Pace;
use crate::stamp::Sizes;

/// Loads a chat relay and says how much it carries, how late lines come, and whether any got lost
#[derive(Debug, Parser)]
#[command(
    name = "tertulia-loadtest",
    version,
    after_help = "Ends with 0: good, 1: an error, 2: a bound of --fail-if is broken, 3: INVALID, as the generator \
                  itself could not keep up, whatever else is so.\nLoad only what is yours."
)]
pub struct Options {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Load a server once, and say what arrived, and how late
    Run(Box<Run>),
    /// More and more of one thing until the first bound breaks; says which step was the last good one
    Ramp(Box<Ramp>),
    /// Many clients that say nothing: memory for each, wake-ups
    Hold(Hold),
    /// A steady load for hours, with a line a minute
    Soak(Box<Soak>),
    /// Two reports of --json beside each other: what changed, and whether it is more than noise
    Compare(Compare),
    /// Several logs of --hdr as one
    Merge(Merge),
    /// The reference server: what this machine's sockets allow, and nothing more
    Floor(Floor),
    /// The same work for other servers that are installed here, in one table
    Peers(Peers),
}

/// Whom to load.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Whom to load")]
pub struct Whom {
    /// A server that runs already, as HOST:PORT; without it a relay is started on a free port, flood control off
    #[arg(long, value_name = "HOST:PORT", value_parser = resolve)]
    pub target: Option<SocketAddr>,
    /// What the server speaks: plain, extended (ids and acknowledgements), unframed, irc, mqtt, nats, redis
    #[arg(long, value_name = "NAME", default_value_t = Protocol::Plain)]
    pub protocol: Protocol,
    /// Process of the server, for its CPU and memory
    #[arg(long, value_name = "PID")]
    pub pid: Option<u32>,
    /// Addresses that the clients come from, like 127.0.0.1-127.0.0.20, for more clients than one has ports
    #[arg(long, value_name = "FIRST-LAST", value_parser = parse_source_list)]
    pub source: Option<SourceList>,
    /// Connects a second; without it, as fast as the server takes them
    #[arg(long, value_name = "N")]
    pub connect_rate: Option<f64>,
    /// Never sleep: figures spread less, and a whole processor is used
    #[arg(long)]
    pub spin: bool,
    /// Whether through TLS.
    #[command(flatten)]
    pub secure: Secure,
}

/// Who does what.
#[derive(Debug, Clone, Args)]
pub struct Work {
    /// Connections, senders included
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub clients: usize,
    /// Clients that send
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub senders: usize,
    /// Open loop: lines a second, of all senders together (100 without --window)
    #[arg(long, value_name = "R", conflicts_with = "window")]
    pub rate: Option<f64>,
    /// Closed loop: lines of each sender under way, until a listener has one; with extended, until it is acknowledged
    #[arg(long, value_name = "W", help_heading = MORE)]
    pub window: Option<u32>,
    /// How long to warm up before: lines are checked, latencies not recorded
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = parse_duration, help_heading = MORE)]
    pub warmup: Duration,
    /// Bytes of each line's text, or a range like 40-200
    #[arg(long, value_name = "BYTES", default_value = "64", value_parser = parse_sizes, help_heading = MORE)]
    pub size: Sizes,
    /// Clients that connect and never read
    #[arg(long, value_name = "K", default_value_t = 0, help_heading = MORE)]
    pub slow: usize,
    /// Clients a second that leave and come back
    #[arg(long, value_name = "R", default_value_t = 0.0, help_heading = MORE)]
    pub churn: f64,
    /// Which clients tell their name with a join line before anything else, which a relay shows to all others
    #[arg(long, value_enum, default_value_t = Joins::Senders, help_heading = MORE)]
    pub join: Joins,
}

/// Heading of the flags that few need.
const MORE: &str = "More of the work";
/// Heading of the flags that say what to write and when to fail.
const OUTCOME: &str = "What comes of it";

/// When to fail.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = OUTCOME)]
pub struct Bounds {
    /// End with code 2 if this is so, like 'p99>50ms', 'ack.p99>10ms', 'lost>0' or 'server.resident_kib>=8192'; any figure of
    /// the JSON;
    /// repeatable
    #[arg(long, value_name = "BOUND", value_parser = Bound::parse)]
    pub fail_if: Vec<Bound>,
}

/// What to write.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = OUTCOME)]
pub struct Output {
    /// Write the report as JSON to this file; `-`: to standard output, instead of the text
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write the report as one page for a browser
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// Flags of `run`.
#[derive(Debug, Args)]
#[allow(missing_docs, reason = "the flags' help says it")]
pub struct Run {
    #[command(flatten)]
    pub work: Work,
    /// How long to measure
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_duration)]
    pub duration: Duration,
    #[command(flatten)]
    pub whom: Whom,
    /// So many runs, merged (1; 3 pairs with --with-floor); compare takes its band of noise from them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000), help_heading = MORE)]
    pub repeat: Option<u32>,
    /// In turns with the reference server, and say how much of what this machine can do is reached
    #[arg(long, help_heading = MORE)]
    pub with_floor: bool,
    /// Write down all that is said and heard, read the history back, and hold each against the other: nothing acknowledged
    /// is lost, nothing doubled, nobody skips a line. A broken promise ends with code 2. Needs --protocol extended and a
    /// server with a history; takes time and memory of the generator
    #[arg(long, conflicts_with_all = ["with_floor", "tls"], help_heading = OUTCOME)]
    pub trace: bool,
    #[command(flatten)]
    pub bounds: Bounds,
    #[command(flatten)]
    pub output: Output,
    /// Write the histograms of each receiver's latency as an HdrHistogram log
    #[arg(long, value_name = "FILE", help_heading = OUTCOME)]
    pub hdr: Option<PathBuf>,
}

/// Flags of `ramp`.
#[derive(Debug, Args)]
#[command(
    after_help = "A step that is INVALID says nothing of the server: it is tried once more, and ends the ramp where it \
                  is INVALID again.\nEnds with 0: a good step, then one that broke a bound, or all were good; 1: an \
                  error; 2: the first step broke a bound; 3: the generator gave up before the server."
)]
#[allow(missing_docs, reason = "the flags' help says it")]
pub struct Ramp {
    /// What becomes more
    #[arg(long, value_enum, default_value_t = Axis::Rate)]
    pub of: Axis,
    /// The first step
    #[arg(long, value_name = "N")]
    pub from: f64,
    /// The last step
    #[arg(long, value_name = "N")]
    pub to: f64,
    /// How much more each step is
    #[arg(long, value_name = "N")]
    pub step: f64,
    /// How long to measure each step
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = parse_duration)]
    pub duration: Duration,
    #[command(flatten)]
    pub work: Work,
    #[command(flatten)]
    pub whom: Whom,
    /// The bound that ends the ramp at the step that breaks it, like 'p99>50ms'; any figure of the JSON; repeatable.
    /// Without any: lost>0, doubled>0, out_of_order>0, corrupt>0, under_way>0, p99>1s
    #[arg(long, value_name = "BOUND", value_parser = Bound::parse, help_heading = OUTCOME)]
    pub fail_if: Vec<Bound>,
    #[command(flatten)]
    pub output: Output,
}

/// What `ramp` makes more of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Axis {
    /// Lines a second of all senders together.
    Rate,
    /// Clients.
    Clients,
}

/// Flags of `hold`.
#[derive(Debug, Args)]
#[allow(missing_docs, reason = "the flags' help says it")]
pub struct Hold {
    /// Connections
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub clients: usize,
    /// How long to watch the server while nobody says anything
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = parse_duration)]
    pub duration: Duration,
    /// Which clients tell their name with a join line before anything else, which a relay shows to all others
    #[arg(long, value_enum, default_value_t = Joins::None)]
    pub join: Joins,
    #[command(flatten)]
    pub whom: Whom,
    /// Write what was measured as JSON to this file; `-`: to standard output, instead of the text
    #[arg(long, value_name = "FILE", help_heading = OUTCOME)]
    pub json: Option<PathBuf>,
}

/// Flags of `soak`.
#[derive(Debug, Args)]
#[allow(missing_docs, reason = "the flags' help says it")]
pub struct Soak {
    #[command(flatten)]
    pub work: Work,
    /// How long
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = parse_duration)]
    pub duration: Duration,
    /// How often to say how it goes
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = parse_duration)]
    pub every: Duration,
    #[command(flatten)]
    pub whom: Whom,
    #[command(flatten)]
    pub bounds: Bounds,
    #[command(flatten)]
    pub output: Output,
}

/// Flags of `compare`.
#[derive(Debug, Args)]
pub struct Compare {
    /// Report of before, from `run --repeat 5 --json FILE`
    pub before: PathBuf,
    /// Report of after
    pub after: PathBuf,
    /// Compare although machine or plan differ
    #[arg(long)]
    pub force: bool,
}

/// Flags of `merge`.
#[derive(Debug, Args)]
pub struct Merge {
    /// Logs of `run --hdr`, or of any other program that writes them
    #[arg(required = true)]
    pub logs: Vec<PathBuf>,
    /// Write the merged histogram as a log of its own
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Flags of `floor`.
#[derive(Debug, Args)]
pub struct Floor {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
}

/// Flags of `peers`.
#[derive(Debug, Args)]
#[allow(missing_docs, reason = "the flags' help says it")]
pub struct Peers {
    /// How often each has its turn
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub repeat: u32,
    /// How long each turn is measured
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = parse_duration)]
    pub duration: Duration,
    /// Only these, by name; repeatable (relay, floor, ngircd, mosquitto, nats, redis, threads)
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// Connections; so many more than senders that each server tires before the generator does
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub clients: usize,
    /// Clients that send
    #[arg(long, value_name = "S", default_value_t = 16)]
    pub senders: usize,
    /// Lines a second for the table's latencies
    #[arg(long, value_name = "R", default_value_t = 100.0)]
    pub rate: f64,
    /// Write all as JSON to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write all as one page for a browser
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// The addresses of `--source`.
pub type SourceList = std::sync::Arc<[IpAddr]>;

fn parse_source_list(text: &str) -> Result<SourceList, String> {
    parse_sources(text).map(SourceList::from)
}

/// The first address of a host and its port.
fn resolve(text: &str) -> Result<SocketAddr, String> {
    const EXPECTED: &str = "expected HOST:PORT, like 127.0.0.1:2000";
    let is_whole =
        text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if !is_whole {
        return Err(EXPECTED.into());
    }
    let mut addresses = text.to_socket_addrs().map_err(|error| format!("{error}; {EXPECTED}"))?;
    addresses.next().ok_or_else(|| "that host has no address".into())
}

impl Whom {
    /// What is started where nobody names a server speaks Tertulia's own protocols.
    pub fn check(&self) -> Result<(), String> {
        let is_foreign =
            matches!(self.protocol, Protocol::Irc | Protocol::Mqtt | Protocol::Nats | Protocol::Redis);
        match self.target {
            None if is_foreign => Err(format!(
                "--protocol {}: the relay that is started where no server is named does not speak it; name one that does: \
                 --target HOST:PORT",
                self.protocol
            )),
            Some(address) => self.secure.check(address, self.protocol),
            None => Ok(()),
        }
    }

    /// The addresses that the clients come from, which the target can be reached from.
    pub fn sources(&self) -> Result<Vec<IpAddr>, String> {
        let sources: Vec<IpAddr> = self.source.iter().flat_map(|sources| sources.iter().copied()).collect();
        let own_relay = SocketAddr::from(([127, 0, 0, 1], 0));
        connect::check_family(self.target.unwrap_or(own_relay), &sources)?;
        Ok(sources)
    }
}

impl Work {
    /// The plan that the flags describe.
    pub fn plan(&self, whom: &Whom, duration: Duration) -> Result<Plan, String> {
        whom.check()?;
        let sources = whom.sources()?;
        let pace = match self.window {
            Some(window) => Pace::Window(window),
            None => Pace::Rate(self.rate.unwrap_or(100.0)),
        };
        let plan = Plan {
            clients: self.clients,
            senders: self.senders,
            pace,
            duration,
            warmup: self.warmup,
            sizes: self.size,
            protocol: whom.protocol,
            slow: self.slow,
            churn_per_s: self.churn,
            connect_rate_per_s: whom.connect_rate,
            sources,
            joins: self.join,
        };
        plan.check()?;
        Ok(plan)
    }
}
