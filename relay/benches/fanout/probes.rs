//! What the kernel tells about a process, its sockets and this machine, read from `/proc`.

use std::fs;
use std::str::FromStr;

use crate::Outcome;

fn read(path: &str) -> Outcome<String> {
    fs::read_to_string(path).map_err(|error| format!("{path}: {error}").into())
}

fn number<T: FromStr>(text: Option<&str>, what: &str) -> Outcome<T> {
    text.and_then(|text| text.parse().ok()).ok_or_else(|| format!("no number in {what}").into())
}

/// The value after `key` in a file of `key: value` lines.
fn field<T: FromStr>(text: &str, key: &str) -> Outcome<T> {
    let rest = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    number(rest.and_then(|rest| rest.split_whitespace().next()), key)
}

/// The threads of a process.
fn tasks(pid: u32) -> Outcome<Vec<String>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
        paths.push(entry?.path().to_string_lossy().into_owned());
    }
    Ok(paths)
}

/// The time a process has run on a processor, in nanoseconds, over all its threads.
pub(crate) fn cpu_ns(pid: u32) -> Outcome<u64> {
    let mut sum_ns = 0;
    for task in tasks(pid)? {
        let text = read(&format!("{task}/schedstat"))?;
        sum_ns += number::<u64>(text.split_whitespace().next(), "schedstat")?;
    }
    Ok(sum_ns)
}

/// How often a process went to sleep by its own will, over all its threads.
pub(crate) fn voluntary_switches(pid: u32) -> Outcome<u64> {
    let mut sum = 0;
    for task in tasks(pid)? {
        sum += field::<u64>(&read(&format!("{task}/status"))?, "voluntary_ctxt_switches")?;
    }
    Ok(sum)
}

/// The memory of a process.
#[derive(Clone, Copy, Default)]
pub(crate) struct Memory {
    /// `VmRSS`: everything resident.
    pub(crate) resident_kib: u64,
    /// `RssAnon`: the part no file stands behind.
    pub(crate) anonymous_kib: u64,
}

/// What a process holds in memory now.
pub(crate) fn memory(pid: u32) -> Outcome<Memory> {
    let text = read(&format!("/proc/{pid}/status"))?;
    Ok(Memory { resident_kib: field(&text, "VmRSS")?, anonymous_kib: field(&text, "RssAnon")? })
}

/// How many descriptors a process has open.
pub(crate) fn open_files(pid: u32) -> Outcome<u64> {
    let path = format!("/proc/{pid}/fd");
    // Linux 6.2 and later tell the count as the directory's size.
    let size = fs::metadata(&path).map_err(|error| format!("{path}: {error}"))?.len();
    if size > 0 { Ok(size) } else { Ok(fs::read_dir(&path)?.count() as u64) }
}

/// The kernel's memory for TCP sockets, of the whole machine, in KiB.
pub(crate) fn socket_memory_kib() -> Outcome<u64> {
    let text = read("/proc/net/sockstat")?;
    let line = text.lines().find(|line| line.starts_with("TCP:")).unwrap_or_default();
    let mut words = line.split_whitespace().skip_while(|word| *word != "mem").skip(1);
    Ok(number::<u64>(words.next(), "sockstat")? * 4)
}

/// One of the kernel's `TcpExt` counters.
pub(crate) fn tcp_counter(name: &str) -> Outcome<u64> {
    let text = read("/proc/net/netstat")?;
    let mut rows = text.lines().filter(|line| line.starts_with("TcpExt:"));
    let names = rows.next().unwrap_or_default().split_whitespace();
    let values = rows.next().unwrap_or_default().split_whitespace();
    number(names.zip(values).find(|(found, _)| *found == name).map(|(_, value)| value), name)
}

/// How many descriptors this process may open.
pub(crate) fn file_limit() -> Outcome<usize> {
    let text = read("/proc/self/limits")?;
    let rest = text.lines().find_map(|line| line.strip_prefix("Max open files"));
    match rest.and_then(|rest| rest.split_whitespace().next()) {
        Some("unlimited") => Ok(usize::MAX),
        soft => number(soft, "the limit of open files"),
    }
}

/// Kernel and processors, in one line.
pub(crate) fn machine_line() -> String {
    let kernel = read("/proc/sys/kernel/osrelease").unwrap_or_default();
    let processors = read("/proc/cpuinfo").unwrap_or_default();
    let count = processors.lines().filter(|line| line.starts_with("processor")).count();
    let model = processors.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split_once(": ")).map_or("unknown", |(_, model)| model);
    let load = read("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("?").to_owned();
    format!("Linux {}, {count} cores ({model}), load average {load}", kernel.trim())
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
        let text = read("/proc/stat")?;
        let line = text.lines().next().unwrap_or_default();
        // user nice system idle iowait irq softirq steal; what follows is counted in these.
        let ticks: Vec<u64> =
            line.split_whitespace().skip(1).take(8).map_while(|word| word.parse().ok()).collect();
        let [_, _, _, idle, waiting, _, _, stolen] = *ticks else {
            return Err("no ticks in /proc/stat".into());
        };
        let text = read("/proc/self/stat")?;
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
