//! Via: one hop a request took, and the way its responses go back (RFC 3261 §20.42).
//!
//! `SIP/2.0/UDP host:port;branch=…;received=…;rport=…`, with spaces allowed around each `/`, `:`
//! and `;`. The transport is kept as text: Carillon passes on what it cannot speak itself.
//!
//! Not here: matching by branch (`transaction`), choosing where a response goes (`transaction`).

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use compact_str::CompactString;
use serde::Deserialize;
use serde::Serialize;

use crate::sip::flow::Transport;
use crate::sip::header::param;
use crate::sip::header::param::Params;
use crate::sip::header::scan;
use crate::sip::header::scan::Malformed;
use crate::sip::plain;
use crate::sip::uri;
use crate::sip::uri::HostPort;

/// Begins every branch made by RFC 3261 rules; others are matched the RFC 2543 way (§17.2.3).
pub const MAGIC_COOKIE: &str = "z9hG4bK";

/// One hop.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Via {
    /// By what it was carried, as written: `UDP`, `TLS-SCTP`, …
    pub transport: CompactString,
    /// Who sent it, as they name themselves.
    pub sent_by: HostPort,
    /// The parameters.
    pub params: Params,
}

impl Via {
    /// Our own hop; `rport` asks the other side to answer where we sent from (RFC 3581 §3).
    pub fn new(transport: Transport, sent_by: HostPort, branch: &str) -> Self {
        let params = Params::EMPTY.with("branch", Some(branch)).with("rport", None);
        Self { transport: CompactString::from(transport.as_str()), sent_by, params }
    }

    /// Copies the parts of a plain hop.
    pub(in crate::sip) fn from_plain(text: &str, hop: plain::Hop) -> Self {
        Self {
            transport: CompactString::from(&text[hop.transport]),
            sent_by: HostPort { host: CompactString::from(&text[hop.host]), port: hop.port },
            params: Params::from_plain(&text[hop.params]),
        }
    }

    /// The branch, if it has one.
    pub fn branch(&self) -> Option<&str> {
        self.params.value("branch")
    }

    /// Tells whether the branch was made by RFC 3261 rules and so names a transaction.
    pub fn has_cookie(&self) -> bool {
        // RFC 4475 §3.2.1: a branch that is the cookie and nothing more names no transaction.
        self.branch().and_then(|branch| branch.split_at_checked(MAGIC_COOKIE.len())).is_some_and(
            |(start, rest)| start.eq_ignore_ascii_case(MAGIC_COOKIE) && !rest.is_empty(),
        )
    }

    /// The address the request really came from, as the receiver saw it.
    pub fn received(&self) -> Option<IpAddr> {
        self.params.value("received").and_then(uri::ip_of)
    }

    /// The port the request really came from; `Some(None)` is the request to say so.
    pub fn rport(&self) -> Option<Option<u16>> {
        let asked = self.params.has("rport");
        asked.then(|| self.params.value("rport").and_then(|port| scan::number(port).ok()))
    }

    /// The address responses go to in place of the sender's (RFC 3261 §18.2.2).
    pub fn maddr(&self) -> Option<&str> {
        self.params.value("maddr")
    }
}

impl FromStr for Via {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if let Some(hop) = plain::hop(text.as_bytes()) {
            return Ok(Self::from_plain(text, hop));
        }
        let (transport, sent_by, params) = split(text)?;
        let (host, port) = uri::split_host_port(sent_by)?;
        Ok(Self {
            transport: CompactString::from(transport),
            sent_by: HostPort { host: CompactString::from(host), port },
            params: params.parse()?,
        })
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}{}", self.transport, self.sent_by, self.params)
    }
}

/// Refuses text that is not one hop, without keeping anything.
pub(in crate::sip) fn check(text: &str) -> Result<(), Malformed> {
    let (_, sent_by, params) = split(text)?;
    uri::split_host_port(sent_by)?;
    param::check(params)
}

/// Cuts a hop into transport, sent-by and parameters.
fn split(text: &str) -> Result<(&str, &str, &str), Malformed> {
    let mut parts = text.splitn(3, '/');
    let mut part = || parts.next().map(scan::trim).ok_or(Malformed);
    let (protocol, version, rest) = (part()?, part()?, part()?);
    if !protocol.eq_ignore_ascii_case("SIP") || version != "2.0" {
        return Err(Malformed);
    }
    let (transport, rest) = rest.split_once([' ', '\t']).ok_or(Malformed)?;
    let (sent_by, params) = rest.split_at(rest.find(';').unwrap_or(rest.len()));
    let valid = scan::is_token(transport.as_bytes());
    if valid { Ok((transport, scan::trim(sent_by), params)) } else { Err(Malformed) }
}
