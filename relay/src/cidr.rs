//! Blocks of addresses.

use core::fmt;
use core::net::IpAddr;

/// What stands before an IPv4 address in IPv6 clothing (RFC 4291, section 2.5.5.2).
const MAPPED_BITS: u32 = 96;

/// A block of addresses, as `192.168.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr {
    address: IpAddr,
    prefix_bits: u32,
}

impl Cidr {
    /// Whether the address lies in the block. An IPv4 address in IPv6 clothing counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(block), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - self.prefix_bits).unwrap_or(0);
                block.to_bits() & mask == address.to_bits() & mask
            }
            (IpAddr::V6(block), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - self.prefix_bits).unwrap_or(0);
                block.to_bits() & mask == address.to_bits() & mask
            }
            _ => false,
        }
    }

    /// `ADDRESS` or `ADDRESS/BITS`. One of IPv4 addresses in IPv6 clothing is of those that they are.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.trim_matches(['[', ']']).parse().ok()?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = prefix.map_or(Some(bits_max), |prefix| prefix.parse().ok())?;
        let given = (prefix_bits <= bits_max).then_some(Self { address, prefix_bits })?;
        Some(match (address.to_canonical(), prefix_bits.checked_sub(MAPPED_BITS)) {
            (own @ IpAddr::V4(_), Some(prefix_bits)) if address.is_ipv6() => {
                Self { address: own, prefix_bits }
            }
            _ => given,
        })
    }

    /// What counts as one address: an IPv4 address, or the /64 of an IPv6 one.
    pub fn around(address: IpAddr) -> Self {
        match address.to_canonical() {
            address @ IpAddr::V4(_) => Self { address, prefix_bits: 32 },
            IpAddr::V6(address) => {
                Self { address: IpAddr::V6((address.to_bits() & (u128::MAX << 64)).into()), prefix_bits: 64 }
            }
        }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_counts_as_what_it_is_in_whichever_clothing_either_is_written() {
        let contains =
            |block: &str, address: &str| Cidr::parse(block).unwrap().contains(address.parse().unwrap());
        for block in ["192.0.2.7", "::ffff:192.0.2.7", "::ffff:192.0.2.0/120", "192.0.2.0/24"] {
            assert!(contains(block, "192.0.2.7") && contains(block, "::ffff:192.0.2.7"), "{block}");
            assert!(!contains(block, "192.0.3.7") && !contains(block, "2001:db8::1"), "{block}");
        }
        assert_eq!(Cidr::parse("::ffff:192.0.2.7/128"), Cidr::parse("192.0.2.7"));
        assert!(contains("::/0", "2001:db8::1") && contains("::ffff:0:0/96", "192.0.2.7"));
        assert_eq!(
            (Cidr::parse("192.0.2.7/33"), Cidr::parse("::1/129"), Cidr::parse("")),
            (None, None, None)
        );
    }
}
