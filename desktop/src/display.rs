//! Whether there is a display to open a window on. The toolkit ends the program where there is none, with a sentence for
//! programmers; so it is looked at first. Knows X11's addresses and nothing of its protocol.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};

use crate::phrases::{Phrase, Sentence};

/// Whether the display of this name, as `DISPLAY` has it, can be there. An error: why not, for people. Of a display on
/// another machine only its name is looked at.
pub fn check(display: &str) -> Result<(), Sentence> {
    if display.is_empty() {
        return Err(Phrase::NoDisplay.into());
    }
    let is_there = local_number(display).is_none_or(answers);
    if is_there { Ok(()) } else { Err(Sentence::new(Phrase::DisplayGone, &[display])) }
}

/// The number of a display of this machine: `:1`, `:1.0`, `unix:1`. None: it is elsewhere.
fn local_number(display: &str) -> Option<u32> {
    let (host, rest) = display.rsplit_once(':')?;
    let number = rest.split_once('.').map_or(rest, |(number, _screen)| number);
    matches!(host, "" | "unix").then(|| number.parse().ok()).flatten()
}

/// Whether anybody listens where displays do.
fn answers(number: u32) -> bool {
    let path = format!("/tmp/.X11-unix/X{number}");
    let is_by_name =
        SocketAddr::from_abstract_name(&path).is_ok_and(|address| UnixStream::connect_addr(&address).is_ok());
    is_by_name || UnixStream::connect(&path).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_display_of_this_machine_has_a_number() {
        let cases = [
            (":1", Some(1)),
            (":10.0", Some(10)),
            ("unix:2", Some(2)),
            ("localhost:10.0", None),
            ("casa:1", None),
            ("1", None),
            (":x", None),
        ];
        for (display, expected) in cases {
            assert_eq!(local_number(display), expected, "{display}");
        }
    }

    #[test]
    fn where_there_is_no_display_it_is_told() {
        assert_eq!(check("").unwrap_err().phrase(), Phrase::NoDisplay);
        // Displays are numbered from zero.
        assert_eq!(check(":4000000000").unwrap_err().phrase(), Phrase::DisplayGone);
        assert_eq!(check("casa:0"), Ok(()), "another machine's");
    }
}
