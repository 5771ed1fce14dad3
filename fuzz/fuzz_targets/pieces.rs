//! Whatever a server sends to the load generator: no panic, no piece without bytes, none longer than what came.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tertulia_loadtest::protocol::{Kind, Protocol};
use tertulia_loadtest::stamp::{Sizes, Stamp};

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else { return };
    let protocol = Protocol::ALL[usize::from(*first) % Protocol::ALL.len()];
    let sizes = Sizes { min_bytes: 27, max_bytes: 200 };
    let mut rest = bytes;
    while let Some(piece) = protocol.split(rest, sizes) {
        assert!(piece.bytes > 0 && piece.bytes <= rest.len(), "{protocol}");
        if let Kind::Said { text, .. } = piece.kind {
            let _ = Stamp::read(text, sizes);
        }
        rest = &rest[piece.bytes..];
    }
});
