//! Headers with structure: one file each, read on demand, printed by `Display`.
//!
//! | file | headers | defined in |
//! |---|---|---|
//! | [`via`] | Via | RFC 3261 §20.42, RFC 3581 |
//! | [`name_addr`] | From, To, Contact, Route, Record-Route | RFC 3261 §20.10, §25.1 |
//! | [`name_addr`] | Refer-To, P-Asserted-Identity | RFC 3515, RFC 3325 |
//! | [`cseq`] | CSeq | RFC 3261 §20.16 |
//! | [`rack`] | RAck | RFC 3262 §7.2 |
//! | [`content_type`] | Content-Type, elements of Accept | RFC 3261 §20.15 |
//! | [`session_expires`] | Session-Expires, Min-SE | RFC 4028 §4, §5 |
//! | [`reason`] | Reason | RFC 3326 |
//! | [`retry_after`] | Retry-After | RFC 3261 §20.33 |
//! | [`event`] | Event, Subscription-State | RFC 6665 §8.2 |
//! | [`replaces`] | Replaces | RFC 3891 §6.1 |
//!
//! What they share: [`name`] (which header), [`scan`] (lists, quotes, numbers), [`swar`] (many
//! bytes at once), [`param`] (`;name=value`). Authentication headers are in [`crate::sip::digest`].
//!
//! Always holds: a type here reads what it prints, and reads nothing that could print as two.

pub mod content_type;
pub mod cseq;
pub mod event;
pub mod name;
pub mod name_addr;
pub mod param;
pub mod rack;
pub mod reason;
pub mod replaces;
pub mod retry_after;
pub mod scan;
pub mod session_expires;
pub mod swar;
pub mod via;

use crate::sip::header::name::Name;

/// Why a header could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// It is not there and must be.
    #[error("no {0}")]
    Missing(Name),
    /// It breaks its grammar.
    #[error("malformed {0}")]
    Malformed(Name),
    /// The Request-URI breaks its grammar, or the message is a response.
    #[error("malformed Request-URI")]
    RequestUri,
}
