//! The headers of a message as values: absent, malformed or read, each on its own.
//!
//! `Ok(None)` is a header that is not there, `Err` one that breaks its grammar; only the headers
//! every message must have turn "not there" into an error. A comma list and several lines of the
//! same header are one list (RFC 3261 §7.3.1).
//!
//! Not here: authentication headers, which are lists of their own kind ([`crate::sip::digest`]).

use std::str::FromStr;

use compact_str::CompactString;

use crate::sip::header::HeaderError;
use crate::sip::header::content_type::ContentType;
use crate::sip::header::cseq::CSeq;
use crate::sip::header::event::Event;
use crate::sip::header::event::SubscriptionState;
use crate::sip::header::name::Name;
use crate::sip::header::name_addr::NameAddr;
use crate::sip::header::rack::RAck;
use crate::sip::header::reason::Reason;
use crate::sip::header::replaces::Replaces;
use crate::sip::header::retry_after::RetryAfter;
use crate::sip::header::scan;
use crate::sip::header::scan::Malformed;
use crate::sip::header::session_expires::MinSe;
use crate::sip::header::session_expires::SessionExpires;
use crate::sip::header::via::Via;
use crate::sip::message;
use crate::sip::message::Message;
use crate::sip::plain;
use crate::sip::uri::Uri;

impl Message {
    /// Reads the first line of `name` as one value.
    pub fn typed<T>(&self, name: Name) -> Result<Option<T>, HeaderError>
    where
        T: FromStr<Err = Malformed>,
    {
        let read = |text: &str| text.parse().map_err(|Malformed| HeaderError::Malformed(name));
        self.header(name).map(|text| read(&text)).transpose()
    }

    /// Reads every element of every line of `name`.
    pub fn list<T>(&self, name: Name) -> Result<Vec<T>, HeaderError>
    where
        T: FromStr<Err = Malformed>,
    {
        let mut values = Vec::new();
        for line in self.headers(name) {
            for element in scan::list(&line) {
                let value = element.and_then(str::parse);
                values.push(value.map_err(|Malformed| HeaderError::Malformed(name))?);
            }
        }
        Ok(values)
    }

    fn required<T>(&self, name: Name) -> Result<T, HeaderError>
    where
        T: FromStr<Err = Malformed>,
    {
        self.typed(name)?.ok_or(HeaderError::Missing(name))
    }

    /// Reads the first line of `name` as a number; folded or listed, it is malformed.
    fn count<N: TryFrom<u64>>(&self, name: Name) -> Result<Option<N>, HeaderError> {
        let read = |text: &str| scan::number(text).map_err(|_| HeaderError::Malformed(name));
        self.header(name).map(|text| read(&text)).transpose()
    }

    /// Reads the Request-URI.
    pub fn request_uri(&self) -> Result<Uri, HeaderError> {
        self.request_uri_text().parse().map_err(|_| HeaderError::RequestUri)
    }

    /// The topmost Via: of a request the last hop, of a response ourselves.
    pub fn top_via(&self) -> Result<Via, HeaderError> {
        let raw = self.raw_headers(Name::Via).next().ok_or(HeaderError::Missing(Name::Via))?;
        let line = message::unfold(raw);
        if let Some(hop) = plain::hop(line.as_bytes()) {
            return Ok(Via::from_plain(&line, hop));
        }
        let first = scan::list(&line).next().and_then(Result::ok);
        first.and_then(|hop| hop.parse().ok()).ok_or(HeaderError::Malformed(Name::Via))
    }

    /// Every hop, the last one first.
    pub fn vias(&self) -> Result<Vec<Via>, HeaderError> {
        self.list(Name::Via)
    }

    /// Who sends the request.
    pub fn from(&self) -> Result<NameAddr, HeaderError> {
        self.required(Name::From)
    }

    /// Whom the request is meant for.
    pub fn to(&self) -> Result<NameAddr, HeaderError> {
        self.required(Name::To)
    }

    /// What all messages of a dialog, or of a registration, have in common.
    pub fn call_id(&self) -> Result<&str, HeaderError> {
        let raw = self.raw_headers(Name::CallId).next();
        let raw = raw.ok_or(HeaderError::Missing(Name::CallId))?;
        let text = std::str::from_utf8(raw).ok().filter(|_| plain::is_word(raw));
        text.ok_or(HeaderError::Malformed(Name::CallId))
    }

    /// Number and method within the dialog.
    pub fn cseq(&self) -> Result<CSeq, HeaderError> {
        self.required(Name::CSeq)
    }

    /// How many more hops a request may take.
    pub fn max_forwards(&self) -> Result<Option<u8>, HeaderError> {
        self.count(Name::MaxForwards)
    }

    /// Seconds a registration, subscription or invitation is to last.
    pub fn expires(&self) -> Result<Option<u32>, HeaderError> {
        self.count(Name::Expires)
    }

    /// The least Expires the other side accepts (RFC 3261 §20.23).
    pub fn min_expires(&self) -> Result<Option<u32>, HeaderError> {
        self.count(Name::MinExpires)
    }

    /// The number of a reliable provisional response (RFC 3262 §7.1).
    pub fn rseq(&self) -> Result<Option<u32>, HeaderError> {
        self.count(Name::RSeq)
    }

    /// Where the sender is reached directly. `Contact: *` has no address and is left out; see
    /// [`Message::is_contact_star`].
    pub fn contacts(&self) -> Result<Vec<NameAddr>, HeaderError> {
        if self.is_contact_star() { Ok(Vec::new()) } else { self.list(Name::Contact) }
    }

    /// Tells whether Contact is `*`, which removes every binding (RFC 3261 §10.2.2).
    pub fn is_contact_star(&self) -> bool {
        self.header(Name::Contact).is_some_and(|text| text == "*")
    }

    /// The hops that asked to stay on the path, in the order of the message.
    pub fn record_routes(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.list(Name::RecordRoute)
    }

    /// The hops this request is still to take.
    pub fn routes(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.list(Name::Route)
    }

    /// Who the sender is, as a trusted hop says (RFC 3325 §9.1).
    pub fn asserted_identities(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.list(Name::PAssertedIdentity)
    }

    /// Whom a REFER asks to call (RFC 3515 §2.1).
    pub fn refer_to(&self) -> Result<Option<NameAddr>, HeaderError> {
        self.typed(Name::ReferTo)
    }

    /// What the body is.
    pub fn content_type(&self) -> Result<Option<ContentType>, HeaderError> {
        self.typed(Name::ContentType)
    }

    /// The session timer asked for or agreed.
    pub fn session_expires(&self) -> Result<Option<SessionExpires>, HeaderError> {
        self.typed(Name::SessionExpires)
    }

    /// The least session timer accepted, in seconds.
    pub fn min_se(&self) -> Result<Option<u32>, HeaderError> {
        Ok(self.typed::<MinSe>(Name::MinSe)?.map(|least| least.0))
    }

    /// The provisional response a PRACK confirms.
    pub fn rack(&self) -> Result<Option<RAck>, HeaderError> {
        self.typed(Name::RAck)
    }

    /// Why the request was sent.
    pub fn reasons(&self) -> Result<Vec<Reason>, HeaderError> {
        self.list(Name::Reason)
    }

    /// Seconds to wait before trying again.
    pub fn retry_after(&self) -> Result<Option<u32>, HeaderError> {
        Ok(self.typed::<RetryAfter>(Name::RetryAfter)?.map(|wait| wait.0))
    }

    /// What a subscription is about.
    pub fn event(&self) -> Result<Option<Event>, HeaderError> {
        self.typed(Name::Event)
    }

    /// How a subscription stands.
    pub fn subscription_state(&self) -> Result<Option<SubscriptionState>, HeaderError> {
        self.typed(Name::SubscriptionState)
    }

    /// The dialog this call takes the place of.
    pub fn replaces(&self) -> Result<Option<Replaces>, HeaderError> {
        self.typed(Name::Replaces)
    }

    /// The tokens of a list header such as Supported, Require, Allow or Allow-Events.
    ///
    /// Empty elements are passed over: `Supported:` alone is an empty list (RFC 3261 §20.37).
    pub fn tokens(&self, name: Name) -> Vec<CompactString> {
        let mut tokens = Vec::new();
        for line in self.headers(name) {
            let listed = line.split(',').map(scan::trim).filter(|token| !token.is_empty());
            tokens.extend(listed.map(CompactString::from));
        }
        tokens
    }

    /// Tells whether `token` is in a list header, in any case.
    pub fn has_token(&self, name: Name, token: &str) -> bool {
        self.headers(name)
            .any(|line| line.split(',').any(|found| scan::trim(found).eq_ignore_ascii_case(token)))
    }

    /// The extensions the sender understands.
    pub fn supported(&self) -> Vec<CompactString> {
        self.tokens(Name::Supported)
    }

    /// The extensions the sender insists on.
    pub fn require(&self) -> Vec<CompactString> {
        self.tokens(Name::Require)
    }

    /// The methods the sender takes.
    pub fn allow(&self) -> Vec<CompactString> {
        self.tokens(Name::Allow)
    }
}
