//! Descriptors: one for each client, and some more.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// For standard streams, epoll, pipes and what libraries open.
const RESERVED: u64 = 32;

/// The arithmetic, where this program was refused another file with so many of its clients there.
pub fn why_no_more_files(number: usize, clients: usize) -> String {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let told = |limit: Option<u64>| limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string());
    let needed = clients as u64 + RESERVED;
    format!(
        "this program may open no more than {} files, and has {} clients + what it needs itself; all take {clients} + \
         {RESERVED} = {needed}, and the hard limit is {}: raise it (ulimit -Hn) or pass fewer --clients",
        told(current),
        number.saturating_sub(1),
        told(maximum)
    )
}

/// Raises the limit of open files as far as so many clients need, in front of so many servers at once, and says so.
pub fn make_place(clients: usize, stages: usize) -> Result<(), String> {
    let needed = (clients * stages) as u64 + RESERVED;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    if let Some(maximum) = maximum.filter(|maximum| *maximum < needed) {
        let servers = if stages > 1 { format!(" x {stages} servers") } else { String::new() };
        return Err(format!(
            "--clients {clients}: that takes {clients}{servers} + {RESERVED} open files, and the hard limit is \
             {maximum}; raise it (ulimit -Hn) or pass at most --clients {}",
            maximum.saturating_sub(RESERVED) / stages.max(1) as u64
        ));
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(needed), maximum })
        .map_err(|error| format!("the limit of open files cannot be raised to {needed}: {error}"))?;
    eprintln!("raised the limit of open files to {needed}");
    Ok(())
}
