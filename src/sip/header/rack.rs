//! RAck: which reliable provisional response a PRACK confirms (RFC 3262 §7.2).

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde::Serialize;

use crate::sip::header::cseq::CSeq;
use crate::sip::header::scan;
use crate::sip::header::scan::Malformed;

/// Names a provisional response by its RSeq and by the CSeq of the request it answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RAck {
    /// The RSeq of the response.
    pub rseq: u32,
    /// The CSeq of the response.
    pub cseq: CSeq,
}

impl FromStr for RAck {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (rseq, cseq) = text.split_once([' ', '\t']).ok_or(Malformed)?;
        Ok(Self { rseq: scan::number(rseq)?, cseq: scan::trim(cseq).parse()? })
    }
}

impl fmt::Display for RAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.rseq, self.cseq)
    }
}
