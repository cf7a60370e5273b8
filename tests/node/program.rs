//! Runs the program and collects what it says.

use std::process::Command;

/// What the program did.
pub(crate) struct Said {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs `carillon` with these arguments to its end.
pub(crate) fn carillon(arguments: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_carillon"))
        .args(arguments)
        .output()
        .expect("the program starts");
    Said {
        status: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
