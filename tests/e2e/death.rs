//! Three nodes, and one of them dies: who waits and who talks stays on the line, at another node.
//!
//! Not here: a node that starts again (`restart.rs`), the log without calls (`tests/cluster`).

use std::time::Duration;

use crate::carillon::Carillon;
use crate::people::CENTRE;
use crate::people::People;
use crate::people::waiting_call;
use crate::people::waits_on;
use crate::siege::request;
use crate::siege::socket;
use crate::wait::until;

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
    let people = People::call(&group, &group[dies]);
    let witness = (0..3).find(|nth| *nth != dies).expect("three");
    let before = waiting_call(&group[witness]);
    group[dies].kill();
    people.move_on();
    waits_on(&group[witness], &before);
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
    let people = People::call(&group, &group[leader]);
    group[leader].terminate();
    people.move_on();
}

#[test]
fn without_the_others_nothing_is_decided_and_nobody_is_cut_off() {
    let mut group = Carillon::start_group(3, CENTRE);
    let people = People::call(&group, &group[0]);
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
    people.go_on();
    group[1].launch();
    group[2].launch();
    group[1].wait_for_queue("sales", "/talking", 1);
    people.go_on();
}

#[test]
fn a_node_that_slept_lets_go_without_a_word() {
    for leads in [true, false] {
        let mut group = Carillon::start_group(3, CENTRE);
        let leader = leader(&group);
        let sleeps = if leads { leader } else { (leader + 1) % 3 };
        let people = People::call(&group, &group[sleeps]);
        group[sleeps].signal("-STOP");
        people.move_on();
        group[sleeps].signal("-CONT");
        assert!(!group[sleeps].ended(), "its life is over");
        people.go_on();
        group[(sleeps + 1) % 3].wait_for_queue("sales", "/talking", 1);
        group[sleeps].launch();
        group[sleeps].wait_for_queue("quiet", "/waiting", 1);
        people.go_on();
    }
}
