//! Resources: what people write to configure Carillon, read and checked.
//!
//! One shape for files in a folder, for Kubernetes and for the bodies of REST: `kind`, `metadata`
//! and `spec`, with the same field names everywhere. This floor turns it into
//! [`acd::config`](crate::acd::config), whose values make sense by themselves, or into a list of
//! every [`Mistake`] there is.
//!
//! ```text
//! text ──document──► tree with lines ──queue, agent, trunk, prompt, settings──► config
//!                                     └──► references, claims ──cross──► mistakes
//! ```
//!
//! Always holds: nothing is read from the world here; secrets and audio beside a file are asked of
//! an [`Outside`]. A file with a mistake yields no configuration at all.
//!
//! Not here: watching a folder (`node::config::folder`), or what the core refuses later
//! ([`Refusal`](crate::acd::command::Refusal)).

pub mod mistake;
pub mod order;
pub mod write;

mod address;
mod agent;
mod connections;
mod cross;
mod document;
mod limits;
mod name;
mod prompt;
mod queue;
mod read;
mod settings;
mod tokens;
mod trunk;

pub use crate::resource::connections::CONNECTIONS;
pub use crate::resource::connections::ConnectionLimits;
pub use crate::resource::connections::ConnectionShares;
pub use crate::resource::limits::SipLimits;
pub use crate::resource::limits::SourceLimits;
pub use crate::resource::mistake::Mistake;
pub use crate::resource::read::near;
pub use crate::resource::read::nearest;
pub use crate::resource::settings::Listen;
pub use crate::resource::settings::ListenTransport;
pub use crate::resource::settings::NodeSettings;
pub use crate::resource::tokens::TokenConfig;
pub use crate::resource::tokens::TokenSecret;
pub use crate::resource::tokens::read_tokens;

use std::fmt;

use crate::acd::config::Address;
use crate::acd::config::AgentConfig;
use crate::acd::config::PromptConfig;
use crate::acd::config::QueueConfig;
use crate::acd::config::Settings;
use crate::acd::config::TrunkConfig;
use crate::base::id::QueueId;
use crate::resource::cross::Definition;
use crate::resource::document::Node;
use crate::resource::read::Fields;
use crate::resource::read::Findings;
use crate::resource::read::Notes;

/// The group and version of every resource.
pub const API_VERSION: &str = "carillon.dev/v1alpha1";

/// What kind of object a document describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Where calls wait.
    Queue,
    /// A person who answers.
    Agent,
    /// A PBX, carrier or SBC.
    Trunk,
    /// Something to be heard.
    Prompt,
    /// What holds for the whole deployment.
    Settings,
}

impl Kind {
    const WORDS: [(&'static str, Self); 5] = [
        ("Queue", Self::Queue),
        ("Agent", Self::Agent),
        ("Trunk", Self::Trunk),
        ("Prompt", Self::Prompt),
        ("Settings", Self::Settings),
    ];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Queue => "Queue",
            Self::Agent => "Agent",
            Self::Trunk => "Trunk",
            Self::Prompt => "Prompt",
            Self::Settings => "Settings",
        })
    }
}

/// A file of resources: any number of documents in YAML (of which JSON is a part).
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// Its path, as mistakes are to show it and from which relative paths in it are meant.
    pub name: &'a str,
    /// What it holds.
    pub text: &'a str,
}

/// What a configuration needs to know of the world around it.
pub trait Outside {
    /// Reads a file that holds one secret (`pinFile`, `passwordFile`); the error is a few words.
    fn read_secret(&self, path: &str) -> Result<String, String>;

    /// Tells whether a file holds audio that can be played; the error is a few words.
    fn check_audio(&self, path: &str) -> Result<(), String>;

    /// The prompts that are in the program. Each is there under its own name unless a `Prompt`
    /// of that name says otherwise.
    fn built_in_prompts(&self) -> &[&str];

    /// The objects of a kind that are configured elsewhere (by REST): they may be named here, and
    /// not described.
    fn known_names(&self, kind: Kind) -> Vec<String> {
        let _ = kind;
        Vec::new()
    }

    /// The addresses that reach queues configured elsewhere, and which.
    fn known_addresses(&self) -> Vec<(Address, QueueId)> {
        Vec::new()
    }
}

/// Everything a folder configures, checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// In the order they were read.
    pub queues: Vec<QueueConfig>,
    /// In the order they were read.
    pub agents: Vec<AgentConfig>,
    /// In the order they were read.
    pub trunks: Vec<TrunkConfig>,
    /// In the order they were read; the built-in ones are there without being written.
    pub prompts: Vec<PromptConfig>,
    /// For the whole deployment.
    pub settings: Settings,
    /// For the node that reads them, when it starts.
    pub node: NodeSettings,
    /// Whether somebody wrote `Settings`; if not, both are the defaults.
    pub has_settings: bool,
}

/// Reads every file, or says everything that is wrong with all of them.
pub fn read(files: &[File<'_>], outside: &dyn Outside) -> Result<Configuration, Vec<Mistake>> {
    let mut read = Configuration::default();
    let mut found = Findings::default();
    let mut definitions = Vec::new();
    for file in files {
        let notes = Notes::new(file.name, outside);
        let mut broken = Vec::new();
        for node in document::from_yaml(file.name, file.text, &mut broken) {
            if let Some(definition) = read_document(&notes, &node, &mut read) {
                definitions.push(definition);
            }
        }
        let more = notes.into_findings();
        found.mistakes.extend(broken);
        found.mistakes.extend(more.mistakes);
        found.references.extend(more.references);
        found.claims.extend(more.claims);
    }
    cross::check(&definitions, &found.references, &found.claims, outside, &mut found.mistakes);
    if found.mistakes.is_empty() {
        return Ok(read);
    }
    // In the order a person goes through the files.
    let position = |mistake: &Mistake| {
        files.iter().position(|file| file.name == mistake.place.file).unwrap_or(usize::MAX)
    };
    found.mistakes.sort_by_key(|mistake| (position(mistake), mistake.place.line));
    Err(found.mistakes)
}

/// Reads the `spec` of a queue that came without a file.
pub fn read_queue(
    name: &str,
    spec: &serde_json::Value,
    outside: &dyn Outside,
) -> Result<QueueConfig, Vec<Mistake>> {
    read_spec(spec, outside, |fields| queue::read(fields, name::check(name, fields)))
}

/// Reads the `spec` of an agent that came without a file.
pub fn read_agent(
    name: &str,
    spec: &serde_json::Value,
    outside: &dyn Outside,
) -> Result<AgentConfig, Vec<Mistake>> {
    read_spec(spec, outside, |fields| agent::read(fields, name::check(name, fields)))
}

/// Reads the `spec` of a trunk that came without a file.
pub fn read_trunk(
    name: &str,
    spec: &serde_json::Value,
    outside: &dyn Outside,
) -> Result<TrunkConfig, Vec<Mistake>> {
    read_spec(spec, outside, |fields| trunk::read(fields, name::check(name, fields)))
}

/// Reads an address calls can be sent to, as `sip:bob@pbx.example`.
pub fn read_target(written: &str) -> Result<Address, &'static str> {
    address::target(written)
}

fn read_spec<T>(
    spec: &serde_json::Value,
    outside: &dyn Outside,
    read: impl FnOnce(&Fields<'_>) -> T,
) -> Result<T, Vec<Mistake>> {
    let notes = Notes::new("", outside);
    let node = document::from_json(spec);
    let value = Fields::top(&notes, &node).map(|fields| {
        let value = read(&fields);
        fields.finish();
        value
    });
    let Findings { mut mistakes, references, .. } = notes.into_findings();
    cross::unknown_names(&[], &references, outside, &mut mistakes);
    match value {
        Some(value) if mistakes.is_empty() => Ok(value),
        _ => Err(mistakes),
    }
}

/// Reads one document into `read` and returns what it defines, if it says so much.
fn read_document(notes: &Notes<'_>, node: &Node, read: &mut Configuration) -> Option<Definition> {
    let top = Fields::top(notes, node)?;
    if let Some(version) = top.field("apiVersion")
        && version.text().is_some_and(|version| version != API_VERSION)
    {
        version.wrong("is not a version this release reads", &format!("write {API_VERSION}"));
    }
    if let Some(tokens) = top.field("tokens") {
        let remedy =
            "move the file out of this folder, and name it in Settings.spec.api.tokensFile";
        tokens.wrong("this is a file of tokens and no resource", remedy);
        return None;
    }
    top.elsewhere("status", "Carillon writes it; remove it");
    let remedy = "write Queue, Agent, Trunk, Prompt or Settings";
    let kind = top.required("kind", remedy).and_then(|kind| kind.word(&Kind::WORDS, &[]));
    let metadata = top.group("metadata");
    let (Some(kind), spec) = (kind, top.group("spec")) else {
        return None; // Without a kind nothing else can be judged.
    };
    let named = name::read(kind, &metadata);
    metadata.finish();
    top.finish();
    let name = named.as_ref().map_or("", |named| named.name.as_str());
    match kind {
        Kind::Queue => read.queues.push(queue::read(&spec, name)),
        Kind::Agent => read.agents.push(agent::read(&spec, name)),
        Kind::Trunk => read.trunks.push(trunk::read(&spec, name)),
        Kind::Prompt => read.prompts.push(prompt::read(&spec, name)),
        Kind::Settings => {
            (read.settings, read.node) = settings::read(&spec);
            read.has_settings = true;
        }
    }
    spec.finish();
    named
}
