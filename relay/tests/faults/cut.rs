//! Connections that are cut at any byte, and answers that are lost on their way.

use crate::extended::{Kept, Speaker, in_file};
use crate::support::{Client, Folder, Relay};

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// What the kernel has not sent yet is lost.
    Reset,
    /// What was sent arrives, and nothing more: the program died, or a proxy lost its other side.
    Closed,
}

const CUTS: [Cut; 2] = [Cut::Reset, Cut::Closed];

impl Cut {
    fn end(self, client: Client) {
        match self {
            Self::Reset => client.reset(),
            Self::Closed => drop(client),
        }
    }
}

/// Ana, who is cut again and again, and Luis, who listens.
struct Pair {
    folder: Folder,
    relay: Relay,
    ana: Speaker,
    luis: Client,
}

impl Pair {
    fn new() -> Self {
        let folder = Folder::new();
        let relay = folder.relay(&[]);
        let luis = relay.named("Luis");
        let ana = Speaker::greet(relay.address(), "Ana");
        let mut pair = Self { folder, relay, ana, luis };
        pair.luis.forget();
        pair
    }

    /// Cuts Ana's connection behind these bytes, and lets her come back.
    fn cut(&mut self, bytes: &[u8], how: Cut) {
        let mut client = self.relay.client();
        std::mem::swap(&mut client, &mut self.ana.client);
        client.send_bytes(bytes);
        how.end(client);
        self.ana = Speaker::back(self.relay.address(), &self.ana.token);
    }

    /// Ana says a line, for the first time or again. Gives its id.
    fn say(&mut self, label: &str, text: &str) -> u64 {
        self.ana.say(label, text);
        self.ana.acknowledged(label)
    }

    /// The lines with these ids, labels and texts are in the file, and no others.
    fn assert_kept(self, expected: Vec<Kept>) {
        self.relay.stop();
        assert_eq!(in_file(&self.folder.file()), expected);
    }
}

fn kept(id: u64, label: &str, text: &str) -> Kept {
    Kept { id, label: label.to_owned(), text: text.to_owned() }
}

#[test]
fn a_line_cut_at_any_byte_and_said_again_is_kept_and_heard_once() {
    let mut pair = Pair::new();
    let mut expected = Vec::new();
    for how in CUTS {
        let length = "@label=Closed-99 ¿qué? 🙂\n".len();
        for cut in 0..=length {
            let (label, text) = (format!("{how:?}-{cut:02}"), "¿qué? 🙂");
            let line = format!("@label={label} {text}\n");
            pair.cut(&line.as_bytes()[..cut.min(line.len())], how);
            let id = pair.say(&label, text);
            expected.push(kept(id, &label, text));
            pair.luis.hears(&["Ana: ¿qué? 🙂"]);
        }
    }
    pair.assert_kept(expected);
}

#[test]
fn whoever_is_cut_within_a_hello_comes_back_and_what_it_says_again_is_kept_and_heard_once() {
    let mut pair = Pair::new();
    let id = pair.say("1", "hola");
    pair.luis.hears(&["Ana: hola"]);
    let hello = format!("/hello v=1 resume={} after={id}\n", pair.ana.token);
    for how in CUTS {
        for cut in 0..=hello.len() {
            let mut client = pair.relay.client();
            client.send_bytes(&hello.as_bytes()[..cut]);
            how.end(client);
            pair.ana = Speaker::back(pair.relay.address(), &pair.ana.token);
            assert_eq!(pair.say("1", "hola"), id, "{how:?} at {cut}");
        }
    }
    pair.luis.hears(&[]);
    pair.assert_kept(vec![kept(id, "1", "hola")]);
}

#[test]
fn of_a_first_hello_that_is_cut_nothing_is_left() {
    let mut pair = Pair::new();
    let hello = "/hello v=1 name=Eva room=cocina\n";
    for cut in 0..hello.len() {
        let mut client = pair.relay.client();
        client.send_bytes(&hello.as_bytes()[..cut]);
        client.reset();
        pair.luis.hears(&[]);
    }
    let mut eva = Speaker::greet(pair.relay.address(), "Eva");
    eva.client.hears(&[]);
    pair.luis.hears(&["Eva se ha unido al chat."]);
}

#[test]
fn whoever_is_cut_within_a_goodbye_comes_back_and_what_it_says_again_is_kept_and_heard_once() {
    let mut pair = Pair::new();
    let id = pair.say("1", "hola");
    pair.luis.hears(&["Ana: hola"]);
    for how in CUTS {
        for cut in 0..=b"/quit\n".len() {
            pair.cut(&b"/quit\n"[..cut], how);
            assert_eq!(pair.say("1", "hola"), id, "{how:?} at {cut}");
            let heard = pair.luis.all_lines();
            let has_left = ["Ana ha abandonado el chat.", "Ana se ha unido al chat."];
            assert!(heard.is_empty() || heard == has_left, "{how:?} at {cut}: {heard:?}");
            assert!(heard.is_empty() || cut == b"/quit\n".len(), "gone with half a word: {how:?} at {cut}");
        }
    }
    pair.assert_kept(vec![kept(id, "1", "hola")]);
}

#[test]
fn an_acknowledgement_that_is_lost_comes_again_and_the_line_is_not_said_again() {
    let mut pair = Pair::new();
    let mut expected = Vec::new();
    for (number, how) in (0..40).zip(CUTS.into_iter().cycle()) {
        let (label, text) = (number.to_string(), format!("hola {number}"));
        pair.ana.say(&label, &text);
        pair.luis.expect_line(&format!("Ana: {text}"));
        if number % 4 < 2 {
            // It is kept: the answer is on its way, unread.
            pair.ana.client.stream().peek(&mut [0]).unwrap();
        }
        pair.cut(b"", how);
        let id = pair.say(&label, &text);
        assert_eq!(pair.say(&label, &text), id);
        expected.push(kept(id, &label, &text));
    }
    pair.luis.hears(&[]);
    pair.assert_kept(expected);
}

#[test]
fn an_acknowledgement_that_is_lost_with_the_relay_comes_again_and_the_line_is_kept_once() {
    let mut pair = Pair::new();
    let mut expected = Vec::new();
    for number in 0..5 {
        let (label, text) = (number.to_string(), format!("hola {number}"));
        pair.ana.say(&label, &text);
        let ack = pair.ana.wait_for(&format!("* ACK label={label} "));
        pair.relay.signal("KILL");
        let restarted = pair.folder.relay(&[]);
        drop(std::mem::replace(&mut pair.relay, restarted));
        pair.ana = Speaker::back(pair.relay.address(), &pair.ana.token);
        pair.ana.say(&label, &text);
        assert_eq!(pair.ana.wait_for(&format!("* ACK label={label} ")), ack);
        let id = crate::extended::word(&ack, "id").parse().unwrap();
        expected.push(kept(id, &label, &text));
    }
    pair.assert_kept(expected);
}
