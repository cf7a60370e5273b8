//! A queue as most tests want it: whoever is idle longest, for fifteen seconds, without sound.
//!
//! Not here: what a test changes of it.

use carillon::acd::config::*;
use carillon::base::id::QueueId;
use carillon::base::time::Millis;

/// Callers wait in it for agents to log in, and are sent away by every other rule.
pub(crate) fn queue(name: &str) -> QueueConfig {
    let reject = |status| Overflow { play: None, action: OverflowAction::Reject { status } };
    let not_ready = RingPolicy { action: RingAction::NotReady, delay: Millis::ZERO };
    QueueConfig {
        id: QueueId::new(name),
        display_name: name.to_owned(),
        addresses: vec![Address { user: name.to_owned(), host: None }],
        strategy: Strategy::MostIdle,
        ring: Millis::from_secs(15),
        wrap_up: Millis::ZERO,
        priority: 0,
        weight: 0,
        service_level: ServiceLevel { threshold: Millis::from_secs(20), target_percent: 80 },
        short_abandon: Millis::from_secs(5),
        caller: CallerTreatment {
            answer: AnswerMode::OnEntry,
            welcome: None,
            music: None,
            announcement: None,
        },
        on_ring_out: not_ready,
        on_declined: not_ready,
        on_busy: not_ready,
        limits: Limits::default(),
        overflow: OverflowRules {
            full: reject(486),
            too_long: reject(480),
            no_agents: Overflow { play: None, action: OverflowAction::Wait },
            closed: reject(480),
        },
        open: true,
    }
}
