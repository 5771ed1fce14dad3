//! What is read from a hello or a labeled line, written and read again, is the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tertulia_wire::extended::{Hello, Labeled};

fuzz_target!(|line: &str| {
    // Writing settles what was written in another way.
    let written = Hello::parse(line).to_string();
    let rest = written.strip_prefix("/hello").unwrap();
    assert_eq!(Hello::parse(rest).to_string(), written);
    if let Ok(said) = Labeled::parse(line) {
        let written = said.to_string();
        assert_eq!(Labeled::parse(&written), Ok(said));
    }
});
