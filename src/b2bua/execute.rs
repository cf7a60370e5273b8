//! Effects in, requests and media orders out: what the core has decided, carried out.
//!
//! | effect | the leg is there | it is not |
//! |---|---|---|
//! | `HoldCaller`, `JoinLegs` | done as its state needs | the core hears that it is lost |
//! | `TransferLeg`, `PlayPrompt` | the same | the same |
//! | `RingAgent` | nothing: it was ordered before | a phone is rung |
//! | `ReleaseLeg` | ended as its state needs | nothing: its party was quicker |
//! | `AdoptLeg`, `ReleaseOrphan` | nothing | [`super::adopt`] |
//!
//! Orders that were lost because a snapshot jumped over them are made good by comparing:
//!
//! | a leg is | and then |
//! |---|---|
//! | here, and the core has forgotten it | it is ended |
//! | here, and the core may not have heard of it | spared: its arrival is on its way |
//! | known to the core by the snapshot and still, not here | the core hears that it is lost |
//!
//! Always holds: an effect whose leg is gone leaves nothing behind in the core.
//!
//! Not here: how each state of a leg answers ([`super::caller`], [`super::ringing`],
//! [`super::confirmed`]).

use std::collections::BTreeSet;

use crate::acd::command::Command;
use crate::acd::command::LegEnd;
use crate::acd::command::Outcome;
use crate::acd::command::RingFailure;
use crate::acd::config::AnswerMode;
use crate::acd::config::CallerTreatment;
use crate::acd::effect::Cause;
use crate::acd::effect::Effect;
use crate::acd::effect::Ring;
use crate::b2bua::Ua;
use crate::b2bua::Unavailable;
use crate::b2bua::board::Board;
use crate::b2bua::counter::Counter;
use crate::b2bua::counter::Rejected;
use crate::b2bua::counter::Why;
use crate::b2bua::leg::HOPS_MAX;
use crate::b2bua::leg::Leg;
use crate::b2bua::outcome;
use crate::b2bua::sound;
use crate::b2bua::sound::Hearing;
use crate::base::id::LegId;
use crate::base::id::PromptId;
use crate::base::id::RequestId;

impl Ua {
    /// Carries out one effect.
    pub(super) fn execute(&mut self, effect: Effect) {
        match effect {
            Effect::HoldCaller { leg, treatment, .. } => {
                self.with_leg_or_lost(leg, |leg, board| leg.hold(board, &treatment));
            }
            Effect::AdoptLeg { leg, dialog } => self.adopt(leg, &dialog),
            Effect::RingAgent(ring) => self.ring(ring),
            Effect::JoinLegs { caller, agent } => self.join(caller, agent),
            Effect::ReleaseLeg { leg, cause } => {
                self.with_leg(leg, |leg, board| leg.release(board, cause));
            }
            Effect::ReleaseOrphan { leg, dialog, cause } => {
                self.release_orphan(leg, &dialog, cause)
            }
            Effect::PlayPrompt { leg, prompt, music } => {
                self.with_leg_or_lost(leg, |leg, board| leg.play_prompt(board, prompt, music));
            }
            Effect::TransferLeg { leg, to } => {
                self.with_leg_or_lost(leg, |leg, board| leg.transfer(board, &to));
            }
        }
    }

    fn with_leg_or_lost(&mut self, leg: LegId, act: impl FnOnce(&mut Leg, &mut Board)) {
        if !self.with_leg(leg, act) {
            self.report_lost(leg);
        }
    }

    fn report_lost(&mut self, leg: LegId) {
        self.board.propose(leg, Command::EndLeg { leg, why: LegEnd::Lost });
    }

    /// Compares the legs here with the core's.
    pub(super) fn reconcile(&mut self, standing: &BTreeSet<LegId>, known: &BTreeSet<LegId>) {
        let arriving = |leg: &LegId| self.board.proposals.is_arriving(*leg);
        let forgotten = |leg: &LegId| !known.contains(leg) && !arriving(leg);
        let forgotten: Vec<LegId> = self.legs.keys().copied().filter(forgotten).collect();
        for leg in forgotten {
            // Most calls end because the other party hangs up.
            self.with_leg(leg, |leg, board| leg.release(board, Cause::HungUp));
        }
        for leg in standing.intersection(known) {
            if !self.legs.contains_key(leg) {
                self.report_lost(*leg);
            }
        }
    }

    fn ring(&mut self, ring: Box<Ring>) {
        let id = ring.leg;
        if self.legs.contains_key(&id) {
            return;
        }
        if self.legs.len() >= self.legs_max {
            self.board.count(Counter::Rejected(Rejected::TooMany));
            let why = RingFailure::Unreachable;
            self.board.propose(id, Command::FailReservation { leg: id, why });
            return;
        }
        let caller = self.legs.get(&LegId::of_caller(id.call));
        let like = caller.and_then(|caller| caller.sound.agreed()).copied();
        let hops = caller.map_or(HOPS_MAX, |caller| caller.hops);
        let leg = Leg::ring(&mut self.board, ring, like.as_ref(), hops);
        self.put_back(Box::new(leg));
    }

    fn join(&mut self, caller: LegId, agent: LegId) {
        if !self.with_leg(caller, |leg, board| leg.meet(board, agent)) {
            self.report_lost(caller);
        }
        if !self.with_leg(agent, |leg, board| leg.meet(board, caller)) {
            self.report_lost(agent);
        }
    }

    /// Takes the core's answer to a proposal.
    pub(super) fn on_outcome(&mut self, request: RequestId, outcome: Result<Outcome, Unavailable>) {
        let unavailable = outcome.is_err();
        if unavailable && self.board.proposals.rest(request, self.board.now).is_some() {
            return;
        }
        let Some((settled, next)) = self.board.proposals.settle(request) else { return };
        if let Some((request, command)) = next {
            self.board.outputs.push_back(super::Output::Propose { request, command });
        }
        let (status, why) = match outcome {
            Ok(Outcome::Done) => return,
            Ok(Outcome::Refused(refusal)) => {
                (outcome::refusal_status(&refusal), Why::Refused(refusal))
            }
            Err(_) => (503, Why::Rejected(Rejected::Unavailable)),
        };
        // Whatever else the core refuses, it has ordered or heard the end of the leg.
        if let Command::EnqueueCall(_) = settled.command {
            if unavailable {
                self.board.count(Counter::Rejected(Rejected::Unavailable));
            }
            self.with_leg(settled.leg, |leg, board| {
                leg.turn_away_at_door(board, status, why);
            });
        } else if let Command::AnswerReservation { .. } = settled.command {
            self.with_leg(settled.leg, |leg, board| {
                leg.release(board, Cause::AnsweredElsewhere);
            });
        }
    }
}

impl Leg {
    /// Lets a caller wait as the queue says.
    fn hold(&mut self, board: &mut Board, treatment: &CallerTreatment) {
        let token = board.next_number();
        self.sound.hear(Hearing::Program(sound::program(treatment), token));
        match treatment.answer {
            AnswerMode::OnEntry => self.accept_caller(board),
            AnswerMode::EarlyMedia => {
                let _late_offers_wait_for_the_answer = self.open_early(board);
            }
            AnswerMode::OnAgent => self.alert(board),
        }
    }

    /// Plays a prompt and tells the core when it has ended; then there is music.
    fn play_prompt(&mut self, board: &mut Board, prompt: PromptId, music: Option<PromptId>) {
        let token = board.next_number();
        if self.open_early(board) {
            self.sound.hear(Hearing::Prompt(sound::once(prompt), token, music));
        } else {
            board.propose(self.id, Command::FinishPrompt { leg: self.id });
        }
    }

    /// A program has ended; only of a prompt the core wants to know.
    pub(super) fn on_finished(&mut self, board: &mut Board, token: u64) {
        if let Some(music) = self.sound.music_after(token) {
            let next = music.map(|music| (sound::music(music), board.next_number()));
            let next = next.map(|(program, token)| Hearing::Program(program, token));
            self.sound.hear(next.unwrap_or(Hearing::Nothing));
            board.propose(self.id, Command::FinishPrompt { leg: self.id });
        }
    }

    /// Lets the party talk with another; an unanswered caller is answered.
    fn meet(&mut self, board: &mut Board, partner: LegId) {
        self.sound.hear(Hearing::Partner(partner));
        self.accept_caller(board);
    }
}
