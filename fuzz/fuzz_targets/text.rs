//! Clean text has nothing dirty in it and is its own cleaning; a cut ends between characters.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tertulia_wire::text::{clean, cut, is_dirty, join_lines};

fuzz_target!(|input: (u8, &str)| {
    let (bytes_max, text) = (usize::from(input.0), input.1);
    let once = clean(text).into_owned();
    assert!(!once.chars().any(is_dirty));
    assert_eq!(clean(&once), once.as_str());
    assert!(cut(text, bytes_max).len() <= bytes_max && text.starts_with(cut(text, bytes_max)));
    assert!(!join_lines(text).contains('\n'));
});
