//! What the kernel tells of a process and of this machine: `/proc`, proc(5).

use std::fs;
use std::str::FromStr;

use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;
use rustix::param::clock_ticks_per_second;
use rustix::process::{Resource, getrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::connect::local_ports;
use crate::report::Machine;

/// What a process used and holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Time on a processor, of all its threads, those that ended included, in nanoseconds: the scheduler's own account.
    pub cpu_ns: u64,
    /// For how long the threads it has now could have run, and did not get a processor, in nanoseconds.
    pub waited_ns: u64,
    /// Of that, outside the kernel, in nanoseconds: as far as clock ticks tell.
    pub user_ns: u64,
    /// Time in the kernel by the same ticks, in nanoseconds.
    pub system_ns: u64,
    /// Resident memory, in KiB.
    pub resident_kib: u64,
    /// Of that, what no file stands behind, in KiB.
    pub anonymous_kib: u64,
    /// How often its threads went to sleep by their own will.
    pub sleeps: u64,
}

/// What the process has used up to now.
pub fn usage(pid: u32) -> Result<Usage, String> {
    let status = read(&format!("/proc/{pid}/status"))?;
    let [user_ns, system_ns] = ticks_ns(pid)?;
    let mut usage = Usage {
        cpu_ns: cpu_ns(pid).unwrap_or(user_ns + system_ns),
        user_ns,
        system_ns,
        resident_kib: field(&status, "VmRSS:").unwrap_or_default(),
        anonymous_kib: field(&status, "RssAnon:").unwrap_or_default(),
        ..Usage::default()
    };
    let folder = format!("/proc/{pid}/task");
    for entry in fs::read_dir(&folder).map_err(|error| format!("{folder}: {error}"))? {
        let path = entry.map_err(|error| format!("{folder}: {error}"))?.path();
        // A thread may end while we look.
        let schedule = fs::read_to_string(path.join("schedstat")).unwrap_or_default();
        usage.waited_ns += number::<u64>(schedule.split_whitespace().nth(1)).unwrap_or_default();
        let status = fs::read_to_string(path.join("status")).unwrap_or_default();
        usage.sleeps += field::<u64>(&status, "voluntary_ctxt_switches:").unwrap_or_default();
    }
    Ok(usage)
}

/// Processor time of one thread in nanoseconds, and how often it went to sleep by its own will. What it uses is booked
/// when it goes to sleep, so that another thread has to ask.
pub fn thread_usage(pid: u32, thread: i32) -> Result<(u64, u64), String> {
    let folder = format!("/proc/{pid}/task/{thread}");
    let schedule = read(&format!("{folder}/schedstat"))?;
    let status = read(&format!("{folder}/status"))?;
    let sleeps = field(&status, "voluntary_ctxt_switches:").unwrap_or_default();
    Ok((number(schedule.split_whitespace().next()).unwrap_or_default(), sleeps))
}

/// Time on a processor that a process has used, in nanoseconds, threads that ended included; none where it is not there.
pub fn cpu_ns(pid: u32) -> Option<u64> {
    let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(i32::try_from(pid).ok()?)).ok()?;
    let time = clock_gettime(clock).ok()?;
    Some(u64::try_from(time.tv_sec()).ok()? * 1_000_000_000 + u64::try_from(time.tv_nsec()).ok()?)
}

/// Resident memory of a process, in KiB; none where it is not there.
pub fn resident_kib(pid: u32) -> Option<u64> {
    field(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?, "VmRSS:")
}

impl Usage {
    /// What was used since; memory as it is now.
    pub fn since(self, before: Self) -> Self {
        Self {
            cpu_ns: self.cpu_ns.saturating_sub(before.cpu_ns),
            waited_ns: self.waited_ns.saturating_sub(before.waited_ns),
            user_ns: self.user_ns.saturating_sub(before.user_ns),
            system_ns: self.system_ns.saturating_sub(before.system_ns),
            sleeps: self.sleeps.saturating_sub(before.sleeps),
            ..self
        }
    }

    /// Both uses together; memory as the other has it.
    pub fn plus(self, other: Self) -> Self {
        Self {
            cpu_ns: self.cpu_ns + other.cpu_ns,
            waited_ns: self.waited_ns + other.waited_ns,
            user_ns: self.user_ns + other.user_ns,
            system_ns: self.system_ns + other.system_ns,
            sleeps: self.sleeps + other.sleeps,
            ..other
        }
    }

    /// Time outside the kernel: the exact time on a processor, shared out as the ticks fell.
    pub fn exact_user_ns(self) -> f64 {
        let ticks = self.user_ns + self.system_ns;
        if ticks == 0 { 0.0 } else { self.cpu_ns as f64 * self.user_ns as f64 / ticks as f64 }
    }
}

/// The 14th and 15th field of `stat`; two fields come before the bracket that the name ends in.
fn ticks_ns(pid: u32) -> Result<[u64; 2], String> {
    let stat = read(&format!("/proc/{pid}/stat"))?;
    let behind = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let mut words = behind.split_whitespace().skip(11);
    let tick_ns = 1_000_000_000 / clock_ticks_per_second().max(1);
    Ok([(); 2].map(|()| number::<u64>(words.next()).unwrap_or_default() * tick_ns))
}

/// What the file is called that a process is a program of; none where nobody may look.
pub fn program_name(pid: u32) -> Option<String> {
    let path = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    let name = path.file_name()?.to_string_lossy().into_owned();
    // A file that was replaced meanwhile.
    Some(name.strip_suffix(" (deleted)").map_or(name.clone(), str::to_owned))
}

/// FNV-1a, 64 bits, of that file, in hexadecimal digits.
pub fn program_fnv1a(pid: u32) -> Option<String> {
    let bytes = fs::read(format!("/proc/{pid}/exe")).ok()?;
    Some(format!("{:016x}", fnv1a(&bytes)))
}

/// <http://www.isthe.com/chongo/tech/comp/fnv/>
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}

/// How many files a process has open.
pub fn open_files(pid: u32) -> Result<u64, String> {
    let path = format!("/proc/{pid}/fd");
    let error = |error| format!("{path}: {error}");
    // Linux 6.2 and later tell the count as the folder's size.
    let size = fs::metadata(&path).map_err(error)?.len();
    if size > 0 { Ok(size) } else { Ok(fs::read_dir(&path).map_err(error)?.count() as u64) }
}

/// The kernel's memory for TCP sockets, of the whole machine, in KiB.
pub fn tcp_memory_kib() -> u64 {
    let text = fs::read_to_string("/proc/net/sockstat").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("TCP:")).unwrap_or_default();
    let mut words = line.split_whitespace().skip_while(|word| *word != "mem").skip(1);
    let page_kib = rustix::param::page_size() as u64 / 1024;
    number::<u64>(words.next()).unwrap_or_default() * page_kib
}

/// One of the kernel's `TcpExt` counters.
pub fn tcp_counter(name: &str) -> u64 {
    let text = fs::read_to_string("/proc/net/netstat").unwrap_or_default();
    let mut rows = text.lines().filter(|line| line.starts_with("TcpExt:"));
    let names = rows.next().unwrap_or_default().split_whitespace();
    let values = rows.next().unwrap_or_default().split_whitespace();
    number(names.zip(values).find(|(found, _)| *found == name).map(|(_, value)| value)).unwrap_or_default()
}

/// Where this program runs.
pub fn machine() -> Machine {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors.lines().find(|line| line.starts_with("model name"));
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    Machine {
        kernel: kernel.trim().to_owned(),
        processor: model
            .and_then(|line| line.split_once(": "))
            .map_or("unknown", |(_, name)| name)
            .to_owned(),
        processors: processors.lines().filter(|line| line.starts_with("processor")).count(),
        memory_mib: field::<u64>(&memory, "MemTotal:").unwrap_or_default() / 1024,
        open_files_max: getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX),
        local_ports: local_ports(),
    }
}

/// This program on the first of its processors, and servers on the others; undone when this goes.
#[derive(Debug)]
pub struct Pin {
    all: CpuSet,
}

impl Pin {
    /// None where there is only one processor, or the kernel refuses: figures then spread wider.
    pub fn apart(servers: &[u32]) -> Option<Self> {
        let all = sched_getaffinity(None).ok()?;
        let mine: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|cpu| all.is_set(*cpu)).collect();
        let (first, others) = mine.split_first().filter(|(_, others)| !others.is_empty())?;
        let mut theirs = CpuSet::new();
        others.iter().for_each(|cpu| theirs.set(*cpu));
        let mut own = CpuSet::new();
        own.set(*first);
        let is_placed = servers.iter().all(|pid| place(*pid, &theirs));
        (is_placed && sched_setaffinity(None, &own).is_ok()).then_some(Self { all })
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let _ = sched_setaffinity(None, &self.all);
    }
}

/// Every thread that the process has now; those that it starts inherit.
fn place(pid: u32, processors: &CpuSet) -> bool {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    tasks.flatten().all(|task| {
        let thread = task.file_name().to_string_lossy().parse().ok().and_then(rustix::process::Pid::from_raw);
        thread.is_some_and(|thread| sched_setaffinity(Some(thread), processors).is_ok())
    })
}

fn number<T: FromStr>(word: Option<&str>) -> Option<T> {
    word.and_then(|word| word.parse().ok())
}

/// The number that follows `key` at the beginning of a line.
fn field<T: FromStr>(text: &str, key: &str) -> Option<T> {
    let rest = text.lines().find_map(|line| line.strip_prefix(key))?;
    number(rest.split_whitespace().next())
}

fn read(path: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_burns_a_known_time_is_seen_to() {
        let before = usage(std::process::id()).unwrap();
        let begun = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        let burnt_ns = || {
            let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
            (now.tv_sec - begun.tv_sec) as u64 * 1_000_000_000 + now.tv_nsec as u64 - begun.tv_nsec as u64
        };
        let mut sum = 0u64;
        while burnt_ns() < 200_000_000 {
            sum = (0..10_000).fold(sum, |sum, number| sum.wrapping_mul(31) ^ number);
        }
        let used = usage(std::process::id()).unwrap().since(before);
        // Other tests' threads burn time of the same process, so that there is no upper bound to check; and the
        // kernel books what ran outside of it at its next tick.
        assert!(used.cpu_ns >= 200_000_000, "{used:?}, {sum}");
        assert!(used.user_ns > 100_000_000, "{used:?}");
        assert!(used.resident_kib > 0);
    }

    #[test]
    fn a_program_is_told_by_its_name_and_its_bytes() {
        let name = program_name(std::process::id()).unwrap();
        assert!(name.starts_with("tertulia_loadtest-"), "{name}");
        let path = std::env::current_exe().unwrap();
        let hash = format!("{:016x}", fnv1a(&fs::read(path).unwrap()));
        assert_eq!(program_fnv1a(std::process::id()), Some(hash));
        // Of the reference.
        assert_eq!((fnv1a(b""), fnv1a(b"foobar")), (0xCBF2_9CE4_8422_2325, 0x8594_4171_F739_67E8));
        assert_eq!((program_name(u32::MAX), program_fnv1a(u32::MAX)), (None, None));
    }

    #[test]
    fn what_a_thread_used_that_ended_counts() {
        let before = usage(std::process::id()).unwrap();
        let burn = || {
            let burnt_ns = || rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime).tv_nsec;
            let mut sum = 0u64;
            while burnt_ns() < 100_000_000 {
                sum = (0..10_000).fold(sum, |sum, number| sum.wrapping_mul(31) ^ number);
            }
            sum
        };
        let sum = std::thread::spawn(burn).join().unwrap();
        let used = usage(std::process::id()).unwrap().since(before);
        assert!(used.cpu_ns >= 100_000_000, "{used:?}, {sum}");
    }

    #[test]
    fn a_process_that_is_not_there_is_an_error() {
        assert!(usage(u32::MAX).is_err());
    }

    #[test]
    fn the_machine_is_told_with_its_limits() {
        let machine = machine();
        assert!(machine.processors > 0 && machine.memory_mib > 0 && !machine.kernel.is_empty());
        assert!(machine.local_ports.0 < machine.local_ports.1);
    }
}
