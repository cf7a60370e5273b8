//! Follows the configuration folder while the node runs: what changes there becomes commands.
//!
//! The operating system tells of changes; a look every few seconds as well finds what it does not
//! tell (network file systems, a folder that was replaced).
//!
//! | the folder | the log holds a configuration | then |
//! |---|---|---|
//! | is good | | what differs is proposed |
//! | has a mistake | yes | nothing changes, and a node that starts is as it was |
//! | has a mistake | no | the node does not start |
//!
//! Ports and addresses are a node's own and read when it starts: what changed of them is said, and
//! shown as a metric, until the node is restarted. Its limits of what others may send are its own,
//! too, and used at once.
//!
//! Always holds: only the leader proposes, so that several nodes with the same folder agree; a
//! mistake or a refusal is said and counted once, not again at every look; while neither the files
//! nor the log changed, nothing is read again or compared; disks are waited for in threads of
//! their own.
//!
//! Not here: reading ([`super::folder`]), comparing ([`super::known`]).

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use notify::RecursiveMode;
use notify::Watcher;
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::acd::command::Command;
use crate::acd::command::Outcome;
use crate::acd::command::Refusal;
use crate::cluster::handle::Handle;
use crate::cluster::handle::Unavailable;
use crate::node::config::accepted;
use crate::node::config::folder;
use crate::node::config::folder::Beside;
use crate::node::config::folder::FolderError;
use crate::node::config::folder::Texts;
use crate::node::config::known::Known;
use crate::node::count::Counts;
use crate::node::entropy;
use crate::resource::Configuration;
use crate::resource::Mistake;
use crate::resource::NodeSettings;

/// How long after the first change to look: editors write in several steps.
const SETTLE: Duration = Duration::from_millis(150);

/// How often to look without being told.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A folder that is followed.
pub struct Watch {
    folder: PathBuf,
    data: PathBuf,
    handle: Handle,
    counts: Counts,
    bell: Bell,
    /// What this node was started with.
    started: NodeSettings,
    /// What it uses by now of what is followed.
    followed: NodeSettings,
    /// What is kept for the next start.
    kept: Option<NodeSettings>,
    is_first_start: bool,
    last: Option<Look>,
    complained: Vec<String>,
    refused: Vec<Refusal>,
    overlooked: Vec<String>,
    waiting: Vec<&'static str>,
}

/// What was found at one look.
struct Look {
    texts: Texts,
    known: Arc<Known>,
    beside: Beside,
    found: Result<Arc<Configuration>, Vec<Mistake>>,
    /// Everything that differed was proposed, and had an answer.
    is_settled: bool,
}

impl Watch {
    /// Reads the folder; with a mistake in it, takes what was accepted last.
    pub async fn begin(
        folder: &Path,
        data: &Path,
        handle: &Handle,
        counts: &Counts,
    ) -> Result<Self, FolderError> {
        let kept = accepted::read(data);
        let is_first_start = kept.is_none() || !handle.view(Known::of).is_configured();
        let mut watch = Self {
            folder: folder.to_owned(),
            data: data.to_owned(),
            handle: handle.clone(),
            counts: counts.clone(),
            bell: Bell::hang(folder),
            started: kept.clone().unwrap_or_default(),
            followed: NodeSettings::default(),
            kept,
            is_first_start,
            last: None,
            complained: Vec::new(),
            refused: Vec::new(),
            overlooked: Vec::new(),
            waiting: Vec::new(),
        };
        match watch.look().await {
            Ok(wanted) => watch.started = wanted.node.clone(),
            Err(error) if watch.is_first_start => return Err(error),
            Err(error) => {
                watch.complain(error.lines());
                tracing::warn!("the node starts with the configuration it accepted last");
            }
        }
        watch.followed = watch.started.clone();
        Ok(watch)
    }

    /// What this node starts with.
    pub fn settings(&self) -> &NodeSettings {
        &self.started
    }

    /// Whether nothing was ever accepted before, to which one could keep.
    pub fn is_first_start(&self) -> bool {
        self.is_first_start
    }

    /// Follows the folder until the runtime ends; `told` hears of the node's settings, of which
    /// the limits are used at once.
    pub async fn follow(mut self, told: impl Fn(&NodeSettings)) {
        loop {
            self.bell.heard().await;
            match self.look().await {
                Ok(wanted) => {
                    self.complained.clear();
                    self.tell_waiting(&wanted.node);
                    told(&wanted.node);
                    self.tell_followed(&wanted.node);
                    self.apply().await;
                }
                Err(error) => self.complain(error.lines()),
            }
        }
    }

    /// Looks at the folder, and reads it if anything has changed.
    async fn look(&mut self) -> Result<Arc<Configuration>, FolderError> {
        let known = self.handle.view(Known::of);
        let (folder, last) = (self.folder.clone(), self.last.take());
        let looked = spawn_blocking(move || look(&folder, known, last)).await;
        // Looking does not panic; if the runtime is ending, nobody listens any more.
        let look = looked.map_err(|error| FolderError::Unreadable {
            path: self.folder.clone(),
            source: error.into(),
        })??;
        if look.texts.overlooked != self.overlooked {
            self.overlooked.clone_from(&look.texts.overlooked);
            self.overlooked.iter().for_each(|overlooked| tracing::warn!("{overlooked}"));
        }
        let found = look.found.clone().map_err(FolderError::Mistakes);
        self.last = Some(look);
        found
    }

    /// Makes the state what was read last, if this node leads.
    pub async fn apply(&mut self) {
        let Some(look) = &self.last else { return };
        let Ok(wanted) = &look.found else { return };
        let wanted = Arc::clone(wanted);
        if !look.is_settled && self.handle.is_leader() {
            let (compared, known) = (Arc::clone(&wanted), Arc::clone(&look.known));
            let Ok(commands) = spawn_blocking(move || known.changes(&compared)).await else {
                return; // The runtime is ending.
            };
            match self.propose(commands).await {
                Ok(refused) => self.tell_refused(refused),
                // The next look proposes what is still missing.
                Err(unavailable) => {
                    tracing::warn!("the configuration waits for the cluster: {unavailable:?}");
                    return;
                }
            }
            self.last.iter_mut().for_each(|look| look.is_settled = true);
        }
        self.keep(&wanted.node);
    }

    /// Proposes one after another; what the core refuses.
    async fn propose(&self, commands: Vec<Command>) -> Result<Vec<Refusal>, Unavailable> {
        let mut refused = Vec::new();
        for command in commands {
            let applied = self.handle.propose(entropy::request_id(), command).await?;
            if let Outcome::Refused(refusal) = applied.outcome {
                refused.push(refusal);
            }
        }
        Ok(refused)
    }

    /// Says and counts what is wrong, unless it was said last time.
    fn complain(&mut self, lines: Vec<String>) {
        if lines != self.complained {
            let tell = |line| tracing::error!("the configuration is not used: {line}");
            lines.iter().for_each(tell);
            self.counts.config_rejected();
            self.complained = lines;
        }
    }

    /// The same of what only the core could find out.
    fn tell_refused(&mut self, refused: Vec<Refusal>) {
        if refused != self.refused && !refused.is_empty() {
            let tell = |it| tracing::error!("a part of the configuration is refused: {it:?}");
            refused.iter().for_each(tell);
            self.counts.config_rejected();
        }
        self.refused = refused;
    }

    /// Keeps the settings for a start with a folder that cannot be used.
    fn keep(&mut self, settings: &NodeSettings) {
        if self.kept.as_ref() == Some(settings) {
            return;
        }
        match accepted::write(&self.data, settings) {
            Ok(()) => self.kept = Some(settings.clone()),
            Err(error) => tracing::warn!("the settings cannot be kept in the data: {error}"),
        }
    }

    /// Says what has changed of this node's own settings that is used already.
    fn tell_followed(&mut self, wanted: &NodeSettings) {
        let changed = wanted.followed_since(&self.followed);
        if !changed.is_empty() {
            let fields = changed.join(", ");
            tracing::info!(%fields, "changed in Settings, and used from now on");
            self.followed = wanted.clone();
        }
    }

    /// Says, when it changes, what of this node's own settings waits for a restart.
    fn tell_waiting(&mut self, wanted: &NodeSettings) {
        let changed = wanted.changed_since(&self.started);
        if changed == self.waiting {
            return;
        }
        self.counts.config_waiting(changed.len());
        if changed.is_empty() {
            tracing::info!("the Settings are again as this node was started with");
        } else {
            let fields = changed.join(", ");
            tracing::warn!(%fields, "changed in Settings, and used only after a restart");
        }
        self.waiting = changed;
    }
}

/// One look; the last one again if nothing has changed since.
fn look(folder: &Path, known: Known, last: Option<Look>) -> Result<Look, FolderError> {
    let texts = folder::look(folder)?;
    if let Some(last) = last
        && last.texts == texts
        && *last.known == known
        && last.beside.is_unchanged()
    {
        return Ok(last);
    }
    let (found, beside) = folder::read(&texts, &known);
    let (found, known) = (found.map(Arc::new), Arc::new(known));
    Ok(Look { texts, known, beside, found, is_settled: false })
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
