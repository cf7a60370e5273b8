//! What changing a queue, an agent and a trunk have in common.
//!
//! Always holds: a name in a body that nobody has is a mistake of that field (422 with its
//! pointer), not a missing page (404); a body reaches no file of the server.
//!
//! Not here: the three kinds themselves (`queues`, `agents`, `trunks`).

use serde::Serialize;
use utoipa::ToSchema;

use crate::acd::command::Command;
use crate::acd::view::View;
use crate::api::Api;
use crate::api::problem::Kind;
use crate::api::problem::Problem;
use crate::api::request::Answer;
use crate::api::request::Order;
use crate::api::request::found;
use crate::api::request::look;
use crate::cluster::handle::Handle;
use crate::resource;
use crate::resource::Outside;

/// An object that is no more.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Removed {
    kind: &'static str,
    name: String,
    removed: bool,
}

/// An object of this name is to be removed; what is not there is 404 with the names near it.
///
/// The core says whether it is there, so that a repeat is answered like the first.
pub(super) async fn remove(
    api: &Api,
    order: &Order,
    object: (&'static str, Kind),
    name: String,
    command: Command,
    known: fn(View<'_>) -> Vec<String>,
) -> Result<Answer<Removed>, Problem> {
    let (kind, unknown) = object;
    let asked = format!("removing the {}", kind.to_lowercase());
    match order.configure(api, || Ok(command), &asked).await {
        Ok(look) => Ok(look.answer(Removed { kind, name, removed: true })),
        Err(problem) if problem.is(unknown) => {
            look(api, |view| found(None, unknown, &name, || known(view)))
        }
        Err(problem) => Err(problem),
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

    fn known_names(&self, kind: resource::Kind) -> Vec<String> {
        self.handle.view(|view| match kind {
            resource::Kind::Queue => {
                view.queue_configs().iter().map(|(queue, _)| queue.id.to_string()).collect()
            }
            resource::Kind::Agent => {
                view.agent_configs().iter().map(|(agent, _)| agent.id.to_string()).collect()
            }
            resource::Kind::Trunk => {
                view.trunk_configs().iter().map(|(trunk, _)| trunk.id.to_string()).collect()
            }
            resource::Kind::Prompt => {
                view.prompt_configs().iter().map(|(prompt, _)| prompt.id.to_string()).collect()
            }
            resource::Kind::Settings => Vec::new(),
        })
    }
}
