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

/// The length of an event's payload.
pub const EVENT_LEN: usize = 4;
/// How loud a key is said to be: −10 dBm0.
const VOLUME: u8 = 10;
/// How many packets say that a key has gone up (RFC 4733 2.5.1.4).
const END_PACKETS: u8 = 3;
/// The pause between two keys, in milliseconds: as long as a real tone detector needs.
const PAUSE_MS: u64 = 60;
/// How many segments of one key may be lost on the way and it is still one key.
const SEGMENTS_MAX: i32 = 8;
/// How many keys wait to be sent; a PIN and an extension fit twice.
const WAITING_MAX: usize = 32;

/// What an event packet says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which key.
    pub digit: Digit,
    /// Whether the key has gone up.
    pub end: bool,
    /// How long it has been down, in samples, within this segment.
    pub duration: u16,
}

impl Event {
    /// Reads a payload; none for events that are no keys.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let [event, flags, high, low, ..] = *payload else { return None };
        let duration = u16::from_be_bytes([high, low]);
        Some(Self { digit: Digit::from_event(event)?, end: flags & 0x80 != 0, duration })
    }

    /// Writes the payload.
    pub fn write(self) -> [u8; EVENT_LEN] {
        let [high, low] = self.duration.to_be_bytes();
        [self.digit.event(), VOLUME | if self.end { 0x80 } else { 0 }, high, low]
    }
}

/// Hears keys out of event packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receiver {
    last: Option<Heard>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Heard {
    ssrc: u32,
    timestamp: u32,
    digit: Digit,
    ended: bool,
}

impl Receiver {
    /// Takes one packet; tells the key when it is the first packet of it.
    pub fn handle(&mut self, ssrc: u32, timestamp: u32, event: Event) -> Option<Digit> {
        let heard = Heard { ssrc, timestamp, digit: event.digit, ended: event.end };
        let Some(last) = self.last.filter(|last| last.ssrc == ssrc) else {
            self.last = Some(heard);
            return Some(event.digit);
        };
        let ahead = timestamp.wrapping_sub(last.timestamp) as i32;
        if ahead <= 0 && ahead > -80_000 {
            // The same key again, or one that was told before and came late.
            let ended = last.ended || (ahead == 0 && event.end);
            self.last = Some(Heard { ended, ..last });
            return None;
        }
        self.last = Some(heard);
        // RFC 4733 2.5.1.3: the next segment begins where the full one ended.
        let follows = ahead % 0xffff == 0 && ahead / 0xffff <= SEGMENTS_MAX;
        let is_segment = !last.ended && last.digit == event.digit && follows;
        (!is_segment).then_some(event.digit)
    }
}

/// What a [`Sender`] wants sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sending {
    /// The payload.
    pub event: Event,
    /// Whether this is the first packet of a key.
    pub marker: bool,
    /// How far the packet's timestamp lies after the key's beginning: full segments.
    pub offset: u32,
    /// Whether the key begins here: its timestamp is taken from the stream now.
    pub begins: bool,
}

/// Sends keys as event packets, one packet each time it is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    waiting: std::collections::VecDeque<(Digit, Millis)>,
    now: Option<Pressed>,
    pause_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pressed {
    digit: Digit,
    samples: u32,
    sent: u32,
    ends: u8,
}

impl Sender {
    /// Adds a key; refused when too many wait already.
    pub fn press(&mut self, digit: Digit, duration: Millis) -> bool {
        if self.waiting.len() >= WAITING_MAX {
            return false;
        }
        let least = Millis(40);
        self.waiting.push_back((digit, duration.clamp(least, DURATION_MAX)));
        true
    }

    /// Tells whether everything is sent.
    pub fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.now.is_none() && self.pause_ms == 0
    }

    /// The packet due now, `ptime_ms` after the one before; none in the pause between keys.
    pub fn next(&mut self, ptime_ms: u8) -> Option<Sending> {
        if self.pause_ms > 0 {
            self.pause_ms = self.pause_ms.saturating_sub(u64::from(ptime_ms));
            return None;
        }
        let mut begins = false;
        if self.now.is_none() {
            let (digit, duration) = self.waiting.pop_front()?;
            let samples = (duration.0 * 8) as u32;
            self.now = Some(Pressed { digit, samples, sent: 0, ends: 0 });
            begins = true;
        }
        let pressed = self.now.as_mut()?;
        pressed.sent = (pressed.sent + u32::from(ptime_ms) * 8).min(pressed.samples);
        let end = pressed.sent == pressed.samples;
        let (offset, duration) = segment(pressed.sent);
        let sending = Sending {
            event: Event { digit: pressed.digit, end, duration },
            marker: begins,
            offset,
            begins,
        };
        if end {
            pressed.ends += 1;
            if pressed.ends == END_PACKETS {
                self.now = None;
                self.pause_ms = PAUSE_MS;
            }
        }
        Some(sending)
    }
}

/// Where a duration falls: the samples of full segments before it, and those within its own.
fn segment(samples: u32) -> (u32, u16) {
    let full = samples.saturating_sub(1) / 0xffff;
    let offset = full * 0xffff;
    (offset, (samples - offset) as u16)
}

/// Reads the body of a SIP INFO; `content_type` without parameters decides how.
///
/// None for other types and for bodies that name no key.
pub fn read_info(content_type: &str, body: &[u8]) -> Option<(Digit, Millis)> {
    let body = std::str::from_utf8(body.get(..body.len().min(512))?).ok()?;
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/dtmf-relay") {
        return read_relay(body);
    }
    if kind.eq_ignore_ascii_case("application/dtmf") {
        return Some((named(body.trim())?, DURATION_USUAL));
    }
    None
}

fn read_relay(body: &str) -> Option<(Digit, Millis)> {
    let mut digit = None;
    let mut duration = DURATION_USUAL;
    for line in body.lines() {
        let Some((name, value)) = line.split_once('=') else { continue };
        let (name, value) = (name.trim(), value.trim());
        if name.eq_ignore_ascii_case("signal") {
            digit = named(value);
        } else if name.eq_ignore_ascii_case("duration") {
            let millis = value.parse().map_or(DURATION_USUAL, Millis);
            duration = millis.clamp(Millis(1), DURATION_MAX);
        }
    }
    Some((digit?, duration))
}

/// A key by its sign, or by its number: phones write `*` as `*` or as `10`.
fn named(text: &str) -> Option<Digit> {
    let mut signs = text.chars();
    if let (Some(sign), None) = (signs.next(), signs.next()) {
        return Digit::from_char(sign);
    }
    text.parse().ok().and_then(Digit::from_event)
}

/// Writes the body of an `application/dtmf-relay` INFO.
pub fn write_relay(digit: Digit, duration: Millis) -> String {
    format!("Signal={digit}\r\nDuration={}\r\n", duration.0)
}
