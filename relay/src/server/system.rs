//! What the loop asks the system for at its start.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::conn::INDEX_MAX;

/// Bytes that nobody can guess.
pub(super) fn random_key() -> io::Result<[u8; 32]> {
    let mut key = [0; 32];
    // Requests of up to 256 bytes are answered whole: getrandom(2).
    rustix::rand::getrandom(&mut key, rustix::rand::GetRandomFlags::empty())?;
    Ok(key)
}

/// Raises the limit of descriptors as far as it goes, and says how many there are.
pub(super) fn raise_descriptor_limit() -> usize {
    let limit = getrlimit(Resource::Nofile);
    // Where it cannot be raised, what there is must do.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let descriptors = getrlimit(Resource::Nofile).current;
    descriptors.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(INDEX_MAX)
}
