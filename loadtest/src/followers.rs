//! Receivers that hear the lines in the order of the transcript. What such a follower has heard follows from how far it
//! is, so that nothing has to be noted of it line by line; whoever does not follow is noted for itself.

use crate::stats::{Arrivals, Unsaid, behind};
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
            arrivals.set_row(receiver, Some(transcript.heard_at(place.cursor)));
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
    pub fn join(
        &mut self,
        receiver: u32,
        hears_itself: bool,
        transcript: &Transcript,
        arrivals: &mut Arrivals,
    ) {
        let Some(place) = self.places.get_mut(receiver as usize) else { return };
        let is_calm = transcript.end() >= transcript.in_turn_from() + CALM_LINES;
        if place.follows || !is_calm || place.cursor != transcript.end() {
            return;
        }
        let Some(row) = arrivals.row(receiver) else { return };
        let mut pairs = row.iter().zip(transcript.heard()).enumerate();
        place.follows = pairs.all(|(sender, (own, everybody))| {
            own == everybody || (sender == receiver as usize && !hears_itself)
        });
        if place.follows {
            arrivals.set_row(receiver, None);
        }
    }

    /// Whether all that a receiver has heard follows from its place.
    pub fn follows(&self, receiver: u32) -> bool {
        self.places.get(receiver as usize).is_some_and(|place| place.follows)
    }

    /// Lines of so many of each sender that come behind the last that was heard, of all followers together.
    /// `hears(receiver, sender)` says who is to hear whom.
    pub fn behind(
        &self,
        transcript: &Transcript,
        sent: &[u32],
        unsaid: &Unsaid,
        hears: impl Fn(u32, u16) -> bool,
    ) -> u64 {
        // Most are at the same place.
        let mut heard: (u64, Vec<u32>) = (u64::MAX, Vec::new());
        let mut lines = 0;
        for (receiver, place) in (0..).zip(&self.places).filter(|(_, place)| place.follows) {
            if heard.0 != place.cursor {
                heard = (place.cursor, transcript.heard_at(place.cursor));
            }
            lines += behind(&heard.1, sent, unsaid, |sender| hears(receiver, sender));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stamp::Stamp;

    #[test]
    fn pairs_are_kept_only_of_whoever_hears_out_of_turn_and_only_as_long() {
        let mut transcript = Transcript::new(2);
        let mut arrivals = Arrivals::new(2, 2, 0..0);
        let mut followers = Followers::new(2, 2);
        let line = |sequence| Stamp { sender: 1, sequence, due_us: 0 };
        for sequence in 0..2 {
            transcript.append(b"line", line(sequence), u64::from(sequence));
        }
        followers.advance(0, 1);
        assert_eq!((arrivals.row(0), arrivals.row(1)), (None, None));
        assert_eq!(followers.behind(&transcript, &[0, 5], &Unsaid::default(), |_, _| true), 4 + 5);
        followers.leave(0, &transcript, &mut arrivals);
        assert_eq!((arrivals.row(0), arrivals.row(1)), (Some(&[0, 1][..]), None));
        assert_eq!(followers.behind(&transcript, &[0, 5], &Unsaid::default(), |_, _| true), 5);
        for sequence in 2..CALM_LINES as u32 {
            transcript.append(b"line", line(sequence), u64::from(sequence));
        }
        for sequence in 1..CALM_LINES as u32 {
            assert!(arrivals.note(0, &line(sequence)));
        }
        followers.advance(0, transcript.end());
        followers.join(0, false, &transcript, &mut arrivals);
        assert!(followers.follows(0));
        assert_eq!(arrivals.row(0), None);
    }
}
