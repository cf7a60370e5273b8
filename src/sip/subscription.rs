//! Subscriptions, subscriber's side: RFC 6665 as plain data and pure functions.
//!
//! ```text
//!   subscribe ──► Asking ──NOTIFY active──► Active ──refresh──┐
//!                   │  └───NOTIFY pending─► Pending           │
//!                   │ 3xx–6xx, no NOTIFY       │ terminated, ◄┘ 481, expired
//!                   └────────► Ended ◄─────────┘
//!                                └── again at …, or never
//! ```
//!
//! | over because | subscribed again |
//! |---|---|
//! | `deactivated`, `timeout`, none, 481, expired | at once, within 2 s |
//! | `probation`, `giveup` | after `retry-after` (parameter or header), else 60 s |
//! | `noresource` | after 60 s, doubling to 15 min: FreeSWITCH says it for everything |
//! | `rejected`, 403, 404, 603 and other refusals | after 15 min |
//! | 408, 5xx, no NOTIFY within 64·T1 | after 5 s, doubling to 5 min |
//! | `invariant` | never |
//!
//! Always holds: moments are of the replicated clock, so another node goes on with the record; a
//! NOTIFY may come before the 2xx and makes the dialog just as well (RFC 6665 §4.4.1).
//!
//! Not here: what a NOTIFY says (its package), credentials, which node subscribes (`acd`).

use compact_str::CompactString;
use serde::Deserialize;
use serde::Serialize;

use crate::base::time::ClusterTime;
use crate::base::time::Millis;
use crate::sip::dialog::Dialog;
use crate::sip::dialog::Reject;
use crate::sip::dialog::state::State;
use crate::sip::flow::Flow;
use crate::sip::header::HeaderError;
use crate::sip::header::event::SubscriptionPhase;
use crate::sip::header::event::SubscriptionState;
use crate::sip::header::name::Name;
use crate::sip::header::name_addr::NameAddr;
use crate::sip::message::Message;
use crate::sip::method::Method;
use crate::sip::status;
use crate::sip::uri::Uri;

/// The shape of the record; raised when a field changes its meaning.
pub const VERSION: u8 = 1;

/// How long a first NOTIFY may take: Timer N, 64·T1 (RFC 6665 §4.1.2.4).
const NOTIFY_WITHIN: Millis = Millis::from_secs(32);
/// A subscription that ended for no lasting reason begins again within this time.
const SOON_MILLIS: u64 = 2_000;
const LONG: Millis = Millis::from_secs(15 * 60);
/// The longest interval asked for after a 423 that names none.
const INTERVAL_MAX_SECONDS: u32 = 3600;

/// What is subscribed to, and as whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Whose state.
    pub target: Uri,
    /// Who asks, without a tag.
    pub subscriber: NameAddr,
    /// Where NOTIFYs go.
    pub contact: Uri,
    /// The event package: `presence`, `dialog`, …
    pub package: CompactString,
    /// The body types understood, as in Accept.
    pub accept: CompactString,
    /// How long, in seconds.
    pub expires_seconds: u32,
}

/// Where a subscription stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// SUBSCRIBE was sent and no NOTIFY has come.
    Asking,
    /// The other side has not decided.
    Pending,
    /// NOTIFYs come.
    Active,
    /// Over; perhaps it begins again.
    Ended,
}

/// One subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// The shape of this record.
    pub version: u8,
    /// What is wanted.
    pub wish: Wish,
    /// Where it stands.
    pub phase: Phase,
    /// The dialog; its remote tag is empty until a 2xx or NOTIFY names it.
    pub dialog: Option<Dialog>,
    /// When it ends unless refreshed.
    pub expires_at: Option<ClusterTime>,
    /// When to refresh it.
    pub refresh_at: Option<ClusterTime>,
    /// When the first NOTIFY is overdue.
    pub notify_by: Option<ClusterTime>,
    /// When to subscribe anew.
    pub again_at: Option<ClusterTime>,
    /// Failures in a row, which lengthen the pauses.
    pub failures: u8,
    /// It is not wanted any more.
    pub leaving: bool,
}

/// What a response, a NOTIFY or a moment means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on; [`Subscription::next_deadline`] may have changed.
    GoesOn,
    /// Credentials are wanted (401, 407).
    Challenged,
    /// Send [`Subscription::refresh`] now.
    Refresh,
    /// Send [`Subscription::subscribe`] now.
    Subscribe,
    /// The other side does not know the package (489): try another.
    WrongPackage,
    /// It is over. [`Subscription::again_at`] says whether it is tried again.
    Ended,
}

impl Subscription {
    /// A subscription that has not begun: call [`Self::subscribe`].
    pub fn new(wish: Wish) -> Self {
        Self {
            version: VERSION,
            wish,
            phase: Phase::Ended,
            dialog: None,
            expires_at: None,
            refresh_at: None,
            notify_by: None,
            again_at: None,
            failures: 0,
            leaving: false,
        }
    }

    /// Begins anew: the SUBSCRIBE that makes a dialog. `call_id` and `tag` are fresh.
    pub fn subscribe(&mut self, call_id: &str, tag: &str, flow: Flow) -> Message {
        let local = self.wish.subscriber.clone().with_param("tag", Some(tag));
        let remote = NameAddr::new(self.wish.target.clone());
        let mut dialog = Dialog::asking(call_id, (local, remote), &self.wish.contact, flow);
        let expires = self.wish.expires_seconds;
        let request = self.write(&mut dialog, expires);
        self.dialog = Some(dialog);
        self.phase = Phase::Asking;
        self.again_at = None;
        self.refresh_at = None;
        self.expires_at = None;
        self.notify_by = None;
        request
    }

    /// The SUBSCRIBE that keeps it alive; `None` without a dialog.
    pub fn refresh(&mut self) -> Option<Message> {
        self.refresh_at = None;
        self.within(self.wish.expires_seconds)
    }

    /// The SUBSCRIBE that ends it; a last NOTIFY follows (RFC 6665 §4.1.2.3).
    pub fn unsubscribe(&mut self) -> Option<Message> {
        self.leaving = true;
        self.refresh_at = None;
        self.again_at = None;
        self.within(0)
    }

    fn within(&mut self, expires_seconds: u32) -> Option<Message> {
        let mut dialog = self.dialog.take()?;
        let request = self.write(&mut dialog, expires_seconds);
        self.dialog = Some(dialog);
        Some(request)
    }

    fn write(&self, dialog: &mut Dialog, expires_seconds: u32) -> Message {
        dialog
            .request(Method::Subscribe)
            .header(Name::Event, &self.wish.package)
            .header(Name::Accept, &self.wish.accept)
            .header(Name::Expires, expires_seconds)
            .build()
    }

    /// Takes the response to our latest SUBSCRIBE. `random` spreads what happens later.
    pub fn on_response(
        &mut self,
        now: ClusterTime,
        response: &Message,
        random: u64,
    ) -> Result<Verdict, HeaderError> {
        let code = response.status().unwrap_or_default();
        // A last NOTIFY may have ended it before its 2xx came.
        if status::is_provisional(code) || self.phase == Phase::Ended {
            return Ok(Verdict::GoesOn);
        }
        if status::is_success(code) {
            return self.on_success(now, response, random);
        }
        Ok(match code {
            401 | 407 => Verdict::Challenged,
            423 => self.on_too_brief(response.min_expires()?),
            489 => self.end(None, Verdict::WrongPackage),
            481 => self.end(soon(now, random), Verdict::Ended),
            408 | 500..=599 => self.on_trouble(now, response.retry_after()?),
            _ => self.end(Some(now + LONG), Verdict::Ended),
        })
    }

    /// Takes the news that our latest SUBSCRIBE got no response, or could not be sent.
    pub fn on_timed_out(&mut self, now: ClusterTime) -> Verdict {
        if self.phase == Phase::Ended {
            return Verdict::GoesOn;
        }
        self.on_trouble(now, None)
    }

    /// RFC 6665 §4.1.2.1: any 2xx grants it; 202 says no more than 200.
    fn on_success(
        &mut self,
        now: ClusterTime,
        response: &Message,
        random: u64,
    ) -> Result<Verdict, HeaderError> {
        let granted = response.expires()?.unwrap_or(self.wish.expires_seconds);
        if let Some(dialog) = &mut self.dialog {
            dialog.on_subscribed(response)?;
        }
        if self.leaving || granted == 0 {
            self.notify_by = Some(now + NOTIFY_WITHIN);
            return Ok(Verdict::GoesOn);
        }
        if self.phase == Phase::Asking {
            self.notify_by = Some(now + NOTIFY_WITHIN);
        }
        self.last(now, granted, random);
        Ok(Verdict::GoesOn)
    }

    fn on_too_brief(&mut self, minimum: Option<u32>) -> Verdict {
        let doubled = self.wish.expires_seconds.saturating_mul(2).min(INTERVAL_MAX_SECONDS);
        let wanted = minimum.unwrap_or(doubled);
        if wanted <= self.wish.expires_seconds {
            return self.end(None, Verdict::Ended);
        }
        self.wish.expires_seconds = wanted;
        if self.phase == Phase::Asking { Verdict::Subscribe } else { Verdict::Refresh }
    }

    /// RFC 6665 §4.1.2.2: a refresh that fails for a passing reason leaves the subscription alive
    /// until it expires.
    fn on_trouble(&mut self, now: ClusterTime, retry_after: Option<u32>) -> Verdict {
        let pause = retry_after.map_or_else(
            || doubling(5, self.failures, 300),
            |seconds| Millis::from_secs(u64::from(seconds)),
        );
        self.failures = self.failures.saturating_add(1);
        let next = now + pause;
        let lives = self.phase != Phase::Asking && self.expires_at.is_some_and(|end| next < end);
        if lives && !self.leaving {
            self.refresh_at = Some(next);
            return Verdict::GoesOn;
        }
        self.end(Some(next), Verdict::Ended)
    }

    /// Tells whether a NOTIFY is for this subscription, not another one or a fork of it.
    pub fn is_meant_by(&self, notify: &Message) -> bool {
        let Some(dialog) = &self.dialog else { return false };
        let (Ok(from), Ok(to)) = (notify.from(), notify.to()) else { return false };
        let theirs = from.tag().unwrap_or_default();
        let known = dialog.id.remote_tag.as_str();
        let package = notify.event().ok().flatten().map(|event| event.package);
        notify.call_id() == Ok(dialog.id.call_id.as_str())
            && to.tag() == Some(dialog.id.local_tag.as_str())
            && (known.is_empty() || known == theirs)
            && package.is_some_and(|package| package == self.wish.package)
    }

    /// Takes a NOTIFY. `Err` says how it is refused; after `Ok` it is answered 200, whatever the
    /// verdict.
    pub fn on_notify(
        &mut self,
        now: ClusterTime,
        notify: &Message,
        random: u64,
    ) -> Result<Verdict, Reject> {
        if !self.is_meant_by(notify) {
            return Err(Reject::NoDialog);
        }
        let said = notify.subscription_state().map_err(Reject::Malformed)?;
        let dialog = self.dialog.as_mut().ok_or(Reject::NoDialog)?;
        if dialog.state == State::Early {
            dialog.on_first_notify(notify).map_err(Reject::Malformed)?;
        } else {
            dialog.on_request(notify)?;
        }
        self.notify_by = None;
        let expires = said.as_ref().and_then(SubscriptionState::expires);
        match said.as_ref().map(|said| &said.phase) {
            Some(SubscriptionPhase::Terminated) => {
                let again = said.and_then(|said| self.again(now, &said, notify, random));
                return Ok(self.end(again, Verdict::Ended));
            }
            Some(SubscriptionPhase::Pending) => self.phase = Phase::Pending,
            // A state we do not know, and no state at all, count as active (RFC 6665 §8.2.3).
            Some(SubscriptionPhase::Active | SubscriptionPhase::Other(_)) | None => {
                self.phase = Phase::Active;
            }
        }
        self.failures = 0;
        if let Some(seconds) = expires.filter(|_| !self.leaving) {
            self.last(now, seconds, random);
        }
        Ok(Verdict::GoesOn)
    }

    /// When to subscribe again after an end with this reason; `None`: never.
    fn again(
        &mut self,
        now: ClusterTime,
        said: &SubscriptionState,
        notify: &Message,
        random: u64,
    ) -> Option<ClusterTime> {
        // chan_sip sends the pause as a header of its own.
        let header = notify.retry_after().ok().flatten();
        let asked = said.retry_after().or(header).map(|wait| Millis::from_secs(u64::from(wait)));
        let minute = Millis::from_secs(60);
        match said.reason().map(str::to_ascii_lowercase).as_deref() {
            Some("probation" | "giveup") => Some(now + asked.unwrap_or(minute)),
            Some("rejected") => Some(now + LONG),
            Some("noresource") => {
                let pause = doubling(60, self.failures, LONG.as_secs());
                self.failures = self.failures.saturating_add(1);
                Some(now + pause)
            }
            Some("invariant") => None,
            Some(_) | None => soon(now, random),
        }
    }

    /// Ends at `now` + `seconds`, and is refreshed before: at half, or 30 s before the end if that
    /// is later, give or take a tenth.
    fn last(&mut self, now: ClusterTime, seconds: u32, random: u64) {
        let whole = u64::from(seconds) * 1000;
        let early = (whole / 2).max(whole.saturating_sub(30_000));
        let tenth = early / 10;
        let spread = early - tenth + random % (2 * tenth + 1);
        self.expires_at = Some(now + Millis(whole));
        self.refresh_at = Some(now + Millis(spread.min(whole.saturating_sub(whole / 20))));
    }

    fn end(&mut self, again_at: Option<ClusterTime>, verdict: Verdict) -> Verdict {
        self.phase = Phase::Ended;
        self.dialog = None;
        self.expires_at = None;
        self.refresh_at = None;
        self.notify_by = None;
        self.again_at = again_at.filter(|_| !self.leaving);
        verdict
    }

    /// When to call [`Self::on_deadline`].
    pub fn next_deadline(&self) -> Option<ClusterTime> {
        let all = [self.expires_at, self.refresh_at, self.notify_by, self.again_at];
        all.into_iter().flatten().min()
    }

    /// Says what is due at `now`.
    pub fn on_deadline(&mut self, now: ClusterTime, random: u64) -> Verdict {
        let due = |moment: Option<ClusterTime>| moment.is_some_and(|moment| moment <= now);
        if due(self.again_at) {
            self.again_at = None;
            return Verdict::Subscribe;
        }
        if due(self.notify_by) {
            self.notify_by = None;
            return self.on_trouble(now, None);
        }
        if due(self.expires_at) {
            return self.end(soon(now, random), Verdict::Ended);
        }
        if due(self.refresh_at) {
            self.refresh_at = None;
            return Verdict::Refresh;
        }
        Verdict::GoesOn
    }
}

fn soon(now: ClusterTime, random: u64) -> Option<ClusterTime> {
    Some(now + Millis(random % (SOON_MILLIS + 1)))
}

/// `first` seconds, doubled for each failure so far, not over `most`.
fn doubling(first: u64, failures: u8, most: u64) -> Millis {
    Millis::from_secs((first << failures.min(16)).min(most))
}
