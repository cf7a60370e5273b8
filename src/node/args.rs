//! What may be typed after `carillon`.
//!
//! Exit status: 0 done, 1 failed, 2 not understood. Errors are one sentence on stderr.

use std::net::SocketAddr;
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
    #[command(after_help = "Examples:
  carillon serve --config /etc/carillon --data /var/lib/carillon
  carillon serve --node 2 --cluster-key cluster.key \\
    --members 1=192.0.2.1:7946,2=192.0.2.2:7946,3=192.0.2.3:7946")]
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
    /// Which other nodes there are.
    #[command(flatten)]
    pub membership: Membership,
    /// How log lines are written.
    #[arg(long, value_enum, default_value_t = LogFormat::Plain)]
    pub log_format: LogFormat,
}

/// The cluster of several nodes this one belongs to; alone without it.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Membership {
    /// The number of this node, 1 or more: as long as its data folder lives, and never another's.
    #[arg(long, requires_all = ["members", "cluster_key"])]
    pub node: Option<u64>,
    /// Every node the cluster begins with, as NUMBER=HOST:PORT; the same for all of them.
    #[arg(long, requires = "node", value_delimiter = ',', value_parser = member)]
    pub members: Vec<(u64, String)>,
    /// A file with the secret the nodes share, at least 32 characters; the same for all of them.
    #[arg(long, requires = "node")]
    pub cluster_key: Option<PathBuf>,
    /// Where the other nodes are heard; every interface, at the port of this node's own entry,
    /// unless given.
    #[arg(long, requires = "node")]
    pub cluster_listen: Option<SocketAddr>,
}

/// Reads `NUMBER=HOST:PORT`.
fn member(written: &str) -> Result<(u64, String), String> {
    let wrong = || format!("\"{written}\" is no member: write it as 2=192.0.2.2:7946");
    let (number, address) = written.split_once('=').ok_or_else(wrong)?;
    let number = number.trim().parse().ok().filter(|number| *number > 0).ok_or_else(wrong)?;
    let (host, port) = address.rsplit_once(':').ok_or_else(wrong)?;
    match port.parse::<u16>() {
        Ok(1..) if !host.is_empty() => Ok((number, address.trim().to_owned())),
        Ok(_) | Err(_) => Err(wrong()),
    }
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
