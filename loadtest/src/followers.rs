//! Receivers that hear the lines in the order of the transcript. What such a follower has heard follows from how far it
//! is, so that nothing has to be noted of it line by line; whoever does not follow is noted for itself.

use crate::stats::Arrivals;
use crate::transcript::{BLOCK_LINES, Transcript};

/// Nobody begins to follow before so many lines in turn: in a disorder they would only have to leave again.
const CALM_LINES: u64 = BLOCK_LINES as u64;

/// Where each receiver is in the transcript, and whether it follows it.
#[derive(Debug)]
pub struct Followers {
    places: Vec<Place>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    /// Number of the line that it is to hear next.
    cursor: u64,
    follows: bool,
}

impl Followers {
    /// For so many receivers, of which the first `steady` stay: only those can follow.
    pub fn new(receivers: usize, steady: usize) -> Self {
        let place = |receiver| Place { cursor: 0, follows: receiver < steady };
        Self { places: (0..receivers).map(place).collect() }
    }

    /// The number of the line that a receiver is to hear next, and whether all it has heard are those before.
    pub fn place(&self, receiver: u32) -> (u64, bool) {
        self.places.get(receiver as usize).map_or((0, false), |place| (place.cursor, place.follows))
    }

    /// A receiver is further now.
    pub fn advance(&mut self, receiver: u32, cursor: u64) {
        if let Some(place) = self.places.get_mut(receiver as usize) {
            place.cursor = cursor;
        }
    }

    /// A receiver hears something else than what comes next: from now on it is noted for itself.
    pub fn leave(&mut self, receiver: u32, transcript: &Transcript, arrivals: &mut Arrivals) {
        let place = self.places.get_mut(receiver as usize).filter(|place| place.follows);
        if let Some(place) = place {
            place.follows = false;
            arrivals.set_row(receiver, &transcript.heard_at(place.cursor));
        }
    }

    /// Lets those leave that are to hear a line before this one.
    pub fn leave_before(&mut self, line: u64, transcript: &Transcript, arrivals: &mut Arrivals) {
        for receiver in 0..self.places.len() {
            let place = self.places.get(receiver);
            if place.is_some_and(|place| place.follows && place.cursor < line) {
                self.leave(receiver as u32, transcript, arrivals);
            }
        }
    }

    /// A receiver that has heard all there is in the transcript follows it, if it has heard what that says.
    /// `hears_itself`: its own lines are among those.
    pub fn join(&mut self, receiver: u32, hears_itself: bool, transcript: &Transcript, arrivals: &Arrivals) {
        let Some(place) = self.places.get_mut(receiver as usize) else { return };
        let is_calm = transcript.end() >= transcript.in_turn_from() + CALM_LINES;
        if place.follows || !is_calm || place.cursor != transcript.end() {
            return;
        }
        let mut pairs = arrivals.row(receiver).iter().zip(transcript.heard()).enumerate();
        place.follows = pairs.all(|(sender, (own, everybody))| {
            own == everybody || (sender == receiver as usize && !hears_itself)
        });
    }

    /// What each follower has heard, written down as if it were noted for itself.
    pub fn write_down(&self, transcript: &Transcript, arrivals: &mut Arrivals) {
        let mut written: (u64, Vec<u32>) = (u64::MAX, Vec::new());
        for (receiver, place) in self.places.iter().enumerate().filter(|(_, place)| place.follows) {
            if written.0 != place.cursor {
                written = (place.cursor, transcript.heard_at(place.cursor));
            }
            arrivals.set_row(receiver as u32, &written.1);
        }
    }
}
