//! Messages written the way nearly all are, told in one pass over the headers that matter.
//!
//! What is plain is well-formed: no folded line, no list, no escape, no spaces but one where one
//! must be, `sip:` and a host name or IPv4 address, ASCII but for a quoted name. Anything else may
//! be well-formed all the same and is read by the full rules.
//!
//! Always holds: what is plain passes [`crate::sip::check`] (`tests/sip/property.rs`).
//!
//! Not here: the full rules, and which fault it is ([`crate::sip::check`]).

use crate::sip::header::name::Name;
use crate::sip::header::scan;
use crate::sip::message::Message;
use crate::sip::parse::Start;

/// Where a byte may stand.
const HOST: u8 = 1;
const USER: u8 = 2;
const URI_PARAM: u8 = 4;
const PARAM: u8 = 8;
const QUOTED: u8 = 16;
const WORDS: u8 = 32;
const VISIBLE: u8 = 64;

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
    let visible = byte.is_ascii_graphic();
    let separates = matches!(byte, b'"' | b'<' | b'>' | b',' | b';');
    let mut places = 0;
    if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') {
        places |= HOST | WORDS;
    }
    if visible && !separates {
        places |= PARAM;
        if !matches!(byte, b'@' | b'?') {
            places |= URI_PARAM;
            places |= if byte == b':' { 0 } else { USER };
        }
    }
    if matches!(byte, b' '..=0x7e | 0x80..) && !matches!(byte, b'"' | b'\\') {
        places |= QUOTED;
    }
    places |= if byte == b' ' { WORDS } else { 0 };
    places | if visible { VISIBLE } else { 0 }
}

/// Tells whether all that is checked of `message` is there and plain.
pub(super) fn is_plain(message: &Message) -> bool {
    let method = match message.index().start {
        Start::Request { method, uri } => {
            if uri_end(uri.of(message.as_bytes())) != Some(b"") {
                return false;
            }
            Some(method.of(message.as_bytes()))
        }
        Start::Response { .. } => None,
    };
    let mut found = 0_u8;
    for entry in message.entries() {
        let value = entry.value.of(message.as_bytes());
        let (is_plain, bit) = match entry.known {
            Some(Name::Via) => (is_via(value), 1),
            Some(Name::From) => (is_address(value), 2),
            Some(Name::To) => (is_address(value), 4),
            Some(Name::CallId) => (is_all(value, VISIBLE), 8),
            Some(Name::CSeq) => (is_cseq(value, method), 16),
            Some(Name::MaxForwards) => (number(value, 2) == Some(value.len()), 0),
            Some(Name::Contact) if method.is_some() => (is_address(value), 0),
            Some(_) | None => (true, 0),
        };
        if !is_plain {
            return false;
        }
        found |= bit;
    }
    found == 31
}

/// `SIP/2.0/UDP host:port;params`
pub fn is_via(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"SIP/2.0/") else { return false };
    let Some(space) = rest.iter().position(|byte| !scan::is_token_byte(*byte)) else {
        return false;
    };
    let sent_by = rest[space..].strip_prefix(b" ").filter(|_| space > 0);
    let params = sent_by.and_then(host_end);
    params.and_then(|params| params_end(params, PARAM)) == Some(b"")
}

/// `"Name" <uri>;params`, the name quoted, in words, or left out.
pub fn is_address(text: &[u8]) -> bool {
    let rest = match text {
        [b'"', inside @ ..] => {
            let (_, rest) = inside.split_at(run(inside, QUOTED));
            rest.strip_prefix(b"\"").map(|rest| rest.strip_prefix(b" ").unwrap_or(rest))
        }
        [b'<', ..] => Some(text),
        words => Some(&words[run(words, WORDS)..]),
    };
    let uri = rest.and_then(|rest| rest.strip_prefix(b"<"));
    let after = uri.and_then(uri_end).and_then(|rest| rest.strip_prefix(b">"));
    after.and_then(|params| params_end(params, PARAM)) == Some(b"")
}

/// Skips `sip:user@host:port;params`, the user, the port and the parameters where they are.
pub fn uri_end(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"sip:")?;
    let user = run(rest, USER);
    let host = if user > 0 { rest[user..].strip_prefix(b"@") } else { None };
    params_end(host_end(host.unwrap_or(rest))?, URI_PARAM)
}

/// Skips a host and its port.
fn host_end(text: &[u8]) -> Option<&[u8]> {
    let host = run(text, HOST);
    if host == 0 {
        return None;
    }
    let rest = &text[host..];
    // Four digits and some of five are ports; the rest is for the full rules.
    match rest.strip_prefix(b":") {
        Some(port) => number(port, 4).or_else(|| high_port(port)).map(|len| &port[len..]),
        None => Some(rest),
    }
}

fn high_port(text: &[u8]) -> Option<usize> {
    number(text, 5).filter(|_| text < b"65".as_slice())
}

/// Skips parameters, each led by `;` and named.
fn params_end(mut text: &[u8], place: u8) -> Option<&[u8]> {
    while let [b';', rest @ ..] = text {
        let len = run(rest, place);
        if len == 0 || rest[0] == b'=' {
            return None;
        }
        text = &rest[len..];
    }
    Some(text)
}

/// `1 INVITE`, the method that of the request; of a response, any.
pub fn is_cseq(text: &[u8], wanted: Option<&[u8]>) -> bool {
    let Some(len) = number(text, 9) else { return false };
    let method = text[len..].strip_prefix(b" ").unwrap_or_default();
    wanted.map_or_else(|| scan::is_token(method), |wanted| wanted == method)
}

/// How long the number at the start is, if it has one digit at least and `most` at most.
fn number(text: &[u8], most: usize) -> Option<usize> {
    let len = text.iter().take(most + 1).take_while(|byte| byte.is_ascii_digit()).count();
    (1..=most).contains(&len).then_some(len)
}

/// How many bytes at the start may stand in `place`.
fn run(text: &[u8], place: u8) -> usize {
    let ends = |byte: &u8| PLACES[usize::from(*byte)] & place == 0;
    text.iter().position(ends).unwrap_or(text.len())
}

fn is_all(text: &[u8], place: u8) -> bool {
    !text.is_empty() && run(text, place) == text.len()
}
