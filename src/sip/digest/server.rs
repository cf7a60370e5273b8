//! Asking for a password, checking the answer, and taking each answer once.
//!
//! A nonce is `time-number.seal`: the moment it was made, a number of its own, and an HMAC of both
//! and the realm under a key that only this realm of this process has. A nonce that nobody
//! answered rightly costs nothing, so strangers cannot fill anything; of the others it is
//! remembered which counts (`nc`) came with them, until they are too old to be taken at all.
//!
//! | an answer with the right password | is |
//! |---|---|
//! | to a nonce of ours, with a count not seen before | accepted, and its count is spent |
//! | the same without a count (RFC 2069 §2.1.2) | accepted once, and the nonce is spent |
//! | with a count seen before, or too far behind | stale: it may be a replay |
//! | to a nonce too old, or made by another realm or process | stale |
//! | for another user than the Request-URI names | elsewhere |
//!
//! Always holds: no answer is accepted twice, whoever sends it and however it got here; comparing
//! takes as long for a wrong answer as for a right one, and an unknown user as long as a known
//! one; `stale` is said to those alone who know the password (RFC 7616 §3.3).
//!
//! Not here: which password a user has, and what an accepted answer lets in (`b2bua`).

use std::collections::BTreeMap;

use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::base::time::LocalTime;
use crate::base::time::Millis;
use crate::sip::digest;
use crate::sip::digest::Algorithm;
use crate::sip::digest::Qop;
use crate::sip::digest::Subject;
use crate::sip::digest::challenge::Challenge;
use crate::sip::digest::credentials::Credentials;
use crate::sip::digest::param;
use crate::sip::uri::Uri;

/// How many used nonces are remembered; 30,000 are some 100 a second for 300 s.
const REMEMBERED_MAX: usize = 30_000;

/// How far behind the highest count one may arrive: requests overtake each other on UDP.
const BEHIND_MAX: u32 = 63;

/// One realm, its key, how long its nonces last, and which of them were used.
pub struct Realm {
    /// The realm, escaped as it goes between quotes.
    name: String,
    key: [u8; 32],
    lifetime: Millis,
    used: BTreeMap<Made, Uses>,
    /// Nonces made up to here are forgotten, and stale whatever their age.
    forgotten: Option<Made>,
    numbers: u64,
}

/// When a nonce was made, and its number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Made {
    at: LocalTime,
    number: u64,
}

/// The counts a nonce was used with.
#[derive(Clone, Copy, Default)]
struct Uses {
    highest: u32,
    /// Bit n stands for the count n below the highest.
    seen: u64,
}

impl Uses {
    /// Spends a count; tells whether it was unspent.
    fn spend(&mut self, count: u32) -> bool {
        if count > self.highest {
            let shift = count - self.highest;
            self.seen = self.seen.checked_shl(shift).unwrap_or(0) | 1;
            self.highest = count;
            return true;
        }
        let behind = self.highest - count;
        if behind > BEHIND_MAX || self.seen & (1 << behind) != 0 {
            return false;
        }
        self.seen |= 1 << behind;
        true
    }
}

/// What an answer is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The password is right.
    Accepted,
    /// The password is right and the nonce too old or spent: challenge again with `stale`.
    Stale,
    /// The password is right and the answer was made for another address: 400.
    Elsewhere,
    /// Wrong password, unknown user, or not our realm.
    Refused,
}

impl Realm {
    /// A realm whose nonces are sealed with `key` and last for `lifetime`.
    ///
    /// Whoever has the same key takes the same nonces and cannot know which were used, so the key
    /// is new in each process.
    pub fn new(name: &str, key: [u8; 32], lifetime: Millis) -> Self {
        let (used, name) = (BTreeMap::new(), param::escape(name));
        Self { name, key, lifetime, used, forgotten: None, numbers: 0 }
    }

    /// Makes the challenges for one response, the strongest first (RFC 8760 §2.3); write each in
    /// a line of its own.
    pub fn challenges(&mut self, now: LocalTime, stale: bool) -> [Challenge; 2] {
        self.numbers += 1;
        let made = Made { at: now, number: self.numbers };
        let nonce = format!("{:x}-{:x}.{}", made.at.0, made.number, self.seal(made));
        [Algorithm::SHA_256, Algorithm::MD5].map(|algorithm| Challenge {
            realm: self.name.clone(),
            nonce: nonce.clone(),
            opaque: None,
            stale,
            algorithm,
            qops: vec![Qop::Auth],
        })
    }

    /// Checks an answer against the password of the user it names, `None` if there is no such;
    /// `asked` is the Request-URI of the request it came in.
    pub fn verify(
        &mut self,
        now: LocalTime,
        credentials: &Credentials,
        subject: Subject<'_>,
        asked: &str,
        password: Option<&str>,
    ) -> Verdict {
        let expected = digest::expected(credentials, password.unwrap_or_default(), subject);
        let given = credentials.response.to_ascii_lowercase();
        let right = bool::from(expected.as_bytes().ct_eq(given.as_bytes()));
        // RFC 7616 §3.4: with a qop there must be a cnonce and a count, and counts begin at 1.
        let counted = credentials.cnonce.is_some() && credentials.count().is_some_and(|nc| nc > 0);
        let complete = credentials.qop.is_none() || counted;
        let ours = credentials.realm == self.name;
        if !(right && complete && ours && password.is_some()) {
            return Verdict::Refused;
        }
        if !same_user(&credentials.uri, asked) {
            return Verdict::Elsewhere;
        }
        let fresh = self.made(&credentials.nonce).filter(|made| self.is_fresh(now, *made));
        match fresh {
            Some(made) if self.spend(now, made, credentials) => Verdict::Accepted,
            Some(_) | None => Verdict::Stale,
        }
    }

    fn is_fresh(&self, now: LocalTime, made: Made) -> bool {
        let remembered = self.forgotten.is_none_or(|forgotten| made > forgotten);
        remembered && now.since(made.at) <= self.lifetime
    }

    /// Spends what an answer used; tells whether it was unspent.
    fn spend(&mut self, now: LocalTime, made: Made, credentials: &Credentials) -> bool {
        while let Some(oldest) = self.used.keys().next().copied() {
            let aged = now.since(oldest.at) > self.lifetime;
            if !aged && self.used.len() < REMEMBERED_MAX {
                break;
            }
            self.used.remove(&oldest);
            if !aged {
                self.forgotten = Some(oldest);
            }
        }
        if !self.is_fresh(now, made) {
            return false;
        }
        let known = self.used.contains_key(&made);
        let uses = self.used.entry(made).or_default();
        match credentials.qop.and_then(|_| credentials.count()) {
            Some(count) => uses.spend(count),
            None => {
                // RFC 2069 §2.1.2 has no count: the first use is the only one.
                *uses = Uses { highest: u32::MAX, seen: u64::MAX };
                !known
            }
        }
    }

    /// How many used nonces are remembered.
    pub fn remembered(&self) -> usize {
        self.used.len()
    }

    /// What a nonce says of itself; `None` if it is not ours.
    fn made(&self, nonce: &str) -> Option<Made> {
        let (made, seal) = nonce.split_once('.')?;
        let (at, number) = made.split_once('-')?;
        let at = LocalTime(u64::from_str_radix(at, 16).ok()?);
        let made = Made { at, number: u64::from_str_radix(number, 16).ok()? };
        bool::from(self.seal(made).as_bytes().ct_eq(seal.as_bytes())).then_some(made)
    }

    fn seal(&self, made: Made) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else {
            unreachable!("an HMAC takes a key of any length") // RFC 2104 §2
        };
        mac.update(b"carillon digest nonce\0");
        mac.update(&made.at.0.to_be_bytes());
        mac.update(&made.number.to_be_bytes());
        mac.update(self.name.as_bytes());
        digest::hex(&mac.finalize().into_bytes()[..16])
    }
}

/// Tells whether the digest URI names the user the request asks for.
///
/// RFC 7616 §3.4.6 wants the two to be equivalent. Scheme, host, port and parameters may differ
/// here, because a proxy on the way may rewrite them and the caller hashed what it dialled
/// (RFC 3261 §22.4); the user chooses the queue and may not.
fn same_user(hashed: &str, asked: &str) -> bool {
    match (hashed.parse::<Uri>(), asked.parse::<Uri>()) {
        (Ok(hashed), Ok(asked)) => hashed.user_name() == asked.user_name(),
        (Ok(_) | Err(_), Ok(_) | Err(_)) => hashed == asked,
    }
}
