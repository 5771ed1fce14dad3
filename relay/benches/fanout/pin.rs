//! Generator and server each on a processor of its own, by way of `taskset`.
//!
//! Where both share one for a while, or change places, figures spread several times as wide.

use std::process::{self, Command, Stdio};

const GENERATOR: &str = "0";
const SERVER: &str = "1";
const ANY: &str = "0-1";

/// The generator's pin, taken out when this goes.
pub(crate) struct Pin {
    _private: (),
}

impl Pin {
    /// Keeps the generator on its processor and these servers on the other.
    pub(crate) fn apart(servers: &[u32]) -> Self {
        let mut is_set = place(process::id(), GENERATOR);
        for pid in servers {
            is_set &= place(*pid, SERVER);
        }
        if !is_set {
            eprintln!("fanout: cannot use taskset, so figures spread wider");
        }
        Self { _private: () }
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        place(process::id(), ANY);
    }
}

fn place(pid: u32, processors: &str) -> bool {
    let mut command = Command::new("taskset");
    command.args(["-a", "-c", "-p", processors]).arg(pid.to_string());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
