//! Keys of a telephone: on the wire as RFC 4733 events, and in the bodies of SIP INFO.
//!
//! ```text
//! RFC 4733:  event(8) | E(1) R(1) volume(6) | duration(16)
//!            first packet marked, one every 20 ms with a growing duration, three with E set;
//!            all with the timestamp of the key's beginning
//! INFO:      application/dtmf-relay   Signal=5\r\nDuration=160\r\n
//!            application/dtmf         5
//! ```
//!
//! A key held longer than a 16-bit duration can count is sent in segments that follow each other
//! without a gap (RFC 4733 2.5.1.3) and is still one key.
//!
//! Always holds: [`Receiver`] tells each key once, however many of its packets are lost or
//! repeated, as long as one arrives.
//!
//! Not here: packet headers ([`super::rtp`]), which payload type events have (`sdp`).

use std::fmt;

use crate::base::time::Millis;

/// The length of a key press that does not say how long it was.
pub const DURATION_USUAL: Millis = Millis(160);
/// The longest key press that is sent; nobody leans on a key for longer.
pub const DURATION_MAX: Millis = Millis(60_000);

/// A key: `0`–`9`, `*`, `#`, `A`–`D`, or a hook flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digit(u8);

impl Digit {
    /// A press of the hook switch.
    pub const FLASH: Self = Self(16);

    /// The key of an RFC 4733 event code.
    pub fn from_event(event: u8) -> Option<Self> {
        (event <= 16).then_some(Self(event))
    }

    /// The RFC 4733 event code.
    pub fn event(self) -> u8 {
        self.0
    }

    /// The key with this sign on it; `!` is the hook flash.
    pub fn from_char(sign: char) -> Option<Self> {
        let event = match sign.to_ascii_uppercase() {
            digit @ '0'..='9' => digit as u8 - b'0',
            '*' => 10,
            '#' => 11,
            letter @ 'A'..='D' => letter as u8 - b'A' + 12,
            '!' => 16,
            _ => return None,
        };
        Some(Self(event))
    }

    /// The sign on the key.
    pub fn as_char(self) -> char {
        match self.0 {
            digit @ 0..=9 => char::from(b'0' + digit),
            10 => '*',
            11 => '#',
            letter @ 12..=15 => char::from(b'A' + letter - 12),
            _ => '!',
        }
    }
}

impl fmt::Display for Digit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_char())
    }
}
