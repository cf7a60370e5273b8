//! `carillon check`: every mistake of a configuration, and what it leaves to the defaults.
//!
//! Always holds: nothing is started or changed; mistakes are exit status 1, what is merely left
//! out is a line on stderr.
//!
//! Not here: finding mistakes (`resource`), reading files ([`super::config::folder`]).

use std::path::Path;
use std::process::ExitCode;

use crate::node::config::folder;
use crate::node::config::folder::FolderError;
use crate::node::config::known::Known;
use crate::node::config::tokens;
use crate::node::door;
use crate::node::rtp::range;
use crate::resource::Configuration;
use crate::resource::ListenTransport;

/// Reads a folder or a single file and prints every mistake, also of the tokens it names.
pub fn check(path: &Path) -> ExitCode {
    let (read, overlooked) = match read(path) {
        Ok(read) => read,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    overlooked.iter().for_each(|overlooked| eprintln!("{overlooked}"));
    let tokens = match tokens::read(read.node.tokens_file.as_deref()) {
        Ok(tokens) => tokens.count(),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    for warning in warnings(&read) {
        eprintln!("{}: {warning}", path.display());
    }
    println!(
        "{}: no mistake (queues: {}, agents: {}, trunks: {}, tokens: {tokens})",
        path.display(),
        read.queues.len(),
        read.agents.len(),
        read.trunks.len()
    );
    ExitCode::SUCCESS
}

/// The configuration, and what lies beside it and is not read.
fn read(path: &Path) -> Result<(Configuration, Vec<String>), FolderError> {
    let texts = folder::look(path)?;
    let read = folder::read(&texts, &Known::default()).0.map_err(FolderError::Mistakes)?;
    Ok((read, texts.overlooked))
}

/// What is no mistake and yet may not be meant.
fn warnings(read: &Configuration) -> Vec<String> {
    let node = &read.node;
    let mut warnings = Vec::new();
    if read.queues.is_empty() {
        warnings.push("no Queue: every caller is turned away with 404".to_owned());
    }
    warnings.extend(door::is_shut(&read.trunks).map(str::to_owned));
    if !read.has_settings {
        let sip: Vec<String> = node
            .sip_listen
            .iter()
            .map(|listen| match listen.transport {
                ListenTransport::Udp => format!("{} (UDP)", listen.address),
                ListenTransport::Tcp => format!("{} (TCP)", listen.address),
            })
            .collect();
        warnings.push(format!(
            "no Settings: SIP is heard on {}, RTP on ports {}, REST on {}, metrics on {}",
            sip.join(" and "),
            range(&node.rtp_ports),
            node.api_listen,
            node.observe_listen
        ));
    }
    if node.tokens_file.is_none() {
        warnings.push("no api.tokensFile: nobody is let in to REST".to_owned());
    }
    warnings
}
