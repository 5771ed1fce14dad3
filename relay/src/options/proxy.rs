//! The flags of the PROXY protocol.

use std::net::SocketAddr;

use super::{Cidr, OptionsError, parse_address, parse_blocks};

/// Where proxies bring clients, and which proxies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProxyOptions {
    /// Where to listen.
    pub listen: Vec<SocketAddr>,
    /// From where a proxy may connect.
    pub from: Vec<Cidr>,
}

pub(super) const FLAGS: [&str; 2] = ["proxy-listen", "proxy-from"];

impl ProxyOptions {
    pub(super) fn read_flag(
        &mut self,
        flag: &str,
        value: &str,
        wrong: impl Fn(&str) -> OptionsError,
    ) -> Result<(), OptionsError> {
        if !cfg!(feature = "proxy") {
            return Err(OptionsError(format!("--{flag}: this relay was built without proxy")));
        }
        if flag == "proxy-listen" {
            let address = parse_address(value, None);
            self.listen.push(address.ok_or_else(|| wrong("an address with a port, as 127.0.0.1:2002"))?);
        } else {
            self.from.extend(parse_blocks(value).ok_or_else(|| wrong("addresses, as 127.0.0.1,10.0.0.0/8"))?);
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
