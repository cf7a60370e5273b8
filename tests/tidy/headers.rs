//! Every Rust file says in its first lines what it is.
//!
//! A header is a sentence that could stand in a table of contents, then where the file stands,
//! what always holds and what is not there. Files under 40 lines may stop after the sentence.

use crate::tree::File;
use crate::tree::judge;
use crate::tree::rust_files;

#[test]
fn every_file_begins_with_what_it_is() {
    let mut files = rust_files("src");
    files.extend(rust_files("tests"));
    let complaints: Vec<String> = files.iter().filter_map(complaint).collect();
    judge(
        &complaints,
        "begin the file with `//!`: what it is, what always holds, what is not here",
    );
}

fn complaint(file: &File) -> Option<String> {
    let header: Vec<&str> = file.text.lines().take_while(|line| line.starts_with("//!")).collect();
    let Some(first) = header.first() else {
        return Some(format!("{}: no header", file.path));
    };
    let sentence = first.trim_start_matches("//!").trim();
    if sentence.len() < 15 || sentence.starts_with("This file") || sentence.starts_with("Module") {
        return Some(format!("{}: the first line says nothing: `{sentence}`", file.path));
    }
    let long = file.path.starts_with("src/") && file.text.lines().count() > 120;
    if long && header.len() < 4 {
        return Some(format!("{}: {} lines of header for a long file", file.path, header.len()));
    }
    None
}
