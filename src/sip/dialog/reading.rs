//! What a message says to a dialog: its Contact, its offer or answer, whether it is fatal.
//!
//! Always holds: these read one message and know no dialog.
//!
//! Not here: what follows from it ([`crate::sip::dialog::Dialog`]).

use crate::sip::dialog::offer_answer::Carrier;
use crate::sip::dialog::offer_answer::Stage;
use crate::sip::header::HeaderError;
use crate::sip::header::name::Name;
use crate::sip::header::name_addr::NameAddr;
use crate::sip::header::param::Params;
use crate::sip::message::Message;
use crate::sip::method::Method;
use crate::sip::status;
use crate::sip::uri::Uri;

/// Tells whether a message carries a session description.
pub fn is_described(message: &Message) -> bool {
    let described =
        |kind: &str| message.content_type().is_ok_and(|of| of.is_some_and(|of| of.is(kind)));
    !message.body().is_empty()
        && (described("application/sdp")
            || described("multipart/mixed")
            || described("multipart/alternative"))
}

/// Tells whether a message has a body that is no session description and may not be passed over
/// (RFC 3261 §8.2.3, §20.11).
pub fn is_foreign(message: &Message) -> bool {
    let disposition = message.header(Name::ContentDisposition).unwrap_or_default();
    let optional = |param: &str| param.trim().eq_ignore_ascii_case("handling=optional");
    let is_optional = disposition.split(';').skip(1).any(optional);
    !message.body().is_empty() && !is_described(message) && !is_optional
}

/// The name and address of one side, with its tag and nothing else.
pub(super) fn party(mut side: NameAddr) -> NameAddr {
    let tag = side.tag().map(str::to_owned);
    side.params = Params::EMPTY;
    side.params.set("tag", tag.as_deref());
    side
}

/// The target a message names. A response cannot be refused: what is unreadable in it counts as
/// left out, and the dialog goes on with the target it has.
pub(super) fn contact_of(message: &Message) -> Result<Option<Uri>, HeaderError> {
    let contacts = match message.contacts() {
        Err(_) if !message.is_request() => Vec::new(),
        read => read?,
    };
    Ok(contacts.into_iter().next().map(|contact| contact.uri))
}

pub(super) fn carrier_of(method: &Method) -> Option<Carrier> {
    match method {
        Method::Invite => Some(Carrier::Invite),
        Method::Prack => Some(Carrier::Prack),
        Method::Update => Some(Carrier::Update),
        Method::Ack
        | Method::Bye
        | Method::Cancel
        | Method::Options
        | Method::Register
        | Method::Subscribe
        | Method::Notify
        | Method::Publish
        | Method::Refer
        | Method::Info
        | Method::Message
        | Method::Other(_) => None,
    }
}

/// Requests whose Contact replaces the target: RFC 3261 §12.2, RFC 3311 §5.1, RFC 6665 §4.4.1.
pub(super) fn is_target_refresh(method: &Method) -> bool {
    matches!(
        method,
        Method::Invite | Method::Update | Method::Subscribe | Method::Notify | Method::Refer
    )
}

/// RFC 3261 §12.2.1.2, RFC 5057 §5.1: these say that the other side has no such dialog.
pub(super) fn is_fatal(code: u16) -> bool {
    matches!(code, 404 | 408 | 410 | 416 | 481 | 482 | 483 | 484 | 485 | 502 | 604)
}

pub(super) fn stage_of(response: &Message) -> Option<Stage> {
    let code = response.status().unwrap_or_default();
    if status::is_success(code) {
        Some(Stage::Success)
    } else if status::is_final(code) {
        Some(Stage::Failure)
    } else {
        response.has_token(Name::Require, "100rel").then_some(Stage::Reliable)
    }
}

pub(super) fn reliable_number(response: &Message) -> Result<Option<u32>, HeaderError> {
    let provisional = response.status().is_some_and(status::is_provisional);
    if provisional && response.has_token(Name::Require, "100rel") {
        response.rseq()
    } else {
        Ok(None)
    }
}
