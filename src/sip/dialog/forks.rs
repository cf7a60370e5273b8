//! The dialogs one INVITE of ours makes when it is forked: RFC 3261 §12.1.2, §13.2.2.4.
//!
//! Each To tag in a response is a dialog of its own. The first 2xx wins; a 2xx with another tag is
//! a call nobody wants, to be acknowledged and hung up at once.
//!
//! Always holds: at most [`MAX`] early dialogs are kept; beyond it the oldest is forgotten, and a
//! 2xx with its tag makes it anew.
//!
//! Not here: cancelling the other branches, which the forking proxy does.

use crate::sip::dialog::Dialog;
use crate::sip::dialog::Heard;
use crate::sip::dialog::id::DialogId;
use crate::sip::flow::Flow;
use crate::sip::header::HeaderError;
use crate::sip::message::Message;
use crate::sip::status;

/// The most early dialogs of one INVITE.
pub const MAX: usize = 16;

/// The dialogs made so far.
#[derive(Clone, Debug, Default)]
pub struct Forks {
    early: Vec<Dialog>,
    winner: Option<DialogId>,
}

/// What a response to the INVITE is.
#[derive(Debug)]
pub enum Forked {
    /// A provisional response that makes no dialog, or a failure, which ends all of them.
    NoDialog,
    /// A provisional response in the dialog of this id.
    Early(DialogId, Heard),
    /// The first 2xx: this is the call.
    Won(Box<Dialog>, Heard),
    /// The first 2xx again: send its ACK again.
    Repeated,
    /// A 2xx of another branch: send ACK and BYE in this dialog.
    Extra(Box<Dialog>),
}

impl Forks {
    /// Takes a response to `invite`.
    pub fn on_response(
        &mut self,
        invite: &Message,
        response: &Message,
        flow: Flow,
    ) -> Result<Forked, HeaderError> {
        let code = response.status().unwrap_or_default();
        let Some(id) = DialogId::of_response(response)?.filter(|_| code > 100 && code < 300) else {
            return Ok(Forked::NoDialog);
        };
        if self.winner.as_ref() == Some(&id) {
            return Ok(Forked::Repeated);
        }
        let at = match self.early.iter().position(|dialog| dialog.id == id) {
            Some(at) => at,
            None => self.begin(Dialog::from_response(invite, response, flow)?),
        };
        let heard = self.early[at].on_response(response)?;
        if !status::is_success(code) {
            return Ok(Forked::Early(id, heard));
        }
        let dialog = Box::new(self.early.remove(at));
        if self.winner.is_some() {
            return Ok(Forked::Extra(dialog));
        }
        self.winner = Some(id);
        Ok(Forked::Won(dialog, heard))
    }

    fn begin(&mut self, dialog: Dialog) -> usize {
        if self.early.len() == MAX {
            self.early.remove(0);
        }
        self.early.push(dialog);
        self.early.len() - 1
    }

    /// The early dialog of this id, to be acknowledged (PRACK) or changed (UPDATE).
    pub fn early(&mut self, id: &DialogId) -> Option<&mut Dialog> {
        self.early.iter_mut().find(|dialog| dialog.id == *id)
    }

    /// The newest early dialog, whose media is the one to be heard.
    pub fn newest(&self) -> Option<&Dialog> {
        self.early.last()
    }
}
