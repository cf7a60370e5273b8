//! Session timers: who refreshes a call, how often, and when it counts as dead (RFC 4028).
//!
//! | asked by the client | supported by the client | the server answers | refresher |
//! |---|---|---|---|
//! | below our minimum | yes | 422 with Min-SE | — |
//! | anything | yes | the smaller interval, not below either minimum | as asked, else server |
//! | nothing | yes | our interval | server |
//! | anything | no | our interval, without `Require` | server |
//!
//! The refresher sends an UPDATE or re-INVITE after half the interval; the other side hangs up when
//! it has heard nothing until shortly before the end (RFC 4028 §10).
//!
//! Always holds: an agreed interval is at least [`INTERVAL_MIN_SECONDS`].
//!
//! Not here: the deadlines (the owner counts from the last refresh it saw), and sending anything.

use serde::Deserialize;
use serde::Serialize;

use crate::base::time::Millis;
use crate::sip::header::HeaderError;
use crate::sip::header::name::Name;
use crate::sip::header::session_expires;
use crate::sip::header::session_expires::SessionExpires;
use crate::sip::message::Message;

/// The least interval anybody may ask for (RFC 4028 §4).
pub const INTERVAL_MIN_SECONDS: u32 = 90;

/// Who keeps the call alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refresher {
    /// We send the refreshes.
    Us,
    /// The other side does, and we hang up if it does not.
    Them,
}

/// What a request says about session timers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// `Supported` (or `Require`) lists `timer`.
    pub supported: bool,
    /// The interval of `Session-Expires`, in seconds.
    pub interval_seconds: Option<u32>,
    /// Its `refresher=`.
    pub refresher: Option<session_expires::Refresher>,
    /// `Min-SE`, in seconds.
    pub minimum_seconds: Option<u32>,
}

impl Asked {
    /// Reads an INVITE or UPDATE.
    pub fn of(request: &Message) -> Result<Self, HeaderError> {
        let asked = request.session_expires()?;
        let lists = |name| request.has_token(name, "timer");
        Ok(Self {
            supported: lists(Name::Supported) || lists(Name::Require),
            interval_seconds: asked.map(|asked| asked.seconds),
            refresher: asked.and_then(|asked| asked.refresher),
            minimum_seconds: request.min_se()?,
        })
    }
}

/// What we want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Our interval, in seconds.
    pub interval_seconds: u32,
    /// The least we accept, in seconds; not below 90.
    pub minimum_seconds: u32,
}

impl Wanted {
    /// This interval, and whatever shorter one a peer asks for.
    pub fn every(interval: Millis) -> Self {
        let seconds = u32::try_from(interval.as_secs()).unwrap_or(u32::MAX);
        Self {
            interval_seconds: seconds.max(INTERVAL_MIN_SECONDS),
            minimum_seconds: INTERVAL_MIN_SECONDS,
        }
    }
}

/// What both sides agreed on; part of the dialog's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionTimer {
    /// The interval, in seconds.
    pub interval_seconds: u32,
    /// Who refreshes.
    pub refresher: Refresher,
}

/// The interval asked for is too small: answer 422 with `Min-SE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooSmall {
    /// The value of `Min-SE`, in seconds.
    pub minimum_seconds: u32,
}

/// What a 2xx of ours says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What is agreed.
    pub timer: SessionTimer,
    /// Whether the 2xx must have `Require: timer`, because the client is to refresh.
    pub require: bool,
}

/// Answers a request that starts or refreshes a call, as its server (RFC 4028 §9).
pub fn answer(asked: &Asked, wanted: &Wanted) -> Result<Answer, TooSmall> {
    let minimum_seconds = wanted.minimum_seconds.max(INTERVAL_MIN_SECONDS);
    if asked.supported && asked.interval_seconds.is_some_and(|interval| interval < minimum_seconds)
    {
        return Err(TooSmall { minimum_seconds });
    }
    let floor = minimum_seconds.max(asked.minimum_seconds.unwrap_or(0));
    let ceiling = asked.interval_seconds.unwrap_or(u32::MAX);
    let interval_seconds = wanted.interval_seconds.min(ceiling).max(floor);
    let refresher = match (asked.supported, asked.refresher) {
        (true, Some(session_expires::Refresher::Uac)) => Refresher::Them,
        (true, Some(session_expires::Refresher::Uas) | None) | (false, _) => Refresher::Us,
    };
    let timer = SessionTimer { interval_seconds, refresher };
    Ok(Answer { timer, require: refresher == Refresher::Them })
}

/// Reads the 2xx to a request of ours that asked for `sent_seconds`, as its client (§7.2).
///
/// A server that knows no timers says nothing; then we refresh, for our own sake.
pub fn accept(sent_seconds: u32, said: Option<SessionExpires>) -> SessionTimer {
    let seconds = said.map_or(sent_seconds, |said| said.seconds);
    let refresher = match said.and_then(|said| said.refresher) {
        Some(session_expires::Refresher::Uas) => Refresher::Them,
        Some(session_expires::Refresher::Uac) | None => Refresher::Us,
    };
    SessionTimer { interval_seconds: seconds.max(INTERVAL_MIN_SECONDS), refresher }
}

/// What to ask for after a 422: its Min-SE, or more if we want more (RFC 4028 §7.4).
pub fn after_too_small(wanted: &Wanted, minimum_seconds: Option<u32>) -> Wanted {
    // Without a Min-SE the 422 is broken; doubling comes to an end where peers are satisfied.
    let floor = minimum_seconds.unwrap_or_else(|| wanted.interval_seconds.saturating_mul(2));
    let minimum = wanted.minimum_seconds.max(floor);
    Wanted { interval_seconds: wanted.interval_seconds.max(minimum), minimum_seconds: minimum }
}

impl SessionTimer {
    /// How long after the last refresh we send one, if that is ours to do.
    pub fn refresh_after(&self) -> Option<Millis> {
        let half = Millis(u64::from(self.interval_seconds) * 500);
        (self.refresher == Refresher::Us).then_some(half)
    }

    /// How long after the last refresh the call is dead and gets a BYE (RFC 4028 §10).
    pub fn dead_after(&self) -> Millis {
        let interval = u64::from(self.interval_seconds) * 1000;
        Millis(interval - (interval / 3).min(32_000))
    }

    /// The value of `Session-Expires` in a request of ours.
    pub fn as_client(&self) -> SessionExpires {
        let refresher = match self.refresher {
            Refresher::Us => session_expires::Refresher::Uac,
            Refresher::Them => session_expires::Refresher::Uas,
        };
        SessionExpires { seconds: self.interval_seconds, refresher: Some(refresher) }
    }

    /// The value of `Session-Expires` in a response of ours.
    pub fn as_server(&self) -> SessionExpires {
        let refresher = match self.refresher {
            Refresher::Us => session_expires::Refresher::Uas,
            Refresher::Them => session_expires::Refresher::Uac,
        };
        SessionExpires { seconds: self.interval_seconds, refresher: Some(refresher) }
    }
}
