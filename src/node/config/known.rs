//! What the log holds of the configuration, and how a folder differs from it.
//!
//! It is copied out of the state, the large parts by sharing them, so that comparing thousands of
//! agents holds up nobody.
//!
//! Always holds: the parts are ordered by name; what the folder made and no longer names is
//! removed; what another source made is left alone.
//!
//! Not here: reading the folder ([`super::folder`]), what a command changes (`acd`).

use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::Arc;

use crate::acd::command::Command;
use crate::acd::config::Address;
use crate::acd::config::AgentConfig;
use crate::acd::config::PromptConfig;
use crate::acd::config::QueueConfig;
use crate::acd::config::Settings;
use crate::acd::config::Source;
use crate::acd::config::TrunkConfig;
use crate::acd::view::View;
use crate::base::id::AgentId;
use crate::base::id::PromptId;
use crate::base::id::QueueId;
use crate::base::id::TrunkId;
use crate::resource::Configuration;
use crate::resource::Kind;

/// The objects of one kind and who made them, in order of their names.
type Part<T> = Vec<(Arc<T>, Source)>;

/// All that is configured, at one moment.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Known {
    settings: Settings,
    settings_source: Option<Source>,
    prompts: Part<PromptConfig>,
    trunks: Part<TrunkConfig>,
    queues: Part<QueueConfig>,
    agents: Part<AgentConfig>,
}

/// Something that is configured under a name.
trait Object: PartialEq {
    type Id: Ord + Display;
    fn id(&self) -> &Self::Id;
}

impl Known {
    /// Copies what the state holds.
    pub fn of(view: View<'_>) -> Self {
        fn part<T: Clone>(configs: Vec<(&T, Source)>) -> Part<T> {
            configs.into_iter().map(|(config, source)| (Arc::new(config.clone()), source)).collect()
        }
        let (settings, settings_source) = view.settings();
        let agents = view.agent_configs().into_iter();
        Self {
            settings: settings.clone(),
            settings_source,
            prompts: part(view.prompt_configs()),
            trunks: part(view.trunk_configs()),
            queues: part(view.queue_configs()),
            agents: agents.map(|(agent, source)| (Arc::clone(agent), source)).collect(),
        }
    }

    /// Whether anybody has configured anything yet.
    pub fn is_configured(&self) -> bool {
        self.settings_source.is_some()
    }

    /// The names of this kind that another source than the folder has configured.
    pub fn elsewhere(&self, kind: Kind) -> Vec<String> {
        fn names<T: Object>(part: &Part<T>) -> Vec<String> {
            foreign(part).map(|config| config.id().to_string()).collect()
        }
        match kind {
            Kind::Queue => names(&self.queues),
            Kind::Agent => names(&self.agents),
            Kind::Trunk => names(&self.trunks),
            Kind::Prompt => names(&self.prompts),
            Kind::Settings => Vec::new(),
        }
    }

    /// The addresses of queues that another source than the folder has configured.
    pub fn addresses_elsewhere(&self) -> Vec<(Address, QueueId)> {
        let queues = foreign(&self.queues);
        let claims = queues.flat_map(|queue| queue.addresses.iter().map(move |it| (it, queue)));
        claims.map(|(address, queue)| (address.clone(), queue.id.clone())).collect()
    }

    /// The commands that make the state what the folder says.
    ///
    /// What others need comes first: settings, prompts, trunks, queues, agents; what is gone is
    /// removed before, in the other direction.
    pub fn changes(&self, wanted: &Configuration) -> Vec<Command> {
        let source = Source::Folder;
        let mut commands = self.removals(wanted);
        if self.settings != wanted.settings || self.settings_source != Some(source) {
            let settings = Box::new(wanted.settings.clone());
            commands.push(Command::PutSettings { settings, source });
        }
        commands.extend(
            differing(&wanted.prompts, &self.prompts)
                .map(|prompt| Command::PutPrompt { prompt: Box::new(prompt.clone()), source }),
        );
        commands.extend(
            differing(&wanted.trunks, &self.trunks)
                .map(|trunk| Command::PutTrunk { trunk: Box::new(trunk.clone()), source }),
        );
        commands.extend(
            differing(&wanted.queues, &self.queues)
                .map(|queue| Command::PutQueue { queue: Box::new(queue.clone()), source }),
        );
        commands.extend(
            differing(&wanted.agents, &self.agents)
                .map(|agent| Command::PutAgent { agent: Box::new(agent.clone()), source }),
        );
        commands
    }

    fn removals(&self, wanted: &Configuration) -> Vec<Command> {
        let source = Source::Folder;
        let agents = gone(&wanted.agents, &self.agents);
        let queues = gone(&wanted.queues, &self.queues);
        let trunks = gone(&wanted.trunks, &self.trunks);
        let prompts = gone(&wanted.prompts, &self.prompts);
        let agents = agents.into_iter().map(|agent| Command::RemoveAgent { agent, source });
        let queues = queues.into_iter().map(|queue| Command::RemoveQueue { queue, source });
        let trunks = trunks.into_iter().map(|trunk| Command::RemoveTrunk { trunk, source });
        let prompts = prompts.into_iter().map(|prompt| Command::RemovePrompt { prompt, source });
        agents.chain(queues).chain(trunks).chain(prompts).collect()
    }
}

fn foreign<T>(part: &Part<T>) -> impl Iterator<Item = &Arc<T>> {
    part.iter().filter(|(_, source)| *source != Source::Folder).map(|(config, _)| config)
}

/// Those that the log does not have just so.
fn differing<'a, T: Object>(
    wanted: &'a [T],
    known: &'a Part<T>,
) -> impl Iterator<Item = &'a T> + use<'a, T> {
    wanted.iter().filter(|config| {
        let found = known.binary_search_by(|(known, _)| known.id().cmp(config.id()));
        found.map_or(true, |nth| *known[nth].0 != **config)
    })
}

/// Those the folder made and no longer names.
fn gone<T: Object<Id: Clone>>(wanted: &[T], known: &Part<T>) -> Vec<T::Id> {
    let named: BTreeSet<&T::Id> = wanted.iter().map(Object::id).collect();
    let ours = known.iter().filter(|(_, source)| *source == Source::Folder);
    let gone = ours.map(|(config, _)| config.id()).filter(|id| !named.contains(id));
    gone.cloned().collect()
}

impl Object for PromptConfig {
    type Id = PromptId;
    fn id(&self) -> &PromptId {
        &self.id
    }
}

impl Object for TrunkConfig {
    type Id = TrunkId;
    fn id(&self) -> &TrunkId {
        &self.id
    }
}

impl Object for QueueConfig {
    type Id = QueueId;
    fn id(&self) -> &QueueId {
        &self.id
    }
}

impl Object for AgentConfig {
    type Id = AgentId;
    fn id(&self) -> &AgentId {
        &self.id
    }
}
