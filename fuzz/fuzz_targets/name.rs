//! A valid name has no character that could forge or hide, and its parts make up the whole.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tertulia_wire::limits::{NAME_BYTES_MAX, ROOM_BYTES_MAX};
use tertulia_wire::name::{Name, check_room};
use tertulia_wire::text::is_dirty;

fuzz_target!(|text: &str| {
    if let Ok(name) = Name::parse(text) {
        assert_eq!(format!("{}{}", name.base(), name.tail()), name.as_str());
        assert!(text.starts_with(name.as_str()));
        assert!(name.base().len() <= NAME_BYTES_MAX && name.tail().len() <= NAME_BYTES_MAX + 3);
        assert!(!name.as_str().contains(':') && !name.as_str().chars().any(is_dirty));
        assert_eq!(Name::parse(name.as_str()), Ok(name));
        assert_eq!(Name::parse(name.base()).map(|base| base.as_str()), Ok(name.base()));
    }
    if check_room(text).is_ok() {
        assert!(text.len() <= ROOM_BYTES_MAX && !text.contains(char::is_whitespace));
    }
});
