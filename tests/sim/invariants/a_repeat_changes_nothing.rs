//! A request proposed again has its first outcome and changes nothing.

use carillon::acd::apply::Output;

use crate::auditor::Auditor;
use crate::invariants::Rule;
use crate::world::Step;

/// Checks an entry whose request was there before.
pub(crate) fn check(step: &Step, books: &Auditor) -> Rule {
    let Some(first) = books.outcomes.get(&step.entry.request) else {
        return Ok(());
    };
    if step.outcome != *first {
        return Err(format!("a repeat of {first:?} says {:?}", step.outcome));
    }
    match step.out == Output::default() {
        true => Ok(()),
        false => Err(format!("a repeat causes {:?}", step.out)),
    }
}
