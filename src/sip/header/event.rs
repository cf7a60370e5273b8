//! Event and Subscription-State: what a subscription is about and how it stands (RFC 6665 §8.2).
//!
//! An unknown phase is to be treated as active (RFC 6665 §4.1.3). `noresource` is what some
//! notifiers say of a mere expiry, so what a reason means is left to whoever subscribed.
//!
//! Always holds: parameters stay as they came; the numbers among them are read on demand.
//!
//! Not here: subscriptions themselves (`subscription`).

use std::fmt;
use std::str::FromStr;

use compact_str::CompactString;
use serde::Deserialize;
use serde::Serialize;

use crate::sip::header::param::Params;
use crate::sip::header::scan;
use crate::sip::header::scan::Malformed;

/// An event package and which subscription to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Event {
    /// The package, templates included: `dialog`, `presence.winfo`.
    pub package: CompactString,
    /// The parameters, `id` among them.
    pub params: Params,
}

impl Event {
    /// What tells two subscriptions to one package in one dialog apart.
    pub fn id(&self) -> Option<&str> {
        self.params.value("id")
    }
}

impl FromStr for Event {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (package, params) = token_and_params(text)?;
        Ok(Self { package: CompactString::from(package), params })
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.package, self.params)
    }
}

/// How a subscription stands (RFC 6665 §4.1.3).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SubscriptionPhase {
    /// Not yet allowed.
    Pending,
    /// Notifications come.
    Active,
    /// Over.
    Terminated,
    /// Any other, to be treated as active.
    Other(CompactString),
}

impl SubscriptionPhase {
    /// The word in the header.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Terminated => "terminated",
            Self::Other(word) => word,
        }
    }
}

/// The header of a NOTIFY that says how its subscription stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SubscriptionState {
    /// How it stands.
    pub phase: SubscriptionPhase,
    /// The parameters as they came.
    pub params: Params,
}

impl SubscriptionState {
    /// Seconds left.
    pub fn expires(&self) -> Option<u32> {
        self.params.value("expires").and_then(|text| scan::number(text).ok())
    }

    /// Why it is over: `noresource`, `timeout`, `deactivated`, ….
    pub fn reason(&self) -> Option<&str> {
        self.params.value("reason")
    }

    /// Seconds to wait before subscribing again.
    pub fn retry_after(&self) -> Option<u32> {
        self.params.value("retry-after").and_then(|text| scan::number(text).ok())
    }
}

impl FromStr for SubscriptionState {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (word, params) = token_and_params(text)?;
        let phase =
            [SubscriptionPhase::Pending, SubscriptionPhase::Active, SubscriptionPhase::Terminated]
                .into_iter()
                .find(|known| known.as_str().eq_ignore_ascii_case(word))
                .unwrap_or_else(|| SubscriptionPhase::Other(CompactString::from(word)));
        Ok(Self { phase, params })
    }
}

impl fmt::Display for SubscriptionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.phase.as_str(), self.params)
    }
}

fn token_and_params(text: &str) -> Result<(&str, Params), Malformed> {
    let (token, params) = text.split_at(text.find(';').unwrap_or(text.len()));
    let token = scan::trim(token);
    if scan::is_token(token.as_bytes()) { Ok((token, params.parse()?)) } else { Err(Malformed) }
}
