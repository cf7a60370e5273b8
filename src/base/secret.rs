//! Values that never print: callers' numbers, PINs, passwords.
//!
//! Always holds: `Debug` of a [`Private`] shows that something is there and nothing of what it is,
//! so a derived `Debug` of any command, fact or state is safe to log (`tests/acd` prints them all).
//!
//! Not here: hashing or comparing secrets in constant time, which is where they are used.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

/// Wraps a value that must not reach a log.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Private<T>(T);

impl<T> Private<T> {
    /// Hides `value`.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// Shows the value to code that needs it to do its job; never to print it.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•••")
    }
}
