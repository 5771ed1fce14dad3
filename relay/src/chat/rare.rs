//! What only few connections need: all the others have a pointer's memory for it.

use std::ops::{Deref, DerefMut};

/// A value that mostly is as it is at first; memory is taken when it is to be changed.
#[derive(Debug)]
pub(in crate::chat) struct Rare<T>(Option<Box<T>>);

/// As which a value that was never changed is seen.
pub(in crate::chat) trait Unchanged: 'static {
    const UNCHANGED: &'static Self;
}

impl<T> Default for Rare<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Unchanged> Deref for Rare<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or(T::UNCHANGED)
    }
}

impl<T: Unchanged + Default> DerefMut for Rare<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_insert_default()
    }
}
