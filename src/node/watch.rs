//! Follows the configuration folder while the node runs: what changes there becomes commands.
//!
//! The operating system tells of changes; a look every few seconds as well finds what it does not
//! tell (network file systems, a folder that was replaced).
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
use crate::node::count::Counts;
use crate::node::entropy;
use crate::node::folder;
use crate::node::folder::FolderError;
use crate::resource::Configuration;

/// How long after the first change to look: editors write in several steps.
const SETTLE: Duration = Duration::from_millis(150);

/// How often to look without being told.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Follows `folder` until the runtime ends.
pub async fn follow(folder: PathBuf, handle: Handle, counts: Counts) {
    let changed = Arc::new(Notify::new());
    let _watcher = watcher(&folder, &changed);
    let mut complained = None;
    loop {
        if timeout(LOOK_EVERY, changed.notified()).await.is_ok() {
            tokio::time::sleep(SETTLE).await;
        }
        if !handle.is_leader() {
            continue;
        }
        match apply(&folder, &handle).await {
            Ok(()) => complained = None,
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

/// Makes the state what the folder says; nothing changes if the folder has a mistake.
pub async fn apply(folder: &Path, handle: &Handle) -> Result<(), FolderError> {
    let wanted = read(folder, handle)?;
    for command in handle.view(|view| folder::changes(&wanted, view)) {
        match handle.propose(entropy::request_id(), command).await {
            Ok(applied) => {
                if let crate::acd::command::Outcome::Refused(refusal) = applied.outcome {
                    tracing::error!("a part of the configuration is refused: {refusal:?}");
                }
            }
            // The next look proposes what is still missing.
            Err(unavailable) => {
                tracing::warn!("the configuration waits for the cluster: {unavailable:?}");
                return Ok(());
            }
        }
    }
    Ok(())
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

/// Watches as well as this machine can; `None` leaves it to the regular look.
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
