//! The prompts and music as configured, loaded from the program or from files.
//!
//! Always holds: a file that cannot be read leaves the built-in prompt of that name in its place,
//! and is said in the log; loading never stops a call.
//!
//! Not here: decoding (`media::prompt`).

use std::sync::Arc;

use crate::acd::config::PromptConfig;
use crate::acd::config::PromptSource;
use crate::media::built_in;
use crate::media::prompt;
use crate::media::prompt::PromptSet;

/// Loads everything `prompts` names.
pub fn load(prompts: &[PromptConfig]) -> PromptSet {
    let mut set = built_in::prompts();
    for config in prompts {
        match &config.source {
            PromptSource::BuiltIn(name) => {
                let source = crate::base::id::PromptId::new(name);
                if let Some(prompt) = set.find(&source).cloned() {
                    set.insert(config.id.clone(), prompt);
                }
            }
            PromptSource::File(path) => {
                let read = std::fs::read(path)
                    .map_err(|error| error.to_string())
                    .and_then(|wav| prompt::decode(path, &wav).map_err(|error| error.to_string()));
                match read {
                    Ok(prompt) => set.insert(config.id.clone(), Arc::new(prompt)),
                    Err(error) => tracing::error!(prompt = %config.id, "not loaded: {error}"),
                }
            }
        }
    }
    set
}
