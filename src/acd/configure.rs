//! Who may change the configuration, and the objects nobody waits in: trunks, prompts, settings.
//!
//! Every object remembers the source it came from (the folder, Kubernetes, REST) and is changed
//! or removed only from there; another source is refused with where the object lives.
//!
//! Always holds: a refused change changes nothing; putting the same object twice is one change.
//!
//! Not here: what a change does to callers (`queue::configure`) and agents (`agent::configure`);
//! checking an object by itself (`resource`).

use crate::acd::State;
use crate::acd::agent;
use crate::acd::command::Refusal;
use crate::acd::config::AgentConfig;
use crate::acd::config::PromptConfig;
use crate::acd::config::QueueConfig;
use crate::acd::config::Settings;
use crate::acd::config::Source;
use crate::acd::config::TrunkConfig;
use crate::acd::fact::ConfigKind;
use crate::acd::fact::Fact;
use crate::acd::output::Output;
use crate::acd::queue;
use crate::base::id::AgentId;
use crate::base::id::PromptId;
use crate::base::id::QueueId;
use crate::base::id::TrunkId;

/// Makes a queue or changes it.
pub(super) fn put_queue(
    state: &mut State,
    config: &QueueConfig,
    source: Source,
    out: &mut Output,
) -> Result<(), Refusal> {
    let former = state.queues.get(&config.id).filter(|queue| !queue.draining);
    check_source(config.id.as_str(), former.map(|queue| queue.source), source)?;
    queue::configure::put(state, config, source)?;
    tell_put(ConfigKind::Queue, config.id.as_str(), source, out);
    Ok(())
}

/// Makes an agent or changes it.
pub(super) fn put_agent(
    state: &mut State,
    config: &AgentConfig,
    source: Source,
    out: &mut Output,
) -> Result<(), Refusal> {
    let former = state.agents.get(&config.id).map(|agent| agent.source);
    check_source(config.id.as_str(), former, source)?;
    agent::configure::put(state, config.clone(), source, out);
    tell_put(ConfigKind::Agent, config.id.as_str(), source, out);
    Ok(())
}

/// Makes a trunk or changes it.
pub(super) fn put_trunk(
    state: &mut State,
    config: &TrunkConfig,
    source: Source,
    out: &mut Output,
) -> Result<(), Refusal> {
    let former = state.trunks.get(&config.id).map(|(_, source)| *source);
    check_source(config.id.as_str(), former, source)?;
    state.trunks.insert(config.id.clone(), (config.clone(), source));
    tell_put(ConfigKind::Trunk, config.id.as_str(), source, out);
    Ok(())
}

/// Makes a prompt or changes it.
pub(super) fn put_prompt(
    state: &mut State,
    config: &PromptConfig,
    source: Source,
    out: &mut Output,
) -> Result<(), Refusal> {
    let former = state.prompts.get(&config.id).map(|(_, source)| *source);
    check_source(config.id.as_str(), former, source)?;
    state.prompts.insert(config.id.clone(), (config.clone(), source));
    tell_put(ConfigKind::Prompt, config.id.as_str(), source, out);
    Ok(())
}

fn check_source(name: &str, former: Option<Source>, asking: Source) -> Result<(), Refusal> {
    match former {
        Some(source) if source != asking => {
            Err(Refusal::OtherSource { name: name.to_owned(), source })
        }
        Some(_) | None => Ok(()),
    }
}

fn tell_put(kind: ConfigKind, name: &str, source: Source, out: &mut Output) {
    out.fact(Fact::ConfigPut { kind, name: name.to_owned(), source });
}

fn tell_removed(kind: ConfigKind, name: &str, source: Source, out: &mut Output) {
    out.fact(Fact::ConfigRemoved { kind, name: name.to_owned(), source });
}

/// Changes the settings.
pub(super) fn put_settings(
    state: &mut State,
    settings: &Settings,
    source: Source,
    out: &mut Output,
) -> Result<(), Refusal> {
    check_source("default", state.settings_source, source)?;
    state.settings = settings.clone();
    state.settings_source = Some(source);
    agent::configure::reset_deadlines(state);
    tell_put(ConfigKind::Settings, "default", source, out);
    Ok(())
}

/// Removes a queue.
pub(super) fn remove_queue(
    state: &mut State,
    id: &QueueId,
    source: Source,
    out: &mut Output,
) -> Result<(), Refusal> {
    let former = state.queues.get(id).filter(|queue| !queue.draining);
    let former = former.ok_or_else(|| Refusal::UnknownQueue(id.clone()))?;
    check_source(id.as_str(), Some(former.source), source)?;
    tell_removed(ConfigKind::Queue, id.as_str(), source, out);
    queue::configure::remove(state, id, out);
    Ok(())
}

/// Removes an agent.
pub(super) fn remove_agent(
    state: &mut State,
    id: &AgentId,
    source: Source,
    out: &mut Output,
) -> Result<(), Refusal> {
    let former = state.agents.get(id).ok_or_else(|| Refusal::UnknownAgent(id.clone()))?;
    check_source(id.as_str(), Some(former.source), source)?;
    agent::configure::remove(state, id, out);
    tell_removed(ConfigKind::Agent, id.as_str(), source, out);
    Ok(())
}

/// Removes a trunk.
pub(super) fn remove_trunk(
    state: &mut State,
    id: &TrunkId,
    source: Source,
    out: &mut Output,
) -> Result<(), Refusal> {
    let former = state.trunks.get(id).ok_or_else(|| Refusal::UnknownTrunk(id.clone()))?;
    check_source(id.as_str(), Some(former.1), source)?;
    state.trunks.remove(id);
    tell_removed(ConfigKind::Trunk, id.as_str(), source, out);
    Ok(())
}

/// Removes a prompt.
pub(super) fn remove_prompt(
    state: &mut State,
    id: &PromptId,
    source: Source,
    out: &mut Output,
) -> Result<(), Refusal> {
    let former = state.prompts.get(id).ok_or_else(|| Refusal::UnknownPrompt(id.clone()))?;
    check_source(id.as_str(), Some(former.1), source)?;
    state.prompts.remove(id);
    tell_removed(ConfigKind::Prompt, id.as_str(), source, out);
    Ok(())
}
