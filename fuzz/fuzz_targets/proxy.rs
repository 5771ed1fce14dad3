//! Whatever a proxy says first: it is read within what there is, and the same in whichever pieces it comes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tertulia_relay::proxy::{Parsed, parse};

fuzz_target!(|bytes: &[u8]| {
    let whole = parse(bytes);
    if let Parsed::Header(length, _) = whole {
        assert!(length <= bytes.len());
        assert_eq!(parse(&bytes[..length]), whole);
    }
    for end in 0..bytes.len() {
        match parse(&bytes[..end]) {
            Parsed::Incomplete => {}
            early => assert_eq!(early, whole, "after {end} bytes"),
        }
    }
});
