//! Figures: printed as they come, written as JSON lines, compared in a table at the end.
//!
//! Always holds: a figure is on disk before the next is measured, so that a run that is broken off
//! keeps what it has.
//!
//! Not here: what is measured.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::json;

/// One measured value.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) bench: &'static str,
    pub(crate) system: &'static str,
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
}

/// All figures of a run.
pub(crate) struct Figures {
    file: fs::File,
    all: Vec<Figure>,
}

impl Figures {
    /// Begins a file of JSON lines.
    pub(crate) fn create(path: &Path) -> Self {
        let file = fs::File::create(path).expect("a file for the figures");
        Self { file, all: Vec::new() }
    }

    /// What follows belongs to this workload and system.
    pub(crate) fn of(&mut self, bench: &'static str, system: &'static str) -> Series<'_> {
        Series { figures: self, bench, system }
    }

    fn add(&mut self, figure: Figure) {
        let Figure { bench, system, name, value, unit } = &figure;
        println!("{bench:<4} {system:<9} {name:<44} {value:>12.2} {unit}");
        let line = json!({
            "bench": bench, "system": system, "name": name, "value": value, "unit": unit,
        });
        writeln!(self.file, "{line}").expect("the figure is written");
        self.all.push(figure);
    }

    /// Prints what both systems have, beside each other.
    pub(crate) fn print_ratios(&self) {
        let (ours, theirs) = ("carillon", "asterisk");
        let find = |of: &Figure| {
            let same = |other: &&Figure| {
                other.system == theirs && other.bench == of.bench && other.name == of.name
            };
            self.all.iter().find(same).map(|figure| figure.value)
        };
        println!("\n| | figure | Carillon | Asterisk | Carillon / Asterisk |");
        println!("|---|---|---|---|---|");
        for figure in self.all.iter().filter(|figure| figure.system == ours) {
            let Some(peer) = find(figure) else { continue };
            let Figure { bench, name, value, unit, .. } = figure;
            let ratio = if peer == 0.0 { "–".to_owned() } else { format!("{:.3}", value / peer) };
            println!("| {bench} | {name}, {unit} | {value:.2} | {peer:.2} | {ratio} |");
        }
    }
}

/// Takes the figures of one workload and system.
pub(crate) struct Series<'a> {
    figures: &'a mut Figures,
    bench: &'static str,
    system: &'static str,
}

impl Series<'_> {
    /// Writes one down.
    pub(crate) fn add(&mut self, name: impl Into<String>, value: f64, unit: &'static str) {
        let (bench, system) = (self.bench, self.system);
        self.figures.add(Figure { bench, system, name: name.into(), value, unit });
    }

    /// Writes down the middle and the tail of several.
    pub(crate) fn add_spread(&mut self, name: &str, values: &[f64], unit: &'static str) {
        for (label, share) in [("p50", 0.50), ("p99", 0.99)] {
            self.add(format!("{name} {label}"), quantile(values, share), unit);
        }
    }
}

/// The value that this share of `values` does not exceed; not a number without any.
pub(crate) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let nth = (sorted.len() as f64 * share) as usize;
    sorted.get(nth.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}
