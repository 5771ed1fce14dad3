//! The command line of the bench.

use std::net::SocketAddr;

use crate::Outcome;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
fanout: how a relay compares with what this machine's sockets allow

  --only NAME           run this work only (may be given more than once)
  --pairs N             pairs of floor and relay to take the median of
  --quick               one short pair of each work
  --floor-both          the floor stands in for the relay too: what the harness itself spreads
  --relay-arg WORD      one more argument for the relay (may be given more than once)
  --profile-work NAME   one server, one work (crowd, crowd-unjoined, lone, rate), for a profiler
  --seconds S           how long --profile-work runs (10)
  --floor ADDRESS       be the reference program

TERTULIA_RELAY names the program to measure, TERTULIA_SMALL the one the work `small` looks at.
A program named there must not fork: its figures are those of the process that was started.
";

/// What the command line asks for.
#[derive(Default)]
pub(crate) struct Options {
    /// The works to run; all when empty.
    pub(crate) only: Vec<String>,
    /// How many pairs, when told.
    pub(crate) pairs: Option<usize>,
    /// One short pair each.
    pub(crate) quick: bool,
    /// Measure the floor against itself.
    pub(crate) floor_both: bool,
    /// More arguments for the relay.
    pub(crate) relay_args: Vec<String>,
    /// The work to run alone for a profiler.
    pub(crate) profile_work: Option<String>,
    /// How long the profiled work runs.
    pub(crate) profile_seconds: Option<u64>,
    /// Be the reference program at this address.
    pub(crate) floor: Option<SocketAddr>,
    /// Only print the help.
    pub(crate) help: bool,
}

impl Options {
    /// Reads the arguments after the program's name.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Outcome<Self> {
        let mut options = Self::default();
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let mut value =
                || arguments.next().ok_or_else(|| format!("{argument} needs a value: see --help"));
            match argument.as_str() {
                // What cargo adds.
                "--bench" => {}
                "--only" => options.only.push(value()?),
                "--pairs" => options.pairs = Some(value()?.parse::<usize>()?.max(1)),
                "--quick" => options.quick = true,
                "--floor-both" => options.floor_both = true,
                "--relay-arg" => options.relay_args.push(value()?),
                "--profile-work" => options.profile_work = Some(value()?),
                "--seconds" => options.profile_seconds = Some(value()?.parse()?),
                "--floor" => options.floor = Some(value()?.parse()?),
                "--help" | "-h" => options.help = true,
                other => return Err(format!("unknown argument {other}: see --help").into()),
            }
        }
        Ok(options)
    }

    /// Whether a work is to be run.
    pub(crate) fn wants(&self, work: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == work)
    }

    /// How many pairs to run of a work which usually takes `usual`.
    pub(crate) fn pairs_or(&self, usual: usize) -> usize {
        self.pairs.unwrap_or(if self.quick { 1 } else { usual })
    }
}
