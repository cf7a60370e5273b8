//! Composing messages: a request or a response, header by header, in the order given.
//!
//! The writer keeps the index as it writes, so a built [`Message`] needs no parsing. Headers
//! copied from a received message go over byte for byte, folds included.
//!
//! **Invariant:** nothing handed to a builder can begin a header or end the head. A line end or
//! NUL in a value becomes a space, a byte that no header name may have is left out of it, a space
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
use crate::sip::message::Message;
use crate::sip::method::Method;
use crate::sip::parse::Entry;
use crate::sip::parse::Index;
use crate::sip::parse::Span;
use crate::sip::parse::Start;
use crate::sip::status;
use crate::sip::uri::Uri;

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
        let mut writer = Writer::default();
        let method_text = method.as_str();
        let method_text = method_text.bytes().filter(|byte| scan::is_token_byte(*byte));
        let method = writer.put(|out| out.extend(method_text));
        writer.bytes.push(b' ');
        let uri_text = uri.to_string();
        let uri = writer.put(|out| push_escaped(out, &uri_text));
        writer.bytes.extend_from_slice(b" SIP/2.0\r\n");
        writer.start = Some(Start::Request { method, uri });
        Self(writer)
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
        let mut writer = Writer::default();
        let _ = write!(writer, "SIP/2.0 {status:03} ");
        let reason = writer.put(|out| push_line(out, phrase));
        writer.bytes.extend_from_slice(b"\r\n");
        writer.start = Some(Start::Response { status, reason });
        Self(writer)
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
                self.0.header(name.as_str(), &value.to_string());
                self
            }

            /// Adds a header [`Name`] does not list.
            #[must_use]
            pub fn raw(mut self, name: &str, value: &str) -> Self {
                self.0.header(name, value);
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
                self.0.header(Name::ContentType.as_str(), content_type);
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
#[derive(Clone, Debug, Default)]
struct Writer {
    bytes: Vec<u8>,
    start: Option<Start>,
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
    /// Lets `write` append, and answers where it did.
    fn put(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Span {
        let start = self.bytes.len();
        write(&mut self.bytes);
        Span::new(start, self.bytes.len())
    }

    fn header(&mut self, name: &str, value: &str) {
        let name: String = name.chars().filter(|letter| is_name_letter(*letter)).collect();
        // Compared after cleaning, or `Content-Length` could be smuggled in with a space.
        if !name.is_empty() && Name::find(name.as_bytes()) != Some(Name::ContentLength) {
            self.line(&name, |out| push_line(out, value));
        }
    }

    /// Writes a line; name and value are clean already.
    fn line(&mut self, name: &str, value: impl FnOnce(&mut Vec<u8>)) {
        let known = Name::find(name.as_bytes());
        let name = self.put(|out| out.extend_from_slice(name.as_bytes()));
        self.bytes.extend_from_slice(b": ");
        let value = self.put(value);
        self.bytes.extend_from_slice(b"\r\n");
        self.entries.push(Entry { known, name, value, end: self.bytes.len() as u32 });
    }

    fn copy(&mut self, name: Name, message: &Message) {
        for value in message.raw_headers(name) {
            self.line(name.as_str(), |out| out.extend_from_slice(value));
        }
    }

    fn add_tag(&mut self, tag: &str) {
        let Some(at) = self.entries.iter().rposition(|entry| entry.known == Some(Name::To)) else {
            return;
        };
        let value = self.entries[at].value;
        let text = String::from_utf8_lossy(value.of(&self.bytes)).into_owned();
        if has_tag(&text) || !scan::is_token(tag.as_bytes()) {
            return;
        }
        let added = format!(";tag={tag}");
        let end = value.end as usize;
        self.bytes.splice(end..end, added.bytes());
        shift(&mut self.entries, value.end, added.len() as i64);
    }

    fn build(mut self) -> Message {
        let length = self.body.len();
        self.line(Name::ContentLength.as_str(), |out| {
            out.extend_from_slice(length.to_string().as_bytes());
        });
        self.bytes.extend_from_slice(b"\r\n");
        let start = self.bytes.len();
        self.bytes.append(&mut self.body);
        let body = Span::new(start, self.bytes.len());
        let nothing = Start::Response { status: 0, reason: Span::default() };
        let index =
            Index { start: self.start.unwrap_or(nothing), headers: self.entries.into(), body };
        Message::from_parts(Bytes::from(self.bytes), index)
    }
}

/// Tells whether a To value has a tag, wherever its line is folded.
fn has_tag(value: &str) -> bool {
    let unfolded = value.replace(['\r', '\n'], " ");
    unfolded.parse::<NameAddr>().is_ok_and(|to| to.tag().is_some())
}

/// Moves every entry part that lies at or behind `from` by `by` bytes.
pub(super) fn shift(entries: &mut [Entry], from: u32, by: i64) {
    let moved = |at: u32| if at >= from { (i64::from(at) + by) as u32 } else { at };
    for entry in entries {
        entry.name = Span { start: moved(entry.name.start), end: moved(entry.name.end) };
        entry.value = Span { start: moved(entry.value.start), end: moved(entry.value.end) };
        entry.end = moved(entry.end);
    }
}

/// Appends text that must stay on its line, without blanks at its ends.
pub(super) fn push_line(out: &mut Vec<u8>, text: &str) {
    let text = text.trim_matches(|letter: char| letter.is_ascii_whitespace() || letter == '\0');
    // RFC 3261 §25.1: text has no control characters but the tab.
    let kept = |byte: u8| if byte.is_ascii_control() && byte != b'\t' { b' ' } else { byte };
    out.extend(text.bytes().map(kept));
}

fn is_name_letter(letter: char) -> bool {
    u8::try_from(letter).is_ok_and(scan::is_token_byte)
}

/// Appends a URI; what may not stand in one is escaped, so that it stays one word.
fn push_escaped(out: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        if byte <= b' ' || matches!(byte, 0x7f | b'<' | b'>' | b'"') {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        } else {
            out.push(byte);
        }
    }
}
