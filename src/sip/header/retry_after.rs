//! Retry-After: when to try again (RFC 3261 §20.33).
//!
//! `120 (in a meeting);duration=60`: the comment and the parameters are let go when read.

use std::fmt;
use std::str::FromStr;

use crate::sip::header::scan;
use crate::sip::header::scan::Malformed;

/// Seconds to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RetryAfter(pub u32);

impl FromStr for RetryAfter {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let end = text.find([';', '(']).unwrap_or(text.len());
        scan::number(scan::trim(&text[..end])).map(Self)
    }
}

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
