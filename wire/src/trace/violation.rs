//! The promises that can be broken, each with its evidence.

use std::fmt;

use super::fault::Fault;

/// A line, as evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quoted {
    /// Of its session, as the relay says it; 0 if it never did.
    pub sid: u64,
    /// Its label.
    pub label: String,
    /// The beginning of what is said.
    pub text: String,
}

/// A reader, as evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ear {
    /// The caller's number of the session.
    pub session: u32,
    /// The room.
    pub room: String,
    /// How often the relay had died before.
    pub deaths: u32,
}

/// Where a line was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the history.
    History,
    /// A reader heard it.
    Heard(Ear),
}

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// An acknowledged line is not in the history.
    AckedMissing {
        /// Which.
        line: Quoted,
        /// As acknowledged.
        id: u64,
    },
    /// An acknowledged line is in the history under another id.
    AckedUnderOtherId {
        /// Which.
        line: Quoted,
        /// The acknowledgement's.
        acked: u64,
        /// The history's.
        kept: u64,
    },
    /// A line is in the history twice, under one id or two.
    KeptTwice {
        /// Which.
        line: Quoted,
        /// Its id.
        first: u64,
        /// That of the copy.
        second: u64,
    },
    /// A label was acknowledged with two ids.
    AckedTwice {
        /// Which.
        line: Quoted,
        /// The first answer's.
        first: u64,
        /// The other's.
        second: u64,
    },
    /// A label was acknowledged, and answered with `NOT_KEPT`; or with `NOT_KEPT` and two ids.
    AnswersDiffer {
        /// Which.
        line: Quoted,
        /// The first answer's.
        first: u64,
        /// The other's.
        second: u64,
    },
    /// Two acknowledgements of a line, or one and the history, say different times.
    TimeDiffers {
        /// Which.
        line: Quoted,
        /// Its id.
        id: u64,
    },
    /// A label was answered that the session had not used.
    AnsweredUnasked {
        /// The caller's number.
        session: u32,
        /// What was answered.
        label: String,
    },
    /// Two lines have one id.
    IdReused {
        /// Which.
        id: u64,
        /// Who had it.
        first: Quoted,
        /// Who got it too.
        second: Quoted,
    },
    /// A line has an id that is not above one that was known before it was said.
    IdBackInTime {
        /// Which.
        line: Quoted,
        /// Its id.
        id: u64,
        /// The id known before.
        known: u64,
    },
    /// Two lines of a session, each sent once, have ids in the other order.
    SenderReordered {
        /// Said first.
        first: Quoted,
        /// Its id.
        first_id: u64,
        /// Said then.
        second: Quoted,
        /// Its id.
        second_id: u64,
    },
    /// The history gave a room's lines out of order.
    HistoryUnsorted {
        /// Where.
        room: String,
        /// The id before.
        before: u64,
        /// The id behind it.
        id: u64,
    },
    /// A reader heard an id below one that it had heard.
    HeardBackInTime {
        /// Who.
        ear: Ear,
        /// What.
        id: u64,
        /// What it had heard.
        behind: u64,
    },
    /// A reader heard an id twice, or one that it had when it began.
    HeardTwice {
        /// Who.
        ear: Ear,
        /// What.
        id: u64,
    },
    /// A session heard a line again under another id, and the relay had not died between.
    HeardAgain {
        /// Who.
        ear: Ear,
        /// What.
        line: Quoted,
        /// Its id.
        first: u64,
        /// Its other id.
        second: u64,
    },
    /// A line has two ids, which no death of the relay explains.
    TwoIds {
        /// Which.
        line: Quoted,
        /// One.
        first: u64,
        /// The other.
        second: u64,
    },
    /// A reader did not hear a line between those that it heard, and no gap was announced.
    Skipped {
        /// Who.
        ear: Ear,
        /// What.
        line: Quoted,
        /// Its id.
        id: u64,
    },
    /// Who resumed did not hear the first line behind what it had, and no gap was announced.
    ResumedLate {
        /// Who.
        ear: Ear,
        /// What it had.
        after: u64,
        /// What it should have heard.
        line: Quoted,
        /// Its id.
        id: u64,
    },
    /// A gap ends before it begins, or is announced over what the reader has.
    GapMisplaced {
        /// Who.
        ear: Ear,
        /// First id.
        from: u64,
        /// Last id.
        to: u64,
        /// What it has.
        has: u64,
    },
    /// A connection heard what it had said itself.
    OwnLineHeard {
        /// Who.
        ear: Ear,
        /// What.
        line: Quoted,
        /// Its id.
        id: u64,
    },
    /// A line that nobody had said.
    NobodySaid {
        /// Where.
        place: Place,
        /// What.
        line: Quoted,
        /// Its id.
        id: u64,
    },
    /// A line has another text than was said.
    TextChanged {
        /// Where.
        place: Place,
        /// As said.
        line: Quoted,
        /// Its id.
        id: u64,
        /// The beginning of what stands there.
        found: String,
    },
    /// A line has another name than it was said under.
    NameForged {
        /// Where.
        place: Place,
        /// Which.
        line: Quoted,
        /// Its id.
        id: u64,
        /// Who said it.
        said: String,
        /// Who is named.
        found: String,
    },
    /// A line is in another room than it was said in.
    WrongRoom {
        /// Where.
        place: Place,
        /// Which.
        line: Quoted,
        /// Its id.
        id: u64,
        /// Where it was said.
        said: String,
        /// Where it is.
        found: String,
    },
    /// A refused line was heard.
    RefusedHeard {
        /// Who.
        ear: Ear,
        /// What.
        line: Quoted,
    },
    /// A refused line is in the history.
    RefusedKept {
        /// Which.
        line: Quoted,
        /// Its id.
        id: u64,
    },
    /// A line of which its sender was told `NOT_KEPT` is in the history: it was told so finally, and will say it again
    /// under another label.
    NotKeptIsKept {
        /// Which.
        line: Quoted,
        /// Its id.
        id: u64,
    },
    /// Two sessions have one `sid`.
    SidShared {
        /// Which.
        sid: u64,
        /// The caller's number of one.
        first: u32,
        /// Of the other.
        second: u32,
    },
    /// A session got another `sid`.
    SidChanged {
        /// The caller's number.
        session: u32,
        /// It was.
        first: u64,
        /// It is.
        second: u64,
    },
    /// A line came that no client can take as it stands.
    LineFaulty {
        /// The caller's number of the session; none where nobody was greeted yet.
        session: Option<u32>,
        /// What is wrong with it.
        fault: Fault,
        /// Its beginning.
        line: String,
    },
    /// The trace was full: what is missing proves nothing.
    TraceFull {
        /// Records that were dropped.
        dropped: u64,
    },
}

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} {:?}", self.sid, self.label, self.text)
    }
}

impl fmt::Display for Ear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session #{} in {} (relay deaths before: {})", self.session, self.room, self.deaths)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::History => f.write_str("in the history"),
            Self::Heard(ear) => write!(f, "as heard by {ear}"),
        }
    }
}

/// One sentence.
impl fmt::Display for Violation {
    // A table: one row for each.
    #[rustfmt::skip]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AckedMissing { line, id } => write!(f, "{line} was acknowledged with id {id} and is not in the history."),
            Self::AckedUnderOtherId { line, acked, kept } => write!(f, "{line} was acknowledged with id {acked} and is in the history under {kept}."),
            Self::KeptTwice { line, first, second } => write!(f, "{line} is in the history twice, under id {first} and under {second}."),
            Self::AckedTwice { line, first, second } => write!(f, "{line} was acknowledged with id {first} and then with {second}."),
            Self::AnswersDiffer { line, first, second } => write!(f, "{line} was answered with id {first}, and then otherwise, with id {second}; NOT_KEPT is among the answers."),
            Self::TimeDiffers { line, id } => write!(f, "{line} (id {id}) has not the time with which it was first acknowledged."),
            Self::AnsweredUnasked { session, label } => write!(f, "Session #{session} got an answer for label {label}, which it had not used."),
            Self::IdReused { id, first, second } => write!(f, "Id {id} is that of {first} and also that of {second}."),
            Self::IdBackInTime { line, id, known } => write!(f, "{line} has id {id}, but {known} was known before it was said."),
            Self::SenderReordered { first, first_id, second, second_id } => write!(f, "{first} was said before {second}, but has id {first_id}, the later one {second_id}."),
            Self::HistoryUnsorted { room, before, id } => write!(f, "The history of {room} gave id {id} behind {before}."),
            Self::HeardBackInTime { ear, id, behind } => write!(f, "Id {id} was heard behind {behind} by {ear}."),
            Self::HeardTwice { ear, id } => write!(f, "Id {id} was heard a second time by {ear}."),
            Self::HeardAgain { ear, line, first, second } => write!(f, "{line} was heard under id {first} and again under {second}, without a death of the relay between, by {ear}."),
            Self::TwoIds { line, first, second } => write!(f, "{line} has the ids {first} and {second}, which no death of the relay explains."),
            Self::Skipped { ear, line, id } => write!(f, "{line} (id {id}) was not heard, and no gap was announced, by {ear}."),
            Self::ResumedLate { ear, after, line, id } => write!(f, "After resuming behind {after}, {line} (id {id}) was not heard, and no gap was announced, by {ear}."),
            Self::GapMisplaced { ear, from, to, has } => write!(f, "A gap from {from} to {to} was announced to one that was at {has} by then, {ear}."),
            Self::OwnLineHeard { ear, line, id } => write!(f, "{line} (id {id}) was heard by the connection that had said it, {ear}."),
            Self::NobodySaid { place, line, id } => write!(f, "{line} (id {id}) was said by nobody, {place}."),
            Self::TextChanged { place, line, id, found } => write!(f, "{line} (id {id}) has become {found:?}, {place}."),
            Self::NameForged { place, line, id, said, found } => write!(f, "{line} (id {id}) was said by {said:?} and bears the name {found:?}, {place}."),
            Self::WrongRoom { place, line, id, said, found } => write!(f, "{line} (id {id}) was said in {said} and stands in {found}, {place}."),
            Self::RefusedHeard { ear, line } => write!(f, "{line} was refused, and heard by {ear}."),
            Self::RefusedKept { line, id } => write!(f, "{line} was refused, and is in the history under id {id}."),
            Self::NotKeptIsKept { line, id } => write!(f, "{line} was answered with NOT_KEPT, and is in the history under id {id}."),
            Self::SidShared { sid, first, second } => write!(f, "The sid {sid} is that of session #{first} and also that of session #{second}."),
            Self::SidChanged { session, first, second } => write!(f, "Session #{session} had the sid {first} and then {second}."),
            Self::LineFaulty { session: Some(session), fault, line } => write!(f, "Session #{session} heard {line:?}, which {fault}."),
            Self::LineFaulty { session: None, fault, line } => write!(f, "Somebody who was not greeted yet heard {line:?}, which {fault}."),
            Self::TraceFull { dropped } => write!(f, "The trace was full, and {dropped} records are missing from it."),
        }
    }
}
