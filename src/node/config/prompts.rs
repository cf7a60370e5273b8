//! The prompts and music as configured, loaded from the program or from files.
//!
//! Always holds: a file that cannot be read leaves what was loaded before, else the built-in prompt
//! of that name, and is said in the log; a file that has changed is loaded anew; loading never
//! stops a call.
//!
//! Not here: decoding (`media::prompt`).

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::sync::LazyLock;

use crate::acd::config::PromptConfig;
use crate::acd::config::PromptSource;
use crate::base::id::PromptId;
use crate::media::built_in;
use crate::media::prompt;
use crate::media::prompt::Prompt;
use crate::media::prompt::PromptSet;

/// The prompts as they were loaded, and the files as they were then.
#[derive(Clone, Default)]
pub struct Loaded {
    /// What is played.
    pub set: Arc<PromptSet>,
    stamps: BTreeMap<PromptId, (PromptSource, Option<Stamp>)>,
}

/// Tells a file from what it was before, without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    file: (u64, u64),
    size: u64,
    written: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// Looks at the file; `None` if there is none.
    pub fn of(path: &str) -> Option<Self> {
        let seen = std::fs::metadata(path).ok()?;
        Some(Self {
            file: (seen.dev(), seen.ino()),
            size: seen.size(),
            written: (seen.mtime(), seen.mtime_nsec()),
            changed: (seen.ctime(), seen.ctime_nsec()),
        })
    }
}

impl Loaded {
    /// Loads those of `prompts` that have changed and takes the others as they are.
    pub fn again(&self, prompts: &[PromptConfig]) -> Self {
        let built_in = built_in();
        let mut set = built_in.clone();
        let mut stamps = BTreeMap::new();
        for config in prompts {
            let now = (config.source.clone(), stamp(config));
            let before = self.stamps.get(&config.id);
            let loaded = before.and_then(|_| self.set.find(&config.id).cloned());
            let found = if before == Some(&now) {
                loaded
            } else {
                let is_overwritten = before.is_some_and(|(source, _)| *source == now.0);
                if is_overwritten {
                    tracing::info!(prompt = %config.id, "its file has changed and is read again");
                }
                load_one(config, built_in).or_else(|| loaded.filter(|_| is_overwritten))
            };
            if let Some(prompt) = found {
                set.insert(config.id.clone(), prompt);
            }
            stamps.insert(config.id.clone(), now);
        }
        Self { set: Arc::new(set), stamps }
    }

    /// Tells whether every file is as it was when it was loaded.
    pub fn is_fresh(&self) -> bool {
        self.stamps.values().all(|(source, stamp)| match source {
            PromptSource::BuiltIn(_) => true,
            PromptSource::File(path) => Stamp::of(path) == *stamp,
        })
    }
}

fn stamp(config: &PromptConfig) -> Option<Stamp> {
    match &config.source {
        PromptSource::BuiltIn(_) => None,
        PromptSource::File(path) => Stamp::of(path),
    }
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
