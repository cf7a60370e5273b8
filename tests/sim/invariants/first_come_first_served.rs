//! First come, first served within a priority: whoever is reserved was first in the line.

use carillon::acd::fact::Fact;

use crate::auditor::Auditor;
use crate::auditor::CallBook;
use crate::auditor::Place;
use crate::invariants::Rule;

/// Checks that nobody in the line stood before the chosen call.
pub(crate) fn check(books: &Auditor, fact: &Fact) -> Rule {
    let Fact::CallReserved { call, queue, .. } = fact else {
        return Ok(());
    };
    let Some(chosen) = books.calls.get(call) else {
        return Err(format!("{call} is reserved and nobody knows it"));
    };
    let rank = |book: &CallBook| (-i64::from(book.priority), book.nth);
    let stands = |call, book: &CallBook| {
        book.queue == *queue && book.place == Place::Waiting && !books.leaving.contains(call)
    };
    let mut line = books.calls.iter().filter(|(call, book)| stands(call, book));
    match line.find(|(_, book)| rank(book) < rank(chosen)) {
        Some((first, _)) => Err(format!("{call} was served before {first} in {queue}")),
        None => Ok(()),
    }
}
