//! What else this machine did while it was measured.

use std::fs;

use tertulia_loadtest::process;

use crate::Outcome;

/// Kernel and processors, in one line.
pub(crate) fn line() -> String {
    let machine = process::machine();
    format!("Linux {}, {} x {}", machine.kernel, machine.processors, machine.processor)
}

/// What the processors did since the machine started, in clock ticks.
#[derive(Clone, Copy)]
pub(crate) struct Ticks {
    all: u64,
    idle: u64,
    stolen: u64,
    own: u64,
}

impl Ticks {
    /// The counters as they are now. `own` holds this process and the children it has waited for.
    pub(crate) fn now() -> Outcome<Self> {
        let text = fs::read_to_string("/proc/stat")?;
        let line = text.lines().next().unwrap_or_default();
        // user nice system idle iowait irq softirq steal; what follows is counted in these.
        let ticks: Vec<u64> =
            line.split_whitespace().skip(1).take(8).map_while(|word| word.parse().ok()).collect();
        let [_, _, _, idle, waiting, _, _, stolen] = *ticks else {
            return Err("no ticks in /proc/stat".into());
        };
        let text = fs::read_to_string("/proc/self/stat")?;
        let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
        // utime stime cutime cstime are the 14th to 17th field, and two come before the bracket.
        let own = after_name.split_whitespace().skip(11).take(4);
        let own = own.filter_map(|word| word.parse::<u64>().ok()).sum();
        Ok(Self { all: ticks.iter().sum(), idle: idle + waiting, stolen, own })
    }

    /// Who else ran since `begin`, as a sentence.
    pub(crate) fn others_since(self, begin: Self) -> String {
        let all = self.all.saturating_sub(begin.all).max(1) as f64;
        let idle = self.idle.saturating_sub(begin.idle) as f64;
        let stolen = self.stolen.saturating_sub(begin.stolen) as f64;
        let own = self.own.saturating_sub(begin.own) as f64;
        let others = (all - idle - stolen - own).max(0.0);
        let percent = |ticks: f64| 100.0 * ticks / all;
        format!(
            "while it ran, other programs took {:.1} % of the processors and the host {:.1} %",
            percent(others),
            percent(stolen)
        )
    }
}
