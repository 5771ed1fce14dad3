//! Harms, each done to an honest run in one way. One says `None` where it cannot be done.

use tertulia_wire::trace::Violation;

use crate::world::{Event, Rng, Run, Spoken};

pub(crate) struct Sabotage {
    pub(crate) name: &'static str,
    pub(crate) harm: fn(&mut Run, &mut Rng) -> Option<()>,
    pub(crate) is_found_by: fn(&Violation) -> bool,
}

macro_rules! sabotages {
    ($($harm:ident => $pattern:pat,)*) => {
        pub(crate) const SABOTAGES: &[Sabotage] = &[$(Sabotage {
            name: stringify!($harm),
            harm: $harm,
            is_found_by: |violation| matches!(violation, $pattern),
        },)*];
    };
}

sabotages! {
    an_acknowledged_line_is_lost => Violation::AckedMissing { .. },
    a_line_is_kept_under_another_id_than_acknowledged => Violation::AckedUnderOtherId { .. },
    a_row_is_doubled => Violation::KeptTwice { .. },
    a_line_is_kept_again_under_a_new_id => Violation::KeptTwice { .. },
    a_label_is_kept_with_another_text => Violation::KeptTwice { .. },
    rows_are_out_of_order => Violation::HistoryUnsorted { .. },
    an_acknowledgement_is_repeated_with_another_id => Violation::AckedTwice { .. },
    an_acknowledgement_is_repeated_with_another_time => Violation::TimeDiffers { .. },
    a_time_changes_in_the_history => Violation::TimeDiffers { .. },
    an_acknowledged_line_is_then_not_kept => Violation::AnswersDiffer { .. },
    a_line_that_is_not_kept_is_kept => Violation::NotKeptIsKept { .. },
    an_answer_has_nobodys_label => Violation::AnsweredUnasked { .. },
    an_id_goes_back_in_time => Violation::IdBackInTime { .. },
    an_id_is_used_again => Violation::IdReused { .. },
    an_id_is_used_again_after_a_restart => Violation::IdReused { .. },
    two_lines_of_a_sender_change_places => Violation::SenderReordered { .. },
    two_lines_change_places_in_an_ear => Violation::HeardBackInTime { .. },
    a_cursor_skips_a_line => Violation::Skipped { .. },
    a_cursor_skips_a_line_that_a_crash_loses => Violation::Skipped { .. },
    the_last_line_is_not_heard => Violation::Skipped { .. } | Violation::ResumedLate { .. },
    a_line_is_heard_twice => Violation::HeardTwice { .. },
    a_line_is_heard_again_under_a_new_id => Violation::HeardAgain { .. },
    a_line_is_heard_under_an_id_that_it_never_had => Violation::TwoIds { .. },
    a_gap_is_not_announced => Violation::Skipped { .. } | Violation::ResumedLate { .. },
    a_gap_begins_too_late => Violation::Skipped { .. } | Violation::ResumedLate { .. },
    a_gap_is_announced_over_what_was_heard => Violation::GapMisplaced { .. },
    a_resume_begins_too_late => Violation::ResumedLate { .. },
    a_resume_begins_with_what_was_heard => Violation::HeardTwice { .. },
    a_sender_hears_itself => Violation::OwnLineHeard { .. },
    a_line_is_heard_that_nobody_said => Violation::NobodySaid { .. },
    a_line_is_kept_that_nobody_said => Violation::NobodySaid { .. },
    a_text_changes_on_the_way => Violation::TextChanged { .. },
    a_text_changes_in_the_history => Violation::TextChanged { .. },
    a_name_is_forged => Violation::NameForged { .. },
    a_name_changes_in_the_history => Violation::NameForged { .. },
    a_line_is_kept_in_another_room => Violation::WrongRoom { .. },
    a_line_is_heard_in_another_room => Violation::WrongRoom { .. },
    a_refused_line_is_heard => Violation::RefusedHeard { .. },
    a_refused_line_is_kept => Violation::RefusedKept { .. },
    two_sessions_share_a_sid => Violation::SidShared { .. },
    a_session_changes_its_sid => Violation::SidChanged { .. },
}

/// The index of one of the events that are meant.
fn some_event(run: &Run, rng: &mut Rng, is_meant: impl Fn(usize, &Event) -> bool) -> Option<usize> {
    let events = run.events.iter().enumerate();
    let meant: Vec<usize> = events.filter(|(at, event)| is_meant(*at, event)).map(|(at, _)| at).collect();
    rng.pick(&meant).copied()
}

fn some_acked(run: &Run, rng: &mut Rng) -> Option<(usize, u32, String, u64)> {
    let at = some_event(run, rng, |_, event| matches!(event, Event::Acked { .. }))?;
    let Event::Acked { session, label, id, .. } = &run.events[at] else { return None };
    Some((at, *session, label.clone(), *id))
}

fn row_of(run: &Run, id: u64) -> Option<usize> {
    run.rows.iter().position(|row| row.id == id)
}

/// The index of the row behind which this id belongs in its room.
fn insert_row(run: &mut Run, row: Spoken) {
    let key = |row: &Spoken| (row.room.clone(), row.id);
    let at = run.rows.partition_point(|other| key(other) < key(&row));
    run.rows.insert(at, row);
}

/// Changes ids everywhere.
fn change_ids(run: &mut Run, change: impl Fn(u64) -> u64) {
    for event in &mut run.events {
        match event {
            Event::Acked { id, .. } | Event::NotKept { id, .. } => *id = change(*id),
            Event::Heard { line, .. } => line.id = change(line.id),
            _ => {}
        }
    }
    run.rows.iter_mut().for_each(|row| row.id = change(row.id));
    run.rows.sort_by(|one, other| (&one.room, one.id).cmp(&(&other.room, other.id)));
}

fn newest(run: &Run) -> u64 {
    let ids = run.events.iter().map(|event| match event {
        Event::Heard { line, .. } => line.id,
        Event::Acked { id, .. } | Event::NotKept { id, .. } | Event::CaughtUp { id, .. } => *id,
        _ => 0,
    });
    ids.max().unwrap_or_default()
}

/// Session, room, start and resumption of a reader.
fn reader(run: &Run, number: usize) -> (u32, String, u64, bool) {
    let starts = run.events.iter().filter_map(|event| match event {
        Event::Listens { session, room, behind, is_resumed } => {
            Some((*session, room.clone(), *behind, *is_resumed))
        }
        _ => None,
    });
    starts.into_iter().nth(number).unwrap()
}

/// A heard line and where its event is.
fn heard_at(run: &Run, at: usize) -> Option<(usize, Spoken)> {
    match &run.events[at] {
        Event::Heard { reader, line } => Some((*reader, line.clone())),
        _ => None,
    }
}

/// The heard lines of a reader: where each is, and its id.
fn heard_by(run: &Run, number: usize) -> Vec<(usize, u64)> {
    let events = run.events.iter().enumerate();
    let heard = events.filter_map(|(at, event)| match event {
        Event::Heard { reader, line } if *reader == number => Some((at, line.id)),
        _ => None,
    });
    heard.collect()
}

fn gaps_of(run: &Run, number: usize) -> usize {
    run.events.iter().filter(|event| matches!(event, Event::Gap { reader, .. } if *reader == number)).count()
}

fn is_foreign(run: &Run, number: usize, line: &Spoken) -> bool {
    reader(run, number).0 != (line.sid - 100) as u32
}

fn some_heard(
    run: &Run,
    rng: &mut Rng,
    is_meant: impl Fn(usize, &Spoken) -> bool,
) -> Option<(usize, usize, Spoken)> {
    let at = some_event(run, rng, |_, event| match event {
        Event::Heard { reader, line } => is_meant(*reader, line),
        _ => false,
    })?;
    heard_at(run, at).map(|(reader, line)| (at, reader, line))
}

/// The readers that are there at the end, with what each must have heard.
fn last_readers(run: &Run) -> Vec<usize> {
    let events = run.events.iter().filter_map(|event| match event {
        Event::CaughtUp { reader, .. } => Some(*reader),
        _ => None,
    });
    events.collect()
}

/// What was said, as it would be heard.
fn as_line(event: &Event, id: u64) -> Option<Spoken> {
    let Event::Said { session, label, room, name, text } = event.clone() else { return None };
    Some(Spoken { id, sid: 100 + u64::from(session), label, room, name, text, unix_ms: 1 })
}

fn an_acknowledged_line_is_lost(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (_, _, _, id) = some_acked(run, rng)?;
    let at = row_of(run, id)?;
    run.rows.remove(at);
    Some(())
}

fn a_line_is_kept_under_another_id_than_acknowledged(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (_, _, _, id) = some_acked(run, rng)?;
    let at = row_of(run, id)?;
    run.rows[at].id += 1;
    Some(())
}

fn a_row_is_doubled(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let row = rng.pick(&run.rows)?.clone();
    insert_row(run, row);
    Some(())
}

fn a_line_is_kept_again_under_a_new_id(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let mut row = rng.pick(&run.rows)?.clone();
    row.id += 1;
    insert_row(run, row);
    Some(())
}

fn a_label_is_kept_with_another_text(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let mut row = rng.pick(&run.rows)?.clone();
    row.id += 1;
    row.text = "otra cosa".to_owned();
    insert_row(run, row);
    Some(())
}

fn rows_are_out_of_order(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = rng.below(run.rows.len());
    let is_same_room = run.rows.get(at)?.room == run.rows.get(at + 1)?.room;
    run.rows.swap(at, at + 1);
    is_same_room.then_some(())
}

fn an_acknowledgement_is_repeated_with_another_id(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (at, ..) = some_acked(run, rng)?;
    let mut again = run.events[at].clone();
    if let Event::Acked { id, .. } = &mut again {
        *id += 1;
    }
    run.events.insert(at + 1, again);
    Some(())
}

fn an_acknowledgement_is_repeated_with_another_time(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (at, ..) = some_acked(run, rng)?;
    let mut again = run.events[at].clone();
    if let Event::Acked { unix_ms, .. } = &mut again {
        *unix_ms += 1;
    }
    run.events.push(again);
    Some(())
}

fn a_time_changes_in_the_history(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (_, _, _, id) = some_acked(run, rng)?;
    let at = row_of(run, id)?;
    run.rows[at].unix_ms += 1;
    Some(())
}

fn an_acknowledged_line_is_then_not_kept(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (_, session, label, id) = some_acked(run, rng)?;
    run.events.push(Event::NotKept { session, label, id });
    Some(())
}

fn a_line_that_is_not_kept_is_kept(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = some_event(run, rng, |_, event| matches!(event, Event::NotKept { .. }))?;
    let Event::NotKept { session: of, label: meant, id } = run.events[at].clone() else { return None };
    let said = run.events.iter().find(
        |event| matches!(event, Event::Said { session, label, .. } if *session == of && *label == meant),
    )?;
    let row = as_line(said, id)?;
    insert_row(run, row);
    Some(())
}

fn an_answer_has_nobodys_label(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (at, ..) = some_acked(run, rng)?;
    if let Event::Acked { label, .. } = &mut run.events[at] {
        label.push('z');
    }
    Some(())
}

/// A line that is said once, and the newest id that was known by then.
fn some_line_with_floor(run: &Run, rng: &mut Rng) -> Option<(u64, u64)> {
    let (_, of, meant, id) = some_acked(run, rng)?;
    let is_said = |event: &Event| matches!(event, Event::Said { session, label, .. } if *session == of && *label == meant);
    let before = run.events.iter().take_while(|event| !is_said(event)).map(|event| match event {
        Event::Heard { line, .. } => line.id,
        Event::Acked { id, .. } => *id,
        _ => 0,
    });
    Some((id, before.max().filter(|floor| *floor > 0)?))
}

fn an_id_goes_back_in_time(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (meant, floor) = some_line_with_floor(run, rng)?;
    change_ids(run, |id| if id == meant { floor - 1 } else { id });
    Some(())
}

fn an_id_is_used_again(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (meant, floor) = some_line_with_floor(run, rng)?;
    change_ids(run, |id| if id == meant { floor } else { id });
    Some(())
}

fn an_id_is_used_again_after_a_restart(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let death = some_event(run, rng, |_, event| *event == Event::Died)?;
    let heard = |event: &Event| if let Event::Heard { line, .. } = event { Some(line.clone()) } else { None };
    let before: Vec<Spoken> = run.events.iter().take(death).filter_map(heard).collect();
    let old = rng.pick(&before)?;
    let newest = before.iter().map(|line| line.id).max()?;
    let is_new = |line: &Spoken| line.id > newest + 900 && (line.sid, &line.label) != (old.sid, &old.label);
    let new = run.events.iter().skip(death).filter_map(heard).find(is_new)?.id;
    change_ids(run, |id| if id == new { old.id } else { id });
    Some(())
}

fn two_lines_of_a_sender_change_places(run: &mut Run, rng: &mut Rng) -> Option<()> {
    // Sent once, and acknowledged before the relay died.
    let said_once = |id: u64| {
        let row = run.rows.iter().find(|row| row.id == id)?.clone();
        let is_said = |event: &Event| {
            as_line(event, 0).is_some_and(|said| (said.sid, &said.label) == (row.sid, &row.label))
        };
        let at = run.events.iter().position(is_said)?;
        let mut then = run.events.iter().skip(at + 1);
        let settles = |event: &&Event| {
            is_said(event)
                || **event == Event::Died
                || matches!(event, Event::Acked { id: acked, .. } if *acked == id)
        };
        let is_acked = matches!(then.find(settles), Some(Event::Acked { .. }));
        (is_acked && !then.any(is_said)).then_some(row)
    };
    let (_, _, _, id) = some_acked(run, rng)?;
    let first = said_once(id)?;
    let later = run.rows.iter().filter(|row| row.sid == first.sid && row.id > id).map(|row| row.id).min()?;
    let second = said_once(later)?.id;
    change_ids(run, |id| match id {
        _ if id == first.id => second,
        _ if id == second => first.id,
        _ => id,
    });
    Some(())
}

fn two_lines_change_places_in_an_ear(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (_, number, _) = some_heard(run, rng, |_, _| true)?;
    let heard = heard_by(run, number);
    let first = rng.below(heard.len().checked_sub(1)?);
    run.events.swap(heard[first].0, heard.get(first + 1)?.0);
    Some(())
}

fn a_cursor_skips_a_line(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (_, number, _) = some_heard(run, rng, |_, _| true)?;
    let heard = heard_by(run, number);
    let &(at, id) = heard.get(1 + rng.below(heard.len().checked_sub(2)?))?;
    let (_, line) = heard_at(run, at)?;
    let is_last = heard.last().is_none_or(|(_, last)| *last == id);
    if is_last || !is_foreign(run, number, &line) || row_of(run, id).is_none() {
        return None;
    }
    run.events.remove(at);
    Some(())
}

fn a_cursor_skips_a_line_that_a_crash_loses(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (at, number, line) = some_heard(run, rng, |number, line| {
        let others = run
            .events
            .iter()
            .filter(|event| matches!(event, Event::Heard { line: other, .. } if other.id == line.id));
        let heard = heard_by(run, number);
        let is_between = heard.first().is_some_and(|(_, first)| *first < line.id)
            && heard.last().is_some_and(|(_, last)| *last > line.id);
        is_between && row_of(run, line.id).is_none() && others.count() > 1
    })?;
    if !is_foreign(run, number, &line) {
        return None;
    }
    run.events.remove(at);
    Some(())
}

fn the_last_line_is_not_heard(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let number = *rng.pick(&last_readers(run))?;
    let &(at, id) = heard_by(run, number).last()?;
    let (_, line) = heard_at(run, at)?;
    if !is_foreign(run, number, &line) || row_of(run, id).is_none() {
        return None;
    }
    run.events.remove(at);
    Some(())
}

fn a_line_is_heard_twice(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (at, number, _) = some_heard(run, rng, |_, _| true)?;
    let (later, _) = *rng.pick(&heard_by(run, number))?;
    let again = run.events[at].clone();
    run.events.insert(later.max(at) + 1, again);
    Some(())
}

fn a_line_is_heard_again_under_a_new_id(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (at, ..) = some_heard(run, rng, |_, _| true)?;
    let mut again = run.events[at].clone();
    if let Event::Heard { line, .. } = &mut again {
        line.id += 1;
    }
    run.events.insert(at + 1, again);
    Some(())
}

fn a_line_is_heard_under_an_id_that_it_never_had(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let readers = last_readers(run);
    let (at, ..) =
        some_heard(run, rng, |reader, line| readers.contains(&reader) && row_of(run, line.id).is_some())?;
    if let Event::Heard { line, .. } = &mut run.events[at] {
        line.id += 1;
    }
    Some(())
}

/// A gap in which something is missing, and the first id that is.
fn some_gap(run: &Run, rng: &mut Rng) -> Option<(usize, u64)> {
    let at = some_event(run, rng, |_, event| matches!(event, Event::Gap { .. }))?;
    let Event::Gap { reader: number, from, to } = run.events[at] else { return None };
    let (_, room, behind, _) = reader(run, number);
    let is_missing = |row: &&Spoken| {
        (from..=to).contains(&row.id) && row.room == room && row.id > behind && is_foreign(run, number, row)
    };
    let missing = run.rows.iter().filter(is_missing).map(|row| row.id).min()?;
    // Otherwise the reader just ends there.
    heard_by(run, number).last().filter(|(_, id)| *id > to)?;
    Some((at, missing))
}

fn a_gap_is_not_announced(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (at, _) = some_gap(run, rng)?;
    run.events.remove(at);
    Some(())
}

fn a_gap_begins_too_late(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (at, missing) = some_gap(run, rng)?;
    if let Event::Gap { from, to, .. } = &mut run.events[at] {
        *from = missing + 1;
        *to = (*to).max(missing + 1);
    }
    Some(())
}

fn a_gap_is_announced_over_what_was_heard(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (at, reader, line) = some_heard(run, rng, |_, _| true)?;
    run.events.insert(at + 1, Event::Gap { reader, from: line.id, to: line.id + 1 });
    Some(())
}

fn a_resume_begins_too_late(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (_, number, _) =
        some_heard(run, rng, |number, _| reader(run, number).3 && gaps_of(run, number) == 0)?;
    let heard = heard_by(run, number);
    let (at, id) = *heard.first()?;
    let (_, line) = heard_at(run, at)?;
    if heard.len() < 2 || !is_foreign(run, number, &line) || row_of(run, id).is_none() {
        return None;
    }
    run.events.remove(at);
    Some(())
}

fn a_resume_begins_with_what_was_heard(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = some_event(run, rng, |_, event| matches!(event, Event::Listens { is_resumed: true, .. }))?;
    let is_start = |event: &&Event| matches!(event, Event::Listens { .. });
    let number = run.events[..at].iter().filter(is_start).count();
    let (session, room, behind, _) = reader(run, number);
    let old = run.events[..at].iter().find_map(|event| match event {
        Event::Heard { line, .. }
            if line.id <= behind && line.room == room && line.sid != 100 + u64::from(session) =>
        {
            Some(line.clone())
        }
        _ => None,
    })?;
    run.events.insert(at + 1, Event::Heard { reader: number, line: old });
    Some(())
}

fn a_sender_hears_itself(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let number = *rng.pick(&last_readers(run))?;
    let (own, room, ..) = reader(run, number);
    let start = run
        .events
        .iter()
        .enumerate()
        .filter(|(_, event)| matches!(event, Event::Listens { .. }))
        .nth(number)?
        .0;
    let said_before = |label: &str, at: usize| {
        run.events[..at].iter().any(|event| matches!(event, Event::Said { session, label: other, .. } if *session == own && other == label))
    };
    let at = some_event(run, rng, |at, event| match event {
        Event::Said { session, room: said, label, .. } => {
            at > start && *session == own && *said == room && !said_before(label, at)
        }
        _ => false,
    })?;
    let said = as_line(&run.events[at], 0)?;
    let row = run.rows.iter().find(|row| (row.sid, &row.label) == (said.sid, &said.label))?;
    run.events.push(Event::Heard { reader: number, line: row.clone() });
    Some(())
}

fn a_line_is_heard_that_nobody_said(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (at, ..) = some_heard(run, rng, |_, _| true)?;
    if let Event::Heard { line, .. } = &mut run.events[at] {
        line.label.push('z');
    }
    Some(())
}

fn a_line_is_kept_that_nobody_said(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let mut row = rng.pick(&run.rows)?.clone();
    row.sid += 1000;
    row.id += 1;
    insert_row(run, row);
    Some(())
}

fn a_text_changes_on_the_way(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (at, ..) = some_heard(run, rng, |_, _| true)?;
    if let Event::Heard { line, .. } = &mut run.events[at] {
        line.text.pop();
    }
    Some(())
}

fn a_text_changes_in_the_history(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = rng.below(run.rows.len());
    run.rows.get_mut(at)?.text.push(' ');
    Some(())
}

fn a_name_is_forged(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (at, ..) = some_heard(run, rng, |_, _| true)?;
    if let Event::Heard { line, .. } = &mut run.events[at] {
        line.name = "Nadie".to_owned();
    }
    Some(())
}

fn a_name_changes_in_the_history(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = rng.below(run.rows.len());
    run.rows.get_mut(at)?.name = "Nadie".to_owned();
    Some(())
}

fn a_line_is_kept_in_another_room(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let mut row = run.rows.remove(rng.below(run.rows.len()));
    row.room = "sótano".to_owned();
    insert_row(run, row);
    Some(())
}

fn a_line_is_heard_in_another_room(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (at, _, line) = some_heard(run, rng, |_, _| true)?;
    let other = last_readers(run).into_iter().find(|number| reader(run, *number).1 != line.room)?;
    let Event::Heard { reader, .. } = &mut run.events[at] else { return None };
    *reader = other;
    let moved = run.events.remove(at);
    run.events.push(moved);
    Some(())
}

/// A saying that was refused, and that nothing else was said under its label with the same text.
fn some_refused(run: &Run, rng: &mut Rng) -> Option<Event> {
    let at = some_event(run, rng, |at, event| match (event, run.events.get(at + 1..)) {
        (Event::Said { session, label, .. }, Some(then)) => {
            let answer = Event::Refused { session: *session, label: label.clone() };
            let is_alone = run.events.iter().filter(|other| **other == *event).count() == 1;
            let mut sayings = run.events.iter().filter(
                |other| matches!(other, Event::Said { session: by, label: of, .. } if by == session && of == label),
            );
            let is_last = sayings.next_back() == Some(event);
            is_alone && is_last && then.contains(&answer)
        }
        _ => false,
    })?;
    Some(run.events[at].clone())
}

fn a_refused_line_is_heard(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let mut line = as_line(&some_refused(run, rng)?, newest(run) + 5)?;
    let number = *rng.pick(&last_readers(run))?;
    line.room = reader(run, number).1;
    // It is heard in the room in which it was said.
    for event in &mut run.events {
        match event {
            Event::Said { label, room, session, .. }
                if *label == line.label && 100 + u64::from(*session) == line.sid =>
            {
                room.clone_from(&line.room);
            }
            _ => {}
        }
    }
    run.events.push(Event::Heard { reader: number, line });
    Some(())
}

fn a_refused_line_is_kept(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let refused = as_line(&some_refused(run, rng)?, newest(run) + 5)?;
    run.rows.retain(|row| (row.sid, &row.label) != (refused.sid, &refused.label));
    insert_row(run, refused);
    Some(())
}

fn two_sessions_share_a_sid(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = some_event(run, rng, |_, event| matches!(event, Event::Hello { session: 1.., .. }))?;
    if let Event::Hello { sid, .. } = &mut run.events[at] {
        *sid = 100;
    }
    Some(())
}

fn a_session_changes_its_sid(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = some_event(run, rng, |_, event| matches!(event, Event::Hello { .. }))?;
    let Event::Hello { session, .. } = run.events[at] else { return None };
    run.events.push(Event::Hello { session, sid: 999 });
    Some(())
}
