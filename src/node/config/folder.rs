//! The folder of YAML files: read, checked, compared with the state, watched.
//!
//! ```text
//! files ─► resource::read ─► mistakes ─► reported, nothing changes
//!                         └► configuration ─► what differs ─► commands for the log
//! ```
//!
//! Always holds: a folder with one mistake changes nothing; what the folder made and no longer
//! names is removed; what another source made is left alone.
//!
//! Not here: the shapes and sentences (`resource`), what a command changes (`acd`).

use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::acd::command::Command;
use crate::acd::config::Source;
use crate::acd::view::View;
use crate::media::built_in;
use crate::media::prompt;
use crate::resource;
use crate::resource::Configuration;
use crate::resource::File;
use crate::resource::Kind;
use crate::resource::Mistake;
use crate::resource::Outside;

/// Why a folder could not be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file or the folder itself cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Everything that is wrong with it.
    #[error("{} in the configuration", count(.0.len()))]
    Mistakes(Vec<Mistake>),
}

fn count(mistakes: usize) -> String {
    if mistakes == 1 { "1 mistake".to_owned() } else { format!("{mistakes} mistakes") }
}

/// What files beside the configuration tell the checks.
pub struct Disk<'a> {
    /// The prompts that come with the program.
    pub built_in: Vec<&'static str>,
    /// The names configured elsewhere, once there is a state.
    pub elsewhere: &'a dyn Fn(Kind) -> Vec<String>,
}

impl<'a> Disk<'a> {
    /// Looks at this machine's disk.
    pub fn new(elsewhere: &'a dyn Fn(Kind) -> Vec<String>) -> Self {
        let built_in = built_in::FILES.iter().map(|(name, _)| *name).collect();
        Self { built_in, elsewhere }
    }
}

impl Outside for Disk<'_> {
    fn read_secret(&self, path: &str) -> Result<String, String> {
        let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
        Ok(text.trim_end_matches(['\r', '\n']).to_owned())
    }

    fn check_audio(&self, path: &str) -> Result<(), String> {
        let bytes = fs::read(path).map_err(|error| error.to_string())?;
        prompt::decode(path, &bytes).map(drop).map_err(|error| error.to_string())
    }

    fn built_in_prompts(&self) -> &[&str] {
        &self.built_in
    }

    fn known_names(&self, kind: Kind) -> Vec<String> {
        (self.elsewhere)(kind)
    }
}

/// Reads and checks every YAML and JSON file of the folder, in order of their names, or one file.
pub fn read(
    folder: &Path,
    elsewhere: &dyn Fn(Kind) -> Vec<String>,
) -> Result<Configuration, FolderError> {
    let texts = texts(folder)?;
    let files: Vec<File<'_>> = texts.iter().map(|(name, text)| File { name, text }).collect();
    resource::read(&files, &Disk::new(elsewhere)).map_err(FolderError::Mistakes)
}

/// The files' names, as mistakes are to show them, and what they hold.
fn texts(folder: &Path) -> Result<Vec<(String, String)>, FolderError> {
    let unreadable =
        |path: &Path, source| FolderError::Unreadable { path: path.to_owned(), source };
    if folder.is_file() {
        let text = fs::read_to_string(folder).map_err(|error| unreadable(folder, error))?;
        return Ok(vec![(folder.to_string_lossy().into_owned(), text)]);
    }
    let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, error))?;
    let mut paths: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| is_resource(path)).collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| match fs::read_to_string(&path) {
            Ok(text) => Ok((path.to_string_lossy().into_owned(), text)),
            Err(error) => Err(unreadable(&path, error)),
        })
        .collect()
}

/// Hidden files are an editor's, or the machinery of a mounted ConfigMap.
fn is_resource(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let ends = ["yaml", "yml", "json"];
    let readable = path.extension().is_some_and(|end| ends.iter().any(|known| end == *known));
    !hidden && readable && path.is_file()
}

/// The commands that make the state what the folder says.
///
/// What others need comes first: settings, prompts, trunks, queues, agents; what is gone is
/// removed in the other direction.
pub fn changes(wanted: &Configuration, view: View<'_>) -> Vec<Command> {
    let source = Source::Folder;
    let mut commands = Vec::new();
    removals(wanted, view, &mut commands);
    let (settings, settings_source) = view.settings();
    if *settings != wanted.settings || settings_source != Some(source) {
        let settings = Box::new(wanted.settings.clone());
        commands.push(Command::PutSettings { settings, source });
    }
    let known = view.prompt_configs();
    commands.extend(
        differing(&wanted.prompts, &known)
            .map(|prompt| Command::PutPrompt { prompt: Box::new(prompt.clone()), source }),
    );
    let known = view.trunk_configs();
    commands.extend(
        differing(&wanted.trunks, &known)
            .map(|trunk| Command::PutTrunk { trunk: Box::new(trunk.clone()), source }),
    );
    let known = view.queue_configs();
    commands.extend(
        differing(&wanted.queues, &known)
            .map(|queue| Command::PutQueue { queue: Box::new(queue.clone()), source }),
    );
    let known = view.agent_configs();
    commands.extend(
        differing(&wanted.agents, &known)
            .map(|agent| Command::PutAgent { agent: Box::new(agent.clone()), source }),
    );
    commands
}

/// Those that the state does not have just so.
fn differing<'a, T: PartialEq>(
    wanted: &'a [T],
    known: &'a [(&'a T, Source)],
) -> impl Iterator<Item = &'a T> {
    wanted.iter().filter(move |config| !known.iter().any(|(is, _)| is == config))
}

fn removals(wanted: &Configuration, view: View<'_>, commands: &mut Vec<Command>) {
    let source = Source::Folder;
    for (known, made_by) in view.agent_configs() {
        if made_by == source && wanted.agents.iter().all(|agent| agent.id != known.id) {
            commands.push(Command::RemoveAgent { agent: known.id.clone(), source });
        }
    }
    for (known, made_by) in view.queue_configs() {
        if made_by == source && wanted.queues.iter().all(|queue| queue.id != known.id) {
            commands.push(Command::RemoveQueue { queue: known.id.clone(), source });
        }
    }
    for (known, made_by) in view.trunk_configs() {
        if made_by == source && wanted.trunks.iter().all(|trunk| trunk.id != known.id) {
            commands.push(Command::RemoveTrunk { trunk: known.id.clone(), source });
        }
    }
    for (known, made_by) in view.prompt_configs() {
        if made_by == source && wanted.prompts.iter().all(|prompt| prompt.id != known.id) {
            commands.push(Command::RemovePrompt { prompt: known.id.clone(), source });
        }
    }
}

/// The names of this kind that another source than the folder has configured.
pub fn elsewhere(view: View<'_>, kind: Kind) -> Vec<String> {
    fn foreign<T>(known: Vec<(&T, Source)>, name: impl Fn(&T) -> &str) -> Vec<String> {
        let foreign = known.into_iter().filter(|(_, source)| *source != Source::Folder);
        foreign.map(|(config, _)| name(config).to_owned()).collect()
    }
    match kind {
        Kind::Queue => foreign(view.queue_configs(), |queue| queue.id.as_str()),
        Kind::Agent => foreign(view.agent_configs(), |agent| agent.id.as_str()),
        Kind::Trunk => foreign(view.trunk_configs(), |trunk| trunk.id.as_str()),
        Kind::Prompt => foreign(view.prompt_configs(), |prompt| prompt.id.as_str()),
        Kind::Settings => Vec::new(),
    }
}
