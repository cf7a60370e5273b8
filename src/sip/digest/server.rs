//! Asking for a password and checking the answer, without remembering what was asked.
//!
//! A nonce is `time.seal`: the moment it was made and an HMAC of that moment and the realm under
//! the cluster's key. Every node can check a nonce any node made, none has to store one, and
//! nobody else can make one.
//!
//! Always holds: comparing takes as long for a wrong answer as for a right one, and an unknown
//! user as long as a known one.

use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::base::time::ClusterTime;
use crate::base::time::Millis;
use crate::sip::digest;
use crate::sip::digest::Algorithm;
use crate::sip::digest::Qop;
use crate::sip::digest::Subject;
use crate::sip::digest::challenge::Challenge;
use crate::sip::digest::credentials::Credentials;
use crate::sip::digest::param;

/// How far ahead of this node's time a nonce made by another may be.
const SKEW: Millis = Millis::from_secs(30);

/// One realm, its key, and how long its nonces last.
#[derive(Clone)]
pub struct Realm {
    /// The realm, escaped as it goes between quotes.
    name: String,
    key: [u8; 32],
    lifetime: Millis,
}

/// What an answer is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The password is right.
    Accepted,
    /// The password is right and the nonce too old: challenge again with `stale`.
    Stale,
    /// Wrong password, unknown user, or not our nonce.
    Refused,
}

impl Realm {
    /// A realm whose nonces are sealed with `key` and last for `lifetime`.
    pub fn new(name: &str, key: [u8; 32], lifetime: Millis) -> Self {
        Self { name: param::escape(name), key, lifetime }
    }

    /// Makes the challenges for one response, the strongest first (RFC 8760 §2.3); write each in
    /// a line of its own.
    pub fn challenges(&self, now: ClusterTime, stale: bool) -> [Challenge; 2] {
        [Algorithm::SHA_256, Algorithm::MD5].map(|algorithm| Challenge {
            realm: self.name.clone(),
            nonce: self.nonce(now),
            opaque: None,
            stale,
            algorithm,
            qops: vec![Qop::Auth],
        })
    }

    /// Checks an answer against the password of the user it names, `None` if there is no such.
    pub fn verify(
        &self,
        now: ClusterTime,
        credentials: &Credentials,
        subject: Subject<'_>,
        password: Option<&str>,
    ) -> Verdict {
        let expected = digest::expected(credentials, password.unwrap_or_default(), subject);
        let given = credentials.response.to_ascii_lowercase();
        let right = bool::from(expected.as_bytes().ct_eq(given.as_bytes()));
        // RFC 7616 §3.4: with a qop there must be a cnonce and a count, and counts begin at 1.
        let counted = credentials.cnonce.is_some() && credentials.count().is_some_and(|nc| nc > 0);
        let complete = credentials.qop.is_none() || counted;
        let ours = credentials.realm == self.name;
        match self.age(now, &credentials.nonce) {
            Some(age) if right && complete && ours && password.is_some() => {
                if age <= self.lifetime { Verdict::Accepted } else { Verdict::Stale }
            }
            Some(_) | None => Verdict::Refused,
        }
    }

    fn nonce(&self, now: ClusterTime) -> String {
        format!("{:x}.{}", now.0, self.seal(now))
    }

    /// How old a nonce is; `None` if it is not ours.
    fn age(&self, now: ClusterTime, nonce: &str) -> Option<Millis> {
        let (made, seal) = nonce.split_once('.')?;
        let made = ClusterTime(u64::from_str_radix(made, 16).ok()?);
        let ours = bool::from(self.seal(made).as_bytes().ct_eq(seal.as_bytes()));
        (ours && made <= now + SKEW).then(|| now.since(made))
    }

    fn seal(&self, made: ClusterTime) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else {
            unreachable!("an HMAC takes a key of any length") // RFC 2104 §2
        };
        mac.update(b"carillon digest nonce\0");
        mac.update(&made.0.to_be_bytes());
        mac.update(self.name.as_bytes());
        digest::hex(&mac.finalize().into_bytes()[..16])
    }
}
