//! Session-Expires and Min-SE: how long a call lives without a refresh (RFC 4028 §4, §5).
//!
//! Not here: who refreshes when (`dialog::session_timer`).

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde::Serialize;

use crate::sip::header::param::Params;
use crate::sip::header::scan;
use crate::sip::header::scan::Malformed;

/// Which side sends the refreshes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Refresher {
    /// The side that sent the request this header is in, or is answered by.
    Uac,
    /// The side that answered it.
    Uas,
}

/// An interval and, once agreed, who refreshes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SessionExpires {
    /// Seconds until the call is taken for dead.
    pub seconds: u32,
    /// Who refreshes, if it is said.
    pub refresher: Option<Refresher>,
}

/// The least interval a side accepts, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MinSe(pub u32);

fn seconds_and_params(text: &str) -> Result<(u32, Params), Malformed> {
    let (seconds, params) = text.split_at(text.find(';').unwrap_or(text.len()));
    Ok((scan::number(scan::trim(seconds))?, params.parse()?))
}

impl FromStr for SessionExpires {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (seconds, params) = seconds_and_params(text)?;
        let refresher = match params.value("refresher") {
            Some(side) if side.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
            Some(side) if side.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
            Some(_) => return Err(Malformed),
            None => None,
        };
        Ok(Self { seconds, refresher })
    }
}

impl FromStr for MinSe {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Ok(Self(seconds_and_params(text)?.0))
    }
}

impl fmt::Display for SessionExpires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.refresher {
            Some(Refresher::Uac) => ";refresher=uac",
            Some(Refresher::Uas) => ";refresher=uas",
            None => "",
        };
        write!(f, "{}{side}", self.seconds)
    }
}

impl fmt::Display for MinSe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
