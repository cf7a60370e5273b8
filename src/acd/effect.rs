//! Everything the core may order: one page of plain data.
//!
//! Every replica computes every effect; each carries its [`Owner`], and the owner alone acts. An
//! owner that has restarted since is a different owner, so a replayed order reaches nobody.
//!
//! Always holds: an effect is ordered once, by the entry that caused it, and names a leg the state
//! knows, or has just forgotten (`ReleaseLeg`, `ReleaseOrphan`).
//!
//! Not here: how a phone is rung or a tone is played (`b2bua::execute`, `media`).

use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;

use crate::acd::command::Caller;
use crate::acd::command::Dialog;
use crate::acd::config::Address;
use crate::acd::config::CallerTreatment;
use crate::acd::config::DeviceConfig;
use crate::base::id::AgentId;
use crate::base::id::LegId;
use crate::base::id::Owner;
use crate::base::id::PromptId;
use crate::base::id::QueueId;
use crate::base::time::Millis;

/// An effect and who is to carry it out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Who is to do it.
    pub owner: Owner,
    /// What is to be done.
    pub effect: Effect,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// Answer the caller as the queue says, and let them hear welcome, music, announcements.
    ///
    /// Ordered again when the call moves to another queue, or comes back to its own after a
    /// transfer or a talk that ended without the caller's doing, then without the welcome: the new
    /// treatment replaces what was heard before, and a caller answered already stays answered.
    HoldCaller {
        /// The caller's.
        leg: LegId,
        /// Where the caller waits.
        queue: QueueId,
        /// What to let them hear.
        treatment: CallerTreatment,
    },
    /// Go on with a leg whose node is gone: reach its party again, and hear what comes next.
    ///
    /// What the party is to hear is ordered right after it. A party that is not found is reported
    /// as lost with its node.
    AdoptLeg {
        /// Which leg.
        leg: LegId,
        /// The last picture of its dialog.
        dialog: Dialog,
    },
    /// Ring an agent's phone.
    RingAgent(Box<Ring>),
    /// Join the two; the caller's music stops, an unanswered caller is answered.
    JoinLegs {
        /// The caller's leg.
        caller: LegId,
        /// The agent's leg.
        agent: LegId,
    },
    /// End the leg in the way its dialog needs: a final status, CANCEL, or BYE.
    ReleaseLeg {
        /// Which leg; the state has forgotten it.
        leg: LegId,
        /// Decides status and Reason.
        cause: Cause,
    },
    /// End a leg of a node that is gone, of which only the dialog is left.
    ReleaseOrphan {
        /// Which leg; the state has forgotten it.
        leg: LegId,
        /// The last picture of its dialog.
        dialog: Dialog,
        /// Decides status and Reason.
        cause: Cause,
    },
    /// Play once, then report `FinishPrompt`; answers with 183 if the leg is not answered.
    PlayPrompt {
        /// The caller's.
        leg: LegId,
        /// What to play.
        prompt: PromptId,
        /// What is heard then, until something else is ordered: a transfer may take its time.
        music: Option<PromptId>,
    },
    /// Send the party to another address (REFER, or 302 while unanswered), then report
    /// `SettleTransfer`.
    TransferLeg {
        /// The caller's.
        leg: LegId,
        /// Where to.
        to: Address,
    },
}

impl Effect {
    /// The leg the effect is about; a join is about the caller's.
    pub fn leg(&self) -> LegId {
        match self {
            Self::HoldCaller { leg, .. }
            | Self::AdoptLeg { leg, .. }
            | Self::ReleaseLeg { leg, .. }
            | Self::ReleaseOrphan { leg, .. }
            | Self::PlayPrompt { leg, .. }
            | Self::TransferLeg { leg, .. } => *leg,
            Self::RingAgent(ring) => ring.leg,
            Self::JoinLegs { caller, .. } => *caller,
        }
    }
}

/// Everything needed to ring one agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ring {
    /// The leg to make.
    pub leg: LegId,
    /// Whose phone.
    pub agent: AgentId,
    /// Where that is.
    pub device: DeviceConfig,
    /// For which queue.
    pub queue: QueueId,
    /// Shown to the agent before the caller's name.
    pub queue_display_name: String,
    /// Who calls.
    pub caller: Arc<Caller>,
    /// How long the caller has waited by now.
    pub waited: Millis,
}

/// Why a leg is released; decides status, Reason header and what the phone logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Cause {
    /// The other party hung up.
    HungUp,
    /// The agent did not answer in time.
    RingOut,
    /// Another agent answered: `Reason: SIP;cause=200`.
    AnsweredElsewhere,
    /// The caller is gone before the agent answered.
    CallerGone,
    /// The queue's rule: this status while unanswered, BYE afterwards.
    TurnedAway(u16),
    /// A person asked for it.
    Requested,
    /// The call went elsewhere by transfer.
    Transferred,
    /// The agent was logged out by force.
    LoggedOut,
    /// The node that had the call was lost.
    NodeLost,
}
