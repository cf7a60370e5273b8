//! One entry in: the clock goes forward, what is due happens, the command is carried out.
//!
//! ```text
//!   repeat? ── yes ─► the first outcome again, or a refusal if it asks something else
//!      │ no
//!   clock forward ► deadlines due, in order ► the command ► calls and agents meet ► remember
//! ```
//!
//! Always holds: the same entries in the same order give the same state, orders and facts on
//! every replica; nothing that can be written into an entry makes this function panic, and a
//! refused command leaves queues, calls and agents as they were.
//!
//! Not here: what any command does (each machine's own file), how entries are stored (`cluster`).

use crate::acd::State;
use crate::acd::agent::device;
use crate::acd::agent::login;
use crate::acd::agent::ready;
use crate::acd::call::arrive;
use crate::acd::call::end;
use crate::acd::call::hold;
use crate::acd::call::transfer;
use crate::acd::clock;
use crate::acd::command::Command;
use crate::acd::command::Entry;
use crate::acd::command::Outcome;
use crate::acd::command::Refusal;
use crate::acd::configure;
use crate::acd::legs;
pub use crate::acd::output::Output;
use crate::acd::queue::meet;
use crate::acd::queue::overflow;
use crate::acd::reservation;
use crate::base::id::LogIndex;

/// Applies one entry of the log: the only way to change a [`State`].
///
/// What it caused is added to `out`, which the caller hands in empty.
pub fn apply(state: &mut State, index: LogIndex, entry: &Entry, out: &mut Output) -> Outcome {
    state.index = index;
    if let Some(outcome) = state.requests.take(entry.request) {
        return outcome;
    }
    state.now = state.now.max(entry.proposed_at);
    clock::run_due(state, out);

    let outcome = match carry_out(state, &entry.command, out) {
        Ok(()) => Outcome::Done,
        Err(refusal) => {
            state.requests.refuse(entry.request, &refusal);
            Outcome::Refused(refusal)
        }
    };
    meet::settle(state, out);
    state.requests.file(state.now, entry.request);
    outcome
}

/// Sends the command to the file that knows what it means.
fn carry_out(state: &mut State, command: &Command, out: &mut Output) -> Result<(), Refusal> {
    match command {
        Command::Advance => Ok(()),
        Command::StartNode { owner } => legs::start_node(state, *owner, out),
        Command::LoseNode { owner } => legs::lose_node(state, *owner, out),

        Command::PutQueue { queue, source } => configure::put_queue(state, queue, *source, out),
        Command::RemoveQueue { queue, source } => {
            configure::remove_queue(state, queue, *source, out)
        }
        Command::PutAgent { agent, source } => configure::put_agent(state, agent, *source, out),
        Command::RemoveAgent { agent, source } => {
            configure::remove_agent(state, agent, *source, out)
        }
        Command::PutTrunk { trunk, source } => configure::put_trunk(state, trunk, *source, out),
        Command::RemoveTrunk { trunk, source } => {
            configure::remove_trunk(state, trunk, *source, out)
        }
        Command::PutPrompt { prompt, source } => configure::put_prompt(state, prompt, *source, out),
        Command::RemovePrompt { prompt, source } => {
            configure::remove_prompt(state, prompt, *source, out)
        }
        Command::PutSettings { settings, source } => {
            configure::put_settings(state, settings, *source, out)
        }

        Command::EnqueueCall(arrival) => arrive::enqueue(state, arrival, out),
        Command::AnswerReservation { leg, dialog } => reservation::answer(state, *leg, dialog, out),
        Command::FailReservation { leg, why } => reservation::fail(state, *leg, *why, out),
        Command::UpdateLeg { leg, dialog } => legs::update(state, *leg, dialog),
        Command::HoldLeg { leg, held } => hold::hold(state, *leg, *held, out),
        Command::EndLeg { leg, why } => end::end_leg(state, *leg, *why, out),
        Command::FinishPrompt { leg } => overflow::finish_prompt(state, *leg, out),
        Command::SettleTransfer { leg, refused } => transfer::settle(state, *leg, *refused, out),
        Command::TransferCall { call, to, by } => transfer::transfer(state, *call, to, by, out),
        Command::HangUpCall { call, by } => end::hang_up(state, *call, by, out),
        Command::PrioritizeCall { call, priority, by } => {
            arrive::prioritize(state, *call, *priority, by, out)
        }

        Command::LogIn(wish) => login::log_in(state, wish, out),
        Command::LogOut { agent, by } => login::log_out(state, agent, by, out),
        Command::ForceLogOut { agent, by } => login::force_log_out(state, agent, by, out),
        Command::SetReady { agent, by } => ready::set_ready(state, agent, by, out),
        Command::SetNotReady { agent, reason, by } => {
            ready::set_not_ready(state, agent, reason, by, out)
        }
        Command::EndWrapUp { agent, by } => ready::end_wrap_up(state, agent, by, out),
        Command::ReportDevice { agent, state: reported } => {
            device::report(state, agent, *reported, out)
        }
    }
}
