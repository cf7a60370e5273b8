//! Digest authentication, both sides (RFC 3261 §22, RFC 7616, RFC 8760).
//!
//! | file | what |
//! |---|---|
//! | [`challenge`] | WWW-Authenticate and Proxy-Authenticate, read and written |
//! | [`credentials`] | Authorization and Proxy-Authorization, read and written |
//! | [`client`] | choosing a challenge and answering it |
//! | [`server`] | making nonces, and taking each answer once |
//!
//! MD5, SHA-256 and SHA-512-256, each plain or `-sess`; qop `auth`, `auth-int` or none.
//!
//! Always holds: quoted values are hashed as they stand between their quotes, backslashes
//! included (RFC 7616 §3.3, `unq`), the digest URI is hashed as written and not as understood, and
//! `nc` is hexadecimal text, hashed as written.
//!
//! Not here: whose password counts where (`b2bua`).

pub mod challenge;
pub mod client;
pub mod credentials;
mod param;
pub mod server;

use std::fmt;
use std::fmt::Write;
use std::str::FromStr;

use md5::Md5;
use sha2::Digest;
use sha2::Sha256;
use sha2::Sha512_256;

use crate::sip::header::scan::Malformed;

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// MD5, broken and everywhere.
    Md5,
    /// SHA-256.
    Sha256,
    /// SHA-512/256.
    Sha512Over256,
}

/// A hash function and how the secret part is made with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Algorithm {
    /// The function.
    pub hash: Hash,
    /// Whether nonce and cnonce go into the secret part (`-sess`).
    pub session: bool,
}

impl Algorithm {
    /// What an absent `algorithm` means (RFC 7616 §3.3).
    pub const MD5: Self = Self { hash: Hash::Md5, session: false };
    /// SHA-256.
    pub const SHA_256: Self = Self { hash: Hash::Sha256, session: false };
    /// SHA-512/256.
    pub const SHA_512_256: Self = Self { hash: Hash::Sha512Over256, session: false };

    /// The name in the header.
    pub fn as_str(self) -> &'static str {
        match (self.hash, self.session) {
            (Hash::Md5, false) => "MD5",
            (Hash::Md5, true) => "MD5-sess",
            (Hash::Sha256, false) => "SHA-256",
            (Hash::Sha256, true) => "SHA-256-sess",
            (Hash::Sha512Over256, false) => "SHA-512-256",
            (Hash::Sha512Over256, true) => "SHA-512-256-sess",
        }
    }
}

impl FromStr for Algorithm {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let hashes = [Hash::Md5, Hash::Sha256, Hash::Sha512Over256];
        let mut known =
            hashes.into_iter().flat_map(|hash| [false, true].map(|session| Self { hash, session }));
        known.find(|known| known.as_str().eq_ignore_ascii_case(text)).ok_or(Malformed)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an answer protects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qop {
    /// Method and URI.
    Auth,
    /// Method, URI and body.
    AuthInt,
}

impl Qop {
    /// The word in the header.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }
}

impl FromStr for Qop {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let mut known = [Self::Auth, Self::AuthInt].into_iter();
        known.find(|known| known.as_str().eq_ignore_ascii_case(text)).ok_or(Malformed)
    }
}

/// The request an answer is for.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its body.
    pub body: &'a [u8],
}

/// The `response` that `credentials` should hold for `password` (RFC 7616 §3.4.1).
fn expected(
    credentials: &credentials::Credentials,
    password: &str,
    subject: Subject<'_>,
) -> String {
    let algorithm = credentials.algorithm;
    let digest = |parts: &[&[u8]]| hash(algorithm.hash, parts);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (username, realm) = (credentials.username.as_bytes(), credentials.realm.as_bytes());
    let nonce = credentials.nonce.as_bytes();
    let (cnonce, nc) = (text(&credentials.cnonce), text(&credentials.nc));

    let mut secret = digest(&[username, realm, password.as_bytes()]);
    if algorithm.session {
        secret = digest(&[secret.as_bytes(), nonce, cnonce.as_bytes()]);
    }
    let (method, uri) = (subject.method.as_bytes(), credentials.uri.as_bytes());
    let request = match credentials.qop {
        Some(Qop::AuthInt) => digest(&[method, uri, digest(&[subject.body]).as_bytes()]),
        Some(Qop::Auth) | None => digest(&[method, uri]),
    };
    let (secret, request) = (secret.as_bytes(), request.as_bytes());
    match credentials.qop {
        Some(qop) => {
            let qop = qop.as_str().as_bytes();
            digest(&[secret, nonce, nc.as_bytes(), cnonce.as_bytes(), qop, request])
        }
        None => digest(&[secret, nonce, request]),
    }
}

/// Hashes the parts with a colon between them; lower-case hexadecimal.
fn hash(hash: Hash, parts: &[&[u8]]) -> String {
    let joined = parts.join(&b':');
    match hash {
        Hash::Md5 => hex(&Md5::digest(joined)),
        Hash::Sha256 => hex(&Sha256::digest(joined)),
        Hash::Sha512Over256 => hex(&Sha512_256::digest(joined)),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}
