//! Bytes to index: where the start line, each header and the body of a message lie.
//!
//! One pass over the bytes. Nothing is decoded, folded lines stay folded, values keep their
//! spaces inside; only spans are noted, in an array on the stack that becomes the message's one
//! allocation. Limits are checked before anything is kept.
//!
//! Two kinds of fault ([`Fault`]): where no index can be made (the limits, no SIP at all) the
//! bytes are dropped; every other fault is noted, the index is finished, and whoever received
//! the message may answer from it ([`ParseError::answer`]).
//!
//! Strict where elements could disagree on where a message or a header ends: bare CR or LF,
//! a repeated or wrong Content-Length, a missing empty line (RFC 3261 §7.5, §18.3).
//!
//! Not here: what headers must say ([`crate::sip::check`]) and streams ([`crate::sip::stream`]).

use std::fmt;
use std::sync::Arc;

use crate::sip::header::name::Name;
use crate::sip::header::scan;
use crate::sip::message::Message;
use crate::sip::method::Method;

/// The longest message taken, head and body.
pub const MAX_MESSAGE: usize = 65_535;
/// The most header lines in a message.
pub const MAX_HEADERS: usize = 256;
/// The longest header, name and folded lines included; also the longest start line.
pub const MAX_HEADER: usize = 8_192;
/// The most times one header may be folded.
pub const MAX_FOLDS: usize = 16;

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing but line ends: a keep-alive (RFC 5626 §3.5.1), or nothing at all.
    Empty,
    /// Over one of the limits.
    TooLarge,
    /// The first line is no SIP start line, not even nearly.
    NotSip,
    /// The first line is nearly a start line: a stray space, a bracketed URI.
    StartLine,
    /// Another version than SIP/2.0.
    Version,
    /// A line ended by a bare LF, or a CR that ends no line.
    LineEnd,
    /// A header line without a proper name and colon.
    HeaderLine,
    /// No empty line after the headers.
    NoEmptyLine,
    /// A header that may stand once stands twice.
    Repeated(Name),
    /// A header that must be there is not.
    Missing(Name),
    /// A header whose value breaks its grammar or range.
    Malformed(Name),
    /// Content-Length is no number, or more than there is.
    ContentLength,
    /// The method of CSeq is not that of the request.
    MethodMismatch,
    /// The Request-URI is no URI, or carries headers.
    RequestUri,
}

impl Fault {
    /// The status that answers a request with this fault; `None` where nothing may be sent.
    pub fn status(self) -> Option<u16> {
        match self {
            Self::Empty | Self::NotSip => None,
            Self::Version => Some(505),
            // RFC 3261 §21.5.14; where no index could be made there is nobody to tell.
            Self::TooLarge => Some(513),
            Self::StartLine
            | Self::LineEnd
            | Self::HeaderLine
            | Self::NoEmptyLine
            | Self::Repeated(_)
            | Self::Missing(_)
            | Self::Malformed(_)
            | Self::ContentLength
            | Self::MethodMismatch
            | Self::RequestUri => Some(400),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("nothing but line ends"),
            Self::TooLarge => f.write_str("over a limit"),
            Self::NotSip => f.write_str("not SIP"),
            Self::StartLine => f.write_str("malformed start line"),
            Self::Version => f.write_str("not SIP/2.0"),
            Self::LineEnd => f.write_str("bare CR or LF"),
            Self::HeaderLine => f.write_str("malformed header line"),
            Self::NoEmptyLine => f.write_str("no empty line after the headers"),
            Self::Repeated(name) => write!(f, "repeated {name}"),
            Self::Missing(name) => write!(f, "missing {name}"),
            Self::Malformed(name) => write!(f, "malformed {name}"),
            Self::ContentLength => f.write_str("wrong Content-Length"),
            Self::MethodMismatch => f.write_str("method differs from CSeq"),
            Self::RequestUri => f.write_str("malformed Request-URI"),
        }
    }
}

/// A message that was not taken.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{fault}")]
pub struct ParseError {
    /// What is wrong.
    pub fault: Fault,
    /// What could be read all the same, if enough was there to index.
    pub message: Option<Message>,
}

impl ParseError {
    /// The status to answer with and the request to answer; `None` where it is to be dropped.
    ///
    /// Responses and ACK are never answered, nor is a request without any Via. The answer goes
    /// back the flow the request came by, without a transaction: its Via may be what is broken.
    pub fn answer(&self) -> Option<(u16, &Message)> {
        let message = self.message.as_ref().filter(|message| message.may_be_answered())?;
        let unknown = matches!(message.method(), Method::Other(_));
        // RFC 4475 §3.1.2.18: a method from the future may have a CSeq from there as well.
        if unknown && self.fault == Fault::MethodMismatch {
            return Some((501, message));
        }
        Some((self.fault.status()?, message))
    }
}

/// A stretch of the message's bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Self {
        // Lengths are bounded by `MAX_MESSAGE` here and by memory in what we write ourselves.
        Self { start: start as u32, end: end as u32 }
    }

    pub(super) fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// One header line: which, where it starts, and where its value lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) known: Option<Name>,
    pub(super) start: u32,
    pub(super) value: u32,
    pub(super) end: u32,
}

impl Entry {
    /// The name as written: the token at the start of the line.
    pub(super) fn name(self, bytes: &[u8]) -> &[u8] {
        let line = bytes.get(self.start as usize..).unwrap_or_default();
        let ends = |byte: &u8| !scan::is_token_byte(*byte);
        &line[..line.iter().position(ends).unwrap_or(line.len())]
    }

    pub(super) fn value(self, bytes: &[u8]) -> &[u8] {
        self.span().of(bytes)
    }

    /// Where the value lies.
    pub(super) fn span(self) -> Span {
        Span { start: self.value, end: self.end }
    }
}

/// What the first line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Request { method: Span, uri: Span },
    Response { status: u16, reason: Span },
}

/// Where everything lies.
#[derive(Clone, Debug)]
pub(super) struct Index {
    pub(super) start: Start,
    pub(super) headers: Arc<[Entry]>,
    /// Where the body begins; it ends with the message.
    pub(super) body: u32,
}

/// The head of a message: everything before the body.
pub(super) struct Head {
    start: Start,
    headers: Arc<[Entry]>,
    /// Where the body begins.
    pub(super) end: usize,
    /// The number in Content-Length, where there is one that can be read.
    pub(super) content_length: Option<usize>,
    /// The first fault noted.
    pub(super) fault: Option<Fault>,
}

/// Skips the line ends that may stand before a message (RFC 3261 §7.5).
pub(super) fn skip_line_ends(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len())
}

/// Indexes the head of a message.
pub(super) fn head(bytes: &[u8]) -> Result<Head, Fault> {
    if bytes.len() > MAX_MESSAGE {
        return Err(Fault::TooLarge);
    }
    let mut scanner = Scanner { bytes, at: 0, fault: None };
    let line = scanner.line().ok_or(Fault::NotSip)?;
    if line.end - line.start > MAX_HEADER as u32 {
        return Err(Fault::TooLarge);
    }
    let start = scanner.start_line(line)?;
    let headers = scanner.headers(single_in(start))?;
    let content_length = scanner.content_length(&headers);
    Ok(Head { start, headers, end: scanner.at, content_length, fault: scanner.fault })
}

/// Indexes one whole message; tells where its body ends and the first fault noted beside it.
///
/// What follows a body of known length is not part of the message (RFC 3261 §18.3).
pub(super) fn index(bytes: &[u8]) -> Result<(Index, usize, Option<Fault>), Fault> {
    let Head { start, headers, end, content_length, mut fault } = head(bytes)?;
    let body_end = match content_length {
        Some(length) if length <= bytes.len() - end => end + length,
        Some(_) => {
            fault.get_or_insert(Fault::ContentLength);
            bytes.len()
        }
        // RFC 3261 §18.3: without a length, the body of a datagram is all that is left.
        None => bytes.len(),
    };
    Ok((Index { start, headers, body: end as u32 }, body_end, fault))
}

/// Walks the head of a message line by line.
struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    fault: Option<Fault>,
}

impl Scanner<'_> {
    /// Notes a fault; the first one noted is the one reported.
    fn note(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }

    /// Takes the next line, without its end.
    fn line(&mut self) -> Option<Span> {
        let start = self.at;
        let rest = &self.bytes[start..];
        let end = memchr::memchr2(b'\r', b'\n', rest)?;
        if rest[end..].starts_with(b"\r\n") {
            self.at = start + end + 2;
            return Some(Span::new(start, start + end));
        }
        // A bare CR or LF: the line goes on to its LF all the same.
        let feed = end + memchr::memchr(b'\n', &rest[end..])?;
        self.note(Fault::LineEnd);
        self.at = start + feed + 1;
        let line = &rest[..feed];
        Some(Span::new(start, start + line.strip_suffix(b"\r").unwrap_or(line).len()))
    }

    fn start_line(&mut self, line: Span) -> Result<Start, Fault> {
        let text = line.of(self.bytes);
        if text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/")) {
            return self.status_line(line);
        }
        let space = |byte: &u8| matches!(byte, b' ' | b'\t');
        let method_end = text.iter().position(space).ok_or(Fault::NotSip)?;
        if !scan::is_token(&text[..method_end]) {
            return Err(Fault::NotSip);
        }
        let end = text.len() - text.iter().rev().take_while(|byte| space(byte)).count();
        let version_start =
            text[..end].iter().rposition(space).map_or(0, |at| at + 1).max(method_end + 1).min(end);
        let version = &text[version_start..end];
        let uri = Span::new(method_end + 1, version_start.saturating_sub(1).max(method_end + 1));
        // RFC 3261 §7.1: one SP each, and no other blank.
        let single = |at: usize| text.get(at) == Some(&b' ');
        let parted = single(method_end) && single(version_start - 1) && end == text.len();
        let exact = parted && !uri.of(text).iter().any(space);
        if !version.eq_ignore_ascii_case(b"SIP/2.0") {
            let another = version.get(..4).is_some_and(|it| it.eq_ignore_ascii_case(b"SIP/"));
            self.note(if another { Fault::Version } else { Fault::StartLine });
        } else if !exact || uri.start == uri.end {
            self.note(Fault::StartLine);
        }
        // The start line begins the message, so spans within it are spans of the message.
        Ok(Start::Request { method: Span::new(0, method_end), uri })
    }

    /// `SIP/2.0 SP 3DIGIT SP phrase`; the last space is let go where the phrase is empty.
    fn status_line(&mut self, line: Span) -> Result<Start, Fault> {
        let text = line.of(self.bytes);
        let version = text.get(..8).ok_or(Fault::NotSip)?;
        if !version.eq_ignore_ascii_case(b"SIP/2.0 ") {
            return Err(Fault::Version);
        }
        let digits = text.get(8..11).ok_or(Fault::StartLine)?;
        let digits = std::str::from_utf8(digits).map_err(|_| Fault::StartLine)?;
        let status: u16 = scan::number(digits).map_err(|_| Fault::StartLine)?;
        let closed = matches!(text.get(11), None | Some(b' '));
        let reason = Span::new(12.min(text.len()), text.len());
        let printable = !reason.of(text).iter().copied().any(scan::is_control);
        if !closed || !printable || !(100..700).contains(&status) {
            return Err(Fault::StartLine);
        }
        Ok(Start::Response { status, reason })
    }

    /// Takes the header lines and the empty line after them; those of `single` stand once.
    fn headers(&mut self, single: u64) -> Result<Arc<[Entry]>, Fault> {
        let mut entries = Entries::new();
        let mut seen = 0_u64;
        loop {
            let line_start = self.at;
            let Some(line) = self.line() else {
                self.note(Fault::NoEmptyLine);
                self.at = self.bytes.len();
                break;
            };
            if line.start == line.end {
                break;
            }
            let end = self.unfolded_end(line)?;
            if end - line_start > MAX_HEADER || entries.len == MAX_HEADERS {
                return Err(Fault::TooLarge);
            }
            if let Some(entry) = self.header(Span::new(line_start, end)) {
                let bit = entry.known.map_or(0, |name| bit(name) & single);
                if let Some(name) = entry.known.filter(|_| seen & bit != 0) {
                    self.note(Fault::Repeated(name));
                }
                seen |= bit;
                entries.push(entry);
            } else {
                self.note(Fault::HeaderLine);
            }
        }
        Ok(entries.freeze())
    }

    /// Takes the lines folded onto `line`; answers where the last of them ends.
    fn unfolded_end(&mut self, line: Span) -> Result<usize, Fault> {
        let mut end = line.end as usize;
        let mut folds = 0;
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t')) {
            let Some(folded) = self.line() else { break };
            end = folded.end as usize;
            folds += 1;
            if folds > MAX_FOLDS || end - line.start as usize > MAX_HEADER {
                return Err(Fault::TooLarge);
            }
        }
        Ok(end)
    }

    /// Splits one header, folds included, at its colon.
    fn header(&self, line: Span) -> Option<Entry> {
        let text = line.of(self.bytes);
        let (name, rest) = text.split_at(text.iter().position(|byte| !scan::is_token_byte(*byte))?);
        // RFC 3261 §25.1, `HCOLON`: no fold before the colon.
        let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let value = rest[blanks..].strip_prefix(b":").filter(|_| !name.is_empty())?;
        let blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        let before = value.iter().take_while(blank).count();
        let after = value[before..].iter().rev().take_while(blank).count();
        let end = line.end - after as u32;
        let value = end - (value.len() - before - after) as u32;
        Some(Entry { known: Name::find(name), start: line.start, value, end })
    }

    /// Reads Content-Length; a malformed one is noted and taken for none.
    fn content_length(&mut self, headers: &[Entry]) -> Option<usize> {
        let entry = headers.iter().find(|entry| entry.known == Some(Name::ContentLength))?;
        let text = std::str::from_utf8(entry.value(self.bytes)).unwrap_or_default();
        let length = scan::number(text);
        if length.is_err() {
            self.note(Fault::ContentLength);
        }
        length.ok()
    }
}

/// The headers that may stand only once (RFC 3261 §7.3.1, §20).
pub(super) const SINGLE: u64 = bit(Name::From)
    | bit(Name::To)
    | bit(Name::CallId)
    | bit(Name::CSeq)
    | bit(Name::MaxForwards)
    | bit(Name::ContentLength)
    | bit(Name::ContentType)
    | bit(Name::Expires)
    | bit(Name::Event);

/// The headers that may stand only once in a message that starts so. A request's header in a
/// response is ignored, however often it stands there (RFC 3261 §7.3.2).
fn single_in(start: Start) -> u64 {
    match start {
        Start::Request { .. } => SINGLE,
        Start::Response { .. } => SINGLE & !bit(Name::MaxForwards),
    }
}

/// A bit for each header.
pub(super) const fn bit(name: Name) -> u64 {
    const { assert!(Name::ALL.len() <= 64, "one bit a name") };
    1 << name as u8
}

/// Entries gathered on the stack, spilling to the heap only for messages with many headers.
struct Entries {
    few: [Entry; Self::FEW],
    many: Vec<Entry>,
    len: usize,
}

impl Entries {
    const FEW: usize = 24;

    fn new() -> Self {
        Self { few: [Entry::default(); Self::FEW], many: Vec::new(), len: 0 }
    }

    fn push(&mut self, entry: Entry) {
        match self.few.get_mut(self.len) {
            Some(free) => *free = entry,
            None => {
                if self.many.is_empty() {
                    self.many.extend_from_slice(&self.few);
                }
                self.many.push(entry);
            }
        }
        self.len += 1;
    }

    fn freeze(self) -> Arc<[Entry]> {
        if self.many.is_empty() { Arc::from(&self.few[..self.len]) } else { Arc::from(self.many) }
    }
}
