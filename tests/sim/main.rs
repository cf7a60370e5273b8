//! The simulator: chance against the core, with every rule checked after every entry.
//!
//! A seed draws a world ([`swarm`]) and the moves in it ([`workload`], [`phones`]). Three replicas
//! apply the same entries ([`world`]), an independent [`auditor`] keeps simple books out of what
//! was said, and [`invariants`] compare. First safety with faults, then liveness: faults end, and
//! within a bound every call must have ended and every agent rest.
//!
//! | variable | means |
//! |---|---|
//! | `SIM_STEPS` | entries in all, over as many seeds as that takes; 0 is until a failure |
//! | `SIM_SEED` | only this seed, or with `SIM_STEPS` the first of them |
//!
//! Without them: every seed in `seeds.txt`, then a small budget of fresh ones. A seed that fails is
//! told with its last entries and the command that repeats it, and kept ([`seeds`]).
//!
//! Not here: single behaviours with a name (`tests/acd`), phones of SIP (`tests/e2e`).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "phones, people and the auditor take what concerns them and leave the rest"
)]

mod auditor;
mod faults;
mod invariants;
mod phones;
mod run;
mod seeds;
mod swarm;
mod trace;
mod workload;
mod world;

/// Entries in a plain `cargo test`; `tests/run` asks for 1,000,000.
const STEPS_BY_DEFAULT: u64 = 50_000;

/// The first of the fresh seeds.
const FIRST_SEED: u64 = 1;

#[test]
fn chance_does_not_break_the_core() {
    let asked_steps: Option<u64> = variable("SIM_STEPS");
    let asked_seed: Option<u64> = variable("SIM_SEED");
    let mut taken = 0;
    let one_alone = asked_seed.is_some() && asked_steps.is_none();
    if !one_alone {
        seeds::kept().for_each(|seed| taken += run::seed(seed));
    }
    let mut seed = asked_seed.unwrap_or(FIRST_SEED);
    taken += run::seed(seed);
    let budget = asked_steps.unwrap_or(STEPS_BY_DEFAULT);
    while !one_alone && (budget == 0 || taken < budget) {
        seed += 1;
        taken += run::seed(seed);
    }
    println!("{taken} entries, the last seed was {seed}");
}

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}: `{text}` is not a number")))
}
