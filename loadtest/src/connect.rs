//! Opens connections, from one address or from many, and says what is missing when there can be no more.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};

use mio::net::TcpStream;
use nix::sys::socket::{setsockopt, sockopt};
use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};

use crate::limits;

/// Ports that a connection may come from: first and last. ip(7), `ip_local_port_range`.
pub fn local_ports() -> (u16, u16) {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut words = text.split_whitespace().map(|word| word.parse().ok());
    match (words.next().flatten(), words.next().flatten()) {
        (Some(first), Some(last)) => (first, last),
        _ => (32_768, 60_999),
    }
}

/// Begins a connect that does not block.
pub(crate) fn begin(target: SocketAddr, source: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(target), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    if let Some(source) = source {
        // Without it the bind would take a port that no other connect of this address can have, to whatever target.
        setsockopt(&socket, sockopt::IpBindAddressNoPort, &true)?;
        // It takes no port yet: what fails here is the address.
        socket.bind(&SocketAddr::new(source, 0).into()).map_err(|error| {
            let what = match error.raw_os_error().map(Errno::from_raw_os_error) {
                Some(Errno::ADDRNOTAVAIL) => "is no address of this machine".to_owned(),
                _ => error.to_string(),
            };
            io::Error::new(error.kind(), format!("--source {source} {what}"))
        })?;
    }
    match socket.connect(&target.into()) {
        Err(error) if error.raw_os_error() == Some(Errno::INPROGRESS.raw_os_error()) => {}
        outcome => outcome?,
    }
    Ok(TcpStream::from_std(socket.into()))
}

/// Whether the target can be reached from these addresses at all.
pub fn check_family(target: SocketAddr, sources: &[IpAddr]) -> Result<(), String> {
    let family = |is_ipv4: bool| if is_ipv4 { "IPv4" } else { "IPv6" };
    match sources.iter().find(|source| source.is_ipv4() != target.is_ipv4()) {
        Some(source) => Err(format!(
            "--source {source}: that is {}, and {target} is {}; both have to be the same",
            family(source.is_ipv4()),
            family(target.is_ipv4())
        )),
        None => Ok(()),
    }
}

/// Whether there are ports enough, as far as can be told before.
pub fn check_ports(clients: usize, sources: usize) -> Result<(), String> {
    let (first, last) = local_ports();
    let each = usize::from(last.saturating_sub(first)) + 1;
    let sources = sources.max(1);
    if clients <= each * sources {
        return Ok(());
    }
    Err(format!(
        "--clients {clients}: an address has {each} ports to connect from ({first} to {last}, \
         net.ipv4.ip_local_port_range), and {sources} x {each} = {}; {}",
        each * sources,
        more_sources(clients, each)
    ))
}

fn more_sources(clients: usize, each: usize) -> String {
    let needed = clients.div_ceil(each.max(1)).max(2);
    format!("take {needed} addresses: --source 127.0.0.1-127.0.0.{needed}")
}

/// What a connect that failed means, and what to do.
pub(crate) fn explain(error: &io::Error, number: usize, clients: usize, target: SocketAddr) -> String {
    let which = format!("client {} of {clients} to {target}", number + 1);
    let (first, last) = local_ports();
    let each = usize::from(last.saturating_sub(first)) + 1;
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::ADDRNOTAVAIL) => format!(
            "{which}: no port is left to connect from ({each} an address, {first} to {last}, less those that \
             closed connections hold for a minute); {}",
            more_sources(clients, each)
        ),
        Some(Errno::MFILE) => format!("{which}: {}", limits::why_no_more_files(number + 1, clients)),
        Some(Errno::NFILE) => {
            format!("{which}: the system has no more open files (fs.file-max); pass fewer --clients")
        }
        _ if error.kind() == ErrorKind::ConnectionRefused => {
            format!("{which}: refused; is the server running there, and does it take more clients?")
        }
        _ if error.kind() == ErrorKind::ConnectionReset => {
            format!(
                "{which}: the server closed it; it may have a limit of clients, or of clients of one address"
            )
        }
        _ if error.raw_os_error().is_none() => error.to_string(),
        _ => format!("{which}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_ports_are_told_with_the_arithmetic_and_the_flag() {
        let (first, last) = local_ports();
        let each = usize::from(last - first) + 1;
        assert_eq!(check_ports(each, 0), Ok(()));
        assert_eq!(check_ports(3 * each, 3), Ok(()));
        let error = check_ports(each * 2 + 1, 2).unwrap_err();
        assert!(error.contains(&format!("2 x {each} = {}", 2 * each)), "{error}");
        assert!(error.contains("--source 127.0.0.1-127.0.0.3"), "{error}");
    }

    #[test]
    fn a_failed_connect_says_what_is_missing() {
        let target = "127.0.0.1:9".parse().unwrap();
        let error = |errno: Errno| explain(&io::Error::from(errno), 4, 10, target);
        assert!(error(Errno::ADDRNOTAVAIL).contains("--source"));
        let full = error(Errno::MFILE);
        assert!(full.contains("4 clients + ") && full.contains("10 + 32 = 42"), "{full}");
        assert!(full.contains("ulimit -Hn"), "{full}");
        assert!(error(Errno::CONNREFUSED).starts_with("client 5 of 10 to 127.0.0.1:9: refused"));
    }

    #[test]
    fn a_source_that_is_not_of_this_machine_is_said_to_be_so_and_not_that_ports_are_missing() {
        let target = "127.0.0.1:9".parse().unwrap();
        // Of no machine: RFC 5737.
        let error = begin(target, Some("192.0.2.1".parse().unwrap())).unwrap_err();
        let said = explain(&error, 4, 10, target);
        assert_eq!(said, "--source 192.0.2.1 is no address of this machine");
    }

    #[test]
    fn addresses_of_another_family_than_the_target_are_refused() {
        let (four, six) = ("127.0.0.1:9".parse().unwrap(), "[::1]:9".parse().unwrap());
        let sources = ["127.0.0.2".parse().unwrap(), "127.0.0.3".parse().unwrap()];
        assert_eq!(check_family(four, &sources), Ok(()));
        assert!(check_family(six, &sources).unwrap_err().starts_with("--source 127.0.0.2: that is IPv4"));
        assert!(check_family(four, &["::1".parse().unwrap()]).is_err());
    }
}
