//! What a message must say before anyone acts on it.
//!
//! Looked at: the headers every message carries (RFC 3261 §8.1.1, §8.1.3.3), their ranges, that
//! CSeq names the request's method (§8.1.1.5), the Request-URI (§19.1.1), and the Contacts of a
//! request. Everything else is left to whoever reads it; a malformed Date or Subject is nobody's
//! harm (RFC 4475 §3.1.2.12).
//!
//! Most messages are plain, and a look was enough ([`crate::sip::glance`]).
//!
//! Also here: what is well-formed and still not served ([`refusal_of`]): an unknown method or
//! URI scheme.
//!
//! Not here: loops, extensions asked for, authentication (`b2bua`).

use crate::sip::header::name::Name;
use crate::sip::header::name_addr;
use crate::sip::header::scan;
use crate::sip::header::scan::Malformed;
use crate::sip::header::via;
use crate::sip::message::Message;
use crate::sip::method::Method;
use crate::sip::parse::Fault;
use crate::sip::uri;
use crate::sip::uri::Scheme;

/// Finds the first reason not to act on `message`.
pub(super) fn fault_in(message: &Message) -> Option<Fault> {
    find_fault(message).err()
}

fn find_fault(message: &Message) -> Result<(), Fault> {
    for name in [Name::Via, Name::From, Name::To, Name::CallId, Name::CSeq] {
        if !message.has(name) {
            return Err(Fault::Missing(name));
        }
    }
    each_value(message, Name::Via, via::check)?;
    each_line(message, Name::From, name_addr::check)?;
    each_line(message, Name::To, name_addr::check)?;
    if message.call_id().is_err() {
        return Err(Fault::Malformed(Name::CallId));
    }
    let cseq = message.cseq().map_err(|_| Fault::Malformed(Name::CSeq))?;
    if !message.is_request() {
        return Ok(());
    }
    if message.max_forwards().is_err() {
        return Err(Fault::Malformed(Name::MaxForwards));
    }
    let text = message.request_uri_text();
    if uri::check(text).is_err() || uri::has_headers(text) {
        return Err(Fault::RequestUri);
    }
    if cseq.method != message.method() {
        return Err(Fault::MethodMismatch);
    }
    if !needs_contact(&cseq.method) {
        return Ok(());
    }
    // RFC 3261 §25.1, `Contact`: a star stands alone.
    let contacts = |line: &str| match line {
        "*" => Ok(()),
        list => scan::list(list).try_for_each(|value| name_addr::check(value?)),
    };
    each_line(message, Name::Contact, contacts)
}

/// RFC 3261 §8.2.2: what is malformed and not needed is ignored. A call whose BYE is refused would
/// go on.
fn needs_contact(method: &Method) -> bool {
    !matches!(method, Method::Ack | Method::Bye | Method::Cancel | Method::Prack | Method::Info)
}

fn each_line(
    message: &Message,
    name: Name,
    check: impl Fn(&str) -> Result<(), Malformed>,
) -> Result<(), Fault> {
    message.headers(name).try_for_each(|line| check(&line)).map_err(|_| Fault::Malformed(name))
}

fn each_value(
    message: &Message,
    name: Name,
    check: impl Fn(&str) -> Result<(), Malformed>,
) -> Result<(), Fault> {
    each_line(message, name, |line| scan::list(line).try_for_each(|value| check(value?)))
}

/// The status that refuses a well-formed request nobody here can serve.
///
/// 501 for a method without a name of its own (RFC 3261 §8.2.1 knows 405 for those it knows and
/// does not allow), 416 for a Request-URI that is neither `sip` nor `tel` (§8.2.2.1): `sips` wants
/// TLS on every hop, which there is not here, and is not quietly taken for less (RFC 5630 §3).
pub fn refusal_of(request: &Message) -> Option<u16> {
    if matches!(request.method(), Method::Other(_)) {
        return Some(501);
    }
    match request.request_uri().ok()?.scheme {
        Scheme::Sip | Scheme::Tel => None,
        Scheme::Sips | Scheme::Other(_) => Some(416),
    }
}
