//! Reason: why a request was sent, chiefly a BYE or CANCEL (RFC 3326).
//!
//! `Reason: SIP;cause=200;text="Call completed elsewhere"` on a CANCEL keeps a phone from showing
//! a missed call; `Q.850;cause=16` carries what the telephone network said.

use std::fmt;
use std::str::FromStr;

use compact_str::CompactString;

use crate::sip::header::param::Params;
use crate::sip::header::scan;
use crate::sip::header::scan::Malformed;

/// One reason.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reason {
    /// Whose numbers the cause is from: `SIP`, `Q.850`, as written.
    pub protocol: CompactString,
    /// The number.
    pub cause: Option<u16>,
    /// Words for people.
    pub text: Option<CompactString>,
}

impl Reason {
    /// A reason in SIP's own status codes.
    pub fn sip(cause: u16, text: &str) -> Self {
        let (protocol, text) = (CompactString::const_new("SIP"), Some(CompactString::from(text)));
        Self { protocol, cause: Some(cause), text }
    }
}

impl FromStr for Reason {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (protocol, params) = text.split_at(text.find(';').unwrap_or(text.len()));
        let protocol = scan::trim(protocol);
        if !scan::is_token(protocol.as_bytes()) {
            return Err(Malformed);
        }
        let params: Params = params.parse()?;
        let cause = params.unquoted("cause").map(|cause| scan::number(&cause)).transpose()?;
        let text = params.unquoted("text").map(CompactString::from);
        Ok(Self { protocol: CompactString::from(protocol), cause, text })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.protocol)?;
        if let Some(cause) = self.cause {
            write!(f, ";cause={cause}")?;
        }
        if let Some(text) = &self.text {
            f.write_str(";text=")?;
            scan::quote(f, text)?;
        }
        Ok(())
    }
}
