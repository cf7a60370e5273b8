//! Follows what the log says about trunks, settings of calls, and prompts, and hands it to those
//! who work with it.
//!
//! Always holds: whoever missed something is given the whole of it anew; a prompt that has not
//! changed is not read again; one whose file has changed is, also when nothing was said in the log.
//!
//! Not here: the folder, which is one of those who say it ([`super::watch`]).

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::task::spawn_blocking;

use crate::acd::config::PromptConfig;
use crate::acd::config::TrunkConfig;
use crate::acd::fact::ConfigKind;
use crate::acd::fact::Fact;
use crate::base::id::LogIndex;
use crate::base::time::Millis;
use crate::cluster::handle::Handle;
use crate::node::config::prompts::Loaded;
use crate::node::rtp::MediaThreads;
use crate::node::shard::Shards;

/// How often the files of prompts are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Follows what happens after `after` until the runtime ends; `loaded` was loaded no earlier.
pub async fn follow(
    handle: Handle,
    shards: Shards,
    media: MediaThreads,
    (mut after, mut loaded): (LogIndex, Loaded),
) {
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        let Ok(mut happenings) = handle.happenings_after(after) else {
            // Too much has happened meanwhile: everything anew.
            after = handle.applied();
            tell(&handle, &shards);
            loaded = load_prompts(&handle, loaded).await;
            media.set_prompts(&loaded.set);
            continue;
        };
        loop {
            let is_due = tokio::select! {
                happening = happenings.next() => {
                    let Some(happening) = happening else { break };
                    after = happening.index;
                    if tells_of(&happening.facts, ConfigKind::Trunk) {
                        shards.trunks(&trunks(&handle));
                    }
                    if tells_of(&happening.facts, ConfigKind::Settings) {
                        shards.session_expires(session_expires(&handle));
                    }
                    tells_of(&happening.facts, ConfigKind::Prompt)
                }
                _ = look.tick() => !are_fresh(&loaded).await,
            };
            if is_due {
                loaded = load_prompts(&handle, loaded).await;
                media.set_prompts(&loaded.set);
            }
        }
    }
}

/// Tells the shards all that they follow, as configured now.
pub fn tell(handle: &Handle, shards: &Shards) {
    shards.trunks(&trunks(handle));
    shards.session_expires(session_expires(handle));
}

fn session_expires(handle: &Handle) -> Millis {
    handle.view(|view| view.settings().0.session_expires)
}

fn trunks(handle: &Handle) -> Arc<[TrunkConfig]> {
    handle.view(|view| view.trunk_configs().into_iter().map(|(trunk, _)| trunk.clone()).collect())
}

/// The prompts as configured now; those that are `before` already are not loaded again.
pub async fn load_prompts(handle: &Handle, before: Loaded) -> Loaded {
    let configured = prompt_configs(handle);
    let loaded = spawn_blocking(move || before.again(&configured)).await;
    // Loading does not panic; if the runtime is ending, nobody listens any more.
    loaded.unwrap_or_default()
}

async fn are_fresh(loaded: &Loaded) -> bool {
    let loaded = loaded.clone();
    spawn_blocking(move || loaded.is_fresh()).await.unwrap_or(true)
}

fn prompt_configs(handle: &Handle) -> Vec<PromptConfig> {
    handle
        .view(|view| view.prompt_configs().into_iter().map(|(prompt, _)| prompt.clone()).collect())
}

fn tells_of(facts: &[Fact], wanted: ConfigKind) -> bool {
    facts.iter().any(|fact| {
        matches!(
            fact,
            Fact::ConfigPut { kind, .. } | Fact::ConfigRemoved { kind, .. } if *kind == wanted
        )
    })
}
