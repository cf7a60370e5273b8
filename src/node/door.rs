//! Callers who are turned away, as log lines: enough to find out why, and never a flood.
//!
//! | who | line | how often |
//! |---|---|---|
//! | a caller no trunk lets in | warn, with the remedy | once a minute for each address |
//! | who speaks in a call from an address that is none of it | the same | the same |
//! | another caller whose address no trunk names | info | the same |
//! | a caller by a trunk | info | twenty a second of all |
//!
//! Always holds: of a caller nothing is written but address, trunk and Call-ID; what strangers send
//! grows neither the log nor the memory without a limit.
//!
//! Not here: calls that were taken (`observe::log`), what is counted ([`super::count`]).

use std::collections::BTreeMap;
use std::net::IpAddr;

use tracing::info;
use tracing::warn;

use crate::acd::command::Refusal;
use crate::acd::config::TrunkConfig;
use crate::acd::view::View;
use crate::b2bua::counter::Rejected;
use crate::b2bua::counter::TurnedAway;
use crate::b2bua::counter::Why;
use crate::base::time::LocalTime;
use crate::base::time::Millis;
use crate::cluster::handle::Handle;
use crate::node::count;

/// How long an address that was told of is not told of again.
const PAUSE: Millis = Millis::from_secs(60);

/// Of how many addresses it is known when they were told of; others wait until one is forgotten.
const ADDRESSES_MAX: usize = 1000;

/// How many lines a second there are of callers by trunks.
const LINES_MAX: u32 = 20;

/// The most of a Call-ID that is written.
const CALL_ID_MAX: usize = 128;

/// Who was told of, and when.
#[derive(Debug, Default)]
pub struct Door {
    told: BTreeMap<IpAddr, LocalTime>,
    second: LocalTime,
    lines: u32,
    left_out: u64,
}

impl Door {
    /// Writes a line about a caller, if one is due; tells whether it was.
    pub fn turned_away(&mut self, now: LocalTime, caller: &TurnedAway) -> bool {
        let due = match caller.trunk {
            Some(_) => self.is_within_rate(now),
            None => self.is_new(now, caller.source),
        };
        if !due {
            self.left_out += 1;
            return false;
        }
        let left_out = std::mem::take(&mut self.left_out);
        let source = caller.source;
        match caller.why {
            Why::Rejected(Rejected::Source) => warn!(
                %source, left_out,
                "no Trunk allows calls from {source}; add it to a Trunk's inbound.allowedSources"
            ),
            Why::Rejected(Rejected::Outsider) => warn!(
                %source, left_out,
                "a request within a call was refused: {source} is no address of the call's; if it \
                 is a phone's or a PBX's, add it to a Trunk's inbound.allowedSources"
            ),
            Why::Rejected(_) | Why::Refused(_) => write(caller, left_out),
        }
        true
    }

    fn is_within_rate(&mut self, now: LocalTime) -> bool {
        if now.since(self.second) >= Millis::from_secs(1) {
            (self.second, self.lines) = (now, 0);
        }
        self.lines += 1;
        self.lines <= LINES_MAX
    }

    fn is_new(&mut self, now: LocalTime, source: IpAddr) -> bool {
        if self.told.get(&source).is_some_and(|at| now.since(*at) < PAUSE) {
            return false;
        }
        if self.told.len() >= ADDRESSES_MAX {
            self.told.retain(|_, at| now.since(*at) < PAUSE);
        }
        let room = self.told.len() < ADDRESSES_MAX;
        if room {
            self.told.insert(source, now);
        }
        room
    }
}

fn write(caller: &TurnedAway, left_out: u64) {
    let TurnedAway { status, source, .. } = caller;
    let (why, queue) = words(&caller.why);
    let queue = queue.unwrap_or_default();
    let trunk = caller.trunk.as_ref().map(|trunk| trunk.as_str()).unwrap_or_default();
    let sip_call_id: String =
        caller.call_id.chars().filter(char::is_ascii_graphic).take(CALL_ID_MAX).collect();
    info!(why, status, queue, trunk, %source, sip_call_id, left_out, "A caller was turned away");
}

/// The reason in one word, and the queue if it was one's rule.
fn words(why: &Why) -> (String, Option<&str>) {
    match why {
        Why::Rejected(rejected) => (count::word(*rejected).to_owned(), None),
        Why::Refused(Refusal::TurnedAway { queue, rule, .. }) => {
            (format!("{rule:?}"), Some(queue.as_str()))
        }
        // Whom they called may be somebody's number.
        Why::Refused(Refusal::UnknownAddress(_)) => ("UnknownAddress".to_owned(), None),
        Why::Refused(refusal) => (format!("{refusal:?}"), None),
    }
}

/// What is to be said if no trunk lets anybody in.
pub fn is_shut<'a>(trunks: impl IntoIterator<Item = &'a TrunkConfig>) -> Option<&'static str> {
    let lets_in =
        |trunk: &TrunkConfig| !trunk.allowed_sources.is_empty() || trunk.inbound_auth.is_some();
    (!trunks.into_iter().any(lets_in)).then_some(
        "no Trunk lets anybody in, every call is refused with 403; add the addresses calls come \
         from to a Trunk's inbound.allowedSources",
    )
}

/// Says so if nobody can call in.
pub fn tell_if_shut(handle: &Handle) {
    let trunks = |view: View<'_>| is_shut(view.trunk_configs().into_iter().map(|(trunk, _)| trunk));
    if let Some(shut) = handle.view(trunks) {
        warn!("{shut}");
    }
}
