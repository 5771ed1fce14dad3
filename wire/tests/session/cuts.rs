//! Bytes come cut anywhere, and may be anything.

use proptest::prelude::*;
use tertulia_wire::session::{Event, Session};

use crate::bench::{HELLO, config, connect, events, general, seconds};

const LINES: [&str; 16] = [
    "* JOINED room=general last=10 :aquí\n",
    "@id=11;time=2026-11-22T16:37:00.123Z;room=general;key=3.a Luis: ¿qué tal?\n",
    "@id=11;room=general;key=3.a Luis: otra vez\n",
    "@id=12;room=general;key=3.a Luis: la misma clave\r\n",
    "@id=13;room=general Eva: sin clave\n",
    "@id=14;room=general;key=7.x Ana: mía\n",
    "@id=15;room=general;notice=join Eva se ha unido al chat.\n",
    "@id=16;private=1;key=3.b Luis: en privado\n",
    "* ACK label=s1 id=17 time=2026-11-22T16:37:00.123Z\n",
    "* FAIL SAY EMPTY label=s2 :x\n",
    "* WARN GAP room=general from=18 to=29\n",
    "@label=h3;id=20;room=general;key=3.c Luis: perdida\n",
    "* END HISTORY room=general more=0 label=h3\n",
    "* PING x\n",
    "\u{fffd} ni línea ni nada\n",
    "* FAIL HELLO RESUMED :otra\n",
];

fn heard(pieces: &[&[u8]]) -> (Vec<Event>, Vec<u8>) {
    let mut session = Session::new(config());
    session.say(&general("una")).unwrap();
    session.say(&general("dos")).unwrap();
    connect(&mut session, seconds(0));
    let mut all = Vec::new();
    let mut sent = Vec::new();
    for piece in pieces {
        session.handle_bytes(piece, seconds(1));
        all.extend(events(&mut session));
        sent.extend(std::iter::from_fn(|| session.poll_transmit()).flatten());
    }
    (all, sent)
}

proptest! {
    #[test]
    fn any_cut_of_the_bytes_gives_the_same_events(
        order in proptest::collection::vec(0usize..LINES.len(), 0..24),
        cuts in proptest::collection::vec(0usize..2000, 0..12),
    ) {
        let text: String = std::iter::once(HELLO).chain(order.iter().map(|index| LINES[*index])).collect();
        // The lines and the question for a gap are sent before the relay goes on.
        let (head, tail) = text.as_bytes().split_at(HELLO.len());
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(tail.len())).collect();
        cuts.extend([0, tail.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = std::iter::once(head).chain(cuts.windows(2).map(|pair| &tail[pair[0]..pair[1]])).collect();
        let gap = LINES[10];
        // A page can only be the answer to a question that was sent; whether it was depends on where the cut is, unless
        // no page comes.
        prop_assume!(!text.contains("label=h3") || !text.contains(gap));
        let (all, sent) = heard(&pieces);
        let (whole, sent_whole) = heard(&[head, tail]);
        prop_assert_eq!(all, whole);
        if !text.contains("RESUMED") {
            prop_assert_eq!(sent.len(), sent_whole.len());
        }
    }

    #[test]
    fn no_bytes_make_a_session_panic_or_hold_much(
        pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..8),
        order in proptest::collection::vec((0usize..LINES.len(), 0u64..100), 0..24),
    ) {
        let mut session = Session::new(config());
        connect(&mut session, seconds(0));
        session.handle_bytes(HELLO.as_bytes(), seconds(0));
        let mut now = seconds(0);
        for (index, wait) in order {
            now += seconds(wait);
            session.handle_bytes(LINES[index].as_bytes(), now);
            pieces.iter().for_each(|piece| session.handle_bytes(piece, now));
            session.handle_time(now);
            let _ = (session.poll_action(), session.poll_transmit(), session.next_due());
            prop_assert!(Session::restore(config(), &session.saved()).is_ok());
        }
    }

    #[test]
    fn no_text_makes_restoring_panic(text in any::<String>(), words in "((say|room|gap|token|next|sid|held)( (label|name|room|after|to|sid|text|value|newest|highest)=[a-z0-9]{0,3}){0,5}\n){0,6}") {
        let _ = Session::restore(config(), &text);
        let _ = Session::restore(config(), &format!("tertulia-session 1\n{words}"));
    }
}
