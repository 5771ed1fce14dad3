//! Blocks of addresses.

use core::fmt;
use core::net::IpAddr;

/// What stands before an IPv4 address in IPv6 clothing (RFC 4291, section 2.5.5.2).
const MAPPED_BITS: u32 = 96;

/// A block of addresses, as `192.168.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr {
    /// The first one.
    address: IpAddr,
    prefix_bits: u32,
}

impl Cidr {
    /// Whether the address lies in the block. An IPv4 address in IPv6 clothing counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && Self::of(address, self.prefix_bits) == *self
    }

    /// `ADDRESS` or `ADDRESS/BITS`. However it is written a block is one: what stands behind its bits does not count, and
    /// one of IPv4 addresses in IPv6 clothing is of those that they are.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.trim_matches(['[', ']']).parse().ok()?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let bits: Option<u32> = prefix.map_or(Some(bits_max), |prefix| prefix.parse().ok());
        let bits = bits.filter(|bits| *bits <= bits_max)?;
        match (address.to_canonical(), bits.checked_sub(MAPPED_BITS)) {
            (inside @ IpAddr::V4(_), Some(bits)) if address.is_ipv6() => Some(Self::of(inside, bits)),
            _ => Some(Self::of(address, bits)),
        }
    }

    /// Whether it has all addresses of its family.
    pub fn is_everybody(&self) -> bool {
        self.prefix_bits == 0
    }

    /// What counts as one address: an IPv4 address, or the /64 of an IPv6 one.
    pub fn around(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self::of(address, if address.is_ipv4() { 32 } else { 64 })
    }

    /// The block of so many bits around an address.
    fn of(address: IpAddr, prefix_bits: u32) -> Self {
        let address = match address {
            IpAddr::V4(address) => {
                let mask = 32_u32.checked_sub(prefix_bits).and_then(|free| u32::MAX.checked_shl(free));
                IpAddr::V4((address.to_bits() & mask.unwrap_or(0)).into())
            }
            IpAddr::V6(address) => {
                let mask = 128_u32.checked_sub(prefix_bits).and_then(|free| u128::MAX.checked_shl(free));
                IpAddr::V6((address.to_bits() & mask.unwrap_or(0)).into())
            }
        };
        Self { address, prefix_bits }
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

    fn block(text: &str) -> Cidr {
        Cidr::parse(text).unwrap()
    }

    #[test]
    fn a_block_is_one_however_it_is_written() {
        let same = [
            ("5.5.5.7/24", "5.5.5.0/24"),
            ("::ffff:5.5.5.5", "5.5.5.5"),
            ("::ffff:5.5.5.7/120", "5.5.5.0/24"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
            ("[2001:db8::1]/32", "2001:db8::/32"),
            ("2001:db8:0:0:1::9/64", "2001:db8::/64"),
            ("9.9.9.9/0", "0.0.0.0/0"),
        ];
        for (one, other) in same {
            assert_eq!(block(one), block(other), "{one} {other}");
            assert_eq!(block(one).to_string(), block(other).to_string());
        }
        assert_eq!(block("5.5.5.7").to_string(), "5.5.5.7/32");
    }

    #[test]
    fn an_address_counts_as_what_it_is_in_whichever_clothing_either_is_written() {
        let contains = |text: &str, address: &str| block(text).contains(address.parse().unwrap());
        for text in ["192.0.2.7", "::ffff:192.0.2.7", "::ffff:192.0.2.0/120", "192.0.2.0/24"] {
            assert!(contains(text, "192.0.2.7") && contains(text, "::ffff:192.0.2.7"), "{text}");
            assert!(!contains(text, "192.0.3.7") && !contains(text, "2001:db8::1"), "{text}");
        }
        assert!(contains("0.0.0.0/0", "255.255.255.255") && !contains("0.0.0.0/0", "2001:db8::1"));
        assert!(contains("::/0", "2001:db8::1"));
        assert!(contains("2001:db8::/32", "2001:db8:ffff::1"));
        assert!(!contains("2001:db8::/33", "2001:db8:ffff::1"));
    }

    #[test]
    fn what_is_no_block_is_none() {
        for text in ["", "5.5.5", "5.5.5.5/33", "::1/129", "::1/", "5.5.5.5/-1", "Ana", "5.5.5.5/24/1"] {
            assert_eq!(Cidr::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_counts_as_one_address_is_ipv4_whole_and_half_of_ipv6() {
        assert_eq!(Cidr::around("::ffff:5.5.5.5".parse().unwrap()), block("5.5.5.5"));
        assert_eq!(Cidr::around("2001:db8::1:2:3:4".parse().unwrap()), block("2001:db8::/64"));
    }
}
