//! The flags for clients of whom many come from one address: behind a proxy, or behind one router.

use std::net::SocketAddr;

use super::values::{parse_address, parse_blocks};
use super::{Cidr, OptionsError};

/// Where proxies bring clients, and which proxies; and who else shares an address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProxyOptions {
    /// Where to listen.
    pub listen: Vec<SocketAddr>,
    /// From where a proxy may connect.
    pub from: Vec<Cidr>,
    /// Addresses free of `max_per_ip` alone: networks behind one address.
    pub exempt: Vec<Cidr>,
}

pub(super) const FLAGS: [&str; 3] = ["proxy-listen", "proxy-from", "max-per-ip-exempt"];

impl ProxyOptions {
    pub(super) fn read_flag(
        &mut self,
        flag: &str,
        value: &str,
        wrong: impl Fn(&str) -> OptionsError,
    ) -> Result<(), OptionsError> {
        let blocks = || parse_blocks(value).ok_or_else(|| wrong("addresses, as 127.0.0.1,10.0.0.0/8"));
        match flag {
            "proxy-listen" => {
                let address = parse_address(value, None);
                self.listen.push(address.ok_or_else(|| wrong("an address with a port, as 127.0.0.1:2002"))?);
            }
            "proxy-from" => self.from.extend(blocks()?),
            _ => self.exempt.extend(blocks()?),
        }
        Ok(())
    }

    /// What was said about it must be complete.
    pub(super) fn check(&self) -> Result<(), OptionsError> {
        match (self.listen.is_empty(), self.from.is_empty()) {
            (false, true) => Err(OptionsError(
                "--proxy-listen: --proxy-from CIDR must say which proxies to believe".into(),
            )),
            (true, false) => Err(OptionsError("--proxy-from: --proxy-listen ADDR must go with it".into())),
            _ => Ok(()),
        }
    }
}
