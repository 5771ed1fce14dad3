//! What is read from a line, written and read again, is the same; names that come out of it are valid.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tertulia_wire::limits::QUOTE_BYTES_MAX;
use tertulia_wire::message::{Message, RelayLine, fit_quote};
use tertulia_wire::name::Name;

fuzz_target!(|line: &str| {
    let message = Message::parse(line);
    let written = message.to_string();
    assert_eq!(Message::parse(&written), message);
    if let Message::Join(name) | Message::Leave(name) | Message::Say { name, .. } | Message::Reply { name, .. } = message {
        assert!(Name::parse(name.as_str()).is_ok());
    }
    let quote = fit_quote(line);
    assert!(quote.len() <= QUOTE_BYTES_MAX && !quote.contains("']"));
    if let Some(line) = RelayLine::parse(line) {
        let written = line.to_string();
        assert_eq!(RelayLine::parse(&written), Some(line));
    }
});
