//! Virtual phones and people: what they do when they are ordered, or hear, something.
//!
//! Callers have patience, agents answer or do not, both hang up; reports may come twice, and late
//! ones come by themselves, because nobody takes a planned move back when its leg has ended.
//!
//! Always holds: only the newest life of a node hears orders, as in the cluster.
//!
//! Not here: who calls and when ([`super::workload`]).

use carillon::acd::apply::Output;
use carillon::acd::command::Command;
use carillon::acd::command::DeviceState;
use carillon::acd::command::Dialog;
use carillon::acd::command::LegEnd;
use carillon::acd::effect::Effect;
use carillon::acd::fact::Fact;
use carillon::base::id::LegId;
use carillon::base::time::Millis;

use crate::faults::some_failure;
use crate::workload::Move;
use crate::workload::Workload;
use crate::workload::nth_of;
use crate::workload::themselves;

impl Workload {
    /// Phones take their orders and people hear the news.
    pub(crate) fn hear(&mut self, out: &Output) {
        for order in &out.orders {
            if order.owner == self.owner(order.owner.node.0) {
                self.obey(&order.effect);
            }
        }
        out.facts.iter().for_each(|fact| self.learn(fact));
    }

    fn obey(&mut self, effect: &Effect) {
        match effect {
            Effect::RingAgent(ring) => self.ring(ring.leg),
            Effect::JoinLegs { caller, agent } => self.talk(*caller, *agent),
            Effect::PlayPrompt { leg, .. } if self.calm || self.lots.per_mille(950) => {
                self.report(Millis(3_000), Command::FinishPrompt { leg: *leg });
            }
            Effect::TransferLeg { leg, .. } => self.be_transferred(*leg),
            // Some phones are not found again.
            Effect::AdoptLeg { leg, .. } if self.lots.per_mille(50) => {
                let why = LegEnd::LostWithNode;
                self.report(Millis(500), Command::EndLeg { leg: *leg, why });
            }
            Effect::AdoptLeg { leg, .. } => {
                let dialog = Dialog::from(vec![3; 16]);
                self.report(Millis(200), Command::UpdateLeg { leg: *leg, dialog });
            }
            Effect::PlayPrompt { .. }
            | Effect::HoldCaller { .. }
            | Effect::ReleaseLeg { .. }
            | Effect::ReleaseOrphan { .. } => {}
        }
    }

    /// Plans a report, which a fault may send twice.
    fn report(&mut self, about: Millis, command: Command) {
        let after = self.lots.about(about);
        if self.lots.per_mille(self.swarm.faults.echoes) {
            let later = after + Millis(self.lots.between(0, 2_000));
            self.plan(later, Move::Propose(command.clone()));
        }
        self.plan(after, Move::Propose(command));
    }

    fn ring(&mut self, leg: LegId) {
        let dialog = Dialog::from(vec![1; 16]);
        if self.lots.per_mille(900) {
            let dialog = Dialog::from(vec![4; 16]);
            self.report(Millis(10), Command::UpdateLeg { leg, dialog });
        }
        if self.lots.per_mille(self.swarm.answering) {
            self.report(Millis(3_000), Command::AnswerReservation { leg, dialog });
        } else if self.lots.per_mille(600) {
            let why = some_failure(self);
            self.report(Millis(2_000), Command::FailReservation { leg, why });
        }
    }

    fn talk(&mut self, caller: LegId, agent: LegId) {
        let leg = if self.lots.per_mille(600) { caller } else { agent };
        let why = if self.lots.per_mille(30) { LegEnd::Lost } else { LegEnd::HungUp };
        let talk = self.swarm.talk;
        self.report(talk, Command::EndLeg { leg, why });
        if self.lots.per_mille(150) {
            let half = Millis(talk.0 / 2);
            self.report(half, Command::HoldLeg { leg, held: true });
            self.report(talk, Command::HoldLeg { leg, held: false });
        }
        if self.lots.per_mille(100) {
            let dialog = Dialog::from(vec![2; 16]);
            self.report(talk, Command::UpdateLeg { leg, dialog });
        }
    }

    fn be_transferred(&mut self, leg: LegId) {
        let about = Millis(2_000);
        match self.lots.between(0, 19) {
            0 => self.report(about, Command::EndLeg { leg, why: LegEnd::HungUp }),
            1 if !self.calm => {}
            2..=6 => self.report(about, Command::SettleTransfer { leg, refused: Some(486) }),
            _ => self.report(about, Command::SettleTransfer { leg, refused: None }),
        }
    }

    /// Callers lose patience; agents come back from where the core sent them.
    fn learn(&mut self, fact: &Fact) {
        match fact {
            Fact::CallEnqueued { call, .. } if !self.lots.per_mille(self.swarm.patient) => {
                let leg = LegId::of_caller(*call);
                let why = if self.lots.per_mille(30) { LegEnd::Lost } else { LegEnd::HungUp };
                self.report(self.swarm.patience, Command::EndLeg { leg, why });
            }
            Fact::AgentNotReady { agent, .. } if self.calm || self.lots.per_mille(800) => {
                let by = themselves(nth_of(agent));
                let back = if self.calm { Millis(500) } else { self.swarm.people };
                let after = self.lots.about(back);
                let agent = agent.clone();
                self.plan(after, Move::Propose(Command::SetReady { agent, by }));
            }
            Fact::AgentLoggedOut { agent, .. } => {
                let nth = nth_of(agent);
                if (1..=self.swarm.agents).contains(&nth) {
                    let back = if self.calm { Millis(500) } else { self.swarm.people };
                    let after = self.lots.about(back);
                    self.plan_shift(nth, after);
                }
            }
            Fact::DeviceChanged { agent, state } if self.calm && *state != DeviceState::Idle => {
                let state = DeviceState::Idle;
                let report = Command::ReportDevice { agent: agent.clone(), state };
                self.plan(Millis(500), Move::Propose(report));
            }
            _ => {}
        }
    }
}
