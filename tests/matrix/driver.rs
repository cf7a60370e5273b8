//! Random commands against a small center: whatever is asked, in whatever order, no invariant
//! breaks, nothing panics, and a copy that was stored and restored does the same.
//!
//! Names are drawn from few, so that commands hit things that exist, have ended, or never were.
//!
//! Not here: worlds with tempo, patience and faults (`tests/sim`).

use carillon::acd::apply::Output;
use carillon::acd::command::*;
use carillon::acd::config::*;
use carillon::acd::view::View;
use carillon::base::id::*;
use carillon::base::prng::Prng;
use carillon::base::time::ClusterTime;
use carillon::base::time::Millis;

use crate::center::*;

const QUEUES: [&str; 4] = ["alpha", "beta", "gamma", "delta"];
const AGENTS: [&str; 6] = ["ann", "bob", "cid", "dan", "eve", "fay"];

struct Dice(Prng);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    fn one_in(&mut self, chance: u64) -> bool {
        self.below(chance) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize].clone()
    }

    fn role(&mut self) -> Role {
        self.pick(&[Role::Agent, Role::Supervisor, Role::Administrator, Role::System])
    }

    fn agent(&mut self) -> AgentId {
        if self.one_in(50) { agent_id("nobody") } else { agent_id(self.pick(&AGENTS)) }
    }

    fn overflow(&mut self) -> Overflow {
        let play = self.one_in(3).then(|| PromptId::new("sorry"));
        let action = match self.below(6) {
            0 => OverflowAction::Reject { status: 486 },
            1 => OverflowAction::Queue { queue: queue_id(self.pick(&QUEUES)) },
            2 => OverflowAction::Transfer { to: address("elsewhere") },
            3 => OverflowAction::HangUp,
            _ => OverflowAction::Wait,
        };
        Overflow { play, action }
    }

    fn ring_policy(&mut self) -> RingPolicy {
        let action = self.pick(&[RingAction::NotReady, RingAction::StayReady, RingAction::LogOut]);
        RingPolicy { action, delay: Millis(self.pick(&[0, 2000, 5000, u64::MAX])) }
    }

    fn queue(&mut self) -> QueueConfig {
        let name = self.pick(&QUEUES);
        let mut config = queue(name);
        config.strategy = self.pick(&[Strategy::MostIdle, Strategy::MostIdle, Strategy::RingAll]);
        config.weight = self.pick(&[0, 0, 1, 2, i32::MIN, i32::MAX]);
        config.ring = Millis(self.pick(&[0, 5000, 15_000, 15_000, u64::MAX]));
        config.wrap_up = Millis(self.below(3) * 4000);
        config.limits = Limits {
            calls_max: self.one_in(3).then(|| self.below(4) as u32),
            wait_max: self.one_in(3).then(|| Millis(self.pick(&[0, 9000, 30_000, u64::MAX]))),
        };
        config.on_ring_out = self.ring_policy();
        config.on_declined = self.ring_policy();
        config.on_busy = self.ring_policy();
        config.overflow = OverflowRules {
            full: self.overflow(),
            too_long: self.overflow(),
            no_agents: self.overflow(),
            closed: self.overflow(),
        };
        config.open = !self.one_in(6);
        if self.one_in(8) {
            config.addresses.push(address(self.pick(&QUEUES)));
        }
        config
    }

    fn agent_config(&mut self) -> AgentConfig {
        let name = self.pick(&AGENTS);
        let count = 1 + self.below(3);
        let queues: Vec<&str> = (0..count).map(|_| self.pick(&QUEUES)).collect();
        let mut config = agent(name, &queues);
        config.wrap_up = self.one_in(3).then(|| Millis(self.below(3) * 5000));
        config.duplicate_login = self.one_in(2).then(|| {
            self.pick(&[DuplicateLogin::Reject, DuplicateLogin::Warn, DuplicateLogin::TakeOver])
        });
        config.on_unreachable = UnreachablePolicy {
            action: self.pick(&[
                UnreachableAction::LogOut,
                UnreachableAction::NotReady,
                UnreachableAction::Nothing,
            ]),
            after: Millis(self.below(10_000)),
        };
        config
    }

    fn leg(&mut self, center: &Center) -> LegId {
        let legs: Vec<LegId> = View::new(&center.state)
            .nodes()
            .into_iter()
            .flat_map(|(owner, _)| View::new(&center.state).legs_of(owner))
            .map(|leg| leg.leg)
            .collect();
        if legs.is_empty() || self.one_in(20) {
            agent_leg(self.below(50), self.below(3) as u32)
        } else {
            self.pick(&legs)
        }
    }

    fn call(&mut self, center: &Center) -> CallId {
        self.leg(center).call
    }

    fn owner(&mut self, center: &Center) -> Owner {
        let nodes = View::new(&center.state).nodes();
        self.pick(&nodes).0
    }

    fn command(&mut self, center: &Center, step: u64) -> Command {
        match self.below(40) {
            0..=5 => self.about_the_world(center, step),
            6..=26 => self.about_calls(center, step),
            27..=37 => self.about_agents(),
            _ => Command::Advance,
        }
    }

    fn about_the_world(&mut self, center: &Center, step: u64) -> Command {
        match self.below(6) {
            0 => Command::StartNode { owner: owner(1 + self.below(2), 1 + step / 400) },
            1 if self.one_in(3) => Command::LoseNode { owner: self.owner(center) },
            2 => Command::PutQueue { queue: Box::new(self.queue()), source: Source::Folder },
            3 => Command::PutAgent { agent: Box::new(self.agent_config()), source: Source::Folder },
            4 if self.one_in(3) => Command::RemoveQueue {
                queue: queue_id(self.pick(&QUEUES)),
                source: self.pick(&[Source::Folder, Source::Rest]),
            },
            5 if self.one_in(3) => {
                Command::RemoveAgent { agent: self.agent(), source: Source::Folder }
            }
            _ => Command::Advance,
        }
    }

    fn about_calls(&mut self, center: &Center, step: u64) -> Command {
        let role = self.role();
        match 6 + self.below(21) {
            6..=12 => enqueue_at(self.owner(center), step, self.pick(&QUEUES)),
            13..=17 => Command::AnswerReservation { leg: self.leg(center), dialog: dialog() },
            18 => Command::FailReservation {
                leg: self.leg(center),
                why: self.pick(&[
                    RingFailure::Declined,
                    RingFailure::Busy,
                    RingFailure::NoAnswer,
                    RingFailure::Unreachable,
                    RingFailure::WrongAddress,
                    RingFailure::NoCodec,
                ]),
            },
            19 => Command::HoldLeg { leg: self.leg(center), held: self.one_in(2) },
            20..=21 => Command::EndLeg {
                leg: self.leg(center),
                why: self.pick(&[LegEnd::HungUp, LegEnd::HungUp, LegEnd::Lost]),
            },
            22 => Command::FinishPrompt { leg: self.leg(center) },
            23 => Command::SettleTransfer {
                leg: self.leg(center),
                refused: self.one_in(2).then_some(486),
            },
            24 => Command::TransferCall {
                call: self.call(center),
                to: address("elsewhere"),
                by: by(role),
            },
            25 => Command::HangUpCall { call: self.call(center), by: by(role) },
            _ => Command::PrioritizeCall {
                call: self.call(center),
                priority: self.pick(&[0, 1, 2, i32::MIN, i32::MAX]),
                by: by(role),
            },
        }
    }

    fn about_agents(&mut self) -> Command {
        let role = self.role();
        match 27 + self.below(11) {
            27..=28 => Command::LogIn(Box::new(LogIn {
                agent: self.agent(),
                pin: None,
                device: self.one_in(2).then(|| format!("sip:desk{}@pbx", self.below(5))),
                kind: LoginKind::Callback,
                by: by(role),
            })),
            29 => Command::LogOut { agent: self.agent(), by: by(role) },
            30 if self.one_in(2) => Command::ForceLogOut { agent: self.agent(), by: by(role) },
            31..=34 => Command::SetReady { agent: self.agent(), by: by(role) },
            35 => Command::SetNotReady {
                agent: self.agent(),
                reason: self.pick(&["Break", "Lunch", "", "Nonsense"]).to_owned(),
                by: by(role),
            },
            36 => Command::EndWrapUp { agent: self.agent(), by: by(role) },
            37 => Command::ReportDevice {
                agent: self.agent(),
                state: self.pick(&[
                    DeviceState::Idle,
                    DeviceState::Ringing,
                    DeviceState::Busy,
                    DeviceState::Unreachable,
                    DeviceState::Unknown,
                ]),
            },
            _ => Command::Advance,
        }
    }
}

fn run(seed: u64, steps: u64) {
    let mut dice = Dice(Prng::from_seed(seed));
    let mut center = Center::new();
    for step in 1..=steps {
        center.now = center.now + Millis(dice.below(2000));
        let command = dice.command(&center, step);
        let mut twin = dice.one_in(100).then(|| {
            let stored = postcard::to_stdvec(&center.state).unwrap();
            Center { state: postcard::from_bytes(&stored).unwrap(), ..center.clone() }
        });
        let outcome = center.give(command.clone());
        if let Some(twin) = &mut twin {
            assert_eq!(twin.give(command.clone()), outcome);
            assert_eq!(twin.out, center.out);
            assert_eq!(twin.state, center.state);
            repeat(&center, command, &outcome);
        }
    }
    end_of_time(&mut dice, center, steps);
}

/// The same request again, later: the first outcome, nothing done, nothing changed.
fn repeat(center: &Center, command: Command, outcome: &Outcome) {
    let mut again = center.clone();
    again.entries -= 1;
    again.now = again.now + Millis::from_secs(60);
    assert_eq!(again.give(command), *outcome);
    assert_eq!(again.out, Output::default());
    assert_eq!(again.state, center.state);
}

/// A clock gone mad: everything is due at once and for ever, and still every entry ends.
fn end_of_time(dice: &mut Dice, mut center: Center, steps: u64) {
    center.now = ClusterTime(u64::MAX);
    for step in steps..steps + 200 {
        let command = dice.command(&center, step);
        center.give(command);
    }
}

#[test]
fn no_command_breaks_an_invariant() {
    for seed in 0..20 {
        run(seed, 2000);
    }
}
