//! Carillon beside Asterisk: the same calls, phones, cores and priority, in the same run.
//!
//! | workload | question | file |
//! |---|---|---|
//! | W1 | how many calls a second, at what cost and latency | `rate` |
//! | W2 | what waiting callers cost; how soon a freed agent is rung; in which order | `deep` |
//! | W3 | what it costs to have many agents | `wide` |
//! | soak | what is left over after a long time | `soak` |
//!
//! ```text
//! sipp: callers ──INVITE──► server ──INVITE──► sipp: all agents' phones
//!       ◄──────music────────┘ │
//!       sink counts packets   └─ CPU and memory from /proc
//! ```
//!
//! Started by `tests/bench/run`, which installs what is missing. Figures go to stdout and, a JSON
//! object a line, to `target/bench/peers.jsonl`.
//!
//! Not here: figures of parts of Carillon (`tests/bench/core.rs`, `codec.rs`, `media.rs`).

mod asterisk;
mod carillon;
mod deep;
mod figure;
mod machine;
mod rate;
mod server;
mod sink;
mod sipp;
mod soak;
mod wide;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use clap::ValueEnum;

use crate::deep::Depth;
use crate::figure::Figures;
use crate::machine::Place;
use crate::rate::Search;
use crate::server::System;

/// What may be asked of the driver.
#[derive(Debug, Parser)]
struct Arguments {
    /// Shorter runs and a coarser search: a few minutes instead of half an hour.
    #[arg(long)]
    quick: bool,
    /// Which workloads.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["w1", "w2", "w3"])]
    only: Vec<Workload>,
    /// Leaves Asterisk out, and with it the ratios.
    #[arg(long)]
    alone: bool,
    /// The cores everything is pinned to, sipp included.
    #[arg(long, default_value = "0,1")]
    cores: String,
    /// The priority of everything; below 0 needs root.
    #[arg(long, default_value_t = -15, allow_hyphen_values = true)]
    nice: i32,
    /// W1 at this rate alone, without a search: to look closely, or to compare two builds.
    #[arg(long)]
    at: Option<u32>,
    /// How long a soak lasts; what is kept on purpose is full after two minutes.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(10..))]
    minutes: u32,
    /// Calls a second of a soak: half of what W1 found.
    #[arg(long, default_value_t = 200)]
    rate: u32,
    /// The folder of Debian with Asterisk in it.
    #[arg(long, default_value = "target/bench/sid")]
    asterisk: PathBuf,
    /// Given by `cargo bench`; means nothing here.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Workload {
    W1,
    W2,
    W3,
    Soak,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let top = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let disk = top.join("target/bench/work");
    fs::create_dir_all(&disk).expect("a folder for the run");
    let memory = tempfile::tempdir_in("/dev/shm").expect("a folder in memory");
    let place = Place {
        cores: arguments.cores.clone(),
        nice: arguments.nice,
        disk,
        memory: memory.path().to_owned(),
        asterisk: top.join(&arguments.asterisk),
    };
    place.settle();
    println!("{}; pinned to {}, nice {}", machine::description(), place.cores, place.nice);
    let soak = arguments.only.contains(&Workload::Soak);
    let file = if soak { "soak.jsonl" } else { "peers.jsonl" };
    let mut figures = Figures::create(&top.join("target/bench").join(file));
    let mut wrong = Vec::new();
    for workload in &arguments.only {
        wrong.extend(run(*workload, &arguments, &place, &mut figures));
    }
    figures.print_ratios();
    for sentence in &wrong {
        println!("WRONG: {sentence}");
    }
    if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs one workload against every system, one right after the other.
fn run(
    workload: Workload,
    arguments: &Arguments,
    place: &Place,
    figures: &mut Figures,
) -> Vec<String> {
    if workload == Workload::Soak {
        let series = &mut figures.of("soak", "carillon");
        return soak::run(place, arguments.rate, arguments.minutes, series);
    }
    let systems: &[System] = match arguments.alone {
        true => &[System::Carillon],
        false => &[System::Carillon, System::Asterisk],
    };
    for system in systems.iter().copied() {
        let (quick, name) = (arguments.quick, system.name());
        match workload {
            Workload::W1 => {
                let series = &mut figures.of("w1", name);
                match arguments.at {
                    Some(rate) => rate::once(place, system, rate, &search(quick), series),
                    None => rate::run(place, system, &search(quick), series),
                }
            }
            Workload::W2 => {
                let series = &mut figures.of("w2", name);
                deep::run(place, system, &depth(quick), series);
                if system == System::Carillon {
                    deep::run(place, system, &abyss(quick), series);
                }
            }
            Workload::W3 => {
                let calls = if quick { 20 } else { 60 };
                let series = &mut figures.of("w3", name);
                wide::run(place, system, &[100, 1_000, 10_000], calls, series);
            }
            Workload::Soak => {}
        }
    }
    Vec::new()
}

fn search(quick: bool) -> Search {
    match quick {
        true => Search { first: 60, seconds: 6, within_percent: 30 },
        false => Search { first: 60, seconds: 12, within_percent: 8 },
    }
}

/// The same for both systems.
fn depth(quick: bool) -> Depth {
    let window = Duration::from_secs(if quick { 8 } else { 20 });
    Depth { callers: 500, fill_rate: 25, agents: 100, window }
}

/// More callers than Asterisk can hold on these cores.
fn abyss(quick: bool) -> Depth {
    let window = Duration::from_secs(if quick { 8 } else { 20 });
    Depth { callers: 4_000, fill_rate: 200, agents: 400, window }
}
