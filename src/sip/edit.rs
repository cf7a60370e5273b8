//! Changing a message on its way: another Via on top, where it came from, one header.
//!
//! Every change makes a new message with one copy of the bytes; what is not named stays byte for
//! byte as it was, and the index is moved along instead of being made again.
//!
//! Always holds: an edited message is as well-formed as the one it came from.
//!
//! Not here: composing a message of our own ([`crate::sip::write`]).

use std::fmt::Display;
use std::net::SocketAddr;

use bytes::Bytes;

use crate::sip::header::name::Name;
use crate::sip::header::scan;
use crate::sip::message::Message;
use crate::sip::parse::Entry;
use crate::sip::parse::Index;
use crate::sip::parse::Span;
use crate::sip::write::keep_on_line;
use crate::sip::write::shift;

impl Message {
    /// The same message with one more header line above all others.
    #[must_use]
    pub fn with_top(&self, name: Name, value: impl Display) -> Self {
        self.with_line(0, name, &value.to_string())
    }

    /// The same message with `value` in the first line of `name`, or in a line added at the end.
    #[must_use]
    pub fn with_header(&self, name: Name, value: impl Display) -> Self {
        match self.first(name) {
            Some(entry) => self.with_value(entry.span(), &value.to_string()),
            None => self.with_line(self.entries().len(), name, &value.to_string()),
        }
    }

    /// The same request with the address it came from in its top Via: `received` where the
    /// sender names itself otherwise (RFC 3261 §18.2.1), and `rport` where it asked (RFC 3581 §4).
    #[must_use]
    pub fn with_received(&self, peer: SocketAddr) -> Self {
        let (Ok(mut via), Some(top)) = (self.top_via(), self.top_via_span()) else {
            return self.clone();
        };
        let asked = via.rport().is_some();
        // A `received` of the sender's own would send our responses wherever it says.
        let claimed = via.params.has("received");
        if !asked && !claimed && via.sent_by.ip() == Some(peer.ip()) {
            return self.clone();
        }
        via.params.set("received", Some(&peer.ip().to_string()));
        if asked {
            via.params.set("rport", Some(&peer.port().to_string()));
        }
        self.with_value(top, &via.to_string())
    }

    fn first(&self, name: Name) -> Option<Entry> {
        self.entries().iter().copied().find(|entry| entry.known == Some(name))
    }

    /// Where the first element of the first Via line lies, up to its comma.
    fn top_via_span(&self) -> Option<Span> {
        let value = self.first(Name::Via)?.span();
        // One character for each byte, whether it is UTF-8 or not: places are counted in bytes.
        let ascii = |byte: &u8| if byte.is_ascii() { char::from(*byte) } else { '?' };
        let text: String = value.of(self.as_bytes()).iter().map(ascii).collect();
        let comma = scan::find_outside(&text, b',').ok()?;
        let end = comma.map_or(value.end, |at| value.start + at as u32);
        Some(Span { start: value.start, end })
    }

    /// Puts `value` in the place of `span`, kept on its line.
    fn with_value(&self, span: Span, value: &str) -> Self {
        let mut line = value.as_bytes().to_vec();
        keep_on_line(&mut line, 0);
        self.spliced(span, &line)
    }

    /// Puts a header line before the one now at `at`.
    fn with_line(&self, at: usize, name: Name, value: &str) -> Self {
        let start = match self.entries().get(at) {
            Some(entry) => entry.start,
            // The empty line lies between the last header and the body.
            None => self.index().body - 2,
        } as usize;
        let mut line = Vec::with_capacity(name.as_str().len() + value.len() + 4);
        line.extend_from_slice(name.as_str().as_bytes());
        line.extend_from_slice(b": ");
        let name_len = line.len();
        line.extend_from_slice(value.as_bytes());
        keep_on_line(&mut line, name_len);
        let (value_start, value_end) = (start + name_len, start + line.len());
        line.extend_from_slice(b"\r\n");
        let entry = Entry {
            known: Some(name),
            start: start as u32,
            value: value_start as u32,
            end: value_end as u32,
        };
        let mut longer = self.spliced(Span::new(start, start), &line);
        let (before, after) = longer.entries().split_at(at);
        let headers = before.iter().chain([&entry]).chain(after).copied().collect();
        longer.index_mut().headers = headers;
        longer
    }

    /// Replaces the bytes of `span` and moves the index along.
    fn spliced(&self, span: Span, with: &[u8]) -> Self {
        let (start, end) = (span.start as usize, span.end as usize);
        let old = self.as_bytes();
        let mut bytes = Vec::with_capacity(old.len() - (end - start) + with.len());
        bytes.extend_from_slice(&old[..start]);
        bytes.extend_from_slice(with);
        bytes.extend_from_slice(&old[end..]);
        let by = with.len() as i64 - (end - start) as i64;
        let mut headers = self.entries().to_vec();
        shift(&mut headers, span.end, by);
        let body = (i64::from(self.index().body) + by) as u32;
        let index = Index { start: self.index().start, headers: headers.into(), body };
        Self::from_parts(Bytes::from(bytes), index)
    }
}
