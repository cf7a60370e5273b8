//! Names of headers: those Carillon reads or writes, with their compact forms.
//!
//! The index of a message keeps one of these per line, so finding a header compares a byte. A
//! header not listed here is kept and passed on all the same, and found by its text
//! ([`Message::extension`](crate::sip::Message::extension)).
//!
//! Always holds: names compare without case, and a compact form is the same name
//! (RFC 3261 §7.3.1, §7.3.3).

use std::fmt;

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
        let mut slot = slot_of(text);
        while let Some(name) = TABLE[slot].name {
            let form = TABLE[slot].form.as_bytes();
            if form == text || form.eq_ignore_ascii_case(text) {
                return Some(name);
            }
            slot = (slot + 1) % SLOTS;
        }
        None
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const SLOTS: usize = 256;

/// One way to write a name; no name is an empty slot.
#[derive(Clone, Copy)]
struct Slot {
    form: &'static str,
    name: Option<Name>,
}

/// A hash table of both forms, built by the compiler. A third of it is full, so a search ends
/// soon.
static TABLE: [Slot; SLOTS] = table();

const fn table() -> [Slot; SLOTS] {
    let mut table = [Slot { form: "", name: None }; SLOTS];
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

const fn with(mut table: [Slot; SLOTS], form: &'static str, name: Name) -> [Slot; SLOTS] {
    let mut slot = slot_of(form.as_bytes());
    while table[slot].name.is_some() {
        slot = (slot + 1) % SLOTS;
    }
    table[slot] = Slot { form, name: Some(name) };
    table
}

const fn slot_of(text: &[u8]) -> usize {
    let [first, .., last] = text else {
        return match text {
            [only] => only.to_ascii_lowercase() as usize,
            _ => 0,
        };
    };
    let middle = text[text.len() / 2].to_ascii_lowercase() as usize;
    let ends = first.to_ascii_lowercase() as usize * 5 + last.to_ascii_lowercase() as usize * 11;
    (ends + middle * 17 + text.len() * 29) % SLOTS
}
