//! How a message finds its transaction: RFC 3261 §17.1.3 and §17.2.3.
//!
//! | side | key | matches |
//! |---|---|---|
//! | client | branch, method of CSeq | responses |
//! | server | branch, sent-by, method (ACK counts as INVITE) | repeats and ACKs |
//! | server, no `z9hG4bK` branch | URI, From tag, Call-ID, CSeq, Via, method | the RFC 2543 way |
//!
//! The To tag is left out of the old form: an INVITE within a dialog has another CSeq anyway, and
//! so the ACK of a failure, whose To has gained a tag, still matches.
//!
//! Always holds: keys are cheap to clone (one shared text) and equal exactly when the rule says so.

use std::fmt;
use std::sync::Arc;

use crate::sip::header::via::Via;
use crate::sip::message::Message;
use crate::sip::method::Method;

/// Names a client transaction of one layer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientKey(Arc<str>);

impl ClientKey {
    /// How many bytes the text of the key takes.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The transaction of a request with this branch and method.
    pub fn new(branch: &str, method: &Method) -> Self {
        Self(format!("{}\n{branch}", method.as_str()).into())
    }

    /// The branch the request was sent with.
    pub fn branch(&self) -> &str {
        self.parts().1
    }

    /// The method of the request.
    pub fn method(&self) -> Method {
        Method::from(self.parts().0)
    }

    fn parts(&self) -> (&str, &str) {
        self.0.split_once('\n').unwrap_or(("", ""))
    }
}

impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.replace('\n', " "))
    }
}

/// Names a server transaction of one layer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerKey(Arc<str>);

impl ServerKey {
    /// How many bytes the text of the key takes.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Its text, which differs from that of every other transaction.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The transaction `request` belongs to; `None` if it lacks what would name one.
    pub fn of(request: &Message, via: &Via) -> Option<Self> {
        let method = request.method();
        let method = if method == Method::Ack { Method::Invite } else { method };
        Self::with_method(request, via, &method)
    }

    /// The INVITE a CANCEL means: all but the method is the same (RFC 3261 §9.2).
    pub fn cancelled_by(cancel: &Message, via: &Via) -> Option<Self> {
        Self::with_method(cancel, via, &Method::Invite)
    }

    fn with_method(request: &Message, via: &Via, method: &Method) -> Option<Self> {
        let method = method.as_str();
        let sent_by = via.sent_by.to_string().to_ascii_lowercase();
        if via.has_cookie() {
            let branch = via.branch().unwrap_or_default();
            return Some(Self(format!("{method}\n{branch}\n{sent_by}").into()));
        }
        let from = request.from().ok()?;
        let uri = request.request_uri().ok()?;
        let call_id = request.call_id().ok()?;
        let number = request.cseq().ok()?.number;
        let tag = from.tag().unwrap_or_default();
        let branch = via.branch().unwrap_or_default();
        let rest = format!("{uri}\n{tag}\n{call_id}\n{number}\n{sent_by}\n{branch}");
        Some(Self(format!("{method}\n{rest}").into()))
    }

    /// The method of the request.
    pub fn method(&self) -> Method {
        Method::from(self.0.split('\n').next().unwrap_or_default())
    }

    /// A tag for To that is the same for every response of this layer's own in this transaction.
    ///
    /// Responses the user makes carry the user's tag; this one serves 481, 503 and the answer to
    /// a CANCEL, where nothing ever refers to it.
    pub(super) fn own_tag(&self) -> String {
        // FNV-1a, 64 bits: the tag has to be stable, not secret.
        let hash = self.0.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{hash:016x}")
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.replace('\n', " "))
    }
}
