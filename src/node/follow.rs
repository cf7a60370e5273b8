//! Follows what the log says about trunks and prompts, and hands it to those who work with it.
//!
//! Always holds: whoever missed something is given the whole of it anew.
//!
//! Not here: the folder, which is one of those who say it ([`super::watch`]).

use std::sync::Arc;

use futures_util::StreamExt;

use crate::acd::config::PromptConfig;
use crate::acd::config::TrunkConfig;
use crate::acd::fact::ConfigKind;
use crate::acd::fact::Fact;
use crate::cluster::handle::Handle;
use crate::media::prompt::PromptSet;
use crate::node::prompts;
use crate::node::rtp::MediaThreads;
use crate::node::shard::Shards;

/// Follows until the runtime ends.
pub async fn follow(handle: Handle, shards: Shards, media: MediaThreads) {
    loop {
        let after = handle.applied();
        shards.trunks(&trunks(&handle));
        media.set_prompts(&load_prompts(&handle).await);
        let Ok(mut happenings) = handle.happenings_after(after) else { continue };
        while let Some(happening) = happenings.next().await {
            for fact in &happening.facts {
                match kind_of(fact) {
                    Some(ConfigKind::Trunk) => shards.trunks(&trunks(&handle)),
                    Some(ConfigKind::Prompt) => {
                        media.set_prompts(&load_prompts(&handle).await);
                    }
                    Some(ConfigKind::Queue | ConfigKind::Agent | ConfigKind::Settings) | None => {}
                }
            }
        }
    }
}

/// The trunks as configured now.
pub fn trunks(handle: &Handle) -> Arc<[TrunkConfig]> {
    handle.view(|view| view.trunk_configs().into_iter().map(|(trunk, _)| trunk.clone()).collect())
}

/// The prompts as configured now, loaded.
pub async fn load_prompts(handle: &Handle) -> Arc<PromptSet> {
    let configured: Vec<PromptConfig> = handle
        .view(|view| view.prompt_configs().into_iter().map(|(prompt, _)| prompt.clone()).collect());
    let loaded = tokio::task::spawn_blocking(move || prompts::load(&configured)).await;
    // Loading does not panic; if the runtime is ending, nobody listens any more.
    Arc::new(loaded.unwrap_or_default())
}

fn kind_of(fact: &Fact) -> Option<ConfigKind> {
    if let Fact::ConfigPut { kind, .. } | Fact::ConfigRemoved { kind, .. } = fact {
        Some(*kind)
    } else {
        None
    }
}
