//! Follows what the log says about trunks and prompts, and hands it to those who work with it.
//!
//! Always holds: whoever missed something is given the whole of it anew; a prompt that has not
//! changed is not read again.
//!
//! Not here: the folder, which is one of those who say it ([`super::watch`]).

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::StreamExt;

use crate::acd::config::PromptConfig;
use crate::acd::config::TrunkConfig;
use crate::acd::fact::ConfigKind;
use crate::acd::fact::Fact;
use crate::base::id::LogIndex;
use crate::base::id::PromptId;
use crate::cluster::handle::Handle;
use crate::media::prompt::PromptSet;
use crate::node::config::prompts;
use crate::node::rtp::MediaThreads;
use crate::node::shard::Shards;

/// Follows what happens after `after` until the runtime ends; `set` was loaded no earlier.
pub async fn follow(
    handle: Handle,
    shards: Shards,
    media: MediaThreads,
    (mut after, mut set): (LogIndex, Arc<PromptSet>),
) {
    loop {
        let Ok(mut happenings) = handle.happenings_after(after) else {
            // Too much has happened meanwhile: everything anew.
            after = handle.applied();
            shards.trunks(&trunks(&handle));
            set = load_prompts(&handle).await;
            media.set_prompts(&set);
            continue;
        };
        while let Some(happening) = happenings.next().await {
            after = happening.index;
            let changed = |kind| names(&happening.facts, kind).collect::<BTreeSet<&str>>();
            if !changed(ConfigKind::Trunk).is_empty() {
                shards.trunks(&trunks(&handle));
            }
            let prompts = changed(ConfigKind::Prompt);
            if !prompts.is_empty() {
                set = reload_prompts(&handle, set, &prompts).await;
                media.set_prompts(&set);
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
    let configured = prompt_configs(handle);
    let loaded = tokio::task::spawn_blocking(move || prompts::load(&configured)).await;
    // Loading does not panic; if the runtime is ending, nobody listens any more.
    Arc::new(loaded.unwrap_or_default())
}

/// The same, with only those of these names loaded anew.
async fn reload_prompts(
    handle: &Handle,
    before: Arc<PromptSet>,
    changed: &BTreeSet<&str>,
) -> Arc<PromptSet> {
    let configured = prompt_configs(handle);
    let changed: BTreeSet<PromptId> = changed.iter().map(|name| PromptId::new(name)).collect();
    let loaded = tokio::task::spawn_blocking(move || {
        prompts::reload(&before, &configured, |prompt| changed.contains(prompt))
    });
    Arc::new(loaded.await.unwrap_or_default())
}

fn prompt_configs(handle: &Handle) -> Vec<PromptConfig> {
    handle
        .view(|view| view.prompt_configs().into_iter().map(|(prompt, _)| prompt.clone()).collect())
}

/// The names of what was put or removed of a kind.
fn names(facts: &[Fact], wanted: ConfigKind) -> impl Iterator<Item = &str> {
    facts.iter().filter_map(move |fact| {
        if let Fact::ConfigPut { kind, name, .. } | Fact::ConfigRemoved { kind, name, .. } = fact
            && *kind == wanted
        {
            Some(name.as_str())
        } else {
            None
        }
    })
}
