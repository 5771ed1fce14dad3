//! What is read from a command, written and read again, is the same. Of the commands of accounts no input is too much.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tertulia_wire::account::AccountCommand;
use tertulia_wire::command::Command;

fuzz_target!(|line: &str| {
    let _ = AccountCommand::parse(line);
    if let Ok(command) = Command::parse(line) {
        let written = command.to_string();
        let rest = written.strip_prefix('/').unwrap();
        // A name with `=` or an escape may be written in another way, but writing settles it.
        let again = Command::parse(rest).unwrap();
        assert_eq!(again.to_string(), written);
    }
});
