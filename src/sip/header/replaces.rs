//! Replaces: the dialog a new call takes the place of (RFC 3891 §6.1).
//!
//! Stands in an INVITE, and escaped inside the URI of Refer-To for an attended transfer.

use std::fmt;
use std::str::FromStr;

use compact_str::CompactString;
use serde::Deserialize;
use serde::Serialize;

use crate::sip::header::param::Params;
use crate::sip::header::scan;
use crate::sip::header::scan::Malformed;

/// Names a dialog as the side that receives it sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Replaces {
    /// The Call-ID.
    pub call_id: CompactString,
    /// The receiver's own tag.
    pub to_tag: CompactString,
    /// The other side's tag.
    pub from_tag: CompactString,
    /// Only a dialog that is not answered yet may be replaced.
    pub early_only: bool,
}

impl FromStr for Replaces {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (call_id, params) = text.split_at(text.find(';').unwrap_or(text.len()));
        let call_id = scan::trim(call_id);
        if call_id.is_empty() || call_id.contains([' ', '\t', ',']) {
            return Err(Malformed);
        }
        let params: Params = params.parse()?;
        let tag = |name| params.value(name).map(CompactString::from).ok_or(Malformed);
        let (to_tag, from_tag) = (tag("to-tag")?, tag("from-tag")?);
        let early_only = params.has("early-only");
        Ok(Self { call_id: CompactString::from(call_id), to_tag, from_tag, early_only })
    }
}

impl fmt::Display for Replaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};to-tag={};from-tag={}", self.call_id, self.to_tag, self.from_tag)?;
        f.write_str(if self.early_only { ";early-only" } else { "" })
    }
}
