//! Counts of what a benchmark executes: the program is run once more, by valgrind.
//!
//! Shared by the benchmarks (`#[path]`). Not here: what is run, and what is made of the counts.

use std::process::Command;

/// What valgrind tells when the program has ended.
pub(crate) struct Told(String);

/// Runs this program with these arguments under one of valgrind's tools.
pub(crate) fn run(tool: &[&str], arguments: &[&str]) -> Told {
    let program = std::env::current_exe().expect("this program");
    let mut valgrind = Command::new("valgrind");
    let output = valgrind.args(tool).arg(program).args(arguments).output();
    let output = output.expect("valgrind is installed");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    Told(told)
}

impl Told {
    /// The number in the line of this label, as `I refs`.
    pub(crate) fn number(&self, label: &str) -> f64 {
        let words: Vec<&str> = label.split(' ').collect();
        let count = self.0.lines().find_map(|line| {
            let (named, numbers) = line.split_once(':')?;
            // Before the label stands which process tells.
            let is_it = named.split_whitespace().skip(1).eq(words.iter().copied());
            numbers.split_whitespace().next().filter(|_| is_it)
        });
        let count = count.unwrap_or_else(|| panic!("no {label} in:\n{}", self.0));
        count.replace(',', "").parse().expect("a number")
    }
}
