//! The settings of this node that were last taken from its folder, kept beside its log.
//!
//! The log holds what is configured for everybody. What one node needs to start (ports, addresses)
//! is its own and stands in no log; it is kept here, so that a node whose folder has a mistake
//! starts as it was.
//!
//! Always holds: a file that is there was written whole.
//!
//! Not here: when they are used ([`super::watch`]).

use std::fs;
use std::fs::File;
use std::io;
use std::io::Write;
use std::path::Path;

use crate::resource::NodeSettings;

const NAME: &str = "settings.json";

/// Reads what was kept in a data folder; `None` if nothing was, or it cannot be understood.
pub fn read(data: &Path) -> Option<NodeSettings> {
    serde_json::from_slice(&fs::read(data.join(NAME)).ok()?).ok()
}

/// Keeps settings in a data folder.
pub fn write(data: &Path, settings: &NodeSettings) -> io::Result<()> {
    let aside = data.join("settings.new");
    let mut file = File::create(&aside)?;
    file.write_all(&serde_json::to_vec(settings)?)?;
    file.sync_all()?;
    fs::rename(aside, data.join(NAME))
}
