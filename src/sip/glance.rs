//! Bytes to index in one pass, for messages that are plain from the first line to the last.
//!
//! Each line is found by its end, named by its first bytes, and judged on the spot
//! ([`crate::sip::plain`]). At the first thing that is not plain the pass is given up, and the
//! message is read by the full rules: [`crate::sip::parse`] and [`crate::sip::check`], which also
//! say what is wrong if something is.
//!
//! Always holds: what is indexed here, the full rules index in the same way and find no fault in
//! (`tests/sip/property.rs`).
//!
//! Not here: limits and faults ([`crate::sip::parse`]).

use std::sync::Arc;

use crate::sip::header::name::Name;
use crate::sip::header::swar;
use crate::sip::parse::Entry;
use crate::sip::parse::Index;
use crate::sip::parse::MAX_HEADER;
use crate::sip::parse::MAX_MESSAGE;
use crate::sip::parse::SINGLE;
use crate::sip::parse::Span;
use crate::sip::parse::Start;
use crate::sip::parse::bit;
use crate::sip::plain;

/// What a message has to have.
const REQUIRED: u64 =
    bit(Name::Via) | bit(Name::From) | bit(Name::To) | bit(Name::CallId) | bit(Name::CSeq);

/// How many header lines are noted on the stack; a message with more is rare.
const LINES_MAX: usize = 24;

/// Indexes one whole message and tells where its body ends; `None` where it is not plain.
pub(super) fn index(bytes: &[u8]) -> Option<(Index, usize)> {
    if bytes.len() > MAX_MESSAGE {
        return None;
    }
    let mut controls = swar::Controls::new(bytes);
    let line = line_end(bytes, &mut controls).filter(|end| *end <= MAX_HEADER)?;
    let start = start_line(&bytes[..line])?;
    let method = match start {
        Start::Request { method, .. } => Some(method.of(bytes)),
        Start::Response { .. } => None,
    };
    let mut entries = [Entry::default(); LINES_MAX];
    let (mut at, mut count, mut seen, mut length) = (line + 2, 0, 0, None);
    loop {
        let end = line_end(bytes, &mut controls)?;
        if end == at {
            break;
        }
        let entry = header(bytes, at, end)?;
        let value = entry.value(bytes);
        if !is_plain(entry.known, value, method) {
            return None;
        }
        if let Some(name) = entry.known {
            if seen & bit(name) & SINGLE != 0 {
                return None;
            }
            if name == Name::ContentLength {
                length = Some(plain::count(value, 5)? as usize);
            }
            seen |= bit(name);
        }
        *entries.get_mut(count)? = entry;
        count += 1;
        at = end + 2;
    }
    let body = at + 2;
    let end = length.map_or(Some(bytes.len()), |length| body.checked_add(length))?;
    let whole = seen & REQUIRED == REQUIRED && end <= bytes.len();
    whole.then(|| (Index { start, headers: Arc::from(&entries[..count]), body: body as u32 }, end))
}

/// Where the next line ends, if CRLF ends it.
#[inline]
fn line_end(bytes: &[u8], controls: &mut swar::Controls<'_>) -> Option<usize> {
    let (end, feed) = (controls.next()?, controls.next()?);
    (feed == end + 1 && bytes[end] == b'\r' && bytes[feed] == b'\n').then_some(end)
}

/// `INVITE sip:… SIP/2.0` or `SIP/2.0 180 Ringing`
#[inline]
fn start_line(line: &[u8]) -> Option<Start> {
    if let Some(rest) = line.strip_prefix(b"SIP/2.0 ") {
        let status = plain::count(rest.get(..3)?, 3).filter(|it| (100..700).contains(it))?;
        let reason = Span::new(12, line.len());
        // No other control byte is left in a line.
        let proper = rest.get(3) == Some(&b' ') && swar::find(rest, 0x7f).is_none();
        return proper.then_some(Start::Response { status: status as u16, reason });
    }
    let method_end = swar::find(line, b' ')?;
    let target = line[method_end + 1..].strip_suffix(b" SIP/2.0")?;
    let uri = Span::new(method_end + 1, method_end + 1 + target.len());
    let method = Span::new(0, method_end);
    // CSeq, which has a proper method, is to name the same.
    plain::target(target).map(|_| Start::Request { method, uri })
}

/// Splits the line from `at` to `end` at its colon.
#[inline]
fn header(bytes: &[u8], at: usize, end: usize) -> Option<Entry> {
    // A line that is folded onto the one before has no name at its start.
    let (colon, known) = Name::at_start(&bytes[at..])?;
    let after = bytes.get(at + colon + 1..end).filter(|_| end - at <= MAX_HEADER)?;
    let value = match after {
        [b' ', value @ ..] if !matches!(value, [b' ', ..] | [.., b' ']) => value,
        _ => after.trim_ascii_start(),
    };
    let start = end - value.len();
    let value_end = if value.ends_with(b" ") { start + value.trim_ascii_end().len() } else { end };
    let entry = Entry { known, start: at as u32, value: start as u32, end: value_end as u32 };
    (known.is_some() || entry.name(bytes).len() == colon && colon > 0).then_some(entry)
}

/// Tells whether the value of a header that is checked is plain.
#[inline]
fn is_plain(known: Option<Name>, value: &[u8], method: Option<&[u8]>) -> bool {
    match known {
        Some(Name::Via) => plain::hop(value).is_some(),
        Some(Name::From | Name::To) => plain::address(value).is_some(),
        Some(Name::Contact) => method.is_none() || plain::address(value).is_some(),
        Some(Name::CallId) => plain::is_word(value),
        Some(Name::CSeq) => {
            plain::cseq(value).is_some_and(|(_, named)| method.is_none_or(|method| method == named))
        }
        Some(Name::MaxForwards) => plain::count(value, 2).is_some(),
        Some(_) | None => true,
    }
}
