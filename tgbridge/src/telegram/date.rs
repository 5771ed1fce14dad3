//! The date of an HTTP answer. Holds no clock.

use tertulia_wire::time;

/// The names of months as HTTP has them, in order.
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `Sun, 06 Nov 1994 08:49:37 GMT` in milliseconds since 1970. None: it is not of that form, or before 1970.
///
/// Source: RFC 9110, section 5.6.7. The two older forms, which no server may send, are not read.
pub fn unix_ms(text: &str) -> Option<u64> {
    let (_, date) = text.split_once(", ")?;
    let words: Vec<&str> = date.split(' ').collect();
    let &[day, month, year, clock, "GMT"] = words.as_slice() else { return None };
    let month = MONTHS.iter().position(|name| *name == month)?.saturating_add(1);
    time::unix_ms(&format!("{year}-{month:02}-{day}T{clock}.000Z"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_date_of_the_rfc_is_read_and_what_is_none_is_not() {
        assert_eq!(unix_ms("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777_000));
        for text in [
            "",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nov 1994 24:49:37 GMT",
        ] {
            assert_eq!(unix_ms(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), tail in ".*") {
            let _ = unix_ms(&text);
            let _ = unix_ms(&format!("Sun, 06 Nov {tail}"));
        }
    }
}
