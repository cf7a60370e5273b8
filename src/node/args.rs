//! What may be typed after `carillon`.
//!
//! Exit status: 0 done, 1 failed, 2 not understood. Errors are one sentence on stderr.

use std::path::PathBuf;

use clap::Parser;
use clap::Subcommand;
use clap::ValueEnum;

/// Clustered automatic call distribution (ACD) for SIP.
#[derive(Debug, Parser)]
#[command(version, about, arg_required_else_help = true)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub order: Order,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Order {
    /// Runs a node.
    #[command(
        after_help = "Example:\n  carillon serve --config /etc/carillon --data /var/lib/carillon"
    )]
    Serve(Serve),
    /// Reads a configuration and names every mistake in it, and in the file of tokens it names.
    #[command(
        after_help = "Examples:\n  carillon check /etc/carillon\n  carillon check queues.yaml"
    )]
    Check {
        /// The folder of YAML files, or one file.
        path: PathBuf,
    },
    /// Runs a call centre on this machine: a node, phones that ring, callers that arrive.
    #[command(after_help = "Examples:\n  carillon demo\n  carillon demo --seconds 30")]
    Demo(Demo),
}

/// Arguments of `serve`.
#[derive(Clone, Debug, clap::Args)]
pub struct Serve {
    /// The folder of YAML files (Queue, Agent, Trunk, Prompt, Settings); watched for changes.
    #[arg(long, default_value = "/etc/carillon")]
    pub config: PathBuf,
    /// Where the node keeps its log and snapshots.
    #[arg(long, default_value = "/var/lib/carillon")]
    pub data: PathBuf,
    /// How log lines are written.
    #[arg(long, value_enum, default_value_t = LogFormat::Plain)]
    pub log_format: LogFormat,
}

/// See [`Serve::log_format`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Plain,
    /// One JSON object a line.
    Json,
}

/// Arguments of `demo`.
#[derive(Clone, Debug, clap::Args)]
pub struct Demo {
    /// Ends by itself after this many seconds, with a summary; without it, Ctrl-C ends it.
    #[arg(long)]
    pub seconds: Option<u64>,
    /// How many agents are at work.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..=200))]
    pub agents: u16,
    /// How many callers arrive in a minute.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u16).range(1..=6000))]
    pub callers_per_minute: u16,
}
