//! Arrived = answered + abandoned + overflowed + refused + waiting, and the service level is what
//! the auditor counted.

use carillon::acd::command::CallStateName;

use crate::invariants::Moment;
use crate::invariants::Rule;

/// Checks every queue's figures, then the whole.
pub(crate) fn check(moment: &Moment<'_>) -> Rule {
    let books = moment.books;
    for queue in &moment.queues {
        let Some(book) = books.queues.get(&queue.id) else {
            return Err(format!("{} is a queue nobody made", queue.id));
        };
        let totals = &queue.totals;
        if *totals != book.totals {
            return Err(format!("{} counts {totals:?}, the books {:?}", queue.id, book.totals));
        }
        let inside = moment.calls.iter().filter(|call| {
            let unanswered = call.answered.is_none();
            call.queue == queue.id && unanswered
        });
        let gone = totals.answered
            + totals.abandoned
            + totals.short_abandoned
            + totals.overflowed
            + totals.withdrawn
            + totals.hung_up
            + totals.lost;
        let inside = inside.count() as u64;
        if totals.entered != gone + inside {
            let id = &queue.id;
            return Err(format!("{id}: {} entered, {gone} left, {inside} inside", totals.entered));
        }
        let counted = |state| {
            let of_queue = moment.calls.iter().filter(|call| call.queue == queue.id);
            of_queue.filter(|call| call.state == state).count() as u32
        };
        let talking = counted(CallStateName::Talking) + counted(CallStateName::Held);
        let seen = (queue.waiting, queue.reserved, queue.talking);
        let real = (counted(CallStateName::Waiting), counted(CallStateName::Reserved), talking);
        if seen != real {
            return Err(format!("{} shows {seen:?}, it has {real:?}", queue.id));
        }
    }
    let live = moment.calls.len() as u64;
    match books.arrived == books.ended + live && books.calls.len() as u64 == live {
        true => Ok(()),
        false => Err(format!("{} arrived, {} ended, {live} live", books.arrived, books.ended)),
    }
}
