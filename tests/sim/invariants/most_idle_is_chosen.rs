//! `MostIdle` takes the agent idle longest; `RingAll` everybody; both say so truly.

use carillon::acd::config::Strategy;
use carillon::acd::fact::Fact;
use carillon::base::time::Millis;

use crate::auditor::Auditor;
use crate::invariants::Rule;

/// Checks the choice against the explanation, and the explanation against the books.
pub(crate) fn check(books: &Auditor, fact: &Fact) -> Rule {
    let (Fact::CallReserved { call, queue, agents, why }
    | Fact::ReservationJoined { call, queue, agents, why }) = fact
    else {
        return Ok(());
    };
    let idle = |agent| {
        let book = books.agents.get(agent);
        book.map_or(Millis::ZERO, |book| books.now.since(book.idle_since))
    };
    let longest = agents.iter().map(idle).max().unwrap_or_default();
    if longest != why.idle {
        return Err(format!("{call} says its agent was idle {:?}, not {longest:?}", why.idle));
    }
    for (agent, said) in &why.less_idle {
        if idle(agent) != *said {
            return Err(format!("{call} says {agent} was idle {said:?}, not {:?}", idle(agent)));
        }
        if *said > why.idle {
            return Err(format!("{call} passed over {agent}, who was idle longer"));
        }
    }
    let strategy = books.queues.get(queue).map(|queue| queue.config.strategy);
    let alone = agents.len() == 1;
    let kept = match strategy {
        Some(Strategy::MostIdle) => alone,
        Some(Strategy::RingAll) => why.less_idle.is_empty(),
        None => false,
    };
    if kept { Ok(()) } else { Err(format!("{call} rings {agents:?} under {strategy:?}")) }
}
