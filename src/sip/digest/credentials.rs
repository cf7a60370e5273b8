//! Credentials: a client's answer to a challenge (RFC 7616 §3.4).
//!
//! `algorithm`, `qop` and `nc` are written bare and read quoted or bare, as both are seen. Names
//! are told as they are, neither encoded nor hashed (`username*`, `userhash`).

use std::fmt;

use crate::sip::digest::Algorithm;
use crate::sip::digest::Qop;
use crate::sip::digest::param;
use crate::sip::digest::param::AuthParams;
use crate::sip::header::name::Name;
use crate::sip::header::scan;
use crate::sip::message::Message;

/// One answer. Quoted values are as they stand between their quotes.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Who answers.
    pub username: String,
    /// To whose challenge.
    pub realm: String,
    /// The nonce answered.
    pub nonce: String,
    /// The digest URI as written.
    pub uri: String,
    /// The hash.
    pub response: String,
    /// The algorithm, MD5 where none is named.
    pub algorithm: Algorithm,
    /// The client's own number.
    pub cnonce: Option<String>,
    /// The server's word sent back.
    pub opaque: Option<String>,
    /// The protection chosen.
    pub qop: Option<Qop>,
    /// How often the nonce was used, in hexadecimal, as written.
    pub nc: Option<String>,
}

/// Reads the Digest credentials of `name` in `request`; what cannot be read is left out.
pub fn credentials(request: &Message, name: Name) -> Vec<Credentials> {
    let mut found = Vec::new();
    for line in request.headers(name) {
        let lists = AuthParams::read(&line).unwrap_or_default();
        found.extend(lists.iter().filter_map(Credentials::from_params));
    }
    found
}

impl Credentials {
    fn from_params(params: &AuthParams<'_>) -> Option<Self> {
        if !params.scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        if params.value("userhash").is_some_and(|hashed| hashed.eq_ignore_ascii_case("true")) {
            return None;
        }
        let nc = params.text("nc");
        // It is passed on bare, where a comma would end it.
        if nc.as_deref().is_some_and(|nc| !scan::is_token(nc.as_bytes())) {
            return None;
        }
        Some(Self {
            username: params.text("username")?,
            realm: params.text("realm")?,
            nonce: params.text("nonce")?,
            uri: params.text("uri")?,
            response: params.text("response")?,
            algorithm: params.value("algorithm").map_or(Ok(Algorithm::MD5), str::parse).ok()?,
            cnonce: params.text("cnonce"),
            opaque: params.text("opaque"),
            qop: params.value("qop").map(str::parse).transpose().ok()?,
            nc,
        })
    }

    /// How often the nonce was used, if that is said and hexadecimal.
    pub fn count(&self) -> Option<u32> {
        self.nc.as_deref().and_then(|nc| u32::from_str_radix(nc, 16).ok())
    }
}

impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest ")?;
        param::quoted(f, "username", &self.username)?;
        param::also(f, "realm", Some(&self.realm))?;
        param::also(f, "nonce", Some(&self.nonce))?;
        param::also(f, "uri", Some(&self.uri))?;
        param::also(f, "response", Some(&self.response))?;
        write!(f, ", algorithm={}", self.algorithm)?;
        param::also(f, "cnonce", self.cnonce.as_deref())?;
        param::also(f, "opaque", self.opaque.as_deref())?;
        if let Some(qop) = self.qop {
            write!(f, ", qop={}", qop.as_str())?;
        }
        match &self.nc {
            Some(nc) => write!(f, ", nc={nc}"),
            None => Ok(()),
        }
    }
}

/// Shows who and where, never the answer: a weak password can be guessed from it.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Credentials");
        shown.field("realm", &self.realm).field("uri", &self.uri).finish_non_exhaustive()
    }
}
