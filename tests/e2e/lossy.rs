//! Bad links on both sides: one packet in ten is lost each way, others come twice or late. Every
//! call reaches an agent, talks and ends, a caller's over a good link as well; nothing is left
//! behind, and who has good links on both sides does not notice.
//!
//! Not here: what bad links do to audio (`tests/media`), and a thousand worlds of them in virtual
//! time (`tests/sip/loss.rs`, `tests/b2bua/loss.rs`).

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::beside::Beside;
use crate::carillon::Carillon;
use crate::link::Link;
use crate::stubborn::Line;
use crate::stubborn::Part;
use crate::stubborn::Story;
use crate::wait::until;

const CALLS: usize = 120;
const AGENTS: usize = 12;
/// What the process may grow by, in KiB: a log, some calls that are remembered.
const KIB_MAX: u64 = 32_000;
/// Everything is over by then: what is not heard is repeated for 32 s.
const AT_MOST: Duration = Duration::from_secs(100);

fn staff(port: u16) -> String {
    let agent = |nth: usize| {
        format!(
            "kind: Agent\nmetadata: {{name: \"a{nth}\"}}\nspec: {{queues: [sales], device: \
             {{address: \"sip:a{nth}@127.0.0.1:{port}\"}}, onUnreachable: {{action: \
             Nothing}}}}\n---\n"
        )
    };
    (0..AGENTS).map(agent).collect()
}

/// Waits until the callers' line has told so many ends.
fn all_ended(line: &Line, calls: usize) -> Story {
    until("every call has ended", AT_MOST, || {
        let story = line.story();
        assert_eq!(story.complaints, Vec::<String>::new());
        (story.ended.len() == calls).then_some(story)
    })
}

#[test]
fn every_call_over_bad_links_is_carried_to_its_end() {
    let node = Carillon::start("kind: Queue\nmetadata: {name: sales}\nspec: {ringSeconds: 30}\n");
    let far = SocketAddr::from(([127, 0, 0, 1], node.sip));
    let pause = Duration::from_millis(100);
    let mut callers = Line::new(Part::Callers { queue: "sales".to_owned(), calls: CALLS, pause });
    let mut near =
        Line::new(Part::Callers { queue: "sales".to_owned(), calls: CALLS / 4, pause: pause * 4 });
    let mut agents = Line::new(Part::Agents { talk: Duration::from_millis(200) });
    let links = [Link::new(1, callers.at, far), Link::new(2, agents.at, far)];
    agents.begin(links[1].at);
    node.write("agents.yaml", &staff(links[1].at.port()));
    for nth in 0..AGENTS {
        node.wait_for_agent(&format!("a{nth}"), "LoggedOut");
        node.put_to_work(&format!("a{nth}"));
    }
    let beside = Beside::start(&node);
    let before = node.memory_kib();
    callers.begin(links[0].at);
    near.begin_without_link(far);

    let (told, good) = (all_ended(&callers, CALLS), all_ended(&near, CALLS / 4));
    beside.finish(&node);
    let everybody = CALLS + CALLS / 4;
    assert_eq!((told.talked.len(), good.talked.len()), (CALLS, CALLS / 4));
    let answered = until("the agents' side has ended", AT_MOST, || {
        let story = agents.story();
        assert_eq!(story.complaints, Vec::<String>::new());
        (story.ended.len() == story.talked.len()).then_some(story.talked.len())
    });
    // An answer that came after the order to stop ringing is a talk of nobody.
    assert!(answered >= everybody, "{answered}");
    for link in links {
        let of = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
        let damage = [&link.damage.lost, &link.damage.doubled, &link.damage.delayed].map(of);
        assert!(damage.iter().all(|count| *count > 20), "the link was bad: {damage:?}");
    }
    node.wait_for_queue("sales", "/totals/answered", everybody as u64);
    let queue = node.read("/api/v1/queues/sales");
    assert_eq!(queue["totals"]["entered"], everybody, "{queue}");
    assert_eq!(queue["totals"]["abandoned"], 0, "{queue}");
    nothing_is_left(&node);
    let grown = node.memory_kib().saturating_sub(before);
    assert!(grown < KIB_MAX, "{grown} KiB more than {before}");
}

/// Waits until no call, transaction or stream is left.
fn nothing_is_left(node: &Carillon) {
    for (what, labels) in
        [("carillon_sip_transactions", ""), ("carillon_rtp_streams", ""), ("carillon_legs", "")]
    {
        until(&format!("no {what} are left"), AT_MOST, || {
            (node.metric(what, labels) == 0.0).then_some(())
        });
    }
    node.wait_for_queue("sales", "/waiting", 0);
    node.wait_for_queue("sales", "/talking", 0);
}
