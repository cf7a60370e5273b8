//! A leg's picture in bytes: what the core keeps of it without ever looking inside.
//!
//! ```text
//! version 1 │ postcard: dialog · our side of the SDP · what was agreed
//! ```
//!
//! It is enough to go on with the leg in another process: to hang up, or to re-INVITE the party
//! to another node's media.
//!
//! Always holds: bytes of every version ever written can be read, or are refused whole; nothing
//! in them can make the reader stop.
//!
//! Not here: when a picture is taken (`caller`, `ringing`, `change`).

use serde::Deserialize;
use serde::Serialize;

use crate::acd::command;
use crate::b2bua::sound::Sound;
use crate::sdp::Agreed;
use crate::sdp::Local;
use crate::sip::dialog::Dialog;
use crate::sip::uri::Uri;

const VERSION: u8 = 1;

/// Everything that is kept of a leg.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// Its dialog.
    pub dialog: Dialog,
    /// Our side of the SDP.
    pub local: Local,
    /// What was agreed, if anything was.
    pub agreed: Option<Agreed>,
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

/// Takes the picture of a leg.
pub(super) fn encode(dialog: &Dialog, sound: &Sound) -> command::Dialog {
    let picture = Picture {
        dialog: dialog.clone(),
        local: sound.local().clone(),
        agreed: sound.agreed().copied(),
    };
    // Plain data of known shapes always encodes; an empty record would be refused when read.
    command::Dialog::from(postcard::to_extend(&picture, vec![VERSION]).unwrap_or_default())
}

/// Reads a picture; `None` if the bytes are not one.
pub fn decode(dialog: &command::Dialog) -> Option<Picture> {
    match dialog.0.split_first() {
        Some((&VERSION, rest)) => postcard::from_bytes(rest).ok(),
        Some(_) | None => None,
    }
}
