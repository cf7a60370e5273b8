//! Composing messages: a request or a response, header by header, in the order given.
//!
//! The writer keeps the index as it writes, so a built [`Message`] needs no parsing. Headers
//! copied from a received message go over byte for byte, folds included.
//!
//! **Invariant:** nothing handed to a builder can begin a header or end the head. A control
//! byte in a value becomes a space, a byte that no header name may have is left out of it, a space
//! or control byte in a Request-URI is escaped, Content-Length is always the builder's own.
//!
//! Not here: which headers a request needs (`dialog`, `b2bua`) and changing a message in place
//! ([`crate::sip::edit`]).

use std::fmt::Display;
use std::fmt::Write;

use bytes::Bytes;

use crate::sip::header::name::Name;
use crate::sip::header::name_addr::NameAddr;
use crate::sip::header::scan;
use crate::sip::message;
use crate::sip::message::Message;
use crate::sip::method::Method;
use crate::sip::parse::Entry;
use crate::sip::parse::Index;
use crate::sip::parse::Span;
use crate::sip::parse::Start;
use crate::sip::status;
use crate::sip::uri::Uri;

/// How long most heads are at most.
const HEAD: usize = 1_024;
/// How many lines most heads have at most.
const LINES: usize = 16;

/// Writes a request.
#[derive(Clone, Debug)]
pub struct RequestBuilder(Writer);

/// Writes a response.
#[derive(Clone, Debug)]
pub struct ResponseBuilder(Writer);

impl RequestBuilder {
    /// Begins a request with its first line.
    #[expect(clippy::needless_pass_by_value, reason = "callers name the method in place")]
    pub fn new(method: Method, uri: &Uri) -> Self {
        Self(Writer::begin(|writer| {
            let method_text = method.as_str();
            let method_text = method_text.bytes().filter(|byte| scan::is_token_byte(*byte));
            let method = writer.put(|out| out.bytes.extend(method_text));
            writer.bytes.push(b' ');
            let uri = writer.put(|out| out.escaped(uri));
            writer.bytes.extend_from_slice(b" SIP/2.0\r\n");
            Start::Request { method, uri }
        }))
    }
}

impl ResponseBuilder {
    /// Begins the response to `request`: its Via, From, To, Call-ID and CSeq byte for byte
    /// (RFC 3261 §8.2.6.2).
    pub fn to(request: &Message, status: u16) -> Self {
        let mut response = Self::bare(status, status::reason_phrase(status));
        for name in [Name::Via, Name::From, Name::To, Name::CallId, Name::CSeq] {
            response = response.copy(name, request);
        }
        response
    }

    /// Begins a response with nothing but its first line.
    pub fn bare(status: u16, phrase: &str) -> Self {
        Self(Writer::begin(|writer| {
            let _infallible = write!(writer, "SIP/2.0 {status:03} ");
            let reason = writer.put(|out| out.value(phrase));
            writer.bytes.extend_from_slice(b"\r\n");
            Start::Response { status, reason }
        }))
    }

    /// Adds our tag to To, unless it has one already (RFC 3261 §8.2.6.2).
    #[must_use]
    pub fn to_tag(mut self, tag: &str) -> Self {
        self.0.add_tag(tag);
        self
    }
}

macro_rules! builder {
    ($builder:ident) => {
        impl $builder {
            /// Adds a header.
            #[must_use]
            pub fn header(mut self, name: Name, value: impl Display) -> Self {
                self.0.header(name, value);
                self
            }

            /// Adds a header [`Name`] does not list.
            #[must_use]
            pub fn raw(mut self, name: &str, value: &str) -> Self {
                self.0.raw(name, value);
                self
            }

            /// Copies every line of `name` from `message`, byte for byte.
            #[must_use]
            pub fn copy(mut self, name: Name, message: &Message) -> Self {
                self.0.copy(name, message);
                self
            }

            /// Sets the body and its type.
            #[must_use]
            pub fn body(mut self, content_type: &str, body: Vec<u8>) -> Self {
                self.0.header(Name::ContentType, content_type);
                self.0.body = body;
                self
            }

            /// Ends the head with Content-Length and joins the body.
            pub fn build(self) -> Message {
                self.0.build()
            }
        }
    };
}

builder!(RequestBuilder);
builder!(ResponseBuilder);

/// Bytes written so far, and their index.
#[derive(Clone, Debug)]
struct Writer {
    bytes: Vec<u8>,
    start: Start,
    entries: Vec<Entry>,
    body: Vec<u8>,
}

impl Write for Writer {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.bytes.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

impl Writer {
    /// Begins with the first line.
    fn begin(first_line: impl FnOnce(&mut Self) -> Start) -> Self {
        let mut writer = Self {
            bytes: Vec::with_capacity(HEAD),
            start: Start::Response { status: 0, reason: Span::default() },
            entries: Vec::with_capacity(LINES),
            body: Vec::new(),
        };
        writer.start = first_line(&mut writer);
        writer
    }

    /// Lets `write` append, and answers where it did.
    fn put(&mut self, write: impl FnOnce(&mut Self)) -> Span {
        let start = self.bytes.len();
        write(self);
        Span::new(start, self.bytes.len())
    }

    /// Appends text that must stay on its line, without blanks at its ends.
    fn value(&mut self, value: impl Display) {
        let start = self.bytes.len();
        let _infallible = write!(self, "{value}");
        keep_on_line(&mut self.bytes, start);
    }

    /// Appends a URI; what may not stand in one is escaped, so that it stays one word.
    fn escaped(&mut self, uri: &Uri) {
        let start = self.bytes.len();
        let _infallible = write!(self, "{uri}");
        let stray = |byte: &u8| *byte <= b' ' || matches!(*byte, 0x7f | b'<' | b'>' | b'"');
        if self.bytes[start..].iter().any(stray) {
            for byte in self.bytes.split_off(start) {
                if stray(&byte) {
                    let _infallible = write!(self, "%{byte:02X}");
                } else {
                    self.bytes.push(byte);
                }
            }
        }
    }

    fn header(&mut self, name: Name, value: impl Display) {
        if name != Name::ContentLength {
            self.line(Some(name), name.as_str(), |out| out.value(value));
        }
    }

    fn raw(&mut self, name: &str, value: &str) {
        let name: String = name.chars().filter(|letter| is_name_letter(*letter)).collect();
        let known = Name::find(name.as_bytes());
        // Compared after cleaning, or `Content-Length` could be smuggled in with a space.
        if !name.is_empty() && known != Some(Name::ContentLength) {
            self.line(known, &name, |out| out.value(value));
        }
    }

    /// Writes a line; the name is clean already, and so is what `value` writes.
    fn line(&mut self, known: Option<Name>, name: &str, value: impl FnOnce(&mut Self)) {
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.extend_from_slice(b": ");
        let value = self.put(value);
        self.bytes.extend_from_slice(b"\r\n");
        self.entries.push(Entry { known, start, value: value.start, end: value.end });
    }

    fn copy(&mut self, name: Name, message: &Message) {
        for value in message.raw_headers(name) {
            self.line(Some(name), name.as_str(), |out| out.bytes.extend_from_slice(value));
        }
    }

    fn add_tag(&mut self, tag: &str) {
        let Some(at) = self.entries.iter().rposition(|entry| entry.known == Some(Name::To)) else {
            return;
        };
        let value = self.entries[at].span();
        if has_tag(value.of(&self.bytes)) || !scan::is_token(tag.as_bytes()) {
            return;
        }
        let end = value.end as usize;
        self.bytes.splice(end..end, b";tag=".iter().chain(tag.as_bytes()).copied());
        shift(&mut self.entries, value.end, 5 + tag.len() as i64);
    }

    /// Joins head and body in a buffer of just their size: messages are kept.
    fn build(mut self) -> Message {
        let length = self.body.len();
        let name = Name::ContentLength;
        self.line(Some(name), name.as_str(), |out| {
            let _infallible = write!(out, "{length}");
        });
        self.bytes.extend_from_slice(b"\r\n");
        let body = self.bytes.len() as u32;
        self.bytes.reserve_exact(length);
        self.bytes.append(&mut self.body);
        self.bytes.shrink_to_fit();
        let index = Index { start: self.start, headers: self.entries.into(), body };
        Message::from_parts(Bytes::from(self.bytes), index)
    }
}

/// Tells whether a To value has a tag, wherever its line is folded.
fn has_tag(value: &[u8]) -> bool {
    message::unfold(value).parse::<NameAddr>().is_ok_and(|to| to.tag().is_some())
}

/// Moves every entry part that lies at or behind `from` by `by` bytes. A value that starts there
/// is empty and grows, so its start stays.
pub(super) fn shift(entries: &mut [Entry], from: u32, by: i64) {
    let moved = |at: u32, from: u32| if at >= from { (i64::from(at) + by) as u32 } else { at };
    for entry in entries {
        entry.start = moved(entry.start, from);
        entry.value = moved(entry.value, from + 1);
        entry.end = moved(entry.end, from);
    }
}

/// Cleans what was written from `start` on: no control byte, no blanks at its ends.
pub(super) fn keep_on_line(bytes: &mut Vec<u8>, start: usize) {
    // RFC 3261 §25.1: text has no control characters but the tab.
    for byte in &mut bytes[start..] {
        *byte = if byte.is_ascii_control() && *byte != b'\t' { b' ' } else { *byte };
    }
    let kept = bytes[start..].trim_ascii_end().len();
    bytes.truncate(start + kept);
    let blanks = kept - bytes[start..].trim_ascii_start().len();
    bytes.drain(start..start + blanks);
}

fn is_name_letter(letter: char) -> bool {
    u8::try_from(letter).is_ok_and(scan::is_token_byte)
}
