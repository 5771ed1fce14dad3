//! Lines beside the transcript: the next ones of it, and any other.

use super::Tally;
use super::extended::ids;
use crate::answers::Answers;
use crate::protocol::id;
use crate::stamp::Stamp;
use crate::stats::Arrivals;
use crate::transcript::Entry;

impl Tally {
    /// Takes the lines that are the next ones of the transcript, its own left out. Gives how many bytes they were.
    pub(super) fn hear_known(&mut self, receiver: u32, bytes_heard: &[u8], now_us: u64) -> usize {
        let hears_itself = self.plan.protocol.hears_itself();
        let is_awaited = (receiver as usize) < self.steady;
        let Self { transcript, arrivals, flights, freed, followers, extended, .. } = self;
        let (mut cursor, follows) = followers.place(receiver);
        let mut answers = extended.as_mut().map(|extended| &mut extended.answers);
        let (mut heard_bytes, mut heard_lines, mut last_bytes) = (0, 0, 0);
        loop {
            let run = transcript.from(cursor);
            let (lines, bytes) = run.same(bytes_heard.get(heard_bytes..).unwrap_or_default());
            let mut begin = heard_bytes;
            heard_bytes += bytes;
            last_bytes = lines.last().map_or(last_bytes, Entry::bytes);
            for line in lines {
                let piece = bytes_heard.get(begin..).unwrap_or_default();
                begin += line.bytes();
                // What a follower hears is in turn.
                if follows || note(arrivals, answers.as_deref_mut(), receiver, &line.stamp, piece) {
                    heard_lines += 1;
                    if flights.land(line.flight, &line.stamp, receiver, now_us, is_awaited) {
                        freed.push(line.stamp.sender);
                    }
                }
            }
            // What stands next in the transcript, and did not come, may be its own.
            let next = run.behind(lines.len()).first();
            let is_own = next.is_some_and(|line| u32::from(line.stamp.sender) == receiver) && !hears_itself;
            let passed = lines.len() + usize::from(is_own);
            cursor += passed as u64;
            if passed == 0 {
                break;
            }
        }
        followers.advance(receiver, cursor);
        if heard_lines > 0 {
            self.last_heard_us = now_us;
            self.churned += if is_awaited { 0 } else { heard_lines };
            if follows {
                arrivals.note_in_turn(heard_lines);
            } else if is_awaited {
                followers.join(receiver, hears_itself, transcript, arrivals);
            }
            // Its lines are all heard for the first time, and those of the transcript have growing ids.
            let heard = bytes_heard.get(..heard_bytes).filter(|_| follows && self.extended.is_some());
            if let Some(ids) = heard.and_then(|heard| ids(heard, last_bytes)) {
                self.check_ids(receiver, ids, true);
            }
        }
        heard_bytes
    }

    /// A line that is not the next one of the transcript: one that is not there yet, or in another order, or again.
    /// `id`: where lines have one.
    pub(super) fn take_line(
        &mut self,
        receiver: u32,
        piece: &[u8],
        stamp: &Stamp,
        id: Option<u64>,
        now_us: u64,
    ) {
        let is_own = self.know(stamp, id);
        let flight = self.flights.number(stamp);
        let place = flight.and_then(|flight| {
            let place = self.flights.place(flight);
            place.or_else(|| self.append(receiver, piece, stamp, flight, id.filter(|_| is_own)))
        });
        let (cursor, follows) = self.followers.place(receiver);
        let disordered = self.arrivals.counts().out_of_order;
        let is_first_time = if follows && place == Some(cursor) {
            self.arrivals.note_in_turn(1);
            true
        } else {
            self.followers.leave(receiver, &self.transcript, &mut self.arrivals);
            self.arrivals.note(receiver, stamp)
        };
        if let Some(place) = place {
            self.followers.advance(receiver, place + 1);
        }
        if is_first_time {
            if let Some(id) = id.filter(|_| disordered == self.arrivals.counts().out_of_order) {
                self.check_ids(receiver, (id, id), is_own);
            }
            self.last_heard_us = now_us;
            let is_awaited = (receiver as usize) < self.steady;
            self.churned += u64::from(!is_awaited);
            if self.flights.land(flight.unwrap_or(u64::MAX), stamp, receiver, now_us, is_awaited) {
                self.freed.push(stamp.sender);
            }
        }
    }

    /// Appends a line to the transcript, if this receiver is one that writes it: whoever does not hear its own lines
    /// leaves them out, so that those of its listeners who come later would not find the order in which they hear them.
    /// Who follows has to hear in turn, and nothing that is no longer there. A line whose id is not its own, or not above
    /// the last one's, is left out as well: whoever hears it is looked at by itself.
    fn append(
        &mut self,
        receiver: u32,
        piece: &[u8],
        stamp: &Stamp,
        flight: u64,
        id: Option<u64>,
    ) -> Option<u64> {
        let listens_only = receiver as usize >= self.plan.senders;
        if !listens_only && self.has_listeners && !self.plan.protocol.hears_itself() {
            return None;
        }
        if let Some(extended) = &mut self.extended {
            let id = id.filter(|id| extended.grows(*id))?;
            extended.note_appended(id);
        }
        let Self { transcript, arrivals, followers, .. } = self;
        let oldest = transcript.oldest_after_append();
        if !transcript.is_in_turn(stamp) {
            followers.leave_before(u64::MAX, transcript, arrivals);
        } else if oldest > transcript.oldest() {
            followers.leave_before(oldest, transcript, arrivals);
        }
        let place = transcript.append(piece, *stamp, flight);
        self.flights.set_place(flight, place);
        Some(place)
    }
}

/// Notes the line that `bytes` begin with, heard by somebody who does not follow the transcript, and its id, if it has one
/// and is in its sender's order. True: it was heard for the first time.
fn note(
    arrivals: &mut Arrivals,
    answers: Option<&mut Answers>,
    receiver: u32,
    stamp: &Stamp,
    bytes: &[u8],
) -> bool {
    let disordered = arrivals.counts().out_of_order;
    if !arrivals.note(receiver, stamp) {
        return false;
    }
    let answers = answers.filter(|_| disordered == arrivals.counts().out_of_order);
    let is_below = answers.zip(id(bytes)).is_some_and(|(answers, id)| !answers.advance(receiver, id, id));
    if is_below {
        arrivals.note_out_of_order();
    }
    true
}
