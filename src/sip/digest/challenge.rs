//! Challenges: what a server asks for in a 401 or 407 (RFC 7616 §3.3).
//!
//! A message may carry several, one an algorithm, in the server's order of preference
//! (RFC 8760 §2.3). Those of another scheme or algorithm are passed over, not faults.

use std::fmt;

use crate::sip::digest::Algorithm;
use crate::sip::digest::Qop;
use crate::sip::digest::param;
use crate::sip::digest::param::AuthParams;
use crate::sip::header::name::Name;
use crate::sip::header::scan;
use crate::sip::message::Message;

/// One challenge that can be answered. Quoted values are as they stand between their quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Whose users are meant.
    pub realm: String,
    /// The server's number used once.
    pub nonce: String,
    /// To be sent back unchanged.
    pub opaque: Option<String>,
    /// The password was right and only the nonce too old.
    pub stale: bool,
    /// The algorithm, MD5 where none is named.
    pub algorithm: Algorithm,
    /// The protections offered; none is the form of RFC 2069.
    pub qops: Vec<Qop>,
}

/// Reads the challenges of `name` in `response`, in their order; those that cannot be answered
/// are left out.
pub fn challenges(response: &Message, name: Name) -> Vec<Challenge> {
    let mut found = Vec::new();
    for line in response.headers(name) {
        let lists = AuthParams::read(&line).unwrap_or_default();
        found.extend(lists.iter().filter_map(Challenge::from_params));
    }
    found
}

impl Challenge {
    fn from_params(params: &AuthParams<'_>) -> Option<Self> {
        if !params.scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let algorithm = params.value("algorithm").map_or(Ok(Algorithm::MD5), str::parse).ok()?;
        let offered = params.value("qop");
        let words = offered.unwrap_or_default().split(',').map(scan::trim);
        let qops: Vec<Qop> = words.filter_map(|word| word.parse().ok()).collect();
        if offered.is_some() && qops.is_empty() {
            return None;
        }
        Some(Self {
            realm: params.text("realm")?,
            nonce: params.text("nonce")?,
            opaque: params.text("opaque"),
            stale: params.value("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
            algorithm,
            qops,
        })
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest ")?;
        param::quoted(f, "realm", &self.realm)?;
        param::also(f, "nonce", Some(&self.nonce))?;
        param::also(f, "opaque", self.opaque.as_deref())?;
        if self.stale {
            f.write_str(", stale=true")?;
        }
        write!(f, ", algorithm={}", self.algorithm)?;
        if self.qops.is_empty() {
            return Ok(());
        }
        let words: Vec<_> = self.qops.iter().map(|qop| qop.as_str()).collect();
        param::also(f, "qop", Some(&words.join(",")))
    }
}
