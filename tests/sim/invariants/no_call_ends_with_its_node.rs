//! A node that is lost, or starts again, takes no call with it but those a rule or a transfer was
//! about to send away.

use carillon::acd::command::Command;
use carillon::acd::fact::Fact;

use crate::auditor::Auditor;
use crate::auditor::CallBook;
use crate::auditor::Place;
use crate::invariants::Rule;
use crate::world::Step;

/// Checks what an entry about nodes has ended, with the books as they were before its facts.
pub(crate) fn check(step: &Step, books: &Auditor) -> Rule {
    let of_nodes =
        matches!(step.entry.command, Command::StartNode { .. } | Command::LoseNode { .. });
    if !of_nodes || step.found_due {
        return Ok(());
    }
    for fact in &step.out.facts {
        if let Fact::CallEnded { call, why, .. } = fact
            && books.calls.get(call).is_none_or(|book| !is_leaving(book))
        {
            return Err(format!("{call} ended with its node: {why:?}"));
        }
    }
    Ok(())
}

fn is_leaving(book: &CallBook) -> bool {
    book.on_its_way || book.place == Place::Leaving
}
