//! Escaping then unescaping is identity; reading any tags ends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tertulia_wire::tags::{escape, split, unescape};

fuzz_target!(|text: &str| {
    let escaped = escape(text).into_owned();
    assert_eq!(unescape(&escaped), text);
    assert!(!escaped.contains([';', ' ', '\r', '\n']));
    if let Some((tags, _)) = split(text) {
        for (key, value) in tags.clone() {
            let _ = (key, value);
        }
        assert!(tags.count() <= text.len());
    }
});
