//! Names of headers: those Carillon reads or writes, with their compact forms.
//!
//! The index of a message keeps one of these per line, so finding a header compares a byte. A
//! header not listed here is kept and passed on all the same, and found by its text
//! ([`Message::extension`](crate::sip::Message::extension)).
//!
//! Always holds: names compare without case, and a compact form is the same name
//! (RFC 3261 §7.3.1, §7.3.3).

use std::fmt;

use crate::sip::header::swar;

macro_rules! names {
    ($($variant:ident = $text:literal $(or $compact:literal)?,)*) => {
        /// A header Carillon knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Name {
            $(#[doc = concat!("`", $text, "`")] $variant,)*
        }

        impl Name {
            /// Every header Carillon knows.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The long form, as Carillon writes it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// The one-letter form, where one is registered.
            pub const fn compact(self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => names!(@compact $($compact)?),)*
                }
            }
        }
    };
    (@compact) => { None };
    (@compact $compact:literal) => { Some($compact) };
}

names! {
    Accept = "Accept",
    AcceptEncoding = "Accept-Encoding",
    AcceptLanguage = "Accept-Language",
    AlertInfo = "Alert-Info",
    Allow = "Allow",
    AllowEvents = "Allow-Events" or "u",
    AnswerMode = "Answer-Mode",
    AuthenticationInfo = "Authentication-Info",
    Authorization = "Authorization",
    CallId = "Call-ID" or "i",
    CallInfo = "Call-Info",
    Contact = "Contact" or "m",
    ContentDisposition = "Content-Disposition",
    ContentEncoding = "Content-Encoding" or "e",
    ContentLength = "Content-Length" or "l",
    ContentType = "Content-Type" or "c",
    CSeq = "CSeq",
    Date = "Date",
    Diversion = "Diversion",
    ErrorInfo = "Error-Info",
    Event = "Event" or "o",
    Expires = "Expires",
    From = "From" or "f",
    HistoryInfo = "History-Info",
    MaxForwards = "Max-Forwards",
    MimeVersion = "MIME-Version",
    MinExpires = "Min-Expires",
    MinSe = "Min-SE",
    PAssertedIdentity = "P-Asserted-Identity",
    Path = "Path",
    Privacy = "Privacy",
    ProxyAuthenticate = "Proxy-Authenticate",
    ProxyAuthorization = "Proxy-Authorization",
    ProxyRequire = "Proxy-Require",
    RAck = "RAck",
    Reason = "Reason",
    RecordRoute = "Record-Route",
    ReferTo = "Refer-To" or "r",
    ReferredBy = "Referred-By" or "b",
    RemotePartyId = "Remote-Party-ID",
    Replaces = "Replaces",
    Require = "Require",
    RetryAfter = "Retry-After",
    Route = "Route",
    RSeq = "RSeq",
    Server = "Server",
    ServiceRoute = "Service-Route",
    SessionExpires = "Session-Expires" or "x",
    SipEtag = "SIP-ETag",
    SipIfMatch = "SIP-If-Match",
    Subject = "Subject" or "s",
    SubscriptionState = "Subscription-State",
    Supported = "Supported" or "k",
    To = "To" or "t",
    Unsupported = "Unsupported",
    UserAgent = "User-Agent",
    UserToUser = "User-to-User",
    Via = "Via" or "v",
    Warning = "Warning",
    WwwAuthenticate = "WWW-Authenticate",
}

impl Name {
    /// Finds the header written as `text`, long or compact, in any case.
    pub fn find(text: &[u8]) -> Option<Self> {
        let name = lookup(Key::of(text))?;
        let is_form = |form: &str| form.as_bytes().eq_ignore_ascii_case(text);
        (is_form(name.as_str()) || name.compact().is_some_and(is_form)).then_some(name)
    }

    /// Finds the colon on a line without control bytes, and the header whose name stands before
    /// it.
    #[inline]
    pub(in crate::sip) fn at_start(line: &[u8]) -> Option<(usize, Option<Self>)> {
        let Some(start) = line.first_chunk::<{ 2 * WORD }>() else {
            let colon = swar::find(line, b':')?;
            return Some((colon, Self::find(&line[..colon])));
        };
        let word =
            |at: usize| start[at..].first_chunk().map_or(0, |word| u64::from_le_bytes(*word));
        let (head, after) = (word(0), word(WORD));
        let (of_head, of_after) = (swar::equal(head, b':'), swar::equal(after, b':'));
        let key = if of_head != 0 {
            let len = swar::nth(of_head);
            Key { head: (head | LOWER) & !(u64::MAX << (8 * len)), tail: 0, len: len as u8 }
        } else if of_after != 0 {
            let len = WORD + swar::nth(of_after);
            Key { head: head | LOWER, tail: word(len - WORD) | LOWER, len: len as u8 }
        } else {
            let colon = swar::find(line, b':')?;
            return Some((colon, Self::find(&line[..colon])));
        };
        Some((usize::from(key.len), lookup(key)))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const SLOTS: usize = 256;
const WORD: usize = size_of::<u64>();
/// Makes capital letters small. Of the other bytes that stand in names only control bytes change
/// into one: CR into the hyphen.
const LOWER: u64 = 0x2020_2020_2020_2020;

/// The first and the last eight bytes of a name in small letters, and how long it is: all of it,
/// up to sixteen bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    head: u64,
    tail: u64,
    len: u8,
}

impl Key {
    const NONE: Self = Self { head: 0, tail: 0, len: 0 };

    const fn of(text: &[u8]) -> Self {
        let len = if text.len() > 255 { 255 } else { text.len() as u8 };
        if text.len() < WORD {
            return Self { head: word(text, 0, text.len()), tail: 0, len };
        }
        Self { head: word(text, 0, WORD), tail: word(text, text.len() - WORD, WORD), len }
    }

    const fn slot(self) -> usize {
        let mixed = self.head ^ self.tail.rotate_left(29) ^ self.len as u64;
        (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize
    }
}

/// Up to eight bytes from `start` as a word in small letters.
const fn word(text: &[u8], start: usize, len: usize) -> u64 {
    let mut word = 0;
    let mut nth = 0;
    while nth < len {
        word |= (text[start + nth] as u64 | 0x20) << (8 * nth);
        nth += 1;
    }
    word
}

/// A hash table of both forms, built by the compiler. A third of it is full, so a search ends
/// soon; no name is an empty slot.
static TABLE: [(Key, Option<Name>); SLOTS] = table();

#[inline]
fn lookup(key: Key) -> Option<Name> {
    let mut slot = key.slot();
    while let (known, Some(name)) = TABLE[slot] {
        if known == key {
            return Some(name);
        }
        slot = (slot + 1) % SLOTS;
    }
    None
}

const fn table() -> [(Key, Option<Name>); SLOTS] {
    let mut table = [(Key::NONE, None); SLOTS];
    let mut at = 0;
    while at < Name::ALL.len() {
        table = with(table, Name::ALL[at].as_str(), Name::ALL[at]);
        if let Some(compact) = Name::ALL[at].compact() {
            table = with(table, compact, Name::ALL[at]);
        }
        at += 1;
    }
    table
}

const fn with(
    mut table: [(Key, Option<Name>); SLOTS],
    form: &str,
    name: Name,
) -> [(Key, Option<Name>); SLOTS] {
    let key = Key::of(form.as_bytes());
    let mut slot = key.slot();
    while table[slot].1.is_some() {
        slot = (slot + 1) % SLOTS;
    }
    table[slot] = (key, Some(name));
    table
}
