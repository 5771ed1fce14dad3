//! The kernel's account of a process.

use std::fs;
use std::time::Duration;

/// Resident memory, in MiB.
pub(crate) fn resident_mib(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process is there");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1024.0
}

/// How often its threads have gone to sleep, and so have been woken.
pub(crate) fn sleeps(pid: u32) -> u64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("the process is there");
    let counts = threads.map(|thread| {
        let text = fs::read_to_string(thread.unwrap().path().join("status")).unwrap_or_default();
        let count = text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        count.and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or_default()
    });
    counts.sum()
}

/// Time on a processor, of all its threads that are there.
pub(crate) fn processor_time(pid: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("the process is there");
    let nanoseconds = threads.map(|thread| {
        let path = thread.unwrap().path().join("schedstat");
        let text = fs::read_to_string(path).unwrap_or_default();
        text.split_whitespace().next().and_then(|word| word.parse::<u64>().ok()).unwrap_or_default()
    });
    Duration::from_nanos(nanoseconds.sum())
}
