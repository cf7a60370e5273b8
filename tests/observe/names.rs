//! The published names, types and labels of all metrics, and figures that are right.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use carillon::observe::metrics::Direction;

use crate::world::NUMBER;
use crate::world::World;

/// Name, type and labels of every metric in a scrape.
fn published(text: &str) -> String {
    let mut types: Vec<(&str, &str)> = Vec::new();
    let mut labels: Vec<(String, BTreeSet<String>)> = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            types.push(rest.split_once(' ').unwrap());
            labels.push((rest.to_owned(), BTreeSet::new()));
        } else if let Some((_, after)) = line.split_once('{')
            && !line.starts_with('#')
        {
            let (inside, _) = after.split_once('}').unwrap();
            let names = inside.split("\",").map(|pair| pair.split('=').next().unwrap().to_owned());
            labels.last_mut().unwrap().1.extend(names.filter(|name| name != "le"));
        }
    }
    let line = |((name, kind), (_, labels)): (&(&str, &str), &(String, BTreeSet<String>))| {
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        format!("{name} {kind} {{{}}}\n", labels.join(","))
    };
    let mut lines: Vec<String> = types.iter().zip(&labels).map(line).collect();
    lines.sort();
    lines.concat()
}

/// Makes every series appear once.
fn count_everything(world: &World) {
    let metrics = &world.metrics;
    metrics.count_sip_request("INVITE", Direction::In);
    metrics.count_sip_request("X-STRANGE-1", Direction::In);
    metrics.count_sip_request("X-STRANGE-2", Direction::In);
    metrics.count_sip_response("INVITE", 486, Direction::Out);
    metrics.count_sip_retransmissions(1);
    metrics.count_sip_rejected("malformed");
    metrics.count_connection_refused("api", "full");
    metrics.set_sip_transactions(3);
    metrics.set_sip_transaction_bytes(3000);
    metrics.set_sip_half_open_calls(2);
    metrics.set_rtp_streams("caller", 2);
    metrics.count_rtp_packets(Direction::In, 50);
    metrics.count_rtp_trouble(1, 2, 3);
    metrics.count_rtp_dropped("ambiguous", 4);
    metrics.time_assignment(1500);
    metrics.time_idle_gap(2500);
}

#[tokio::test]
async fn the_names_are_the_published_ones() {
    let world = World::start().await;
    world.call().await;
    world.answer().await;
    count_everything(&world);
    for (_, fact) in world.facts().await {
        world.metrics.count_fact(&fact);
    }
    for fact in every_counted_fact() {
        world.metrics.count_fact(&fact);
    }
    let (status, text) = world.get("/metrics").await;
    assert_eq!(status, 200);
    let said = published(&text);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/observe/metrics.txt");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &said).unwrap();
    }
    assert_eq!(said, fs::read_to_string(&path).unwrap_or_default());
    assert!(!text.contains(NUMBER));
}

#[tokio::test]
async fn the_figures_are_right() {
    let world = World::start().await;
    world.call().await;
    count_everything(&world);
    let (_, text) = world.get("/metrics").await;
    let ratio = "carillon_queue_service_level_ratio{queue=\"sales\"} 1";
    assert!(!text.contains(ratio), "nothing was settled yet");
    world.answer().await;
    assert!(world.get("/metrics").await.1.contains(ratio));
    for line in [
        "carillon_queue_waiting_calls{queue=\"sales\"} 0",
        "carillon_queue_agents{queue=\"sales\",state=\"Reserved\"} 1",
        "carillon_queue_agents{queue=\"sales\",state=\"Ready\"} 0",
        "carillon_queue_calls_total{outcome=\"entered\",queue=\"sales\"} 1",
        "carillon_agents{state=\"Reserved\"} 1",
        "carillon_agents{state=\"LoggedOut\"} 0",
        "carillon_quorum 1",
        "carillon_raft_leader 1",
        "carillon_sip_requests_total{direction=\"in\",method=\"OTHER\"} 2",
        "carillon_sip_responses_total{class=\"4xx\",direction=\"out\",method=\"INVITE\"} 1",
        "carillon_sip_transactions 3",
        "carillon_sip_transaction_bytes 3000",
        "carillon_sip_half_open_calls 2",
        "carillon_assignment_seconds_bucket{le=\"0.002\"} 1",
        "carillon_rtp_lost_total 2",
        "carillon_rtp_undelivered_total 3",
        "carillon_rtp_dropped_total{why=\"ambiguous\"} 4",
    ] {
        assert!(text.lines().any(|said| said == line), "{line} is missing in\n{text}");
    }
    let (_, text) = world.get("/metrics").await;
    let applied = format!("carillon_raft_applied_index {}", world.handle.applied());
    assert!(text.contains(&applied), "{applied}");
}

#[tokio::test]
async fn every_histogram_adds_up() {
    let world = World::start().await;
    let (_, text) = world.get("/metrics").await;
    let value = |prefix: &str| -> u64 {
        let line = text.lines().find(|line| line.starts_with(prefix)).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    for name in ["carillon_raft_commit_seconds", "carillon_raft_fsync_seconds"] {
        let buckets = text.lines().filter(|line| line.starts_with(&format!("{name}_bucket")));
        let counts: Vec<u64> =
            buckets.map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect();
        assert!(counts.is_sorted(), "{name}");
        assert_eq!(counts.last(), Some(&value(&format!("{name}_count"))), "{name}");
        assert!(value(&format!("{name}_count")) > 0, "{name}");
    }
}

fn every_counted_fact() -> Vec<carillon::acd::fact::Fact> {
    use carillon::acd::command::Actor;
    use carillon::acd::command::Role;
    use carillon::acd::fact::CallEnd;
    use carillon::acd::fact::Fact;
    use carillon::acd::fact::LogoutReason;
    use carillon::acd::fact::ReservationEnd;
    use carillon::base::id::AgentId;
    use carillon::base::id::CallId;
    use carillon::base::id::QueueId;
    use carillon::base::time::Millis;
    let (call, queue, agent) = (CallId(1), QueueId::new("sales"), AgentId::new("2771"));
    let by = Actor { role: Role::System, name: String::new() };
    let (waited, talked) = (Millis(1500), Millis(3000));
    vec![
        Fact::CallAnswered {
            call,
            queue: queue.clone(),
            agent: agent.clone(),
            waited,
            rang: Millis(500),
        },
        Fact::CallEnded { call, queue: queue.clone(), why: CallEnd::Abandoned, waited, talked },
        Fact::ReservationEnded { call, queue, agent: agent.clone(), why: ReservationEnd::RungOut },
        Fact::AgentLoggedOut { agent, reason: LogoutReason::RingOut, by },
    ]
}
