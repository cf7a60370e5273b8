//! Follows the configuration folder while the node runs: what changes there becomes commands.
//!
//! The operating system tells of changes; a look every few seconds as well finds what it does not
//! tell (network file systems, a folder that was replaced).
//!
//! Ports and addresses are a node's own and read when it starts: what changed of them is said, and
//! shown as a metric, until the node is restarted.
//!
//! Always holds: only the leader proposes, so that several nodes with the same folder agree; a
//! folder that cannot be used is said once, not again at every look.
//!
//! Not here: reading and comparing ([`super::folder`]).

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use notify::RecursiveMode;
use notify::Watcher;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::cluster::handle::Handle;
use crate::node::config::folder;
use crate::node::config::folder::FolderError;
use crate::node::count::Counts;
use crate::node::entropy;
use crate::resource::Configuration;
use crate::resource::NodeSettings;

/// How long after the first change to look: editors write in several steps.
const SETTLE: Duration = Duration::from_millis(150);

/// How often to look without being told.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Follows `folder` until the runtime ends; `started` is what this node was started with.
pub async fn follow(folder: PathBuf, handle: Handle, counts: Counts, started: NodeSettings) {
    let bell = Bell::hang(&folder);
    let mut complained = None;
    let mut waiting = Vec::new();
    loop {
        bell.heard().await;
        match read(&folder, &handle) {
            Ok(wanted) => {
                complained = None;
                tell_waiting(&wanted.node, &started, &mut waiting, &counts);
                if handle.is_leader() {
                    apply(&wanted, &handle).await;
                }
            }
            Err(error) => {
                let words = complaint(&error);
                if complained.as_ref() != Some(&words) {
                    tracing::error!("the configuration is not used: {words}");
                    counts.config_rejected();
                    complained = Some(words);
                }
            }
        }
    }
}

/// Says, when it changes, what of this node's own settings waits for a restart.
fn tell_waiting(
    wanted: &NodeSettings,
    started: &NodeSettings,
    waiting: &mut Vec<&'static str>,
    counts: &Counts,
) {
    let changed = wanted.changed_since(started);
    if changed == *waiting {
        return;
    }
    counts.config_waiting(changed.len());
    if changed.is_empty() {
        tracing::info!("the Settings are again as this node was started with");
    } else {
        let fields = changed.join(", ");
        tracing::warn!(%fields, "changed in Settings, and used only after a restart of this node");
    }
    *waiting = changed;
}

/// Makes the state what was read from the folder.
pub async fn apply(wanted: &Configuration, handle: &Handle) {
    for command in handle.view(|view| folder::changes(wanted, view)) {
        match handle.propose(entropy::request_id(), command).await {
            Ok(applied) => {
                if let crate::acd::command::Outcome::Refused(refusal) = applied.outcome {
                    tracing::error!("a part of the configuration is refused: {refusal:?}");
                }
            }
            // The next look proposes what is still missing.
            Err(unavailable) => {
                tracing::warn!("the configuration waits for the cluster: {unavailable:?}");
                return;
            }
        }
    }
}

/// Reads the folder, which may name what is configured elsewhere.
pub fn read(folder: &Path, handle: &Handle) -> Result<Configuration, FolderError> {
    folder::read(folder, &|kind| handle.view(|view| folder::elsewhere(view, kind)))
}

/// All of it in one text, a line each.
pub fn complaint(error: &FolderError) -> String {
    match error {
        FolderError::Unreadable { .. } => error.to_string(),
        FolderError::Mistakes(mistakes) => {
            mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        }
    }
}

/// Rings when something in a folder may have changed.
pub struct Bell {
    changed: Arc<Notify>,
    /// `None` leaves it to the regular look.
    _watcher: Option<notify::RecommendedWatcher>,
}

impl Bell {
    /// Watches the folder as well as this machine can.
    pub fn hang(folder: &Path) -> Self {
        let changed = Arc::new(Notify::new());
        Self { _watcher: watcher(folder, &changed), changed }
    }

    /// Waits until it is time to look.
    pub async fn heard(&self) {
        if timeout(LOOK_EVERY, self.changed.notified()).await.is_ok() {
            tokio::time::sleep(SETTLE).await;
        }
    }
}

fn watcher(folder: &Path, changed: &Arc<Notify>) -> Option<notify::RecommendedWatcher> {
    let bell = Arc::clone(changed);
    let told = move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !event.kind.is_access()) {
            bell.notify_one();
        }
    };
    let mut watcher = notify::recommended_watcher(told).ok()?;
    watcher.watch(folder, RecursiveMode::NonRecursive).ok()?;
    Some(watcher)
}
