//! What holds for every answer: the index, problems, near names, what reads and writes give.

use carillon::acd::command::Command;
use carillon::acd::command::LegEnd;
use carillon::base::id::CallId;
use carillon::base::id::LegId;
use serde_json::Value;
use serde_json::json;

use crate::world::ADMIN;
use crate::world::AGENT;
use crate::world::SUPERVISOR;
use crate::world::VIEWER;
use crate::world::World;

#[tokio::test]
async fn every_answer_says_up_to_where_it_knows() {
    let world = World::start().await;
    for path in ["/queues", "/agents", "/api/v1/queues", "/nowhere", "/api/v1/agents/9999"] {
        let applied = world.handle.applied().0;
        let reply = world.get(VIEWER, path).await;
        assert_eq!(reply.index(), applied, "{path}");
    }
    let unauthenticated = world.get("", "/queues").await;
    assert!(unauthenticated.index() > 0);
    let list = world.get(VIEWER, "/api/v1/queues").await;
    assert_eq!(list.json()["index"], list.index());
}

#[tokio::test]
async fn a_strong_read_gives_what_was_written() {
    let world = World::start().await;
    world.put(ADMIN, "/api/v1/queues/fresh", json!({})).await.ok();
    let reply = world.get(VIEWER, "/api/v1/queues/fresh?consistency=strong").await;
    assert_eq!(reply.ok()["name"], "fresh");
    for query in ["consistency=str%6Fng", "%63onsistency=strong", "x=1&consistency=strong&y"] {
        let reply = world.get(VIEWER, &format!("/api/v1/queues/fresh?{query}")).await;
        assert_eq!(reply.ok()["name"], "fresh", "{query}");
    }
    let wrong = world.get(VIEWER, "/api/v1/queues?consistency=weak").await;
    wrong.refused(400, "malformed-request");
}

#[tokio::test]
async fn what_a_queue_cannot_say_yet_is_null() {
    let world = World::start().await;
    let queue = world.get(VIEWER, "/api/v1/queues/queue1").await.ok();
    let document = world.get(VIEWER, "/api/v1/openapi.json").await.ok();
    let fields = &document["components"]["schemas"]["Queue"]["properties"];
    for field in ["longestWaitSeconds", "serviceLevelPercent"] {
        let shown = queue.get(field);
        assert_eq!(shown, Some(&json!(null)), "{field} is there, and null");
        assert!(fields[field]["type"].as_array().unwrap().contains(&json!("null")), "{fields}");
        assert!(fields[field]["description"].as_str().unwrap().contains("`null`"), "{fields}");
    }
}

#[tokio::test]
async fn what_is_unknown_names_what_is_near() {
    let world = World::start().await;
    let problem = world.get(VIEWER, "/api/v1/queues/queue3").await.refused(404, "unknown-queue");
    assert_eq!(problem["near"], json!(["queue1", "queue2"]));
    assert!(problem["index"].is_u64());
    let problem = world.get(VIEWER, "/api/v1/agents/2773").await.refused(404, "unknown-agent");
    assert_eq!(problem["near"], json!(["2771", "2772"]));
    world.get(VIEWER, "/api/v1/calls/00000000000000ff").await.refused(404, "unknown-call");
    world.get(VIEWER, "/api/v1/calls/not-a-call").await.refused(404, "unknown-call");
    world.get(VIEWER, "/api/v1/queues/nowhere/calls").await.refused(404, "unknown-queue");
    world.get(VIEWER, "/nowhere").await.refused(404, "unknown-route");
}

#[tokio::test]
async fn a_wrong_method_says_which_are_right() {
    let world = World::start().await;
    let reply = world.delete(ADMIN, "/queues").await;
    assert!(reply.headers["allow"].to_str().unwrap().contains("GET"));
    reply.refused(405, "method-not-allowed");
}

#[tokio::test]
async fn every_problem_has_a_page() {
    let world = World::start().await;
    let problem = world.get(VIEWER, "/problems/nonsense").await.refused(404, "unknown-route");
    let detail = problem["detail"].as_str().unwrap().to_owned();
    let (_, names) = detail.split_once("There are ").unwrap();
    let names: Vec<&str> = names.trim_end_matches('.').split(", ").collect();
    assert!(names.len() > 30);
    for name in names {
        let page = world.get(VIEWER, &format!("/problems/{name}")).await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains("Cause") && page.text.contains("Remedy"), "{name}");
        assert!(page.text.contains(name));
    }
}

#[tokio::test]
async fn an_agents_day() {
    let world = World::start().await;
    let login = world.post(AGENT, "/api/v1/agents/2771/login", json!({"pin": "1234"})).await;
    let index = login.index();
    let agent = login.ok();
    assert_eq!(agent["state"], "NotReady");
    assert_eq!(agent["reason"], "LoggedIn");
    assert_eq!(agent["device"], "sip:2771@192.0.2.7");
    assert_eq!(agent["hasPin"], true);
    let ready = world.post(AGENT, "/api/v1/agents/2771/ready", json!({})).await;
    assert!(ready.index() > index);
    assert_eq!(ready.ok()["state"], "Ready");
    let break_ = json!({"reason": "Break"});
    let break_ = world.post(AGENT, "/api/v1/agents/2771/not-ready", break_).await.ok();
    assert_eq!((&break_["state"], &break_["reason"]), (&json!("NotReady"), &json!("Break")));
    let out = world.post(AGENT, "/api/v1/agents/2771/logout", json!({})).await.ok();
    assert_eq!((&out["state"], &out["reason"]), (&json!("LoggedOut"), &json!("Requested")));
}

#[tokio::test]
async fn a_refusal_names_rule_state_and_way_out() {
    let world = World::start().await;
    world.post(AGENT, "/api/v1/agents/2771/login", json!({"pin": "1234"})).await.ok();
    world.post(AGENT, "/api/v1/agents/2771/ready", json!({})).await.ok();
    world.call(7, "queue1").await;
    let refused = world.post(AGENT, "/api/v1/agents/2771/logout", json!({})).await;
    let problem = refused.refused(409, "wrong-agent-state");
    assert_eq!(problem["state"], "Reserved");
    assert_eq!(problem["refusal"], "WrongAgentState");
    assert_eq!(
        problem["detail"],
        "Agent 2771 is Reserved; logging out is allowed in NotReady or WrapUp. Wait until the \
         phone has stopped ringing, or ask a supervisor to force it."
    );
    let forced = world.post(SUPERVISOR, "/api/v1/agents/2771/force-logout", json!({})).await.ok();
    assert_eq!(forced["state"], "LoggedOut");
    assert_eq!(forced["reason"], "Supervisor");
}

#[tokio::test]
async fn a_waiting_call_is_explained_moved_up_and_sent_away() {
    let world = World::start().await;
    let first = world.call(1, "queue1").await;
    let second = world.call(2, "queue1").await;
    let call = world.get(ADMIN, &format!("/api/v1/calls/{second}")).await.ok();
    assert_eq!(call["place"], 2);
    assert_eq!(call["state"], "Waiting");
    assert_eq!(call["timeline"][0]["what"], "Entered");
    let path = format!("/api/v1/calls/{second}/priority");
    let raised = world.post(ADMIN, &path, json!({"priority": 5})).await.ok();
    assert_eq!((&raised["place"], &raised["priority"]), (&json!(1), &json!(5)));
    let calls = world.get(ADMIN, "/api/v1/queues/queue1/calls").await.ok();
    assert_eq!(calls["items"][0]["id"], second);
    assert_eq!(calls["items"][1]["id"], first);
    let path = format!("/api/v1/calls/{second}/transfer");
    let away = world.post(ADMIN, &path, json!({"to": "sip:voicemail@pbx.example"})).await;
    let away = away.accepted();
    assert_eq!(away["state"], "Transferring");
    let path = format!("/api/v1/calls/{first}/hang-up");
    world.post(ADMIN, &path, json!({})).await.ok();
    let ended = world.get(ADMIN, &format!("/api/v1/calls/{first}")).await.ok();
    assert_eq!(ended["state"], "Ended");
    assert!(ended["ended"]["reason"].is_string(), "{ended}");
}

#[tokio::test]
async fn the_cluster_shows_itself() {
    let world = World::start().await;
    let cluster = world.get(VIEWER, "/api/v1/cluster").await.ok();
    assert_eq!(cluster["quorum"], true);
    assert_eq!(cluster["leader"], cluster["node"]);
    assert_eq!(cluster["members"][0]["voter"], true);
    assert_eq!(cluster["nodes"][0]["alive"], true);
}

#[tokio::test]
async fn a_short_abandon_is_no_part_of_the_service_level() {
    let world = World::start().await;
    world.call(1, "queue1").await;
    let leg = LegId::of_caller(CallId(1));
    world.done(Command::EndLeg { leg, why: LegEnd::HungUp }).await;
    let queue = world.get(ADMIN, "/api/v1/queues/queue1").await.ok();
    assert_eq!(queue["totals"]["shortAbandoned"], 1);
    assert_eq!(queue["serviceLevelPercent"], Value::Null);
}
