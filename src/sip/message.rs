//! A message: one buffer of bytes and an index of what lies where.
//!
//! ```text
//! bytes   INVITE sip:ann@x SIP/2.0␍␊Via: SIP/2.0/UDP …␍␊f: <sip:…>;tag=1␍␊…␍␊␍␊v=0…
//!         └method┘└──uri──┘         └name┘ └──value──┘                      └body┘
//! index   Request{method, uri}      Via ────────────    From …              body
//! ```
//!
//! A clone shares both. Reading a header compares index entries and borrows from the buffer;
//! headers with structure are read on demand ([`crate::sip::typed`]), each by itself, so one that
//! is malformed or not UTF-8 harms no other.
//!
//! Always holds: [`Message::as_bytes`] is the message as it came, byte for byte, without the line
//! ends before it and without what followed its body.
//!
//! Not here: finding the index ([`crate::sip::parse`]), changing a message
//! ([`crate::sip::edit`]), writing one ([`crate::sip::write`]).

use std::borrow::Cow;

use bytes::Buf;
use bytes::Bytes;

use crate::sip::check;
use crate::sip::glance;
use crate::sip::header::name::Name;
use crate::sip::header::scan;
use crate::sip::header::swar;
use crate::sip::method::Method;
use crate::sip::parse;
use crate::sip::parse::Entry;
use crate::sip::parse::Fault;
use crate::sip::parse::Index;
use crate::sip::parse::ParseError;
use crate::sip::parse::Start;

/// A request or a response, complete and checked.
#[derive(Clone, Debug)]
pub struct Message {
    bytes: Bytes,
    index: Index,
}

impl Message {
    /// Reads a datagram.
    ///
    /// Refuses what is not one well-formed message; the error says what may be answered.
    pub fn parse(mut datagram: Bytes) -> Result<Self, ParseError> {
        datagram.advance(parse::skip_line_ends(&datagram));
        if datagram.is_empty() {
            return Err(ParseError { fault: Fault::Empty, message: None });
        }
        Self::parse_at(datagram)
    }

    /// Reads a message that begins with the first byte.
    pub(super) fn parse_at(mut bytes: Bytes) -> Result<Self, ParseError> {
        if let Some((index, end)) = glance::index(&bytes) {
            bytes.truncate(end);
            return Ok(Self { bytes, index });
        }
        let (index, end, fault) =
            parse::index(&bytes).map_err(|fault| ParseError { fault, message: None })?;
        bytes.truncate(end);
        let message = Self { bytes, index };
        match fault.or_else(|| check::fault_in(&message)) {
            None => Ok(message),
            Some(fault) => Err(ParseError { fault, message: Some(message) }),
        }
    }

    /// Joins bytes and the index made beside them.
    pub(super) fn from_parts(bytes: Bytes, index: Index) -> Self {
        Self { bytes, index }
    }

    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    pub(super) fn index_mut(&mut self) -> &mut Index {
        &mut self.index
    }

    /// The message as it came, or as it will go.
    pub fn as_bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        self.bytes.get(self.index.body as usize..).unwrap_or_default()
    }

    /// Tells a request from a response.
    pub fn is_request(&self) -> bool {
        matches!(self.index.start, Start::Request { .. })
    }

    /// The method asked for; of a response, the method it answers, read from CSeq.
    pub fn method(&self) -> Method {
        match self.index.start {
            Start::Request { method, .. } => {
                Method::from(str_of(method.of(&self.bytes)).unwrap_or_default())
            }
            Start::Response { .. } => {
                self.cseq().map_or_else(|_| Method::from(""), |cseq| cseq.method)
            }
        }
    }

    /// The status code of a response.
    pub fn status(&self) -> Option<u16> {
        match self.index.start {
            Start::Request { .. } => None,
            Start::Response { status, .. } => Some(status),
        }
    }

    /// The phrase of a response; empty for a request and where it is not UTF-8.
    pub fn reason(&self) -> &str {
        match self.index.start {
            Start::Request { .. } => "",
            Start::Response { reason, .. } => str_of(reason.of(&self.bytes)).unwrap_or_default(),
        }
    }

    /// The Request-URI as written; empty for a response.
    pub fn request_uri_text(&self) -> &str {
        match self.index.start {
            Start::Request { uri, .. } => str_of(uri.of(&self.bytes)).unwrap_or_default(),
            Start::Response { .. } => "",
        }
    }

    /// The first value of `name`, unfolded.
    ///
    /// Bytes that are not UTF-8 show as `\u{FFFD}`; [`Message::raw_headers`] has them as they are.
    pub fn header(&self, name: Name) -> Option<Cow<'_, str>> {
        self.headers(name).next()
    }

    /// Each line of `name` in order, unfolded; a comma list is one value here.
    pub fn headers(&self, name: Name) -> impl Iterator<Item = Cow<'_, str>> {
        self.raw_headers(name).map(unfold)
    }

    /// Each line of `name` in order, byte for byte.
    pub fn raw_headers(&self, name: Name) -> impl Iterator<Item = &[u8]> {
        let named = self.entries().iter().filter(move |entry| entry.known == Some(name));
        named.map(|entry| entry.value(&self.bytes))
    }

    /// The first value of a header found by its text, unfolded; for those [`Name`] does not list.
    pub fn extension(&self, name: &str) -> Option<Cow<'_, str>> {
        let named = |entry: &&Entry| entry.name(&self.bytes).eq_ignore_ascii_case(name.as_bytes());
        self.entries().iter().find(named).map(|entry| unfold(entry.value(&self.bytes)))
    }

    /// Every header line: its name as written and its value, unfolded.
    pub fn all_headers(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        self.entries().iter().map(|entry| {
            let name = str_of(entry.name(&self.bytes)).unwrap_or_default();
            (name, unfold(entry.value(&self.bytes)))
        })
    }

    /// Tells whether `name` is there.
    pub fn has(&self, name: Name) -> bool {
        self.entries().iter().any(|entry| entry.known == Some(name))
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.index.headers
    }

    /// Tells whether a fault in this message may be answered: a request that names a hop, even
    /// if illegibly, as the answer goes back the flow it came by.
    pub(super) fn may_be_answered(&self) -> bool {
        self.is_request() && self.method() != Method::Ack && self.has(Name::Via)
    }
}

/// Finds the Call-ID of a datagram without reading anything else; for choosing a shard.
///
/// Agrees with [`Message::call_id`] on every message that parses.
pub fn peek_call_id(datagram: &[u8]) -> Option<&[u8]> {
    let mut rest = &datagram[parse::skip_line_ends(datagram)..];
    loop {
        let feed = memchr::memchr(b'\n', rest)?;
        rest = &rest[feed + 1..];
        let name_end = rest.iter().position(|byte| !scan::is_token_byte(*byte))?;
        let name = &rest[..name_end];
        if name.eq_ignore_ascii_case(b"i") || name.eq_ignore_ascii_case(b"call-id") {
            let after = rest[name_end..].trim_ascii_start();
            let value = after.strip_prefix(b":")?.trim_ascii_start();
            let end = value.iter().position(u8::is_ascii_whitespace)?;
            return Some(&value[..end]);
        }
        if rest.starts_with(b"\r\n") {
            return None;
        }
    }
}

/// The shard that handles every message with this Call-ID; the same on every node and release.
///
/// FNV-1a over the bytes, folded once more so that few shards share evenly. No shards is shard 0.
pub fn shard_of(call_id: impl AsRef<[u8]>, shards: u16) -> u16 {
    let start = 0xcbf2_9ce4_8422_2325_u64;
    let hash = call_id
        .as_ref()
        .iter()
        .fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let folded = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
    u16::try_from(folded % u64::from(shards.max(1))).unwrap_or_default()
}

fn str_of(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// Joins folded lines: a line end and the spaces after it are one space (RFC 3261 §7.3.1).
pub(super) fn unfold(value: &[u8]) -> Cow<'_, str> {
    if !swar::has_control(value) {
        return str_of(value).map_or_else(|| String::from_utf8_lossy(value), Cow::Borrowed);
    }
    let mut joined = Vec::with_capacity(value.len());
    for (at, line) in value.split(|byte| *byte == b'\n').enumerate() {
        if at > 0 {
            joined.push(b' ');
        }
        let blanks = line.iter().take_while(|byte| at > 0 && matches!(byte, b' ' | b'\t')).count();
        let line = &line[blanks..];
        joined.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
    }
    Cow::Owned(String::from_utf8_lossy(&joined).into_owned())
}
