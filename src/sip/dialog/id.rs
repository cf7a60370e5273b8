//! What names a dialog: Call-ID and the two tags, seen from our side (RFC 3261 §12).
//!
//! Always holds: a request and a response of the same dialog give the same id, because "local" is
//! To in what we receive as a server and From in what we receive as a client.
//!
//! Not here: keeping dialogs (`b2bua`).

use compact_str::CompactString;
use serde::Deserialize;
use serde::Serialize;

use crate::sip::header::HeaderError;
use crate::sip::message::Message;

/// Names one dialog of ours.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DialogId {
    /// Shared by all dialogs of one INVITE.
    pub call_id: CompactString,
    /// Our tag.
    pub local_tag: CompactString,
    /// Their tag; empty for a peer of RFC 2543 that has none.
    pub remote_tag: CompactString,
}

impl DialogId {
    /// The dialog a received request belongs to; `None` if it is to begin one (no tag on To).
    pub fn of_request(request: &Message) -> Result<Option<Self>, HeaderError> {
        let to = request.to()?;
        let Some(local_tag) = to.tag() else { return Ok(None) };
        Self::new(request, local_tag, request.from()?.tag()).map(Some)
    }

    /// The dialog a received response makes or belongs to; `None` without a tag on To, as in 100.
    pub fn of_response(response: &Message) -> Result<Option<Self>, HeaderError> {
        let to = response.to()?;
        let Some(remote_tag) = to.tag() else { return Ok(None) };
        let from = response.from()?;
        Self::new(response, from.tag().unwrap_or_default(), Some(remote_tag)).map(Some)
    }

    fn new(message: &Message, local: &str, remote: Option<&str>) -> Result<Self, HeaderError> {
        Ok(Self {
            call_id: CompactString::from(message.call_id()?),
            local_tag: CompactString::from(local),
            remote_tag: CompactString::from(remote.unwrap_or_default()),
        })
    }
}
