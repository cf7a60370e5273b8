//! `kind: Queue` as people write it.
//!
//! | field | range | left out |
//! |---|---|---|
//! | `displayName` | text | the name |
//! | `addresses` | user parts or AORs, 1–64 | the name |
//! | `strategy` | MostIdle, RingAll | MostIdle |
//! | `ringSeconds` | 1–300 | 15 |
//! | `wrapUpSeconds` | 0–7200 | 0 |
//! | `priority`, `weight` | −1000–1000 | 0 |
//! | `serviceLevel` | 1–3600 s, 1–100 % | 20 s, 80 % |
//! | `shortAbandonSeconds` | 0–300 | 5 |
//! | `caller` | see [`treatment`] | OnEntry, no welcome, `music` |
//! | `onRingOut`, `onDeclined`, `onBusy` | a word, or `{action, delaySeconds}` | NotReady |
//! | `limits` | `callsMax`, `waitSecondsMax` | none |
//! | `overflow` | see [`rule`] | reject |
//! | `open` | true, false | true |
//!
//! Not here: which queues share an address ([`super::cross`]).

use crate::acd::config::Address;
use crate::acd::config::Announcement;
use crate::acd::config::AnswerMode;
use crate::acd::config::CallerTreatment;
use crate::acd::config::Limits;
use crate::acd::config::Overflow;
use crate::acd::config::OverflowAction;
use crate::acd::config::OverflowRules;
use crate::acd::config::QueueConfig;
use crate::acd::config::RingAction;
use crate::acd::config::RingPolicy;
use crate::acd::config::ServiceLevel;
use crate::acd::config::Strategy;
use crate::base::id::QueueId;
use crate::base::time::Millis;
use crate::resource::Kind;
use crate::resource::address;
use crate::resource::name;
use crate::resource::prompt;
use crate::resource::read::Field;
use crate::resource::read::Fields;

/// A queue can have this many addresses.
const ADDRESSES_MAX: usize = 64;

/// How callers are turned away when a queue does not say: full is busy, the others are
/// temporarily unavailable (RFC 3261 sections 21.4.24 and 21.4.18).
const STATUS_FULL: u16 = 486;
const STATUS_ELSE: u16 = 480;

const STRATEGIES: [(&str, Strategy); 2] =
    [("MostIdle", Strategy::MostIdle), ("RingAll", Strategy::RingAll)];

const LATER_STRATEGIES: [&str; 8] = [
    "RoundRobin",
    "FewestCalls",
    "LeastTalkTime",
    "Linear",
    "Random",
    "WeightedRandom",
    "RingProgressively",
    "Skills",
];

const ANSWER_MODES: [(&str, AnswerMode); 3] = [
    ("OnEntry", AnswerMode::OnEntry),
    ("EarlyMedia", AnswerMode::EarlyMedia),
    ("OnAgent", AnswerMode::OnAgent),
];

const RING_ACTIONS: [(&str, RingAction); 3] = [
    ("NotReady", RingAction::NotReady),
    ("StayReady", RingAction::StayReady),
    ("LogOut", RingAction::LogOut),
];

/// Reads the `spec` of the queue called `name`.
pub(super) fn read(spec: &Fields<'_>, name: &str) -> QueueConfig {
    spec.later(&["hours"]);
    let ring_advice = "a phone needs time to ring, 15 is usual";
    QueueConfig {
        id: QueueId::new(name),
        display_name: spec.text("displayName").unwrap_or_else(|| name.to_owned()),
        addresses: addresses(spec, name),
        strategy: spec
            .field("strategy")
            .and_then(|field| field.word(&STRATEGIES, &LATER_STRATEGIES))
            .unwrap_or(Strategy::MostIdle),
        ring: spec.seconds("ringSeconds", 1..=300, 15, ring_advice),
        wrap_up: spec.seconds("wrapUpSeconds", 0..=7200, 0, "write 0 for none, up to 7200"),
        priority: rank(spec, "priority"),
        weight: rank(spec, "weight"),
        service_level: service_level(spec.group("serviceLevel")),
        short_abandon: spec.seconds(
            "shortAbandonSeconds",
            0..=300,
            5,
            "write 0 to 300; who leaves sooner is counted apart, 5 is usual",
        ),
        caller: treatment(spec.group("caller")),
        on_ring_out: policy(spec, "onRingOut"),
        on_declined: policy(spec, "onDeclined"),
        on_busy: policy(spec, "onBusy"),
        limits: limits(spec.group("limits")),
        overflow: overflow(spec.group("overflow"), name),
        open: spec.flag("open", true),
    }
}

fn addresses(spec: &Fields<'_>, name: &str) -> Vec<Address> {
    let Some(field) = spec.field("addresses") else {
        // The name is the address. Where it stands is where the claim is looked for.
        let own = Address { user: name.to_owned(), host: None };
        spec.claim_here(&own, name);
        return vec![own];
    };
    let items = field.items(ADDRESSES_MAX);
    if items.is_empty() {
        field.wrong("has no address", "write at least one, or leave the field out");
    }
    let mut addresses = Vec::new();
    for item in items {
        let Some(written) = item.text() else { continue };
        match address::of_queue(written) {
            Ok(address) => {
                item.claim(&address, name);
                addresses.push(address);
            }
            Err(remedy) => item.wrong(&format!("\"{written}\" is not an address"), remedy),
        }
    }
    addresses
}

fn rank(spec: &Fields<'_>, field: &'static str) -> i32 {
    let rank = spec.integer(field, -1000..=1000, 0, "write -1000 to 1000, higher goes first");
    i32::try_from(rank).unwrap_or_default()
}

fn service_level(group: Fields<'_>) -> ServiceLevel {
    let threshold = group.seconds("thresholdSeconds", 1..=3600, 20, "20 is usual");
    let percent = group.integer("targetPercent", 1..=100, 80, "80 is usual");
    group.finish();
    ServiceLevel { threshold, target_percent: u8::try_from(percent).unwrap_or_default() }
}

/// Reads what a caller hears: `answer`, `welcome`, `music`, `announcements {prompt, everySeconds}`.
fn treatment(group: Fields<'_>) -> CallerTreatment {
    let announcement = group.field("announcements").and_then(|field| {
        let fields = field.fields()?;
        fields.later(&["position", "wait"]);
        let prompt = fields.required("prompt", "name the Prompt to repeat");
        let prompt = prompt.and_then(|field| prompt::reference(&field));
        let advice = "write 5 to 3600; 30 is usual";
        let every = fields.seconds("everySeconds", 5..=3600, 30, advice);
        fields.finish();
        Some(Announcement { prompt: prompt?, every })
    });
    let treatment = CallerTreatment {
        answer: group.word("answer", &ANSWER_MODES, AnswerMode::OnEntry),
        welcome: prompt::optional(&group, "welcome", None),
        music: prompt::optional(&group, "music", Some(prompt::MUSIC)),
        announcement,
    };
    group.finish();
    treatment
}

/// Reads what becomes of an agent whose phone did not take the call.
fn policy(spec: &Fields<'_>, name: &'static str) -> RingPolicy {
    let untouched = RingPolicy { action: RingAction::NotReady, delay: Millis::ZERO };
    let Some(field) = spec.field(name) else { return untouched };
    let usual = |action| match action {
        // Rung again at once, an absent agent would be rung for ever.
        RingAction::StayReady => Millis::from_secs(10),
        RingAction::NotReady | RingAction::LogOut => Millis::ZERO,
    };
    if field.is_text() {
        let action = field.word(&RING_ACTIONS, &[]).unwrap_or(RingAction::NotReady);
        return RingPolicy { action, delay: usual(action) };
    }
    let Some(fields) = field.fields() else { return untouched };
    let action = fields.required("action", "write NotReady, StayReady or LogOut");
    let action = action.and_then(|field| field.word(&RING_ACTIONS, &[]));
    let delay = fields.optional_seconds("delaySeconds", 0..=3600, "write 0 to 3600; 10 is usual");
    if delay.is_some() && action.is_some_and(|action| action != RingAction::StayReady) {
        fields.wrong("delaySeconds", "only StayReady has a delay", "remove it");
    }
    fields.finish();
    let action = action.unwrap_or(RingAction::NotReady);
    RingPolicy { action, delay: delay.unwrap_or_else(|| usual(action)) }
}

fn limits(group: Fields<'_>) -> Limits {
    let advice = "write 1 to 100000, or leave it out for no limit";
    let calls = group.field("callsMax").and_then(|field| field.integer(1..=100_000, advice));
    let advice = "write 1 to 86400, or leave it out for no limit";
    let wait = group.optional_seconds("waitSecondsMax", 1..=86_400, advice);
    group.finish();
    Limits { calls_max: calls.and_then(|calls| u32::try_from(calls).ok()), wait_max: wait }
}

fn overflow(group: Fields<'_>, queue: &str) -> OverflowRules {
    let rules = OverflowRules {
        full: rule(&group, "full", STATUS_FULL, queue),
        too_long: rule(&group, "tooLong", STATUS_ELSE, queue),
        no_agents: rule(&group, "noAgents", STATUS_ELSE, queue),
        closed: rule(&group, "closed", STATUS_ELSE, queue),
    };
    group.finish();
    rules
}

/// Reads one rule: `play` if wanted, and exactly one action.
fn rule(rules: &Fields<'_>, name: &'static str, status: u16, queue: &str) -> Overflow {
    let reject = OverflowAction::Reject { status };
    let Some(fields) = rules.field(name).and_then(Field::fields) else {
        return Overflow { play: None, action: reject };
    };
    let play = prompt::optional(&fields, "play", None);
    let mut actions = Vec::new();
    if let Some(field) = fields.field("reject") {
        actions.push(rejection(field, status));
    }
    if let Some(field) = fields.field("queue") {
        actions.push(to_queue(&field, queue));
    }
    if let Some(field) = fields.field("transfer") {
        actions.push(transfer(&field));
    }
    for (word, action) in [("hangUp", OverflowAction::HangUp), ("wait", OverflowAction::Wait)] {
        if let Some(field) = fields.field(word) {
            if word == "wait" && name != "noAgents" {
                field.wrong(
                    "only noAgents can let a caller wait",
                    "write reject, queue, transfer or hangUp",
                );
            }
            if let Some(nothing) = field.fields() {
                nothing.finish();
            }
            actions.push(Some(action));
        }
    }
    if actions.len() != 1 {
        let wrong = format!("has {} actions", actions.len());
        fields.wrong_here(&wrong, "write exactly one of reject, queue, transfer, hangUp");
    }
    fields.finish();
    Overflow { play, action: actions.pop().flatten().unwrap_or(reject) }
}

fn rejection(field: Field<'_>, usual: u16) -> Option<OverflowAction> {
    let fields = field.fields()?;
    let advice = "write a final SIP status from 400 to 699; 486 is busy, 480 is not available";
    let status = fields.integer("status", 400..=699, i64::from(usual), advice);
    fields.finish();
    Some(OverflowAction::Reject { status: u16::try_from(status).ok()? })
}

fn to_queue(field: &Field<'_>, queue: &str) -> Option<OverflowAction> {
    let to = name::reference(Kind::Queue, field)?;
    if to == queue {
        field.wrong("a queue cannot overflow into itself", "name another queue");
    }
    Some(OverflowAction::Queue { queue: QueueId::new(&to) })
}

fn transfer(field: &Field<'_>) -> Option<OverflowAction> {
    let written = field.text()?;
    match address::target(written) {
        Ok(to) => Some(OverflowAction::Transfer { to }),
        Err(remedy) => {
            field.wrong(&format!("\"{written}\" is not an address to send calls to"), remedy);
            None
        }
    }
}
