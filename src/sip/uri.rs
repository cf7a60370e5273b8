//! URIs: `sip:`, `sips:` and `tel:` taken apart, any other scheme kept as it came.
//!
//! | text | user | host | port | params | headers |
//! |---|---|---|---|---|---|
//! | `sip:ann:pw@[2001:db8::1]:5070;lr?a=b` | `ann` | `[2001:db8::1]` | 5070 | `;lr` | `a=b` |
//! | `tel:+15551234;phone-context=x` | `+15551234` | | | `;phone-context=x` | |
//! | `urn:service:sos` | `service:sos` | | | | |
//!
//! Always holds: parts are kept as written, escapes and all, so a URI prints as it was read, but
//! for the case of a known scheme. All are ASCII without a space, a quote, `<`, `>` or a control
//! byte, and each `%` in them begins an escape.
//!
//! Reading is wider than the grammar where nothing can be mistaken (underscores in host names, `#`
//! in a user part, odd characters in parameters), because phones send it and a URI that Carillon
//! only passes on is not its business.
//!
//! Not here: display names and header parameters ([`crate::sip::header::name_addr`]).

use std::borrow::Cow;
use std::fmt;
use std::fmt::Write;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;
use std::str::FromStr;

use compact_str::CompactString;
use serde::Deserialize;
use serde::Serialize;

use crate::sip::header::param;
use crate::sip::header::param::Params;
use crate::sip::header::scan;
use crate::sip::header::scan::Malformed;
use crate::sip::plain;

/// What kind of address a URI is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Scheme {
    /// `sip:`
    Sip,
    /// `sips:`, which asks for TLS on every hop (RFC 3261 §26.2.2).
    Sips,
    /// `tel:` (RFC 3966).
    Tel,
    /// Any other, as written.
    Other(CompactString),
}

impl Scheme {
    fn from_name(name: &str) -> Self {
        [Self::Sip, Self::Sips, Self::Tel]
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(name))
            .unwrap_or_else(|| Self::Other(CompactString::from(name)))
    }

    /// The scheme without its colon.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Sip => "sip",
            Self::Sips => "sips",
            Self::Tel => "tel",
            Self::Other(name) => name,
        }
    }

    /// Tells whether URIs of this scheme have a host and a port.
    fn has_host(&self) -> bool {
        matches!(self, Self::Sip | Self::Sips)
    }
}

/// An address of someone or something.
///
/// `==` compares the text of the parts; see [`Uri::is_equivalent`] for RFC 3261's rules.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Uri {
    /// What kind of address.
    pub scheme: Scheme,
    /// The part before `@`, the number of a `tel:`, or all of an unknown scheme.
    pub user: Option<CompactString>,
    /// A password in a SIP URI; never used, only passed on.
    pub password: Option<CompactString>,
    /// The host, IPv6 in brackets; empty where the scheme has none.
    pub host: CompactString,
    /// The port, if one is written.
    pub port: Option<u16>,
    /// The parameters.
    pub params: Params,
    /// What follows `?`, without it.
    pub headers: Option<CompactString>,
}

/// The parts of a URI as slices of its text.
struct Parts<'a> {
    scheme: Scheme,
    user: Option<&'a str>,
    password: Option<&'a str>,
    host: &'a str,
    port: Option<u16>,
    params: &'a str,
    headers: Option<&'a str>,
}

impl Uri {
    /// Makes `sip:user@host`; what may not stand in a user part is escaped.
    pub fn sip(user: Option<&str>, host: HostPort) -> Self {
        Self {
            scheme: Scheme::Sip,
            user: user.map(escape_user),
            password: None,
            host: host.host,
            port: host.port,
            params: Params::EMPTY,
            headers: None,
        }
    }

    /// Copies the parts of a plain URI.
    pub(super) fn from_plain(text: &str, target: plain::Target) -> Self {
        Self {
            scheme: Scheme::Sip,
            user: target.user.map(|user| CompactString::from(&text[user])),
            password: None,
            host: CompactString::from(&text[target.host]),
            port: target.port,
            params: Params::from_plain(&text[target.params]),
            headers: None,
        }
    }

    /// The user part without escapes.
    pub fn user_name(&self) -> Option<Cow<'_, str>> {
        self.user.as_deref().map(unescape)
    }

    /// Who is meant: the user part without escapes, and of a telephone number the number alone, for
    /// its visual separators and parameters mean nothing here (RFC 3966 §5, RFC 3261 §19.1.6).
    pub fn subscriber(&self) -> Option<Cow<'_, str>> {
        let user = self.user_name()?;
        let kind = self.params.value("user").unwrap_or_default();
        if self.scheme != Scheme::Tel && !kind.eq_ignore_ascii_case("phone") {
            return Some(user);
        }
        let number = user.split(';').next().unwrap_or_default();
        Some(number.chars().filter(|letter| !"-.()".contains(*letter)).collect())
    }

    /// Host and port together.
    pub fn host_port(&self) -> HostPort {
        HostPort { host: self.host.clone(), port: self.port }
    }

    /// The value of header `name` inside the URI, without escapes (RFC 3261 §19.1.1).
    pub fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        header_pairs(self.headers.as_deref())
            .find(|(found, _)| unescape(found).eq_ignore_ascii_case(name))
            .map(|(_, value)| unescape(value))
    }

    /// The same URI without its headers, as a Request-URI must be (RFC 3261 §19.1.5).
    #[must_use]
    pub fn without_headers(mut self) -> Self {
        self.headers = None;
        self
    }

    /// Compares by RFC 3261 §19.1.4: case and escapes that do not matter are set aside.
    ///
    /// Not an equivalence in the strict sense: a parameter one side lacks may match two others.
    pub fn is_equivalent(&self, other: &Self) -> bool {
        self.scheme == other.scheme
            && same_text(self.user.as_deref(), other.user.as_deref())
            && same_text(self.password.as_deref(), other.password.as_deref())
            && self.host.eq_ignore_ascii_case(&other.host)
            && self.port == other.port
            && same_params(&self.params, &other.params)
            && same_headers(self.headers.as_deref(), other.headers.as_deref())
    }
}

impl FromStr for Uri {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if let Some(target) = plain::target(text.as_bytes()) {
            return Ok(Self::from_plain(text, target));
        }
        let parts = split(text)?;
        param::check_in_uri(parts.params)?;
        Ok(Self {
            scheme: parts.scheme,
            user: parts.user.map(CompactString::from),
            password: parts.password.map(CompactString::from),
            host: CompactString::from(parts.host),
            port: parts.port,
            params: Params::from_plain(parts.params),
            headers: parts.headers.map(CompactString::from),
        })
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.scheme.as_str())?;
        if let Some(user) = &self.user {
            f.write_str(user)?;
        }
        if let Some(password) = &self.password {
            write!(f, ":{password}")?;
        }
        if self.scheme.has_host() {
            f.write_str(if self.user.is_some() { "@" } else { "" })?;
            f.write_str(&self.host)?;
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        write!(f, "{}", self.params)?;
        match &self.headers {
            Some(headers) => write!(f, "?{headers}"),
            None => Ok(()),
        }
    }
}

/// Refuses text that is not a URI, without keeping anything.
pub(super) fn check(text: &str) -> Result<(), Malformed> {
    let parts = split(text)?;
    param::check_in_uri(parts.params)
}

/// Tells whether `text` is a `sip:` or `sips:` URI that carries headers.
pub(super) fn has_headers(text: &str) -> bool {
    split(text).is_ok_and(|parts| parts.headers.is_some())
}

fn split(text: &str) -> Result<Parts<'_>, Malformed> {
    let may_stand = |byte: u8| byte.is_ascii_graphic() && !b"<>\"".contains(&byte);
    let (scheme, rest) = text.split_once(':').ok_or(Malformed)?;
    let proper = !rest.is_empty() && rest.bytes().all(may_stand) && are_escapes(rest);
    if !is_scheme(scheme) || !proper {
        return Err(Malformed);
    }
    let scheme = Scheme::from_name(scheme);
    let none = Parts {
        scheme: Scheme::Tel,
        user: None,
        password: None,
        host: "",
        port: None,
        params: "",
        headers: None,
    };
    match scheme {
        Scheme::Sip | Scheme::Sips => split_sip(rest, Parts { scheme, ..none }),
        Scheme::Tel => {
            let (user, params) = rest.split_at(rest.find(';').unwrap_or(rest.len()));
            if is_number(user) {
                Ok(Parts { user: Some(user), params, ..none })
            } else {
                Err(Malformed)
            }
        }
        Scheme::Other(_) => Ok(Parts { scheme, user: Some(rest), ..none }),
    }
}

/// Takes `[user[:password]@]host[:port][;params][?headers]` apart.
///
/// The user part may itself hold `;`, `?` and `/`, so `@` is looked for first.
fn split_sip<'a>(rest: &'a str, mut parts: Parts<'a>) -> Result<Parts<'a>, Malformed> {
    let rest = match rest.split_once('@') {
        Some((info, rest)) => {
            let (user, password) = match info.split_once(':') {
                Some((user, password)) => (user, Some(password)),
                None => (info, None),
            };
            if user.is_empty()
                || !user.bytes().all(|byte| is_user_byte(byte) || b"%#".contains(&byte))
            {
                return Err(Malformed);
            }
            (parts.user, parts.password) = (Some(user), password);
            rest
        }
        None => rest,
    };
    let (rest, headers) = match rest.split_once('?') {
        Some((rest, headers)) => (rest, Some(headers)),
        None => (rest, None),
    };
    let nameless = |pair: &str| pair.is_empty() || pair.starts_with('=');
    if headers.is_some_and(|headers| headers.split('&').any(nameless)) {
        return Err(Malformed);
    }
    let (address, params) = rest.split_at(rest.find(';').unwrap_or(rest.len()));
    let (host, port) = split_host_port(address)?;
    Ok(Parts { host, port, params, headers, ..parts })
}

fn is_scheme(text: &str) -> bool {
    let rest = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.bytes().all(rest)
}

/// What stands for itself in a user part (RFC 3261 §25.1, `unreserved` and `user-unreserved`).
fn is_user_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte)
}

/// A telephone number, global or local, with or without visual separators (RFC 3966 §3).
fn is_number(text: &str) -> bool {
    let (digits, global) = text.strip_prefix('+').map_or((text, false), |digits| (digits, true));
    let local = |byte: u8| !global && (byte.is_ascii_hexdigit() || b"*#".contains(&byte));
    let digit = |byte: u8| byte.is_ascii_digit() || local(byte);
    digits.bytes().any(digit) && digits.bytes().all(|byte| digit(byte) || b"-.()".contains(&byte))
}

/// Tells whether each `%` begins an escape (RFC 3261 §25.1, `escaped`).
fn are_escapes(text: &str) -> bool {
    let escape = |after: &str| after.as_bytes().get(..2).and_then(hex_byte).is_some();
    text.split('%').skip(1).all(escape)
}

/// A host with the port written beside it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HostPort {
    /// A name or an address, IPv6 in brackets.
    pub host: CompactString,
    /// The port, if one is written.
    pub port: Option<u16>,
}

impl HostPort {
    /// The address, if the host is one and not a name.
    pub fn ip(&self) -> Option<IpAddr> {
        ip_of(&self.host)
    }
}

/// Reads a host as an address, with or without the brackets of IPv6.
pub fn ip_of(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => ipv6(inner).map(IpAddr::V6),
        None => host.parse().ok(),
    }
}

/// Reads an IPv6 address; a third colon before an IPv4 address inside it, which the grammar of
/// RFC 3261 asked for by mistake, counts for nothing (RFC 5118 §4.10).
fn ipv6(text: &str) -> Option<Ipv6Addr> {
    text.parse().ok().or_else(|| {
        let (before, inside) = text.split_once(":::")?;
        let inside: Ipv4Addr = inside.parse().ok()?;
        format!("{before}::{inside}").parse().ok()
    })
}

impl From<SocketAddr> for HostPort {
    fn from(address: SocketAddr) -> Self {
        let mut host = CompactString::default();
        let _infallible = match address.ip() {
            IpAddr::V4(ip) => write!(host, "{ip}"),
            IpAddr::V6(ip) => write!(host, "[{ip}]"),
        };
        Self { host, port: Some(address.port()) }
    }
}

impl FromStr for HostPort {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (host, port) = split_host_port(text)?;
        Ok(Self { host: CompactString::from(host), port })
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

/// Splits `host[:port]`; spaces around the colon are let through, as Via allows them.
pub(super) fn split_host_port(text: &str) -> Result<(&str, Option<u16>), Malformed> {
    let end = match text.strip_prefix('[') {
        Some(rest) => rest.find(']').ok_or(Malformed)? + 2,
        None => text.find(':').unwrap_or(text.len()),
    };
    let (host, rest) = (scan::trim(&text[..end]), scan::trim(&text[end..]));
    if !is_host(host) {
        return Err(Malformed);
    }
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, Some(scan::number(scan::trim(port))?))),
        None if rest.is_empty() => Ok((host, None)),
        None => Err(Malformed),
    }
}

fn is_host(text: &str) -> bool {
    match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => ipv6(inner).is_some(),
        None => {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            !text.is_empty() && text.bytes().all(plain)
        }
    }
}

/// Replaces `%41` by `A`; what does not become UTF-8 is left as it was.
fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| first == b'%').and_then(hex_byte);
        bytes.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (high, low) = (digit(digits[0])?, digit(digits[1])?);
    u8::try_from(high * 16 + low).ok()
}

/// Escapes what may not stand in a user part (RFC 3261 §25.1, `user`).
fn escape_user(text: &str) -> CompactString {
    let mut escaped = CompactString::default();
    for byte in text.bytes() {
        if is_user_byte(byte) {
            escaped.push(char::from(byte));
        } else {
            let _infallible = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

fn same_text(one: Option<&str>, other: Option<&str>) -> bool {
    one.map(unescape) == other.map(unescape)
}

/// These must be on both sides or on neither (RFC 3261 §19.1.4).
const PAIRED: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];

fn same_params(one: &Params, other: &Params) -> bool {
    let same = |one: Option<&str>, other: Option<&str>| match (one, other) {
        (Some(one), Some(other)) => unescape(one).eq_ignore_ascii_case(&unescape(other)),
        (one, other) => one.is_none() && other.is_none(),
    };
    let paired = PAIRED.iter().all(|name| one.has(name) == other.has(name));
    paired && one.iter().all(|(name, value)| !other.has(name) || same(value, other.value(name)))
}

fn same_headers(one: Option<&str>, other: Option<&str>) -> bool {
    let sorted = |text| {
        let mut pairs: Vec<_> = header_pairs(text)
            .map(|(name, value)| (unescape(name).to_ascii_lowercase(), unescape(value)))
            .collect();
        pairs.sort();
        pairs
    };
    sorted(one) == sorted(other)
}

fn header_pairs(headers: Option<&str>) -> impl Iterator<Item = (&str, &str)> {
    let pairs = headers.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}
