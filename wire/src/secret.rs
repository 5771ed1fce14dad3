//! What is not to be shown.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// A value that is a secret, or may hold one: whoever debugs what it stands in does not see it. Else it is as the value.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Secret<T>(pub T);

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(not shown)")
    }
}

impl<T> Deref for Secret<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Secret<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_its_value_and_is_not_shown() {
        let mut secret = Secret::from(vec![1]);
        secret.push(2);
        assert_eq!(
            (secret.len(), format!("{secret:?} {:#?}", Some(&secret)).contains(['1', '2'])),
            (2, false)
        );
    }
}
