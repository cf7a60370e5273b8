//! What goes wrong: nodes, stale owners, configuration under way, and commands that mean nothing.
//!
//! Not here: repeated requests and clocks that are behind, which concern the entry and not the
//! command ([`super::workload`]); reports that come twice or late ([`super::phones`]).

use carillon::acd::command::Command;
use carillon::acd::command::Dialog;
use carillon::acd::command::LegEnd;
use carillon::acd::command::RingFailure;
use carillon::acd::config::Source;
use carillon::base::id::CallId;
use carillon::base::id::Incarnation;
use carillon::base::id::LegId;
use carillon::base::id::Owner;
use carillon::base::time::Millis;

use crate::swarm;
use crate::workload::Move;
use crate::workload::Workload;
use crate::workload::supervisor;
use crate::workload::themselves;

impl Workload {
    /// A fault, if this is the moment for one.
    pub(crate) fn fault(&mut self) -> Option<Command> {
        let faults = &self.swarm.faults;
        let (restarts, stale, churn, garbage) =
            (faults.restarts, faults.stale, faults.churn, faults.garbage);
        if self.lots.per_mille(restarts) {
            return Some(self.restart());
        }
        if self.lots.per_mille(stale) {
            return Some(self.stale());
        }
        if self.lots.per_mille(churn) {
            return Some(self.churn());
        }
        if self.lots.per_mille(garbage) {
            return Some(self.garbage());
        }
        None
    }

    /// A node starts again, or is lost and starts again later.
    fn restart(&mut self) -> Command {
        let node = self.lots.between(1, self.swarm.nodes);
        let former = self.owner(node);
        let owner = self.next_life(node);
        if self.lots.per_mille(500) {
            return Command::StartNode { owner };
        }
        let away = Millis(self.lots.between(0, 20_000));
        self.plan(away, Move::Propose(Command::StartNode { owner }));
        Command::LoseNode { owner: former }
    }

    /// Somebody speaks for a life of a node that is not its newest.
    fn stale(&mut self) -> Command {
        let node = self.lots.between(1, self.swarm.nodes + 1);
        let life = self.owner(node).incarnation.0;
        let incarnation = Incarnation(life.saturating_sub(self.lots.between(0, 1)));
        let owner = Owner { incarnation, ..self.owner(node) };
        match self.lots.between(0, 2) {
            0 => Command::StartNode { owner },
            1 if incarnation.0 < life => Command::LoseNode { owner },
            _ => {
                let call = CallId(self.lots.between(1 << 40, 1 << 41));
                self.arrival_of(call, owner)
            }
        }
    }

    /// Configuration is put, changed, removed.
    fn churn(&mut self) -> Command {
        let (queue, agent) = (self.some_queue(), self.some_agent());
        let source = Source::Folder;
        match self.lots.between(0, 9) {
            0 | 1 => {
                let restored = self.put_queue(queue);
                let after = Millis(self.lots.between(0, 30_000));
                self.plan(after, Move::Propose(restored));
                Command::RemoveQueue { queue: swarm::queue_id(queue), source }
            }
            2..=4 => self.put_queue(queue),
            5 => {
                let restored = self.put_agent(agent);
                let after = Millis(self.lots.between(0, 30_000));
                self.plan(after, Move::Propose(restored));
                self.plan_shift(agent, after + Millis(1));
                Command::RemoveAgent { agent: swarm::agent_id(agent), source }
            }
            6..=8 => self.put_agent(agent),
            _ => {
                let settings = Box::new(swarm::settings(&mut self.lots));
                Command::PutSettings { settings, source }
            }
        }
    }

    /// A command that names nothing, or the wrong thing.
    fn garbage(&mut self) -> Command {
        let call = self.some_call();
        let leg = LegId { call, nth: self.lots.between(0, 4) as u32 };
        let dialog = Dialog::from(vec![9; 4]);
        let nobody = swarm::agent_id(1_000 + self.lots.between(0, 9));
        let nowhere = swarm::queue_id(1_000);
        match self.lots.between(0, 19) {
            0 => Command::AnswerReservation { leg, dialog },
            1 => Command::FailReservation { leg, why: self.lots.one_of(&FAILURES) },
            2 => Command::UpdateLeg { leg, dialog },
            3 => Command::HoldLeg { leg, held: self.lots.per_mille(500) },
            4 => Command::EndLeg { leg, why: self.lots.one_of(&ENDS) },
            5 => Command::FinishPrompt { leg },
            6 => Command::SettleTransfer { leg, refused: None },
            7 => Command::SettleTransfer { leg, refused: Some(603) },
            8 => {
                let owner = self.owner(1);
                self.arrival_of(call, owner)
            }
            9 => self.foreign_queue(),
            10 => Command::RemoveQueue { queue: nowhere, source: Source::Rest },
            11 => Command::RemoveAgent { agent: nobody, source: Source::Folder },
            12 => Command::SetReady { agent: nobody, by: supervisor() },
            13 => Command::ForceLogOut { agent: nobody, by: supervisor() },
            14 => Command::EndWrapUp { agent: nobody, by: themselves(1) },
            15 => Command::PrioritizeCall { call, priority: i32::MIN, by: supervisor() },
            16 => Command::PrioritizeCall { call, priority: i32::MAX, by: supervisor() },
            17 => Command::HangUpCall { call: CallId(u64::MAX), by: supervisor() },
            18 => Command::RemoveTrunk {
                trunk: carillon::base::id::TrunkId::new("nowhere"),
                source: Source::Folder,
            },
            _ => Command::Advance,
        }
    }

    /// A queue that claims another's address, or belongs to another source, or never ends.
    fn foreign_queue(&mut self) -> Command {
        let (mine, theirs) = (self.some_queue(), self.some_queue());
        let mut queue = swarm::queue(mine, &self.swarm, &mut self.lots);
        queue.addresses = swarm::queue(theirs, &self.swarm, &mut self.lots).addresses;
        let source = self.lots.one_of(&[Source::Rest, Source::Folder]);
        if self.lots.per_mille(300) {
            queue.id = swarm::queue_id(900);
            queue.addresses[0].user = "endless".to_owned();
            queue.ring = Millis(u64::MAX);
            queue.wrap_up = Millis(u64::MAX);
            queue.limits.wait_max = Some(Millis(u64::MAX));
        }
        Command::PutQueue { queue: Box::new(queue), source }
    }
}

const ENDS: [LegEnd; 3] = [LegEnd::HungUp, LegEnd::Lost, LegEnd::LostWithNode];

const FAILURES: [RingFailure; 6] = [
    RingFailure::Declined,
    RingFailure::Busy,
    RingFailure::NoAnswer,
    RingFailure::Unreachable,
    RingFailure::WrongAddress,
    RingFailure::NoCodec,
];

/// Any way a phone may not take a call.
pub(crate) fn some_failure(workload: &mut Workload) -> RingFailure {
    workload.lots.one_of(&FAILURES)
}
