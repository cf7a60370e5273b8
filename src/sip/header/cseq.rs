//! CSeq: the number and method of a request within its dialog (RFC 3261 §20.16).

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde::Serialize;

use crate::sip::header::scan;
use crate::sip::header::scan::Malformed;
use crate::sip::method::Method;
use crate::sip::plain;

/// Orders requests, and pairs responses with them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CSeq {
    /// The number, below 2³¹ (RFC 3261 §8.1.1.5).
    pub number: u32,
    /// The method of the request.
    pub method: Method,
}

impl FromStr for CSeq {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if let Some((number, method)) = plain::cseq(text.as_bytes()) {
            return Ok(Self { number, method: Method::from(&text[text.len() - method.len()..]) });
        }
        let (number, method) = text.split_once([' ', '\t']).ok_or(Malformed)?;
        let number = scan::number::<u32>(number)?;
        let method = scan::trim(method);
        let valid = number < 1 << 31 && scan::is_token(method.as_bytes());
        if valid { Ok(Self { number, method: Method::from(method) }) } else { Err(Malformed) }
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}
