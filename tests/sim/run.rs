//! One seed from its first entry to rest: safety with faults, then liveness without.
//!
//! Not here: the moves ([`super::workload`]) and the rules ([`super::invariants`]).

use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::rc::Rc;

use carillon::acd::command::Command;
use carillon::acd::command::Entry;
use carillon::acd::view::View;
use carillon::base::id::RequestId;
use carillon::base::time::ClusterTime;

use crate::auditor::Auditor;
use crate::invariants;
use crate::invariants::Moment;
use crate::seeds;
use crate::seeds::Kept;
use crate::swarm::Lots;
use crate::trace::Trace;
use crate::workload::Workload;
use crate::world::World;

/// Entries within which everything must have ended once the faults have.
const REST_WITHIN: u64 = 40_000;

/// How often whole states and views are compared: once in so many entries.
const CHECKED_EVERY: u64 = 16;

/// Runs a seed; panics with the trace and the way to repeat it when a rule is broken.
pub(crate) fn seed(seed: u64) -> u64 {
    let trace = Trace::default();
    let Err(why) = attempt(seed, CHECKED_EVERY, &trace) else {
        return trace.steps();
    };
    // Once more with every rule after every entry: the earliest breach says most.
    let closer = Trace::default();
    let (why, trace) = match attempt(seed, 1, &closer) {
        Err(earlier) => (earlier, closer),
        Ok(()) => (why, trace),
    };
    let kept = match seeds::keep(seed, &why) {
        Kept::Written => "kept:  as the last line of tests/sim/seeds.txt".to_owned(),
        Kept::Before => "kept:  in tests/sim/seeds.txt before".to_owned(),
        Kept::Not => format!("keep:  add a line `{seed}  {why}` to tests/sim/seeds.txt"),
    };
    panic!(
        "\n{}\nseed {seed}, entry #{}: {why}\n\n\
         again: SIM_SEED={seed} cargo test --test sim\n{kept}\n",
        trace.lines(),
        trace.steps(),
    );
}

fn attempt(seed: u64, every: u64, trace: &Trace) -> Result<(), String> {
    let play = || Run::new(seed, every, trace.clone()).play();
    match catch_unwind(AssertUnwindSafe(play)) {
        Ok(result) => result,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Err(format!("the core panicked: {}", text.unwrap_or_default()))
        }
    }
}

struct Run {
    world: World,
    workload: Workload,
    auditor: Auditor,
    /// When to look closely and when to restore; apart from the moves, so that looking more often
    /// changes nothing.
    looks: Lots,
    every: u64,
    trace: Trace,
}

impl Run {
    fn new(seed: u64, every: u64, trace: Trace) -> Self {
        Self {
            world: World::new(),
            workload: Workload::new(seed),
            auditor: Auditor::default(),
            looks: Lots::from_seed(!seed),
            every,
            trace,
        }
    }

    fn play(mut self) -> Result<(), String> {
        for _ in 0..self.workload.swarm.steps {
            self.step()?;
        }
        self.workload.calm_down();
        for _ in 0..REST_WITHIN {
            if self.workload.is_idle() && self.auditor.calls.is_empty() {
                return self.rest();
            }
            self.step()?;
        }
        invariants::every_call_ends::check(&self.auditor)
    }

    /// The next entry, and every rule that can be checked now.
    fn step(&mut self) -> Result<(), String> {
        let entry = self.workload.next(self.world.leading.next_deadline());
        self.apply(entry)
    }

    fn apply(&mut self, entry: Entry) -> Result<(), String> {
        self.trace.open(&entry);
        let before = self.world.leading.now();
        let step = Rc::new(self.world.commit(entry)?);
        self.trace.close(&step);
        self.workload.hear(&step.out);

        invariants::a_repeat_changes_nothing::check(&step, &self.auditor)?;
        invariants::effects_have_one_owner::check(&step, &mut self.auditor)?;
        invariants::no_call_ends_with_its_node::check(&step, &self.auditor)?;
        for fact in &step.out.facts {
            invariants::at_fact(&self.auditor, fact)?;
            self.auditor.read_fact(fact);
        }
        self.auditor.read_orders(&step.out);
        invariants::time_never_goes_back::check(before, &step, &self.world.leading)?;
        if self.looks.between(1, self.every) == 1 {
            let moment = Moment::of(&self.world.leading, &self.auditor);
            invariants::after_entry(&moment)?;
        }
        if self.looks.per_mille(4) {
            invariants::snapshot_is_whole::check(&mut self.world)?;
            invariants::replicas_are_equal::check(&mut self.world)?;
        }
        Ok(())
    }

    /// Everything has ended: what is left must be little, and a replay must come out the same.
    fn rest(mut self) -> Result<(), String> {
        let moment = Moment::of(&self.world.leading, &self.auditor);
        invariants::after_entry(&moment)?;
        invariants::everybody_rests::check(&moment)?;
        invariants::replicas_are_equal::check(&mut self.world)?;
        invariants::replay_is_equal::check(&self.world)?;
        self.clear_away()?;
        invariants::nothing_grows::check(&mut self.world)
    }

    /// A day later everything configured is removed.
    fn clear_away(&mut self) -> Result<(), String> {
        let view = View::new(&self.world.leading);
        let queues = view.queue_configs().into_iter();
        let mut last: Vec<Command> = queues
            .map(|(queue, source)| Command::RemoveQueue { queue: queue.id.clone(), source })
            .collect();
        let agents = view.agent_configs().into_iter();
        last.extend(
            agents.map(|(agent, source)| Command::RemoveAgent { agent: agent.id.clone(), source }),
        );
        last.push(Command::Advance);
        let later = ClusterTime(self.world.leading.now().0 + 86_400_000);
        for (nth, command) in last.into_iter().enumerate() {
            let request = RequestId(u128::from(u64::MAX - nth as u64) << 32);
            self.apply(Entry { proposed_at: later, request, command })?;
        }
        Ok(())
    }
}
