//! Three people on the line: two who talk and one who waits, wherever their calls are brought.
//!
//! Not here: what becomes of the node they are at (`restart.rs`, `death.rs`), people who must not
//! notice an attack (`talk.rs`).

use std::time::Duration;

use serde_json::Value;

use crate::carillon::Carillon;
use crate::phone::Phone;
use crate::wait::until;

/// The queues they call.
pub(crate) const CENTRE: &str = "
kind: Queue
metadata: {name: sales}
---
kind: Queue
metadata: {name: quiet}
spec: {overflow: {noAgents: {wait: {}}}}
";

/// A caller and an agent of `sales`, and a caller of `quiet`.
pub(crate) struct People {
    caller: Phone,
    agent: Phone,
    waiting: Phone,
}

impl People {
    /// Lets them call at `node`, of all that have the agent's resource.
    pub(crate) fn call(nodes: &[Carillon], node: &Carillon) -> Self {
        let (mut caller, mut agent, waiting) = (Phone::new(), Phone::new(), Phone::new());
        nodes.iter().for_each(|node| node.write_agent("101", agent.port()));
        node.wait_for_agent("101", "LoggedOut");
        node.put_to_work("101");
        caller.call("sales", node.sip);
        caller.hum(700.0);
        agent.answer();
        agent.hum(1100.0);
        waiting.call("quiet", node.sip);
        node.wait_for_queue("sales", "/talking", 1);
        node.wait_for_queue("quiet", "/waiting", 1);
        Self { caller, agent, waiting }
    }

    /// All three are told to send their audio elsewhere, and hear each other or music again.
    pub(crate) fn move_on(&self) {
        for phone in self.phones() {
            phone.moved();
        }
        self.go_on();
    }

    /// All three hear a second more.
    pub(crate) fn go_on(&self) {
        let heard_so_far = || self.phones().map(|phone| phone.heard().len());
        let before = heard_so_far();
        until("all three hear a second more", Duration::from_secs(20), || {
            let mut all = heard_so_far().into_iter().zip(before);
            all.all(|(now, before)| now > before + 50).then_some(())
        });
    }

    /// The two who talk hang up in order.
    pub(crate) fn end_talk(&self, node: &Carillon) {
        node.hang_up("sales");
        self.caller.released();
        self.agent.released();
    }

    fn phones(&self) -> [&Phone; 3] {
        [&self.caller, &self.agent, &self.waiting]
    }
}

/// The call that waits, as a node tells of it.
pub(crate) fn waiting_call(node: &Carillon) -> Value {
    node.read("/api/v1/queues/quiet/calls")["items"][0].clone()
}

/// The call that waits is the one it was, at its place.
pub(crate) fn waits_on(node: &Carillon, before: &Value) {
    let after = waiting_call(node);
    for field in ["id", "arrived", "place", "state"] {
        assert_eq!(after[field], before[field], "{field}: {after}");
    }
}
