//! What a number means on the other side: SIP statuses, refusals and causes, each in one table.
//!
//! | from | to | table |
//! |---|---|---|
//! | the phone's final status | why it did not take the call | [`ring_failure`] |
//! | the core's refusal | the caller's final status | [`refusal_status`] |
//! | the core's cause | the caller's final status | [`release_status`] |
//! | the core's cause | the Reason header of CANCEL and BYE | [`reason`] |
//! | our final status | the Reason header that goes with it | [`reason_of_status`] |
//!
//! Always holds: a table names every variant, and every status it gives is a final one.
//!
//! Not here: when to ask (`caller`, `ringing`).

use crate::acd::command::Refusal;
use crate::acd::command::RingFailure;
use crate::acd::effect::Cause;

/// Why a phone that answered with this final status (3xx to 6xx) did not take the call.
pub(super) fn ring_failure(status: u16) -> RingFailure {
    match status {
        486 | 600 => RingFailure::Busy,
        // 487 without a CANCEL of ours: the far side's own limit ended the ringing.
        408 | 480 | 487 => RingFailure::NoAnswer,
        404 | 410 | 484 | 485 | 604 => RingFailure::WrongAddress,
        415 | 488 | 606 => RingFailure::NoCodec,
        // A forward (3xx) is not followed: the queue looks for the next agent itself.
        300..=399 | 403 | 603 | 607 | 608 => RingFailure::Declined,
        // 401 and 407 reach here only when the trunk's credentials were refused.
        _ => RingFailure::Unreachable,
    }
}

/// Tells whether another peer of the trunk may do better (RFC 3263 §4.3, RFC 3261 §21.5.4).
pub(super) fn is_peer_trouble(status: u16) -> bool {
    matches!(status, 500 | 502 | 503 | 504)
}

/// The caller's final status when the core refused the call at the door.
pub(super) fn refusal_status(refusal: &Refusal) -> u16 {
    match refusal {
        Refusal::UnknownAddress(_) | Refusal::UnknownQueue(_) => 404,
        Refusal::TurnedAway { status, .. } => final_status(*status),
        Refusal::DuplicateCall(_) => 482,
        // The cluster has taken this node for another life of it; the caller may try again.
        Refusal::StaleOwner(_) => 503,
        Refusal::UnknownCall(_)
        | Refusal::UnknownLeg(_)
        | Refusal::UnknownAgent(_)
        | Refusal::UnknownTrunk(_)
        | Refusal::UnknownPrompt(_)
        | Refusal::WrongAgentState { .. }
        | Refusal::WrongCallState { .. }
        | Refusal::WrongPin { .. }
        | Refusal::PinLocked { .. }
        | Refusal::PinMissing { .. }
        | Refusal::DeviceInCall { .. }
        | Refusal::LoginKindNotAllowed { .. }
        | Refusal::NoDevice { .. }
        | Refusal::AlreadyLoggedIn { .. }
        | Refusal::DeviceTaken { .. }
        | Refusal::UnknownReason { .. }
        | Refusal::AddressTaken { .. }
        | Refusal::OtherSource { .. }
        | Refusal::RequestReused => 500,
    }
}

/// The final status of a caller who was not answered yet.
pub(super) fn release_status(cause: Cause) -> u16 {
    match cause {
        Cause::TurnedAway(status) => final_status(status),
        Cause::CallerGone => 487,
        Cause::NodeLost => 503,
        Cause::HungUp
        | Cause::RingOut
        | Cause::AnsweredElsewhere
        | Cause::Requested
        | Cause::Transferred
        | Cause::LoggedOut => 480,
    }
}

/// The Reason header (RFC 3326) of the CANCEL or BYE that ends a leg.
pub(super) fn reason(cause: Cause) -> &'static str {
    match cause {
        Cause::HungUp => "Q.850;cause=16;text=\"Normal call clearing\"",
        Cause::RingOut => "Q.850;cause=19;text=\"No answer\"",
        // Phones do not show a missed call for exactly this one.
        Cause::AnsweredElsewhere => "SIP;cause=200;text=\"Call completed elsewhere\"",
        Cause::CallerGone => "SIP;cause=487;text=\"Caller gone\"",
        Cause::TurnedAway(status) => reason_of_status(final_status(status)),
        Cause::Requested => "Q.850;cause=31;text=\"Ended by request\"",
        Cause::Transferred => "SIP;cause=302;text=\"Transferred\"",
        Cause::LoggedOut => "SIP;cause=480;text=\"Logged out\"",
        Cause::NodeLost => "Q.850;cause=41;text=\"Temporary failure\"",
    }
}

/// The Reason header that goes with a final status to a caller (RFC 6432).
///
/// RFC 3398 §8.2.6.1, but for 480: of the causes that mean 480 on the way back (§7.2.4.1), 20
/// keeps a PBX from trying elsewhere, as it would with a busy or broken switch.
pub(super) fn reason_of_status(status: u16) -> &'static str {
    match status {
        404 | 485 | 604 => "Q.850;cause=1;text=\"Unallocated number\"",
        486 | 600 => "Q.850;cause=17;text=\"User busy\"",
        480 => "Q.850;cause=20;text=\"Subscriber absent\"",
        401..=403 | 407 | 603 | 607 | 608 => "Q.850;cause=21;text=\"Call rejected\"",
        410 => "Q.850;cause=22;text=\"Number changed\"",
        482 | 483 => "Q.850;cause=25;text=\"Exchange routing error\"",
        484 => "Q.850;cause=28;text=\"Invalid number format\"",
        400 | 481 | 500 => "Q.850;cause=41;text=\"Temporary failure\"",
        // The one a PBX is to try elsewhere for.
        503 => "Q.850;cause=42;text=\"Switching equipment congestion\"",
        405 => "Q.850;cause=63;text=\"Service not available\"",
        488 | 606 => "Q.850;cause=65;text=\"Bearer capability not implemented\"",
        406 | 415 | 501 => "Q.850;cause=79;text=\"Service not implemented\"",
        408 | 504 => "Q.850;cause=102;text=\"Recovery on timer expiry\"",
        413 | 414 | 416 | 420..=423 | 505 | 513 => "Q.850;cause=127;text=\"Interworking\"",
        _ => "Q.850;cause=31;text=\"Normal, unspecified\"",
    }
}

fn final_status(status: u16) -> u16 {
    if (300..=699).contains(&status) { status } else { 480 }
}
