//! A small center: a state, the entries given to it, and what came of the last.
//!
//! Times are counted from a fixed beginning, names are short, every request has its own number.
//!
//! Not here: scripts (`world.rs`) and the simulator, which have worlds of their own.

use std::sync::Arc;

use carillon::acd::State;
use carillon::acd::apply::Output;
use carillon::acd::apply::apply;
use carillon::acd::check::broken_invariants;
use carillon::acd::command::*;
use carillon::acd::config::*;
use carillon::base::id::*;
use carillon::base::secret::Private;
use carillon::base::time::ClusterTime;
use carillon::base::time::Millis;

/// When every center begins.
const BEGINNING: ClusterTime = ClusterTime(1_000_000_000);

/// A state and what the last entry did to it.
#[derive(Clone)]
pub(crate) struct Center {
    pub(crate) state: State,
    pub(crate) now: ClusterTime,
    pub(crate) out: Output,
    pub(crate) entries: u64,
}

impl Center {
    pub(crate) fn new() -> Self {
        let mut center =
            Self { state: State::new(), now: BEGINNING, out: Output::default(), entries: 0 };
        center.give(Command::StartNode { owner: owner(1, 1) });
        center
    }

    /// Applies a command now; the state is sound afterwards.
    pub(crate) fn give(&mut self, command: Command) -> Outcome {
        let text = format!("{command:?}");
        let outcome = self.take(command);
        assert_eq!(broken_invariants(&self.state), vec![], "after {text}");
        outcome
    }

    /// The same of a command that must be done.
    pub(crate) fn done(&mut self, command: Command) {
        let text = format!("{command:?}");
        assert_eq!(self.give(command), Outcome::Done, "{text}");
    }

    /// Applies a command now, whatever comes of it.
    pub(crate) fn take(&mut self, command: Command) -> Outcome {
        self.entries += 1;
        let request = RequestId(u128::from(self.entries) << 32);
        let entry = Entry { proposed_at: self.now, request, command };
        self.out = Output::default();
        apply(&mut self.state, LogIndex(self.entries), &entry, &mut self.out)
    }

    /// Lets time pass, deadline by deadline.
    pub(crate) fn advance(&mut self, seconds: u64) -> Output {
        let end = self.now + Millis::from_secs(seconds);
        let mut all = Output::default();
        while let Some(due) = self.state.next_deadline().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.give(Command::Advance);
            all.orders.append(&mut self.out.orders);
            all.facts.append(&mut self.out.facts);
        }
        self.now = end;
        self.give(Command::Advance);
        all
    }
}

pub(crate) fn owner(node: u64, incarnation: u64) -> Owner {
    Owner { node: NodeId(node), incarnation: Incarnation(incarnation) }
}

pub(crate) fn by(role: Role) -> Actor {
    Actor { role, name: format!("{role:?}").to_lowercase() }
}

pub(crate) fn agent_id(name: &str) -> AgentId {
    AgentId::new(name)
}

pub(crate) fn queue_id(name: &str) -> QueueId {
    QueueId::new(name)
}

pub(crate) fn address(user: &str) -> Address {
    Address { user: user.to_owned(), host: None }
}

pub(crate) fn caller_leg(call: u64) -> LegId {
    LegId::of_caller(CallId(call))
}

pub(crate) fn agent_leg(call: u64, nth: u32) -> LegId {
    LegId { call: CallId(call), nth }
}

pub(crate) fn dialog() -> Dialog {
    Dialog::from(vec![1, 2, 3])
}

pub(crate) use crate::usual::queue;

pub(crate) fn agent(name: &str, queues: &[&str]) -> AgentConfig {
    AgentConfig {
        id: agent_id(name),
        display_name: name.to_owned(),
        queues: queues.iter().map(|queue| queue_id(queue)).collect(),
        pin: None,
        device: Some(DeviceConfig { address: format!("sip:{name}@pbx"), trunk: None }),
        allowed_logins: vec![LoginKind::Callback],
        wrap_up: None,
        duplicate_login: None,
        on_unreachable: UnreachablePolicy {
            action: UnreachableAction::LogOut,
            after: Millis::from_secs(30),
        },
        team: None,
    }
}

pub(crate) fn put_queue(config: QueueConfig) -> Command {
    Command::PutQueue { queue: Box::new(config), source: Source::Folder }
}

pub(crate) fn put_agent(config: AgentConfig) -> Command {
    Command::PutAgent { agent: Box::new(config), source: Source::Folder }
}

pub(crate) fn log_in(name: &str) -> Command {
    Command::LogIn(Box::new(LogIn {
        agent: agent_id(name),
        pin: None,
        device: None,
        kind: LoginKind::Callback,
        by: by(Role::Agent),
    }))
}

pub(crate) fn set_ready(name: &str) -> Command {
    Command::SetReady { agent: agent_id(name), by: by(Role::Agent) }
}

pub(crate) fn set_not_ready(name: &str, reason: &str) -> Command {
    Command::SetNotReady { agent: agent_id(name), reason: reason.to_owned(), by: by(Role::Agent) }
}

pub(crate) fn enqueue(call: u64, to: &str) -> Command {
    enqueue_at(owner(1, 1), call, to)
}

pub(crate) fn enqueue_at(owner: Owner, call: u64, to: &str) -> Command {
    Command::EnqueueCall(Box::new(Arrival {
        call: CallId(call),
        owner,
        to: address(to),
        caller: Arc::new(Caller {
            sip_call_id: format!("call{call}"),
            from: Private::new("caller@pbx".to_owned()),
            to: to.to_owned(),
            ..Caller::default()
        }),
        priority: None,
        dialog: dialog(),
    }))
}

pub(crate) fn answer(call: u64, nth: u32) -> Command {
    Command::AnswerReservation { leg: agent_leg(call, nth), dialog: dialog() }
}

pub(crate) fn hang_up(leg: LegId) -> Command {
    Command::EndLeg { leg, why: LegEnd::HungUp }
}
