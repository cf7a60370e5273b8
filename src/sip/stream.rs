//! A byte stream cut into messages (RFC 3261 §18.3).
//!
//! ```text
//! feed(bytes) ─► buffer ─► poll_frame ─► Message | Refused | KeepAlive | nothing yet
//! ```
//!
//! A stream has no other boundaries than Content-Length, so it is required, and a fault in how a
//! head is laid out ends the stream: what follows could be anything, and guessing is how two
//! elements come to see different requests. A message that is laid out well and says something
//! wrong is refused alone.
//!
//! Always holds: the frames do not depend on how the bytes were cut into feeds
//! (`tests/sip/stream.rs` tries every cut), and at most one message over the limit is buffered.
//!
//! Not here: sockets, and answering a keep-alive (`node`).

use bytes::Buf;
use bytes::BytesMut;

use crate::sip::header::name::Name;
use crate::sip::message::Message;
use crate::sip::parse;
use crate::sip::parse::Fault;
use crate::sip::parse::Head;
use crate::sip::parse::MAX_MESSAGE;
use crate::sip::parse::ParseError;

/// One thing found in a stream.
#[derive(Clone, Debug)]
pub enum Frame {
    /// A message.
    Message(Message),
    /// A message that is not taken; the stream goes on behind it.
    Refused(ParseError),
    /// A double line end, to be answered with a single one (RFC 5626 §4.4.1).
    KeepAlive,
}

/// The stream cannot be read any further; close it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("unreadable stream: {0}")]
pub struct FrameError(pub ParseError);

/// Cuts one stream into messages.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: BytesMut,
    /// How much of the buffer is known to hold no end of a head.
    searched: usize,
    /// The length of the message at the front, once its head is complete.
    length: Option<usize>,
    broken: bool,
}

impl Framer {
    /// Begins at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes as they arrive; after an error they are let go.
    pub fn feed(&mut self, bytes: &[u8]) {
        if !self.broken {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next thing in the stream, or `None` until more is fed.
    ///
    /// An error is given once; the stream is over then.
    pub fn poll_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        self.cut().map_err(|error| {
            self.broken = true;
            self.buffer.clear();
            FrameError(error)
        })
    }

    /// Tells whether a message has begun and is not complete.
    pub fn is_inside(&self) -> bool {
        self.length.is_some() || self.buffer.iter().any(|byte| !matches!(byte, b'\r' | b'\n'))
    }

    fn cut(&mut self) -> Result<Option<Frame>, ParseError> {
        if self.length.is_none() {
            if self.take_line_ends() {
                return Ok(Some(Frame::KeepAlive));
            }
            let Some(end) = self.find_head_end()? else {
                return Ok(None);
            };
            self.length = Some(self.measure(end)?);
        }
        let Some(length) = self.length.filter(|length| *length <= self.buffer.len()) else {
            return Ok(None);
        };
        let bytes = self.buffer.split_to(length).freeze();
        (self.length, self.searched) = (None, 0);
        Ok(Some(match Message::parse_at(bytes) {
            Ok(message) => Frame::Message(message),
            Err(refused) => Frame::Refused(refused),
        }))
    }

    /// Drops the line ends between messages; two in a row are a keep-alive.
    fn take_line_ends(&mut self) -> bool {
        if self.buffer.starts_with(b"\r\n\r\n") {
            self.buffer.advance(4);
            return true;
        }
        // A single one counts as a pong or as nothing, but only once it is known to be single.
        let lone = self.buffer.starts_with(b"\r\n")
            && self.buffer.len() > 2
            && !b"\r\n\r\n".starts_with(&self.buffer[..self.buffer.len().min(4)]);
        if lone {
            self.buffer.advance(2);
        }
        false
    }

    /// Finds where the head at the front ends, empty line included.
    fn find_head_end(&mut self) -> Result<Option<usize>, ParseError> {
        if b"\r\n\r\n".starts_with(&self.buffer[..]) {
            return Ok(None);
        }
        let unsearched = &self.buffer[self.searched..];
        let found = unsearched.windows(4).position(|window| window == b"\r\n\r\n");
        if found.is_none() && self.buffer.len() > MAX_MESSAGE {
            return Err(ParseError { fault: Fault::TooLarge, message: None });
        }
        let end = found.map(|at| self.searched + at + 4);
        self.searched = self.buffer.len().saturating_sub(3);
        Ok(end)
    }

    /// The length of the message whose head ends at `end`.
    fn measure(&self, end: usize) -> Result<usize, ParseError> {
        let bytes = &self.buffer[..end];
        let broken = |fault| Err(self.unreadable(end, fault));
        match parse::head(bytes) {
            Err(fault) | Ok(Head { fault: Some(fault), .. }) => broken(fault),
            Ok(Head { content_length: None, .. }) => broken(Fault::Missing(Name::ContentLength)),
            Ok(Head { content_length: Some(length), .. }) => match end.checked_add(length) {
                Some(whole) if whole <= MAX_MESSAGE => Ok(whole),
                _ => broken(Fault::TooLarge),
            },
        }
    }

    /// What can be told of a head with `fault`, so that it may be answered before closing.
    fn unreadable(&self, end: usize, fault: Fault) -> ParseError {
        let bytes = self.buffer[..end].to_vec().into();
        let message = match Message::parse_at(bytes) {
            Ok(message) => Some(message),
            Err(error) => error.message,
        };
        ParseError { fault, message }
    }
}
