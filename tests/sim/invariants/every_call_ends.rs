//! Every call ends: once the faults are over, nobody is left waiting, ringing or half transferred.

use crate::auditor::Auditor;
use crate::invariants::Rule;

/// Checks that no call is left.
pub(crate) fn check(books: &Auditor) -> Rule {
    match books.calls.iter().next() {
        None => Ok(()),
        Some((call, book)) => Err(format!(
            "{} calls never ended; {call} is {:?} in {}",
            books.calls.len(),
            book.place,
            book.queue
        )),
    }
}
