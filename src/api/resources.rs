//! What changing a queue, an agent and a trunk have in common.
//!
//! Always holds: a name in a body that nobody has is a mistake of that field (422 with its
//! pointer), not a missing page (404); a body reaches no file of the server.
//!
//! Not here: the three kinds themselves (`queues`, `agents`, `trunks`).

use serde::Serialize;
use utoipa::ToSchema;

use crate::cluster::handle::Handle;
use crate::resource::Kind;
use crate::resource::Outside;

/// An object that is no more.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Removed {
    kind: &'static str,
    name: String,
    removed: bool,
}

impl Removed {
    pub(super) fn new(kind: &'static str, name: String) -> Self {
        Self { kind, name, removed: true }
    }
}

/// What a body may refer to: what is configured, and nothing on this node's disk.
pub(super) struct BodyOutside {
    pub(super) handle: Handle,
    pub(super) built_in_prompts: Vec<&'static str>,
}

impl Outside for BodyOutside {
    fn read_secret(&self, _path: &str) -> Result<String, String> {
        Err("a body cannot name a file of the server".to_owned())
    }

    fn check_audio(&self, _path: &str) -> Result<(), String> {
        Err("a body cannot name a file of the server".to_owned())
    }

    fn built_in_prompts(&self) -> &[&str] {
        &self.built_in_prompts
    }

    fn known_names(&self, kind: Kind) -> Vec<String> {
        self.handle.view(|view| match kind {
            Kind::Queue => {
                view.queue_configs().iter().map(|(queue, _)| queue.id.to_string()).collect()
            }
            Kind::Agent => {
                view.agent_configs().iter().map(|(agent, _)| agent.id.to_string()).collect()
            }
            Kind::Trunk => {
                view.trunk_configs().iter().map(|(trunk, _)| trunk.id.to_string()).collect()
            }
            Kind::Prompt => {
                view.prompt_configs().iter().map(|(prompt, _)| prompt.id.to_string()).collect()
            }
            Kind::Settings => Vec::new(),
        })
    }
}
