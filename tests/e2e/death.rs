//! Three nodes, and one of them dies: who waits and who talks stays on the line, at another node.
//!
//! Not here: a node that starts again (`restart.rs`), the log without calls (`tests/cluster`).

use std::time::Duration;

use crate::carillon::Carillon;
use crate::phone::Phone;
use crate::siege::request;
use crate::siege::socket;
use crate::wait::until;

const CENTRE: &str = "
kind: Queue
metadata: {name: sales}
---
kind: Queue
metadata: {name: quiet}
spec: {overflow: {noAgents: {wait: {}}}}
";

/// Three people on the line, all at the node that will die.
struct Line {
    caller: Phone,
    agent: Phone,
    waiting: Phone,
}

impl Line {
    /// Lets two talk and one wait at `node`, one of `group`.
    fn open(group: &[Carillon], node: &Carillon) -> Self {
        let (mut caller, mut agent, waiting) = (Phone::new(), Phone::new(), Phone::new());
        let port = agent.port();
        for member in group {
            member.write(
                "agents.yaml",
                &format!(
                    "kind: Agent\nmetadata: {{name: \"101\"}}\nspec: {{queues: [sales], device: \
                     {{address: \"sip:101@127.0.0.1:{port}\"}}}}\n"
                ),
            );
        }
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
    fn moves(&self) {
        let phones = [&self.caller, &self.agent, &self.waiting];
        for phone in phones {
            phone.moved();
        }
        self.goes_on();
    }

    /// All three hear a second more.
    fn goes_on(&self) {
        let phones = [&self.caller, &self.agent, &self.waiting];
        let heard = phones.map(|phone| phone.heard().len());
        until("all three hear a second more", Duration::from_secs(20), || {
            let now = phones.map(|phone| phone.heard().len());
            now.iter().zip(heard).all(|(now, before)| *now > before + 50).then_some(())
        });
    }
}

/// Which of a group leads, as one of them knows.
fn leader(group: &[Carillon]) -> usize {
    let status = group[0].read("/api/v1/cluster");
    let leader = status["leader"].as_u64().unwrap_or_else(|| panic!("a leader: {status}"));
    usize::try_from(leader).expect("small") - 1
}

fn one_dies(leads: bool) {
    let mut group = Carillon::start_group(3, CENTRE);
    let leader = leader(&group);
    let dies = if leads { leader } else { (leader + 1) % 3 };
    let line = Line::open(&group, &group[dies]);
    let witness = (0..3).find(|nth| *nth != dies).expect("three");
    let before = group[witness].read("/api/v1/queues/quiet/calls")["items"][0].clone();
    group[dies].kill();
    line.moves();
    let after = group[witness].read("/api/v1/queues/quiet/calls")["items"][0].clone();
    for field in ["id", "arrived", "place", "state"] {
        assert_eq!(after[field], before[field], "{field}: {after}");
    }
    group[witness].wait_for_queue("sales", "/talking", 1);
    group[dies].launch();
    group[dies].wait_for_queue("sales", "/talking", 1);
}

#[test]
fn the_leader_dies() {
    one_dies(true);
}

#[test]
fn a_follower_dies() {
    one_dies(false);
}

#[test]
fn a_node_that_stops_hands_over() {
    let mut group = Carillon::start_group(3, CENTRE);
    let leader = leader(&group);
    let line = Line::open(&group, &group[leader]);
    group[leader].terminate();
    line.moves();
}

#[test]
fn without_the_others_nothing_is_decided_and_nobody_is_cut_off() {
    let mut group = Carillon::start_group(3, CENTRE);
    let line = Line::open(&group, &group[0]);
    group[1].kill();
    group[2].kill();
    let caller = socket(std::net::Ipv4Addr::LOCALHOST);
    let mut nth = 0;
    until("a new call is refused", Duration::from_secs(20), || {
        nth += 1;
        let node = ("127.0.0.1", group[0].sip);
        caller.send_to(request("INVITE", "quiet", &caller, nth).as_bytes(), node).expect("sent");
        let mut answer = [0; 2000];
        let read = caller.recv(&mut answer).ok()?;
        answer[..read].starts_with(b"SIP/2.0 503").then_some(())
    });
    line.goes_on();
    group[1].launch();
    group[2].launch();
    group[1].wait_for_queue("sales", "/talking", 1);
    line.goes_on();
}

#[test]
fn a_node_that_slept_lets_go_without_a_word() {
    for leads in [true, false] {
        let mut group = Carillon::start_group(3, CENTRE);
        let leader = leader(&group);
        let sleeps = if leads { leader } else { (leader + 1) % 3 };
        let line = Line::open(&group, &group[sleeps]);
        group[sleeps].signal("-STOP");
        line.moves();
        group[sleeps].signal("-CONT");
        assert!(!group[sleeps].ended(), "its life is over");
        line.goes_on();
        group[(sleeps + 1) % 3].wait_for_queue("sales", "/talking", 1);
        group[sleeps].launch();
        group[sleeps].wait_for_queue("quiet", "/waiting", 1);
        line.goes_on();
    }
}
