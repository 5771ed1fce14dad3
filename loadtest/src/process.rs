//! What the kernel tells of a process: `/proc/PID`, proc(5).

use std::fs;

use serde::Serialize;

/// What a process used and holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Time on a processor, of all its threads, in nanoseconds.
    pub cpu_ns: u64,
    /// Resident memory, in KiB.
    pub resident_kib: u64,
}

/// What the process has used up to now.
pub fn usage(pid: u32) -> Result<Usage, String> {
    let status = read(&format!("/proc/{pid}/status"))?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    let resident_kib = resident.split_whitespace().next().and_then(|word| word.parse().ok());
    Ok(Usage { cpu_ns: cpu_ns(pid)?, resident_kib: resident_kib.unwrap_or_default() })
}

/// The scheduler's own account, to the nanosecond, summed over the threads there are now.
fn cpu_ns(pid: u32) -> Result<u64, String> {
    let folder = format!("/proc/{pid}/task");
    let mut sum_ns = 0;
    for entry in fs::read_dir(&folder).map_err(|error| format!("{folder}: {error}"))? {
        let path = entry.map_err(|error| format!("{folder}: {error}"))?.path().join("schedstat");
        // A thread may end while we look.
        let text = fs::read_to_string(path).unwrap_or_default();
        sum_ns +=
            text.split_whitespace().next().and_then(|word| word.parse::<u64>().ok()).unwrap_or_default();
    }
    Ok(sum_ns)
}

/// Kernel and processors, in one line.
pub fn machine() -> String {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let count = processors.lines().filter(|line| line.starts_with("processor")).count();
    let model = processors.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split_once(": ")).map_or("unknown", |(_, model)| model);
    format!("Linux {}, {count} x {model}", kernel.trim())
}

fn read(path: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_burns_time_is_seen_to() {
        let before = usage(std::process::id()).unwrap();
        let mut sum = 0u64;
        while usage(std::process::id()).unwrap().cpu_ns < before.cpu_ns + 20_000_000 {
            sum = (0..10_000).fold(sum, |sum, number| sum.wrapping_mul(31) ^ number);
        }
        let after = usage(std::process::id()).unwrap();
        assert!(after.cpu_ns > before.cpu_ns, "{sum}");
        assert!(after.resident_kib > 0);
    }

    #[test]
    fn a_process_that_is_not_there_is_an_error() {
        assert!(usage(u32::MAX).is_err());
    }
}
