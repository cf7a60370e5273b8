//! The prompts and music as configured, loaded from the program or from files.
//!
//! Always holds: a file that cannot be read leaves the built-in prompt of that name in its place,
//! and is said in the log; loading never stops a call.
//!
//! Not here: decoding (`media::prompt`).

use std::sync::Arc;
use std::sync::LazyLock;

use crate::acd::config::PromptConfig;
use crate::acd::config::PromptSource;
use crate::base::id::PromptId;
use crate::media::built_in;
use crate::media::prompt;
use crate::media::prompt::Prompt;
use crate::media::prompt::PromptSet;

/// Loads everything `prompts` names.
pub fn load(prompts: &[PromptConfig]) -> PromptSet {
    reload(&PromptSet::default(), prompts, |_| true)
}

/// Loads those of `prompts` that have changed and takes the others as they were loaded.
pub fn reload(
    loaded: &PromptSet,
    prompts: &[PromptConfig],
    has_changed: impl Fn(&PromptId) -> bool,
) -> PromptSet {
    let built_in = built_in();
    let mut set = built_in.clone();
    for config in prompts {
        let kept = loaded.find(&config.id).filter(|_| !has_changed(&config.id)).cloned();
        if let Some(prompt) = kept.or_else(|| load_one(config, built_in)) {
            set.insert(config.id.clone(), prompt);
        }
    }
    set
}

/// Decoded once in the life of the process.
fn built_in() -> &'static PromptSet {
    static BUILT_IN: LazyLock<PromptSet> = LazyLock::new(built_in::prompts);
    &BUILT_IN
}

fn load_one(config: &PromptConfig, built_in: &PromptSet) -> Option<Arc<Prompt>> {
    match &config.source {
        PromptSource::BuiltIn(name) => built_in.find(&PromptId::new(name)).cloned(),
        PromptSource::File(path) => {
            let read = std::fs::read(path)
                .map_err(|error| error.to_string())
                .and_then(|wav| prompt::decode(path, &wav).map_err(|error| error.to_string()));
            match read {
                Ok(prompt) => Some(Arc::new(prompt)),
                Err(error) => {
                    tracing::error!(prompt = %config.id, "not loaded: {error}");
                    None
                }
            }
        }
    }
}
