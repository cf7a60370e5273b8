//! Inputs worth keeping: each reaches code that none of the others does.
//!
//! A guided run finds them (`run`), `corpus/TARGET.inputs` keeps them: one a line, what is not
//! printable written as in a byte string of Rust, the shortest first.
//!
//! Always holds: an input is read as it was written.
//!
//! Not here: what is done with them (`main.rs`).

use std::fs;
use std::path::Path;
use std::path::PathBuf;

fn file(target: &str) -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    top.join(format!("{target}.inputs"))
}

/// The inputs that are kept for a target.
pub(crate) fn kept(target: &str) -> Vec<Vec<u8>> {
    let text = fs::read_to_string(file(target)).expect("every target has inputs");
    assert!(!text.is_empty(), "{target}: no inputs");
    text.lines().map(|line| read(line).unwrap_or_else(|| panic!("{target}: {line}"))).collect()
}

/// Keeps what is in the files of a folder instead.
pub(crate) fn keep(target: &str, folder: &Path) {
    let mut inputs = files(folder);
    inputs.sort_by_key(|input| (input.len(), input.clone()));
    let lines: String = inputs.iter().map(|input| format!("{}\n", input.escape_ascii())).collect();
    fs::write(file(target), lines).expect("written");
}

/// Writes inputs into a folder, a file each.
pub(crate) fn lay_out(folder: &Path, inputs: &[Vec<u8>]) {
    fs::create_dir_all(folder).expect("a folder");
    for (nth, input) in inputs.iter().enumerate() {
        fs::write(folder.join(format!("{nth:05}")), input).expect("written");
    }
}

/// What is in the files of a folder, in the order of their names.
pub(crate) fn files(folder: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("a file")).collect()
}

/// The input of a line.
fn read(line: &str) -> Option<Vec<u8>> {
    let (mut input, mut rest) = (Vec::new(), line.as_bytes());
    while let [first, after @ ..] = rest {
        let (byte, length) = match (first, after) {
            (b'\\', [b'x', high, low, ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                (u8::try_from(digit(high)? << 4 | digit(low)?).ok()?, 4)
            }
            (b'\\', [b't', ..]) => (b'\t', 2),
            (b'\\', [b'r', ..]) => (b'\r', 2),
            (b'\\', [b'n', ..]) => (b'\n', 2),
            (b'\\', [quoted @ (b'\\' | b'\'' | b'"'), ..]) => (*quoted, 2),
            (b'\\', _) => return None,
            (byte, _) => (*byte, 1),
        };
        input.push(byte);
        rest = &rest[length..];
    }
    Some(input)
}

#[test]
fn every_byte_is_read_as_it_was_written() {
    let all: Vec<u8> = (0..=255).collect();
    assert_eq!(read(&all.escape_ascii().to_string()), Some(all));
    assert_eq!(read(r"\q"), None);
    assert_eq!(read(r"\x4"), None);
}
