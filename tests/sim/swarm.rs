//! What a seed draws before the first move: how big the world is, how fast, and how unkind.
//!
//! Swarm testing: most kinds of trouble are off in any one world, so that those left on reach
//! depths that an even mixture never would.
//!
//! Not here: which move is next ([`super::workload`]).

use carillon::acd::command::AgentStateName;
use carillon::acd::command::LoginKind;
use carillon::acd::config::Address;
use carillon::acd::config::AgentConfig;
use carillon::acd::config::AnswerMode;
use carillon::acd::config::CallerTreatment;
use carillon::acd::config::DeviceConfig;
use carillon::acd::config::DuplicateLogin;
use carillon::acd::config::Limits;
use carillon::acd::config::Overflow;
use carillon::acd::config::OverflowAction;
use carillon::acd::config::OverflowRules;
use carillon::acd::config::QueueConfig;
use carillon::acd::config::RingAction;
use carillon::acd::config::RingPolicy;
use carillon::acd::config::ServiceLevel;
use carillon::acd::config::Settings;
use carillon::acd::config::Strategy;
use carillon::acd::config::UnreachableAction;
use carillon::acd::config::UnreachablePolicy;
use carillon::base::id::AgentId;
use carillon::base::id::PromptId;
use carillon::base::id::QueueId;
use carillon::base::prng::Prng;
use carillon::base::secret::Private;
use carillon::base::time::Millis;

/// Chance with the few questions a world asks of it.
pub(crate) struct Lots(Prng);

impl Lots {
    /// Equal seeds draw equal lots.
    pub(crate) fn from_seed(seed: u64) -> Self {
        Self(Prng::from_seed(seed))
    }

    /// A number from `low` up to `high`, both possible.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.0.below(high - low + 1)
    }

    /// True in so many of a thousand.
    pub(crate) fn per_mille(&mut self, share: u64) -> bool {
        self.0.below(1000) < share
    }

    /// One of several.
    pub(crate) fn one_of<T: Copy>(&mut self, some: &[T]) -> T {
        some[self.0.below(some.len() as u64) as usize]
    }

    /// A length about `mean`: mostly shorter, now and then much longer.
    pub(crate) fn about(&mut self, mean: Millis) -> Millis {
        match self.between(0, 9) {
            0 => Millis(self.0.below(mean.0 / 8 + 1)),
            9 => Millis(self.0.below(mean.0 * 4 + 1)),
            _ => Millis(mean.0 / 2 + self.0.below(mean.0 + 1)),
        }
    }
}

/// The world and its weather.
#[derive(Debug)]
pub(crate) struct Swarm {
    pub(crate) queues: u64,
    pub(crate) agents: u64,
    pub(crate) nodes: u64,
    /// Entries until the faults end.
    pub(crate) steps: u64,
    /// Between two callers.
    pub(crate) arrival: Millis,
    pub(crate) patience: Millis,
    pub(crate) talk: Millis,
    /// Between two things people do: breaks, logouts, transfers.
    pub(crate) people: Millis,
    /// Of a thousand ringing phones, how many answer; the rest fail somehow.
    pub(crate) answering: u64,
    /// Of a thousand callers, how many wait for ever.
    pub(crate) patient: u64,
    pub(crate) faults: Faults,
}

/// How often what goes wrong; 0 is never, the others are per thousand entries.
#[derive(Debug)]
pub(crate) struct Faults {
    /// A proposer heard no answer and asks again.
    pub(crate) repeats: u64,
    /// A phone's report comes twice.
    pub(crate) echoes: u64,
    /// A former life of a node still speaks.
    pub(crate) stale: u64,
    /// A node's process starts again, or is lost.
    pub(crate) restarts: u64,
    /// The leader's clock is behind.
    pub(crate) clock_back: u64,
    /// Configuration changes under way.
    pub(crate) churn: u64,
    /// Commands that name nothing.
    pub(crate) garbage: u64,
}

impl Swarm {
    /// Draws a world.
    pub(crate) fn draw(lots: &mut Lots) -> Self {
        let crowded = lots.per_mille(150);
        Self {
            queues: lots.between(1, 5),
            agents: if crowded { lots.between(20, 60) } else { lots.between(1, 10) },
            nodes: lots.between(1, 4),
            steps: lots.between(300, 6000),
            arrival: Millis(lots.one_of(&[300, 2_000, 8_000, 30_000])),
            patience: Millis(lots.one_of(&[4_000, 30_000, 300_000])),
            talk: Millis(lots.one_of(&[2_000, 20_000, 120_000])),
            people: Millis(lots.one_of(&[3_000, 15_000, 120_000])),
            answering: lots.one_of(&[200, 600, 900, 1000]),
            patient: lots.one_of(&[0, 100, 500]),
            faults: Faults::draw(lots),
        }
    }
}

impl Faults {
    fn draw(lots: &mut Lots) -> Self {
        let mut share = |most| if lots.per_mille(500) { lots.between(1, most) } else { 0 };
        Self {
            repeats: share(200),
            echoes: share(200),
            stale: share(50),
            restarts: share(8),
            clock_back: share(100),
            churn: share(30),
            garbage: share(100),
        }
    }

    /// All is well.
    pub(crate) fn none() -> Self {
        Self { repeats: 0, echoes: 0, stale: 0, restarts: 0, clock_back: 0, churn: 0, garbage: 0 }
    }
}

/// The name of the nth queue, which may or may not have been made.
pub(crate) fn queue_id(nth: u64) -> QueueId {
    QueueId::new(&format!("q{nth}"))
}

/// The name of the nth agent.
pub(crate) fn agent_id(nth: u64) -> AgentId {
    AgentId::new(&format!("a{nth}"))
}

/// An address reaching the nth queue, in one of the ways there are.
pub(crate) fn address_of(nth: u64, lots: &mut Lots) -> Address {
    let host = lots.per_mille(300).then(|| "acd.example".to_owned());
    Address { user: format!("q{nth}"), host }
}

/// Draws the nth queue.
pub(crate) fn queue(nth: u64, swarm: &Swarm, lots: &mut Lots) -> QueueConfig {
    let strategies = [Strategy::MostIdle, Strategy::MostIdle, Strategy::RingAll];
    let seconds = |lots: &mut Lots, most| Millis::from_secs(lots.between(1, most));
    QueueConfig {
        id: queue_id(nth),
        display_name: format!("Queue {nth}"),
        addresses: vec![Address { user: format!("q{nth}"), host: None }],
        strategy: lots.one_of(&strategies),
        ring: seconds(lots, 20),
        wrap_up: Millis::from_secs(lots.one_of(&[0, 0, 3, 30])),
        priority: lots.one_of(&[0, 0, 0, 5, -2]),
        weight: lots.one_of(&[0, 0, 0, 3, -1]),
        service_level: ServiceLevel { threshold: seconds(lots, 30), target_percent: 80 },
        short_abandon: Millis::from_secs(lots.one_of(&[0, 5])),
        caller: CallerTreatment {
            answer: lots.one_of(&[
                AnswerMode::OnEntry,
                AnswerMode::EarlyMedia,
                AnswerMode::OnAgent,
            ]),
            welcome: None,
            music: Some(PromptId::new("music")),
            announcement: None,
        },
        on_ring_out: ring_policy(lots),
        on_declined: ring_policy(lots),
        on_busy: ring_policy(lots),
        limits: Limits {
            calls_max: lots.per_mille(300).then(|| lots.between(0, 6) as u32),
            wait_max: lots.per_mille(400).then(|| seconds(lots, 90)),
        },
        overflow: OverflowRules {
            full: overflow(swarm, lots),
            too_long: overflow(swarm, lots),
            no_agents: overflow(swarm, lots),
            closed: overflow(swarm, lots),
        },
        open: !lots.per_mille(80),
    }
}

fn ring_policy(lots: &mut Lots) -> RingPolicy {
    let action = lots.one_of(&[RingAction::NotReady, RingAction::StayReady, RingAction::LogOut]);
    RingPolicy { action, delay: Millis(lots.one_of(&[0, 500, 5_000])) }
}

fn overflow(swarm: &Swarm, lots: &mut Lots) -> Overflow {
    let play = lots.per_mille(300).then(|| PromptId::new("sorry"));
    let action = match lots.between(0, 5) {
        0 => OverflowAction::Reject { status: 480 },
        // One more than there are: a queue that is nowhere.
        1 | 2 => OverflowAction::Queue { queue: queue_id(lots.between(0, swarm.queues)) },
        3 => OverflowAction::Transfer {
            to: Address { user: "mail".to_owned(), host: Some("pbx".to_owned()) },
        },
        4 => OverflowAction::HangUp,
        _ => OverflowAction::Wait,
    };
    Overflow { play, action }
}

/// Draws the nth agent.
pub(crate) fn agent(nth: u64, swarm: &Swarm, lots: &mut Lots) -> AgentConfig {
    let mine = (0..=swarm.queues).filter(|_| lots.per_mille(600));
    let queues: Vec<QueueId> = mine.map(queue_id).collect();
    let actions =
        [UnreachableAction::LogOut, UnreachableAction::NotReady, UnreachableAction::Nothing];
    let policies = [None, None, Some(DuplicateLogin::Warn), Some(DuplicateLogin::TakeOver)];
    AgentConfig {
        id: agent_id(nth),
        display_name: format!("Agent {nth}"),
        queues,
        pin: nth.is_multiple_of(3).then(|| Private::new(pin_of(nth))),
        device: (nth % 7 != 6).then(|| DeviceConfig { address: device_of(nth), trunk: None }),
        allowed_logins: vec![LoginKind::Callback],
        wrap_up: lots.per_mille(300).then(|| Millis::from_secs(lots.one_of(&[0, 2, 20]))),
        duplicate_login: lots.one_of(&policies),
        on_unreachable: UnreachablePolicy {
            action: lots.one_of(&actions),
            after: Millis::from_secs(lots.one_of(&[0, 5, 30])),
        },
        team: None,
    }
}

/// Where the nth agent sits.
pub(crate) fn device_of(nth: u64) -> String {
    format!("sip:a{nth}@pbx")
}

/// The nth agent's PIN, for those who have one.
pub(crate) fn pin_of(nth: u64) -> String {
    format!("{}", 1000 + nth)
}

/// Draws the deployment's settings.
pub(crate) fn settings(lots: &mut Lots) -> Settings {
    let usual = Settings::default();
    let limits = [None, Some(Millis::from_secs(60)), Some(Millis::from_secs(7200))];
    let mut log_out_allowed_in = usual.log_out_allowed_in.clone();
    if lots.per_mille(300) {
        log_out_allowed_in.push(AgentStateName::Ready);
    }
    Settings {
        log_out_allowed_in,
        log_out_when_inactive: lots.one_of(&limits),
        duplicate_login: lots.one_of(&[DuplicateLogin::Reject, DuplicateLogin::TakeOver]),
        ..usual
    }
}
