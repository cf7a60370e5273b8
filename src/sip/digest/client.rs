//! Answering a challenge: what Carillon does when a trunk asks who it is.
//!
//! Not here: when to answer, and when to give up (a second challenge that is not `stale` means a
//! wrong password, RFC 3261 §22.2); that is the business of whoever sent the request.

use crate::sip::digest;
use crate::sip::digest::Qop;
use crate::sip::digest::Subject;
use crate::sip::digest::challenge::Challenge;
use crate::sip::digest::credentials::Credentials;
use crate::sip::digest::param;

/// Who Carillon is at a trunk.
#[derive(Clone, Copy)]
pub struct Login<'a> {
    /// The name, as configured.
    pub username: &'a str,
    /// The password, as configured.
    pub password: &'a str,
}

/// Chooses the topmost challenge: the server lists them best first, and those that cannot be
/// answered were left out when they were read (RFC 8760 §2.4).
pub fn choose(challenges: &[Challenge]) -> Option<&Challenge> {
    challenges.first()
}

/// Answers `challenge` for a request to `uri`, which is hashed and sent as given.
///
/// `nc` counts the requests answered with this nonce, from 1; `cnonce` must be new for each nonce
/// and hard to guess.
pub fn answer(
    challenge: &Challenge,
    login: Login<'_>,
    subject: Subject<'_>,
    uri: &str,
    cnonce: &str,
    nc: u32,
) -> Credentials {
    let qop = if challenge.qops.contains(&Qop::Auth) {
        Some(Qop::Auth)
    } else {
        challenge.qops.first().copied()
    };
    let needs_cnonce = qop.is_some() || challenge.algorithm.session;
    let mut credentials = Credentials {
        username: param::escape(login.username),
        realm: challenge.realm.clone(),
        nonce: challenge.nonce.clone(),
        uri: param::escape(uri),
        response: String::new(),
        algorithm: challenge.algorithm,
        cnonce: needs_cnonce.then(|| param::escape(cnonce)),
        opaque: challenge.opaque.clone(),
        qop,
        nc: qop.map(|_| format!("{nc:08x}")),
    };
    credentials.response = digest::expected(&credentials, login.password, subject);
    credentials
}
