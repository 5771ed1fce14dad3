//! Starts the relay that lies beside this program.

use std::env;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::thread;

/// A relay of our own; ends with this value.
#[derive(Debug)]
pub struct Relay {
    child: Child,
    address: SocketAddr,
}

impl Relay {
    /// Starts it on a free port of loopback, with flood control off.
    pub fn start() -> Result<Self, String> {
        let own = env::current_exe().map_err(|error| format!("where this program is: {error}"))?;
        let path = own.with_file_name("tertulia-relay");
        let mut child = Command::new(&path)
            .args(["--listen", "127.0.0.1:0", "--flood", "0", "--lang", "en"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| {
                format!("{}: {error}; build it (cargo build --release) or name one: --target", path.display())
            })?;
        let Some(stderr) = child.stderr.take() else { return Err("the relay has no standard error".into()) };
        let mut lines = BufReader::new(stderr);
        let mut first = String::new();
        let read = lines.read_line(&mut first);
        // Its log goes on, and must not fill a pipe.
        thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        let address = first.split_whitespace().next_back().and_then(|word| word.parse().ok());
        match address {
            Some(address) if read.is_ok() => Ok(Self { child, address }),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                Err(format!("the relay did not start: {}", first.trim()))
            }
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
