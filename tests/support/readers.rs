//! Everything that reads a SIP message, called once.
//!
//! Always holds: whatever the message, nothing panics. Shared (`#[path]`).
//!
//! Not here: what is to be read out of a message (`tests/sip/header.rs`).

use carillon::sip::Message;

pub(crate) fn read_all(message: &Message) {
    let _ = (message.vias(), message.from(), message.to(), message.contacts());
    let _ = (message.routes(), message.record_routes(), message.refer_to());
    let _ = (message.expires(), message.min_expires(), message.rseq(), message.rack());
    let _ = (message.content_type(), message.session_expires(), message.min_se());
    let _ = (message.reasons(), message.retry_after(), message.event(), message.replaces());
    let _ = (message.subscription_state(), message.asserted_identities(), message.request_uri());
    let _ = (message.supported(), message.reason().len(), message.all_headers().count());
    let _ = carillon::sip::check::refusal_of(message);
}
