//! Content-Type: what a body is (RFC 3261 §20.15).
//!
//! Also reads one element of Accept. Not here: bodies in several parts.

use std::fmt;
use std::str::FromStr;

use compact_str::CompactString;

use crate::sip::header::param::Params;
use crate::sip::header::scan;
use crate::sip::header::scan::Malformed;

/// A media type: `application/sdp`, `multipart/mixed;boundary="…"`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ContentType {
    /// The part before the slash, as written.
    pub kind: CompactString,
    /// The part after it, as written.
    pub subtype: CompactString,
    /// The parameters.
    pub params: Params,
}

impl ContentType {
    /// Tells whether this is `wanted`, such as `application/sdp`, in any case.
    pub fn is(&self, wanted: &str) -> bool {
        wanted.split_once('/').is_some_and(|(kind, subtype)| {
            self.kind.eq_ignore_ascii_case(kind) && self.subtype.eq_ignore_ascii_case(subtype)
        })
    }
}

impl FromStr for ContentType {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (media, params) = text.split_at(text.find(';').unwrap_or(text.len()));
        let (kind, subtype) = media.split_once('/').ok_or(Malformed)?;
        let (kind, subtype) = (scan::trim(kind), scan::trim(subtype));
        if !scan::is_token(kind.as_bytes()) || !scan::is_token(subtype.as_bytes()) {
            return Err(Malformed);
        }
        let (kind, subtype) = (CompactString::from(kind), CompactString::from(subtype));
        Ok(Self { kind, subtype, params: params.parse()? })
    }
}

impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.kind, self.subtype, self.params)
    }
}
