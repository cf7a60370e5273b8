//! Values written the way nearly all are, taken apart in one look.
//!
//! What is plain is well-formed: no folded line, no list, no escape, no spaces but one where one
//! must be, `sip:` and a host name or IPv4 address, ASCII but for a quoted name. Anything else may
//! be well-formed all the same and is read by the full rules.
//!
//! Always holds: what is plain passes [`crate::sip::check`], and its parts are those the full
//! rules find (`tests/sip/property.rs`).
//!
//! Not here: the full rules, and which fault it is ([`crate::sip::check`]).

use std::ops::Range;
use std::ops::RangeFrom;

use crate::sip::header::scan;
use crate::sip::header::swar;

/// Where a byte may stand.
const HOST: u8 = 1;
const USER: u8 = 2;
const WORDS: u8 = 4;

/// For each byte the places it may stand in, worked out by the compiler.
static PLACES: [u8; 256] = {
    let mut table = [0; 256];
    let mut nth = 0;
    while nth < 256 {
        table[nth] = places_of(nth as u8);
        nth += 1;
    }
    table
};

const fn places_of(byte: u8) -> u8 {
    match byte {
        b'-' | b'.' | b'_' => HOST | USER | WORDS,
        // RFC 3261 §25.1: `unreserved`, and what of `user-unreserved` parts nothing elsewhere.
        b'!' | b'~' | b'*' | b'\'' | b'(' | b')' | b'&' | b'=' | b'+' | b'$' | b'/' => USER,
        b' ' => WORDS,
        _ if byte.is_ascii_alphanumeric() => HOST | USER | WORDS,
        _ => 0,
    }
}

/// A plain Via: `SIP/2.0/UDP host:port;params`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// By what it was carried.
    pub transport: Range<usize>,
    /// Who sent it.
    pub host: Range<usize>,
    /// The port, if one is written.
    pub port: Option<u16>,
    /// The parameters, each led by `;`, up to the end.
    pub params: RangeFrom<usize>,
}

/// A plain URI: `sip:user@host:port;params`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The part before `@`.
    pub user: Option<Range<usize>>,
    /// The host.
    pub host: Range<usize>,
    /// The port, if one is written.
    pub port: Option<u16>,
    /// The parameters, each led by `;`, up to the end.
    pub params: RangeFrom<usize>,
}

/// A plain address: `"Name" <uri>;params`, the name quoted, in words, or left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The name without quotes; empty where there is none.
    pub display: Range<usize>,
    /// Where the URI lies.
    pub uri: Range<usize>,
    /// The URI's parts, counted from its start.
    pub target: Target,
    /// The header's parameters, each led by `;`, up to the end.
    pub params: RangeFrom<usize>,
}

/// Takes a hop apart.
#[inline]
pub fn hop(text: &[u8]) -> Option<Hop> {
    const PROTOCOL: &[u8] = b"SIP/2.0/";
    let rest = text.strip_prefix(PROTOCOL)?;
    let ends = |byte: &u8| !scan::is_token_byte(*byte);
    let space = rest.iter().position(ends).filter(|at| *at > 0 && rest[*at] == b' ')?;
    let end = PROTOCOL.len() + space;
    let (host, port, params) = host_port(text, end + 1)?;
    are_params(&text[params..]).then_some(Hop {
        transport: PROTOCOL.len()..end,
        host,
        port,
        params: params..,
    })
}

/// Takes an address apart.
#[inline]
pub fn address(text: &[u8]) -> Option<Address> {
    let (display, open) = match text.first()? {
        b'<' => (0..0, 0),
        b'"' => {
            let close = 1 + swar::find_any_or_control(&text[1..], *b"\"\\\x7f")?;
            (1..close, close + if text[close..].starts_with(b"\" ") { 2 } else { 1 })
        }
        b' ' => return None,
        _ => {
            let words = run(text, WORDS);
            (0..text[..words].trim_ascii_end().len(), words)
        }
    };
    // A name that ends in a backslash or a control byte and not in its quote is not plain.
    let closed = text[0] != b'"' || text[display.end] == b'"';
    let uri = open + 1;
    let within = text.get(uri..).filter(|_| closed && text[open] == b'<')?;
    let close = uri + swar::find(within, b'>')?;
    let params = close + 1;
    let target = target(&text[uri..close])?;
    are_params(&text[params..]).then_some(Address {
        display,
        uri: uri..close,
        target,
        params: params..,
    })
}

/// Takes a URI apart.
#[inline]
pub fn target(text: &[u8]) -> Option<Target> {
    const SCHEME: &[u8] = b"sip:";
    let rest = text.strip_prefix(SCHEME)?;
    let end = SCHEME.len() + run(rest, USER);
    let has_user = end > SCHEME.len() && text.get(end) == Some(&b'@');
    let user = has_user.then_some(SCHEME.len()..end);
    let (host, port, params) = host_port(text, if has_user { end + 1 } else { SCHEME.len() })?;
    are_params(&text[params..]).then_some(Target { user, host, port, params: params.. })
}

/// `1 INVITE`: the number and the method.
#[inline]
pub fn cseq(text: &[u8]) -> Option<(u32, &[u8])> {
    // Nine digits are below 2³¹.
    let (number, len) = number(text, 9)?;
    let method = text[len..].strip_prefix(b" ").filter(|method| scan::is_token(method))?;
    Some((number, method))
}

/// Tells whether `text` is one word: ASCII without a space.
#[inline]
pub fn is_word(text: &[u8]) -> bool {
    !text.is_empty() && swar::all_pairs(text, b'0', |byte, _| (byte > b' ') & (byte < 0x7f))
}

/// Reads the number `text` consists of, if it has one digit at least and `most` at most.
#[inline]
pub fn count(text: &[u8], most: usize) -> Option<u32> {
    number(text, most).filter(|(_, len)| *len == text.len()).map(|(number, _)| number)
}

/// Finds the host at `start` and the port behind it; what is left are parameters.
#[inline]
fn host_port(text: &[u8], start: usize) -> Option<(Range<usize>, Option<u16>, usize)> {
    let end = start + run(text.get(start..)?, HOST);
    if end == start {
        return None;
    }
    if text.get(end) != Some(&b':') {
        return Some((start..end, None, end));
    }
    let (port, len) = number(&text[end + 1..], 5)?;
    Some((start..end, Some(u16::try_from(port).ok()?), end + 1 + len))
}

/// Tells whether `text` is a row of parameters, each led by `;` and named, with a token for value
/// where there is one; of the marks in a token only those that are usual are plain.
#[inline]
fn are_params(text: &[u8]) -> bool {
    let may_stand = |byte: u8, next: u8| {
        let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
        let digit = byte.wrapping_sub(b'0') < 10;
        let mark = (byte.wrapping_sub(b'-') < 2) | (byte == b'_') | (byte == b'+');
        let parts = (byte == b';') | (byte == b'=');
        // Neither a name nor a value is empty.
        let empty = parts & ((next == b';') | (next == b'='));
        (letter | digit | mark | parts) & !empty
    };
    match text {
        [] => true,
        [b';', .., b';' | b'='] | [b';'] => false,
        [first, ..] => *first == b';' && swar::all_pairs(text, b'a', may_stand),
    }
}

/// Reads the number at the start, if it has one digit at least and `most` at most; also tells how
/// long it is.
#[inline]
fn number(text: &[u8], most: usize) -> Option<(u32, usize)> {
    let mut number = 0;
    let mut len = 0;
    while let Some(digit) = text.get(len).map(|byte| byte.wrapping_sub(b'0')).filter(|it| *it < 10)
    {
        len += 1;
        if len > most {
            return None;
        }
        number = number * 10 + u32::from(digit);
    }
    (len > 0).then_some((number, len))
}

/// How many bytes at the start may stand in `place`.
#[inline]
fn run(text: &[u8], place: u8) -> usize {
    let ends = |byte: &u8| PLACES[usize::from(*byte)] & place == 0;
    text.iter().position(ends).unwrap_or(text.len())
}
