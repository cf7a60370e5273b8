//! A leg's picture in bytes: what the core keeps of it without ever looking inside.
//!
//! ```text
//! version 2 │ postcard: one of  Answered · Unanswered · Ringing
//! version 1 │ postcard: dialog · our side of the SDP · what was agreed   (only read, if answered)
//! ```
//!
//! It is enough to go on with the leg in another process ([`super::adopt`]): to re-INVITE the party
//! to another node's media, to answer its INVITE, to stop its phone, or to hang up.
//!
//! Always holds: bytes of every version ever written can be read, or are refused whole; nothing
//! in them can make the reader stop.
//!
//! Not here: when a picture is taken (`ingress`, `placing`, `ringing`, `change`).

use bytes::Bytes;
use serde::Deserialize;
use serde::Serialize;

use crate::acd::command;
use crate::b2bua::caller::Unanswered;
use crate::b2bua::confirmed::Confirmed;
use crate::b2bua::sound::Sound;
use crate::base::id::TrunkId;
use crate::sdp::Agreed;
use crate::sdp::Local;
use crate::sip::dialog::Dialog;
use crate::sip::flow::Flow;
use crate::sip::message::Message;
use crate::sip::uri::Uri;

const VERSION: u8 = 2;

/// Everything that is kept of a leg.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Picture {
    /// A party whose INVITE, or ours to them, was answered.
    Answered(Box<Answered>),
    /// A caller who has no final answer yet, or has not acknowledged it: the INVITE as it came.
    Unanswered {
        /// The dialog it will make, and its media.
        leg: Box<Answered>,
        /// The message, with where it came from in its Via.
        invite: Vec<u8>,
    },
    /// An agent's phone that was sent an INVITE: the CANCEL that takes it back.
    Ringing {
        /// The message, with the Via of its INVITE.
        cancel: Vec<u8>,
        /// Where it goes.
        flow: Flow,
    },
}

/// A leg with a dialog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// Its dialog.
    pub dialog: Dialog,
    /// Our side of the SDP.
    pub local: Local,
    /// What was agreed, if anything was.
    pub agreed: Option<Agreed>,
    /// The trunk whose password let the caller in, if one was needed.
    pub let_in_by: Option<TrunkId>,
    /// The trunk an agent's phone is behind.
    pub trunk: Option<TrunkId>,
    /// Whether the party takes UPDATE.
    pub knows_update: bool,
    /// The largest Min-SE a 422 has asked for (RFC 4028 §7.4).
    pub minimum_seconds: Option<u32>,
}

impl Picture {
    /// The leg, if it has a dialog.
    pub fn leg(&self) -> Option<&Answered> {
        match self {
            Self::Answered(leg) | Self::Unanswered { leg, .. } => Some(leg),
            Self::Ringing { .. } => None,
        }
    }
}

/// What of a leg must be told to the core when it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Essence {
    target: Uri,
    /// The next owner begins behind these numbers, so it must know of each block.
    cseq_reserved: u32,
    agreed: Option<Agreed>,
}

/// What of a leg would have to be told.
pub(super) fn essence(dialog: &Dialog, sound: &Sound) -> Essence {
    Essence {
        target: dialog.remote_target.clone(),
        cseq_reserved: dialog.local_cseq_reserved,
        agreed: sound.agreed().copied(),
    }
}

/// Takes the picture of a leg that was answered; `let_in_by` as the leg has it.
pub(super) fn answered(
    confirmed: &Confirmed,
    sound: &Sound,
    let_in_by: Option<&TrunkId>,
) -> command::Dialog {
    let leg = Answered {
        trunk: confirmed.trunk.clone(),
        knows_update: confirmed.knows_update,
        minimum_seconds: confirmed.minimum_seconds,
        ..plain(&confirmed.dialog, sound, let_in_by)
    };
    encode(&Picture::Answered(Box::new(leg)))
}

/// Takes the picture of a caller who has no final answer yet.
pub(super) fn unanswered(
    caller: &Unanswered,
    sound: &Sound,
    let_in_by: Option<&TrunkId>,
) -> command::Dialog {
    let leg = Box::new(plain(&caller.dialog, sound, let_in_by));
    encode(&Picture::Unanswered { leg, invite: caller.invite.as_bytes().to_vec() })
}

/// Takes the picture of a phone that rings: how it is stopped.
pub(super) fn ringing(cancel: &Message, flow: Flow) -> command::Dialog {
    encode(&Picture::Ringing { cancel: cancel.as_bytes().to_vec(), flow })
}

fn plain(dialog: &Dialog, sound: &Sound, let_in_by: Option<&TrunkId>) -> Answered {
    Answered {
        dialog: dialog.clone(),
        local: sound.local().clone(),
        agreed: sound.agreed().copied(),
        let_in_by: let_in_by.cloned(),
        trunk: None,
        knows_update: false,
        minimum_seconds: None,
    }
}

fn encode(picture: &Picture) -> command::Dialog {
    // Plain data of known shapes always encodes; an empty record would be refused when read.
    command::Dialog::from(postcard::to_extend(picture, vec![VERSION]).unwrap_or_default())
}

/// Reads a picture; `None` if the bytes are not one.
pub fn decode(dialog: &command::Dialog) -> Option<Picture> {
    match dialog.0.split_first() {
        Some((&VERSION, rest)) => postcard::from_bytes(rest).ok(),
        Some((1, rest)) => read_first_version(rest),
        Some(_) | None => None,
    }
}

/// Version 1 told answered legs and others apart no more than by their session timer.
fn read_first_version(bytes: &[u8]) -> Option<Picture> {
    let (dialog, local, agreed): (Dialog, _, _) = postcard::from_bytes(bytes).ok()?;
    // Without a timer it was not answered, and the INVITE is gone.
    dialog.session_timer?;
    let (let_in_by, trunk, knows_update, minimum_seconds) = (None, None, false, None);
    let leg = Answered { dialog, local, agreed, let_in_by, trunk, knows_update, minimum_seconds };
    Some(Picture::Answered(Box::new(leg)))
}

/// Reads a message that stands in a picture.
pub(super) fn message(bytes: Vec<u8>) -> Option<Message> {
    Message::parse(Bytes::from(bytes)).ok()
}
