//! What stands behind flags: times, numbers, addresses. `None`: it is none.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use super::DAY_S;
use crate::cidr::Cidr;
use crate::flood::Flood;

/// `90d`, `12h`, `30m`, `20s`, or 0.
pub(super) fn parse_age(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let units = [('d', DAY_S), ('h', 3600), ('m', 60), ('s', 1)];
    let (unit, seconds) = units.into_iter().find(|(unit, _)| text.ends_with(*unit))?;
    let count: u64 = number(text.strip_suffix(unit)?)?;
    Some(Duration::from_secs(count.checked_mul(seconds)?))
}

pub(super) fn number<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

pub(super) fn parse_address(text: &str, default_port: Option<u16>) -> Option<SocketAddr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let address: IpAddr = text.trim_matches(['[', ']']).parse().ok()?;
    default_port.map(|port| SocketAddr::new(address, port))
}

pub(super) fn parse_blocks(text: &str) -> Option<Vec<Cidr>> {
    text.split(',').map(|block| Cidr::parse(block.trim())).collect()
}

pub(super) fn parse_flood(text: &str) -> Option<Option<Flood>> {
    if text == "0" {
        return Some(None);
    }
    let (burst, rate) = text.split_once(',')?;
    let (burst, rate) = (number(burst.trim())?, number(rate.trim())?);
    // No limit on one of the two is no limit.
    Some((burst != 0 && rate != 0).then(|| Flood::new(burst, rate)))
}
