//! The file of bearer tokens: read at the start, and again whenever it changes.
//!
//! Always holds: a file with a mistake changes nothing, is said once and counted; without a file
//! nobody is let in. A node with calls does not stay down because of it.
//!
//! Not here: the shape of the file (`resource::tokens`), who may do what (`api::auth`).

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use tokio::sync::watch;
use tokio::task::spawn_blocking;

use crate::api::Tokens;
use crate::node::config::folder;
use crate::node::config::folder::Disk;
use crate::node::config::known::Known;
use crate::node::config::watch::Bell;
use crate::node::count::Counts;
use crate::resource;

/// The file cannot be used; what is wrong with it, a line each.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TokensError(String);

/// Reads the file `api.tokensFile` names; no file lets nobody in.
pub fn read(path: Option<&str>) -> Result<Tokens, TokensError> {
    let Some(path) = path else { return Ok(Tokens::default()) };
    let bytes = fs::read(path).map_err(|error| {
        TokensError(format!(
            "{path}: {error}; Settings.spec.api.tokensFile names it: write the file, or take the \
             field away and nobody is let in to the REST interface"
        ))
    })?;
    let nothing = Known::default();
    let read = match folder::decode(path, &bytes) {
        Ok(file) => resource::read_tokens(file, &Disk::new(&nothing)),
        Err(garbled) => Err(vec![garbled]),
    };
    match read {
        Ok(tokens) => Ok(Tokens::new(&tokens)),
        Err(mistakes) => {
            let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            Err(TokensError(lines.join("\n")))
        }
    }
}

/// Reads the file when the node starts; unless it is the first time, calls are more important than
/// REST, and a file with a mistake lets nobody in until it is mended.
pub fn begin(
    path: Option<&str>,
    is_first_start: bool,
    counts: &Counts,
) -> Result<(Tokens, Option<TokensError>), TokensError> {
    match read(path) {
        Ok(tokens) => Ok((tokens, None)),
        Err(error) if is_first_start => Err(error),
        Err(error) => {
            tracing::error!("the file of tokens is not used, and REST lets nobody in: {error}");
            counts.config_rejected();
            Ok((Tokens::default(), Some(error)))
        }
    }
}

/// Lets in whom the file names, as it changes, until the runtime ends.
///
/// `complained` is what was said of it at the start.
pub async fn follow(
    path: String,
    known: watch::Sender<Tokens>,
    counts: Counts,
    mut complained: Option<TokensError>,
) {
    // The folder is watched: editors and mounted secrets put another file in the file's place.
    let folder = Path::new(&path).parent().map_or_else(PathBuf::new, Path::to_owned);
    let bell = Bell::hang(&folder);
    loop {
        bell.heard().await;
        let again = path.clone();
        let Ok(read) = spawn_blocking(move || read(Some(&again))).await else {
            continue; // The runtime is ending.
        };
        match read {
            Ok(tokens) => {
                complained = None;
                let now = tokens.count();
                let changed = known.send_if_modified(|known| {
                    let changes = *known != tokens;
                    *known = tokens;
                    changes
                });
                if changed {
                    tracing::info!("the file of tokens has changed and now lets in {now}");
                }
            }
            Err(error) if complained.as_ref() == Some(&error) => {}
            Err(error) => {
                tracing::error!("the file of tokens is not used, and nothing changes: {error}");
                counts.config_rejected();
                complained = Some(error);
            }
        }
    }
}
