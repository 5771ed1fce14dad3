//! Taps on wires: they write down an honest talk however TCP cuts it, and whatever no client can take is a violation.

use proptest::prelude::*;
use tertulia_wire::limits::{ROOMS_PER_CLIENT_MAX, TAGGED_LINE_BYTES_MAX};
use tertulia_wire::trace::{Counts, Fault, History, Line, Recorder, Report, Tap, Trace, Violation, check};

const TIME: &str = "time=1970-01-01T00:00:00.001Z";

/// What Ana says and hears, and Luis, who comes back behind the first line. In their order.
fn talk() -> Vec<(Whose, Way, String)> {
    use Way::{Connects, Hears, Says};
    use Whose::{Ana, Luis};
    let hello =
        |name: &str, sid| format!("* HELLO v=1 name={name} token=t{sid} sid={sid} durability=commit\n");
    let joined = |last| format!("* JOINED room=general last={last} :estás dentro\n");
    let heard = |id, key: &str, words: &str| format!("@id={id};{TIME};room=general;key={key} {words}\n");
    vec![
        (Ana, Connects, String::new()),
        (Ana, Hears, "Ana de antes: esto es modo plano\n".into()),
        (Ana, Says, "/hello v=1 name=Ana\n".into()),
        (Ana, Hears, hello("Ana", 7) + &joined(5)),
        (Luis, Connects, String::new()),
        (Luis, Says, "/hello v=1 name=Luis\n".into()),
        (Luis, Hears, hello("Luis", 8) + &joined(5)),
        (Ana, Says, "@label=1 hola\n".into()),
        (Luis, Hears, heard(9, "7.1", "Ana: hola")),
        (Ana, Hears, format!("* ACK label=1 id=9 {TIME}\n")),
        (Luis, Connects, String::new()),
        (Ana, Says, "@label=2;room=general;as=Paz qué\n@label=3;to=Luis sólo tú\n".into()),
        (Luis, Says, "/hello v=1 name=Luis resume=t8 after=9\n".into()),
        (Luis, Hears, hello("Luis", 8) + &joined(12)),
        (Luis, Hears, heard(12, "7.2", "Ana - Paz: qué")),
        (Ana, Hears, format!("* ACK label=2 id=12 {TIME}\n* PING w\n")),
        (Luis, Hears, "* WARN GAP room=general from=13 to=20 :se te escaparon\n".into()),
        (Ana, Says, "@label=4;room=cocina ¿hay alguien?\n".into()),
        (Ana, Hears, "* FAIL SAY NO_ROOM label=4 :no estás\n".into()),
        (Luis, Says, "/history after=0 label=h\n".into()),
        (Luis, Hears, format!("@label=h;id=9;{TIME};room=general;key=7.1 Ana: hola\n")),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Ana,
    Luis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Connects,
    Says,
    Hears,
}

/// What the history has of it.
fn history() -> History {
    let mut history = History::new();
    let hola = Line { id: 9, sid: 7, label: "1", name: "Ana", text: "hola" };
    history.row("general", 1, &hola);
    history.row("general", 1, &Line { id: 12, label: "2", name: "Ana - Paz", text: "qué", ..hola });
    history
}

/// The two, who hear each other.
#[derive(Default)]
struct Two {
    recorder: Recorder,
    ana: Tap,
    luis: Tap,
}

impl Two {
    fn pass(&mut self, whose: Whose, way: Way, bytes: &[u8]) {
        let tap = if whose == Whose::Ana { &mut self.ana } else { &mut self.luis };
        match way {
            Way::Connects => tap.connect(),
            Way::Says => tap.sends(bytes, &mut self.recorder),
            Way::Hears => tap.hears(bytes, &mut self.recorder),
        }
    }

    fn judge(&self) -> Report {
        check(&self.recorder.trace, &history())
    }

    /// All of the talk, and then this.
    fn after_the_talk(whose: Whose, way: Way, bytes: &[u8]) -> Report {
        let mut two = Self::default();
        talk().iter().for_each(|(whose, way, text)| two.pass(*whose, *way, text.as_bytes()));
        two.pass(whose, way, bytes);
        two.judge()
    }
}

#[track_caller]
fn assert_faulty(report: &Report, whose: Option<u32>, expected: Fault, beginning: &str) {
    let [Violation::LineFaulty { session, fault, line }] = &report.violations[..] else {
        panic!("{expected:?} was not found alone: {report}");
    };
    assert_eq!((*session, *fault), (whose, expected));
    assert!(line.starts_with(beginning), "{line:?}");
}

fn after_ana_hears(bytes: &[u8]) -> Report {
    Two::after_the_talk(Whose::Ana, Way::Hears, bytes)
}

#[test]
fn an_honest_talk_is_written_down_as_it_was() {
    let report = Two::after_the_talk(Whose::Ana, Way::Hears, b"");
    let expected = Counts {
        said: 3,
        acknowledged: 2,
        refused: 1,
        kept: 2,
        readers: 3,
        heard: 2,
        gaps: 1,
        resumed: 1,
        ..Counts::default()
    };
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.counts, expected);
}

#[test]
fn a_gap_or_a_line_where_nobody_is_in_the_room_is_a_fault() {
    let gap = "* WARN GAP room=cocina from=1 to=2 :se te escaparon\n";
    assert_faulty(&after_ana_hears(gap.as_bytes()), Some(1), Fault::NotInRoom, "* WARN GAP");
    let line = format!("@id=30;{TIME};room=cocina;key=8.1 Luis: hola\n");
    assert_faulty(&after_ana_hears(line.as_bytes()), Some(1), Fault::NotInRoom, "@id=30");
}

#[test]
fn an_answer_or_a_room_before_the_greeting_is_a_fault_on_each_connection() {
    let lines = [
        format!("* ACK label=1 id=9 {TIME}\n"),
        "* FAIL SAY EMPTY label=1 :so\n".to_owned(),
        "* NOTE SAY NOT_KEPT label=1 id=9 :so\n".to_owned(),
        "* JOINED room=general last=9 :so\n".to_owned(),
        "* WARN GAP room=general from=1 to=2 :so\n".to_owned(),
        format!("@id=30;{TIME};room=general;key=8.1 Luis: hola\n"),
    ];
    for line in lines {
        let mut two = Two::default();
        two.pass(Whose::Ana, Way::Connects, b"");
        two.pass(Whose::Ana, Way::Hears, line.as_bytes());
        let report = check(&two.recorder.trace, &History::new());
        assert_faulty(&report, None, Fault::BeforeHello, line.trim_end().get(..10).unwrap());
        talk().iter().for_each(|(whose, way, text)| two.pass(*whose, *way, text.as_bytes()));
        two.pass(Whose::Ana, Way::Connects, b"");
        two.pass(Whose::Ana, Way::Hears, line.as_bytes());
        let faults =
            two.judge().violations.into_iter().filter(|violation| {
                matches!(violation, Violation::LineFaulty { fault: Fault::BeforeHello, .. })
            });
        assert_eq!(faults.count(), 2, "{line}");
    }
}

#[test]
fn a_line_that_nobody_can_read_is_a_fault_and_what_follows_it_is_heard() {
    let long = format!("@id=30;{TIME};room=general;key=8.1 Luis: {}\n", "o".repeat(TAGGED_LINE_BYTES_MAX));
    assert_faulty(&after_ana_hears(long.as_bytes()), Some(1), Fault::TooLong, "…");
    let bytes = b"@id=30;room=general;key=8.1 Luis: \xff\xfe\n";
    assert_faulty(&after_ana_hears(bytes), Some(1), Fault::NotUtf8, "@id=30");
    for line in ["Luis: hola\n", "@id=x;room=general;key=8.1 Luis: hola\n", "@id=30 sin nombre\n"] {
        assert_faulty(&after_ana_hears(line.as_bytes()), Some(1), Fault::Unreadable, &line[..6]);
    }
    let without_time = "Luis: hola\n* ACK label=1 id=9\n";
    let report = after_ana_hears(without_time.as_bytes());
    let faults: Vec<_> = report.violations.iter().map(ToString::to_string).collect();
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[1].ends_with("\"* ACK label=1 id=9\", which acknowledges without a time."), "{faults:?}");
}

#[test]
fn more_rooms_than_one_may_be_in_are_a_fault_and_take_no_memory() {
    let room = |number| format!("* JOINED room=r{number} last=0 :so\n");
    let rooms: String = (0..ROOMS_PER_CLIENT_MAX - 1).map(room).collect();
    let report = after_ana_hears(rooms.as_bytes());
    assert!(report.is_clean(), "{report}");
    let report = after_ana_hears((rooms + &room(ROOMS_PER_CLIENT_MAX)).as_bytes());
    assert_faulty(&report, Some(1), Fault::TooManyRooms, "* JOINED");
}

#[test]
fn no_fault_shows_a_token() {
    let bytes = b"* HELLO v=1 name=\xff token=secreto sid=7\n";
    let report = after_ana_hears(bytes);
    assert_faulty(&report, Some(1), Fault::NotUtf8, "* HELLO v=1 name=");
    assert!(!report.to_string().contains("secreto"), "{report}");
}

#[test]
fn harm_on_the_wire_is_told_from_what_passed_there() {
    let again = format!("@id=9;{TIME};room=general;key=7.1 Ana: hola\n");
    let report = Two::after_the_talk(Whose::Luis, Way::Hears, again.as_bytes());
    assert!(matches!(report.violations[..], [Violation::HeardTwice { id: 9, .. }]), "{report}");
    let other_id = format!("* ACK label=1 id=11 {TIME}\n");
    let report = after_ana_hears(other_id.as_bytes());
    let is_told =
        |violation: &Violation| matches!(violation, Violation::AckedTwice { first: 9, second: 11, .. });
    assert!(report.violations.iter().any(is_told), "{report}");
    let mut two = Two::default();
    let lost = |text: &str| text.contains("id=12;") && !text.contains("ACK");
    for (whose, way, text) in talk().iter().filter(|(_, _, text)| !lost(text)) {
        two.pass(*whose, *way, text.as_bytes());
    }
    assert!(two.luis.has_heard(20) && !two.luis.has_heard(21));
    two.luis.caught_up(20, &mut two.recorder);
    let report = two.judge();
    assert!(matches!(report.violations[..], [Violation::ResumedLate { id: 12, .. }]), "{report}");
}

#[test]
fn what_strangers_say_is_left_out_only_where_there_may_be_some() {
    let stranger = format!("@id=30;{TIME};room=general;key=99.1 Eva: hola\n");
    let report = after_ana_hears(stranger.as_bytes());
    assert!(matches!(report.violations[..], [Violation::NobodySaid { id: 30, .. }]), "{report}");
    let mut two = Two { recorder: Recorder::among_strangers(Trace::new()), ..Two::default() };
    talk().iter().for_each(|(whose, way, text)| two.pass(*whose, *way, text.as_bytes()));
    two.pass(Whose::Ana, Way::Hears, stranger.as_bytes());
    assert!(two.judge().is_clean(), "{}", two.judge());
    assert!(two.ana.has_heard(30) && two.recorder.knows(8) && !two.recorder.knows(99));
    let forged = format!("@id=40;{TIME};room=general;key=8.1 Luis: hola\n");
    two.pass(Whose::Ana, Way::Hears, forged.as_bytes());
    let report = two.judge();
    assert!(matches!(report.violations[..], [Violation::NobodySaid { id: 40, .. }]), "{report}");
}

proptest! {
    #[test]
    fn however_tcp_cuts_a_talk_it_is_written_down_the_same(sizes in prop::collection::vec(1usize..20, 40)) {
        let mut two = Two::default();
        let mut sizes = sizes.iter().cycle();
        for (whose, way, text) in talk() {
            let mut rest = text.as_bytes();
            loop {
                let (piece, behind) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
                two.pass(whose, way, piece);
                rest = behind;
                if rest.is_empty() {
                    break;
                }
            }
        }
        let whole = Two::after_the_talk(Whose::Ana, Way::Hears, b"");
        prop_assert_eq!(two.judge().to_string(), whole.to_string());
    }

    #[test]
    fn no_bytes_do_a_tap_any_harm(said in prop::collection::vec(any::<u8>(), 0..300), heard in "(\\* (ACK|JOINED|WARN GAP|HELLO|PARTED)|@id=[0-9]{0,3};room=|[ =;a-z0-9\\n]){0,40}") {
        let mut two = Two::default();
        talk().iter().for_each(|(whose, way, text)| two.pass(*whose, *way, text.as_bytes()));
        two.pass(Whose::Luis, Way::Says, &said);
        two.pass(Whose::Luis, Way::Hears, heard.as_bytes());
        two.pass(Whose::Ana, Way::Hears, &said);
        for violation in two.judge().violations {
            let sentence = violation.to_string();
            prop_assert!(sentence.ends_with('.') && !sentence.contains('\n'), "{:?}", sentence);
        }
    }
}
