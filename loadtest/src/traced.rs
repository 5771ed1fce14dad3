//! The trace of a run: what passes over the wires of all clients, for the one checker that simulations and tests feed as
//! well. It checks nothing itself. What it is given is bytes; only `witness` has a socket, to read the history back.

use tertulia_wire::trace::{History, Recorder, Report, Tap, Trace, check};

mod judging;
mod witness;

/// The taps on all wires, and what they wrote down.
#[derive(Debug)]
pub(crate) struct Traced {
    recorder: Recorder,
    /// By client; the one behind the last is the witness's.
    taps: Vec<Tap>,
    /// All that is said in the run has a greater id.
    behind: u64,
}

impl Traced {
    /// Of so many clients, with place for so many records; none where there is to be none.
    pub(crate) fn wanted(clients: usize, records: usize) -> Option<Box<Self>> {
        // Others may talk at a server that runs already.
        let recorder = Recorder::among_strangers(Trace::holding(records));
        let taps = (0..=clients).map(|_| Tap::new()).collect();
        (records > 0).then(|| Box::new(Self { recorder, taps, behind: 0 }))
    }

    /// A client, or the witness, is connected anew, and is about to send this.
    pub(crate) fn connects(&mut self, number: usize, hello: &[u8]) {
        if let Some(tap) = self.taps.get_mut(number) {
            tap.connect();
            tap.sends(hello, &mut self.recorder);
        }
    }

    /// Bytes that are about to be sent.
    pub(crate) fn sends(&mut self, number: usize, bytes: &[u8]) {
        if let Some(tap) = self.taps.get_mut(number) {
            tap.sends(bytes, &mut self.recorder);
        }
    }

    /// Bytes that were heard, each once.
    pub(crate) fn hears(&mut self, number: usize, bytes: &[u8]) {
        if let Some(tap) = self.taps.get_mut(number) {
            tap.hears(bytes, &mut self.recorder);
        }
    }

    /// A client left to come back.
    pub(crate) fn leaves(&mut self) {
        self.recorder.trace.cut();
    }

    fn has_heard(&self, number: usize, id: u64) -> bool {
        self.taps.get(number).is_none_or(|tap| tap.has_heard(id))
    }

    /// It was waited until this client had heard what has this id.
    fn caught_up(&mut self, number: usize, id: u64) {
        if let Some(tap) = self.taps.get(number) {
            tap.caught_up(id, &mut self.recorder);
        }
    }

    fn check(&self, history: &History) -> Report {
        check(&self.recorder.trace, history)
    }
}
