//! Figures of a benchmark as JSON lines in `target/bench/<bench>.jsonl`.
//!
//! Shared by the benchmarks (`#[path]`). Not here: the driver's own table (`peers/figure.rs`).

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use serde_json::json;

/// The file of one benchmark.
pub(crate) struct Jsonl {
    bench: &'static str,
    file: fs::File,
}

impl Jsonl {
    /// Begins the file anew.
    pub(crate) fn create(bench: &'static str) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/bench");
        fs::create_dir_all(&folder).expect("a folder for the figures");
        let file = fs::File::create(folder.join(format!("{bench}.jsonl"))).expect("a file");
        Self { bench, file }
    }

    /// Writes one figure of Carillon down.
    #[allow(dead_code, reason = "a benchmark beside others names whose figure it is")]
    pub(crate) fn add(&mut self, name: &str, value: f64, unit: &str) {
        self.add_of("carillon", name, value, unit);
    }

    /// Writes one figure of somebody down.
    pub(crate) fn add_of(&mut self, system: &str, name: &str, value: f64, unit: &str) {
        let line = json!({
            "bench": self.bench, "system": system, "name": name, "value": value, "unit": unit,
        });
        writeln!(self.file, "{line}").expect("the figure is written");
    }
}
