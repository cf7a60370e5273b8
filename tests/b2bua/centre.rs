//! The call centre the tests run: a queue, a trunk that lets everybody in, and where SIP is heard.
//!
//! Not here: how it is brought to life (`world.rs`).

use carillon::acd::config::Address;
use carillon::acd::config::AnswerMode;
use carillon::acd::config::CallerTreatment;
use carillon::acd::config::Limits;
use carillon::acd::config::Network;
use carillon::acd::config::Overflow;
use carillon::acd::config::OverflowAction;
use carillon::acd::config::OverflowRules;
use carillon::acd::config::QueueConfig;
use carillon::acd::config::RingAction;
use carillon::acd::config::RingPolicy;
use carillon::acd::config::ServiceLevel;
use carillon::acd::config::Strategy;
use carillon::acd::config::TrunkConfig;
use carillon::b2bua::Listener;
use carillon::base::id::PromptId;
use carillon::base::id::QueueId;
use carillon::base::id::TrunkId;
use carillon::base::time::Millis;
use carillon::sip::flow::Transport;
use carillon::sip::uri::HostPort;

use crate::world::UA;
use crate::world::address;

pub(crate) fn listener() -> Listener {
    let local = address(UA);
    Listener { transport: Transport::Udp, local, advertised: HostPort::from(local) }
}

pub(crate) fn trunk() -> TrunkConfig {
    TrunkConfig {
        id: TrunkId::new("pbx"),
        peers: vec!["sip:127.0.0.1:5070".to_owned()],
        outbound_proxy: None,
        allowed_sources: vec![Network { address: address(UA).ip(), prefix: 8 }],
        inbound_auth: None,
        outbound_auth: None,
    }
}

pub(crate) fn queue(name: &str, answer: AnswerMode) -> QueueConfig {
    let policy = RingPolicy { action: RingAction::NotReady, delay: Millis(0) };
    let wait = Overflow { play: None, action: OverflowAction::Wait };
    let reject = |status| Overflow { play: None, action: OverflowAction::Reject { status } };
    QueueConfig {
        id: QueueId::new(name),
        display_name: "Sales".to_owned(),
        addresses: vec![Address { user: name.to_owned(), host: None }],
        strategy: Strategy::MostIdle,
        ring: Millis::from_secs(15),
        wrap_up: Millis::ZERO,
        priority: 0,
        weight: 0,
        service_level: ServiceLevel { threshold: Millis::from_secs(20), target_percent: 80 },
        short_abandon: Millis::from_secs(5),
        caller: CallerTreatment {
            answer,
            welcome: Some(PromptId::new("welcome")),
            music: Some(PromptId::new("music")),
            announcement: None,
        },
        on_ring_out: policy,
        on_declined: policy,
        on_busy: policy,
        limits: Limits::default(),
        overflow: OverflowRules {
            full: reject(486),
            too_long: reject(480),
            no_agents: wait,
            closed: reject(480),
        },
        open: true,
    }
}
