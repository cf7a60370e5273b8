//! Well-behaved calls beside what a test does to others: they must not notice.
//!
//! Not here: the phones themselves (`stubborn.rs`).

use std::net::SocketAddr;
use std::time::Duration;

use crate::carillon::Carillon;
use crate::stubborn::Line;
use crate::stubborn::Part;
use crate::wait::until;

/// The queue they call; a test has it among its resources.
pub(crate) const QUEUE: &str = "kind: Queue\nmetadata: {name: beside}\nspec: {}\n---\n";

/// Calls under way through a queue and an agent of their own.
pub(crate) struct Beside {
    calls: usize,
    callers: Line,
    agents: Line,
}

impl Beside {
    /// Lets callers come, four a second.
    pub(crate) fn start(node: &Carillon, calls: usize) -> Self {
        let at = SocketAddr::from(([127, 0, 0, 1], node.sip));
        let pause = Duration::from_millis(250);
        let part = Part::Callers { queue: "beside".to_owned(), calls, pause };
        let mut callers = Line::new(part);
        let mut agents = Line::new(Part::Agents { talk: Duration::from_millis(100) });
        agents.begin_without_link(at);
        node.write(
            "beside.yaml",
            &format!(
                "kind: Agent\nmetadata: {{name: beside}}\nspec: {{queues: [beside], device: \
                 {{address: \"sip:beside@{}\"}}}}\n",
                agents.at
            ),
        );
        node.wait_for_agent("beside", "LoggedOut");
        node.put_to_work("beside");
        callers.begin_without_link(at);
        Self { calls, callers, agents }
    }

    /// Waits until all have talked and hung up.
    pub(crate) fn finish(self) {
        until("the calls beside have ended", Duration::from_secs(60), || {
            let (callers, agents) = (self.callers.story(), self.agents.story());
            assert_eq!((callers.complaints, agents.complaints), (Vec::new(), Vec::new()));
            let ended = callers.ended.len() == self.calls && agents.ended.len() == self.calls;
            (ended && callers.talked.len() == self.calls).then_some(())
        });
    }
}
