//! Sizes: what no longer fits on a screen hides a missing noun.
//!
//! Functions up to 70 lines, files up to 500, lines up to 100 columns, folders up to 20 entries
//! and 3 deep. The pages that are read from top to bottom have a limit of their own.

use std::collections::BTreeMap;

use syn::visit::Visit;

use crate::tree::File;
use crate::tree::judge;
use crate::tree::rust_files;

const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 500;
const COLUMNS_MAX: usize = 100;
const ENTRIES_MAX: usize = 20;
const DEPTH_MAX: usize = 3;

#[test]
fn files_and_lines_are_short() {
    let mut complaints = Vec::new();
    for file in all() {
        let lines = file.text.lines().count();
        if lines > FILE_LINES_MAX {
            complaints.push(format!("{}: {lines} lines, {FILE_LINES_MAX} at most", file.path));
        }
        for (index, line) in file.text.lines().enumerate() {
            if line.chars().count() > COLUMNS_MAX {
                complaints.push(format!("{}:{}: over 100 columns", file.path, index + 1));
            }
        }
    }
    judge(&complaints, "find the missing noun and give it a file; never a part two");
}

#[test]
fn functions_fit_on_a_screen() {
    let mut complaints = Vec::new();
    for file in all() {
        let tree =
            syn::parse_file(&file.text).unwrap_or_else(|error| panic!("{}: {error}", file.path));
        let mut long = LongFunctions { path: &file.path, complaints: &mut complaints };
        long.visit_file(&tree);
    }
    judge(&complaints, "let the parent decide and helpers compute");
}

#[test]
fn folders_are_small_and_shallow() {
    let mut entries: BTreeMap<String, usize> = BTreeMap::new();
    let mut complaints = Vec::new();
    for file in rust_files("src") {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        if folder.split('/').count() > DEPTH_MAX {
            complaints.push(format!("{}: deeper than {DEPTH_MAX} folders", file.path));
        }
        *entries.entry(folder.to_owned()).or_default() += 1;
    }
    complaints.extend(
        entries
            .iter()
            .filter(|(_, count)| **count > ENTRIES_MAX)
            .map(|(folder, count)| format!("{folder}: {count} files, {ENTRIES_MAX} at most")),
    );
    judge(&complaints, "three files that belong together are a folder");
}

struct LongFunctions<'a> {
    path: &'a str,
    complaints: &'a mut Vec<String>,
}

impl LongFunctions<'_> {
    fn measure(&mut self, name: &syn::Ident, block: &syn::Block) {
        let first = block.brace_token.span.open().start().line;
        let lines = block.brace_token.span.close().end().line - first + 1;
        if lines > FUNCTION_LINES_MAX {
            self.complaints.push(format!(
                "{}:{}: `{name}` has {lines} lines, {FUNCTION_LINES_MAX} at most",
                self.path, first
            ));
        }
    }
}

impl<'ast> Visit<'ast> for LongFunctions<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.measure(&item.sig.ident, &item.block);
        syn::visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.measure(&item.sig.ident, &item.block);
        syn::visit::visit_impl_item_fn(self, item);
    }
}

fn all() -> Vec<File> {
    let mut files = rust_files("src");
    files.extend(rust_files("tests"));
    files
}
