//! Who is in a room, and who has spoken there lately.

use std::collections::VecDeque;
use std::time::Duration;

use crate::fold::name_key;

/// People of a room that are known by name; further ones are only counted. A list that nobody reads to its end.
pub const PEOPLE_MAX: usize = 10_000;

/// People who are known to have spoken, the latest first.
pub const SPEAKERS_MAX: usize = 128;

/// For how long somebody counts as having spoken lately.
const SPOKEN_WINDOW: Duration = Duration::from_secs(15 * 60);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    key: Box<str>,
    pub(crate) name: Box<str>,
}

#[derive(Debug)]
struct Speaker {
    key: Box<str>,
    name: Box<str>,
    at: Duration,
}

/// The people of a room.
#[derive(Debug, Default)]
pub(crate) struct People {
    /// By their keys.
    present: Vec<Person>,
    /// The latest first.
    speakers: VecDeque<Speaker>,
    revision: u64,
}

impl People {
    pub(crate) fn len(&self) -> usize {
        self.present.len()
    }

    pub(crate) fn get(&self, position: usize) -> Option<&Person> {
        self.present.get(position)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Person> {
        self.present.iter()
    }

    /// Another one each time the list has changed.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// The same people look other than before.
    pub(super) fn restyle(&mut self) {
        self.revision += 1;
    }

    /// Somebody came, or went.
    pub(super) fn move_one(&mut self, name: &str, has_joined: bool) {
        if has_joined {
            self.add(name);
        } else {
            self.remove(name);
        }
    }

    fn add(&mut self, name: &str) {
        let key = name_key(name);
        match self.find(&key) {
            Ok(position) => {
                if let Some(person) = self.present.get_mut(position).filter(|person| *person.name != *name) {
                    person.name = name.into();
                    self.revision += 1;
                }
            }
            Err(position) if self.present.len() < PEOPLE_MAX => {
                self.present.insert(position, Person { key: key.into(), name: name.into() });
                self.revision += 1;
            }
            Err(_) => {}
        }
    }

    fn remove(&mut self, name: &str) {
        if let Ok(position) = self.find(&name_key(name)) {
            self.present.remove(position);
            self.revision += 1;
        }
    }

    /// These are all of them.
    pub(super) fn replace(&mut self, names: &[String]) {
        let mut present: Vec<Person> = names
            .iter()
            .take(PEOPLE_MAX)
            .map(|name| Person { key: name_key(name).into(), name: name.as_str().into() })
            .collect();
        present.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        present.dedup_by(|one, other| one.key == other.key);
        if present != self.present {
            self.present = present;
            self.revision += 1;
        }
    }

    fn find(&self, key: &str) -> Result<usize, usize> {
        self.present.binary_search_by(|person| (*person.key).cmp(key))
    }

    /// Somebody has said something.
    pub(super) fn note_spoken(&mut self, name: &str, now: Duration) {
        if let Some(first) = self.speakers.front_mut().filter(|first| *first.name == *name) {
            first.at = now;
            return;
        }
        let known = self.speakers.iter().position(|speaker| *speaker.name == *name);
        let speaker = match known.and_then(|position| self.speakers.remove(position)) {
            Some(speaker) => Speaker { at: now, ..speaker },
            None => Speaker { key: name_key(name).into(), name: name.into(), at: now },
        };
        self.speakers.push_front(speaker);
        self.speakers.truncate(SPEAKERS_MAX);
    }

    /// Whether somebody of this name, written like this, is here or has spoken here.
    pub(crate) fn knows(&self, name: &str) -> bool {
        let is_present = || {
            let found = self.find(&name_key(name)).ok().and_then(|position| self.present.get(position));
            found.is_some_and(|person| *person.name == *name)
        };
        self.speakers.iter().any(|speaker| *speaker.name == *name) || is_present()
    }

    /// Whether somebody has said something lately.
    pub(super) fn has_spoken(&self, name: &str, now: Duration) -> bool {
        let key = name_key(name);
        let is_recent = |speaker: &Speaker| now.saturating_sub(speaker.at) <= SPOKEN_WINDOW;
        self.speakers.iter().any(|speaker| *speaker.key == *key && is_recent(speaker))
    }

    /// Names that begin like this, as [`name_key`] has them: who spoke last comes first, then by name.
    pub(super) fn beginning_with(&self, start: &str) -> Vec<&str> {
        let fits = |key: &str| key.starts_with(start);
        let mut found: Vec<&str> = Vec::new();
        let spoken = self.speakers.iter().filter(|speaker| fits(&speaker.key));
        found.extend(spoken.map(|speaker| &*speaker.name));
        let from = self.present.partition_point(|person| &*person.key < start);
        let others = self.present.iter().skip(from).take_while(|person| fits(&person.key));
        let others: Vec<&str> =
            others.map(|person| &*person.name).filter(|name| !found.contains(name)).collect();
        found.extend(others);
        found
    }
}
