//! The checked-in files, read once for each rule, and the list of complaints a rule makes.
//!
//! Not here: what is a mistake; each rule says so itself.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// One text file of the tree.
pub(crate) struct File {
    /// Its path from the top, with `/`.
    pub(crate) path: String,
    /// What it holds.
    pub(crate) text: String,
}

impl File {
    /// The module path below the crate: `src/acd/queue.rs` is `["acd", "queue"]`.
    pub(crate) fn module(&self) -> Vec<&str> {
        let inner = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        inner.split('/').filter(|part| !matches!(*part, "mod" | "lib")).collect()
    }

    /// The floor the file belongs to: its first folder, or its own name.
    pub(crate) fn floor(&self) -> &str {
        self.module().first().copied().unwrap_or("lib")
    }
}

/// The top folder of the project.
pub(crate) fn top() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `folder`, in order of its path.
pub(crate) fn rust_files(folder: &str) -> Vec<File> {
    let mut found = Vec::new();
    walk(&top().join(folder), &mut |path| {
        if path.extension().is_some_and(|end| end == "rs") {
            found.push(read(path));
        }
    });
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Calls `visit` for every file below `folder`, hidden ones and build output left out.
pub(crate) fn walk(folder: &Path, visit: &mut dyn FnMut(&Path)) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') || name == "target" {
            continue;
        }
        if path.is_dir() {
            walk(&path, visit);
        } else {
            visit(&path);
        }
    }
}

/// Reads one file; text that is not UTF-8 comes out with replacement marks.
pub(crate) fn read(path: &Path) -> File {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let inner = path.strip_prefix(top()).unwrap_or(path);
    File {
        path: inner.to_string_lossy().replace('\\', "/"),
        text: String::from_utf8_lossy(&bytes).into_owned(),
    }
}

/// Fails with all complaints and one line of advice, unless there are none.
pub(crate) fn judge(complaints: &[String], advice: &str) {
    assert!(
        complaints.is_empty(),
        "\n{}\n\n{} in all. What to do: {advice}\n",
        complaints.join("\n"),
        complaints.len()
    );
}
