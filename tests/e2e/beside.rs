//! Well-behaved people beside what a test does to others: they must not notice.
//!
//! | who | does |
//! |---|---|
//! | two | talk all the time |
//! | callers, two a second | reach an agent of their own, talk, are hung up on |
//!
//! Always holds: every answer they are owed comes before they would ask again, and nothing is said
//! to them twice; the two hear each other without a hole.
//!
//! Not here: the phones themselves (`stubborn.rs`, `phone.rs`).

use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::time::Duration;

use crate::carillon::Carillon;
use crate::stubborn::Line;
use crate::stubborn::Part;
use crate::stubborn::Story;
use crate::talk::Talk;
use crate::wait::until;

/// Where the callers and their agent are, whom a test's node must let in. They say nothing but SIP,
/// so their audio would be taken for that of whoever else sends from there.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 5);

/// So many calls at least, or there was nobody beside.
const CALLS_MIN: usize = 10;

/// Calls under way through queues and agents of their own.
pub(crate) struct Beside {
    talk: Talk,
    callers: Line,
    agents: Line,
}

impl Beside {
    /// Lets two talk and callers come.
    pub(crate) fn start(node: &Carillon) -> Self {
        let at = SocketAddr::from(([127, 0, 0, 1], node.sip));
        let pause = Duration::from_millis(500);
        let part = Part::Callers { queue: "beside".to_owned(), calls: usize::MAX, pause };
        let mut callers = Line::at(ADDRESS, part);
        let mut agents = Line::at(ADDRESS, Part::Agents { talk: Duration::from_millis(100) });
        agents.begin_without_link(at);
        let mut talk = Talk::new();
        let staff = format!(
            "kind: Queue\nmetadata: {{name: beside}}\n---\nkind: Agent\nmetadata: {{name: \
             beside}}\nspec: {{queues: [beside], device: {{address: \"sip:beside@{}\"}}}}\n---\n",
            agents.at
        );
        node.write("beside.yaml", &(talk.resources() + &staff));
        talk.begin(node);
        node.wait_for_agent("beside", "LoggedOut");
        node.put_to_work("beside");
        callers.begin_without_link(at);
        Self { talk, callers, agents }
    }

    /// Ends it: nobody has noticed anything.
    pub(crate) fn finish(self, node: &Carillon) {
        for story in self.finish_late(node) {
            assert_eq!(story.said_again, Vec::<String>::new(), "no answer came in time");
            assert_eq!(story.heard_again, Vec::<String>::new(), "it was answered in time");
        }
    }

    /// The same where the node had as much to do as it can: every call went well, and nobody who
    /// talks has noticed, but something had to be said twice.
    pub(crate) fn finish_late(self, node: &Carillon) -> [Story; 2] {
        until("there were calls beside", Duration::from_secs(60), || {
            (self.callers.story().begun >= CALLS_MIN).then_some(())
        });
        self.callers.stop_calling();
        let stories = until("the calls beside have ended", Duration::from_secs(60), || {
            let (callers, agents) = (self.callers.story(), self.agents.story());
            for story in [&callers, &agents] {
                assert_eq!(story.complaints, Vec::<String>::new());
            }
            let numbers = [callers.talked.len(), callers.ended.len(), agents.ended.len()];
            (callers.is_over && numbers == [callers.begun; 3]).then_some([callers, agents])
        });
        self.talk.end(node);
        stories
    }
}
