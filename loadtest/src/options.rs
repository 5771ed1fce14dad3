//! The command line.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::bounds::Bound;
use crate::plan::{Plan, parse_duration};
use crate::schedule::Pace;

/// Loads a chat relay and says how much it carries, how late lines come, and whether any got lost
#[derive(Debug, Parser)]
#[command(name = "tertulia-loadtest", version)]
pub struct Options {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Load a relay once, and say what arrived, and how late
    Run(Run),
}

/// Flags of `run`.
#[derive(Debug, Args)]
pub struct Run {
    /// A relay that runs already, as HOST:PORT; without it one is started on a free port, flood control off
    #[arg(long, value_name = "HOST:PORT", value_parser = resolve)]
    pub target: Option<SocketAddr>,
    /// Connections, senders included
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub clients: usize,
    /// Clients that send
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub senders: usize,
    /// Open loop: lines a second, of all senders together (100 without --window)
    #[arg(long, value_name = "R", conflicts_with = "window")]
    pub rate: Option<f64>,
    /// Closed loop: lines of each sender under way
    #[arg(long, value_name = "W")]
    pub window: Option<u32>,
    /// How long to measure
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_duration)]
    pub duration: Duration,
    /// How long to warm up before: lines are checked, latencies not recorded
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = parse_duration)]
    pub warmup: Duration,
    /// Bytes of each line's text
    #[arg(long, value_name = "BYTES", default_value_t = 64)]
    pub size: usize,
    /// Process of the server, for its CPU and memory
    #[arg(long, value_name = "PID")]
    pub pid: Option<u32>,
    /// End with code 2 if this is so, like 'p99>50ms' or 'lost>0'; repeatable
    #[arg(long, value_name = "BOUND", value_parser = Bound::parse)]
    pub fail_if: Vec<Bound>,
    /// Write the report as JSON to this file; `-`: to standard output, instead of the text
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// The first address of a host and its port.
fn resolve(text: &str) -> Result<SocketAddr, String> {
    let mut addresses = text.to_socket_addrs().map_err(|error| format!("{error}; expected HOST:PORT"))?;
    addresses.next().ok_or_else(|| "that host has no address".into())
}

impl Run {
    /// The plan that the flags describe.
    pub fn plan(&self) -> Result<Plan, String> {
        let pace = match self.window {
            Some(window) => Pace::Window(window),
            None => Pace::Rate(self.rate.unwrap_or(100.0)),
        };
        let plan = Plan {
            clients: self.clients,
            senders: self.senders,
            pace,
            duration: self.duration,
            warmup: self.warmup,
            size_bytes: self.size,
        };
        plan.check()?;
        Ok(plan)
    }
}
