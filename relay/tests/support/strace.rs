//! System calls of a relay, seen and made to fail from outside.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::support::{DEADLINE, Relay};

/// What strace is to look at, and where it writes that down.
pub(crate) struct Tracing {
    /// Its flags, without those that say whom it traces.
    pub(crate) flags: Vec<String>,
    pub(crate) output: PathBuf,
}

impl Tracing {
    fn command(&self) -> Command {
        let mut command = Command::new("strace");
        command.arg("-qq").args(&self.flags).arg("-o").arg(&self.output);
        command
    }

    /// A command that becomes the relay of `command`, traced from its first call on. `-f` among the flags: all threads, else
    /// the first alone.
    pub(crate) fn around(&self, command: &Command) -> Command {
        let mut traced = self.command();
        traced.arg("-D").arg(command.get_program()).args(command.get_args()).env_clear();
        traced
    }

    /// What was written down. The relay has ended; strace may still be about to.
    pub(crate) fn lines(&self) -> Vec<String> {
        let bytes = std::fs::read(&self.output).unwrap_or_default();
        String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
    }
}

/// Says loudly what is wrong if strace cannot do its work here, and fails.
pub(crate) fn assert_can_trace() {
    let output = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).output();
    let output = output.expect("strace is missing: install it, `make deps` does");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "strace cannot trace here, ptrace is forbidden: {said}");
}

/// A strace that looks at one thread of a running relay, and ends with it.
pub(crate) struct Attached(Child);

impl Attached {
    pub(crate) fn to_thread(relay: &Relay, name: &str, tracing: &Tracing) -> Self {
        let thread = thread_of(relay, name);
        let mut command = tracing.command();
        let id = thread.file_name().unwrap();
        let child = command.arg("-p").arg(id).stdin(Stdio::null()).spawn().expect("strace");
        let mut attached = Self(child);
        let until = Instant::now() + DEADLINE;
        while !is_traced(&thread) {
            let ended = attached.0.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < until, "strace does not attach: {ended:?}");
            std::thread::yield_now();
        }
        attached
    }

    /// Waits until all is written down.
    pub(crate) fn await_end(mut self) {
        let until = Instant::now() + DEADLINE;
        while self.0.try_wait().unwrap().is_none() {
            assert!(Instant::now() < until, "strace does not end");
            std::thread::yield_now();
        }
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The folder in /proc of the relay's thread with this name.
fn thread_of(relay: &Relay, name: &str) -> PathBuf {
    let is_it =
        |path: &PathBuf| std::fs::read_to_string(path.join("comm")).is_ok_and(|comm| comm.trim_end() == name);
    let until = Instant::now() + DEADLINE;
    loop {
        let threads = std::fs::read_dir(format!("/proc/{}/task", relay.pid())).expect("the relay is alive");
        // It gives itself its name, soon after it has begun.
        if let Some(thread) = threads.map(|entry| entry.unwrap().path()).find(is_it) {
            return thread;
        }
        assert!(Instant::now() < until, "the relay has no thread {name}");
        std::thread::yield_now();
    }
}

fn is_traced(thread: &Path) -> bool {
    let status = std::fs::read_to_string(thread.join("status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("TracerPid:") && !line.ends_with("\t0"))
}
