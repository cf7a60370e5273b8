//! The few messages the layer writes by itself: 100, answers to CANCEL, 503, ACK and CANCEL.
//!
//! Always holds: an ACK or CANCEL has the one Via of its request, so it takes the same way and is
//! matched by the same branch (RFC 3261 §17.1.1.3, §9.1).
//!
//! Not here: any other request or response, which are the user's.

use crate::sip::header::name::Name;
use crate::sip::message::Message;
use crate::sip::method::Method;
use crate::sip::write::RequestBuilder;
use crate::sip::write::ResponseBuilder;

/// The 100 that stops an INVITE from being repeated. RFC 3261 §8.2.6.1: it returns the Timestamp.
pub(super) fn trying(invite: &Message) -> Message {
    let response = ResponseBuilder::to(invite, 100);
    match invite.extension("Timestamp") {
        Some(timestamp) => response.raw("Timestamp", &timestamp).build(),
        None => response.build(),
    }
}

/// A bare response with a tag on To, where the request has none.
pub(super) fn answer(request: &Message, status: u16, tag: &str) -> Message {
    ResponseBuilder::to(request, status).to_tag(tag).build()
}

/// The 503 for a request beyond the limit.
pub(super) fn unavailable(request: &Message, wait_seconds: u32, tag: &str) -> Message {
    let response = ResponseBuilder::to(request, 503).to_tag(tag);
    response.header(Name::RetryAfter, wait_seconds).build()
}

/// The ACK of a failure: all of the INVITE's that names the transaction, and the failure's To.
pub(super) fn ack_of_failure(invite: &Message, failure: &Message) -> Option<Message> {
    let ack = same_way(Method::Ack, invite)?;
    Some(ack.copy(Name::To, failure).build())
}

/// The CANCEL of an INVITE as it was sent, with its Via (RFC 3261 §9.1); `reason` is the value of
/// its Reason header. None if the INVITE lacks what names a transaction.
pub fn cancel(invite: &Message, reason: Option<&str>) -> Option<Message> {
    let cancel = same_way(Method::Cancel, invite)?.copy(Name::To, invite);
    Some(match reason {
        Some(reason) => cancel.header(Name::Reason, reason).build(),
        None => cancel.build(),
    })
}

fn same_way(method: Method, invite: &Message) -> Option<RequestBuilder> {
    let uri = invite.request_uri().ok()?;
    let via = invite.top_via().ok()?;
    let number = invite.cseq().ok()?.number;
    let cseq = format!("{number} {method}");
    let request = RequestBuilder::new(method, &uri)
        .header(Name::Via, via)
        .copy(Name::Route, invite)
        .header(Name::MaxForwards, 70)
        .copy(Name::From, invite)
        .copy(Name::CallId, invite)
        .header(Name::CSeq, cseq);
    Some(request)
}

/// The To tag in a response of ours that was kept as bytes.
pub(super) fn to_tag_of(response: &bytes::Bytes) -> Option<String> {
    let response = Message::parse(response.clone()).ok()?;
    response.to().ok()?.tag().map(str::to_owned)
}
