//! Log lines: a sentence and fields to search by, and nothing of a caller at any level.

use std::io;
use std::sync::Arc;
use std::sync::Mutex;

use carillon::acd::command::Actor;
use carillon::acd::command::Role;
use carillon::acd::fact::CallEnd;
use carillon::acd::fact::Fact;
use carillon::acd::fact::HungUpBy;
use carillon::acd::fact::ReservationEnd;
use carillon::base::id::AgentId;
use carillon::base::id::CallId;
use carillon::base::id::LogIndex;
use carillon::base::id::QueueId;
use carillon::base::time::LocalTime;
use carillon::base::time::Millis;
use carillon::observe::log;
use carillon::observe::log::Format;
use serde_json::Value;
use serde_json::json;

use crate::world::NUMBER;
use crate::world::World;

const START: LocalTime = LocalTime(77_000_000);

/// Keeps what is written.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes every fact of a call down and hands back the text.
async fn written(format: Format, filter: &str) -> String {
    let world = World::start().await;
    world.call().await;
    let facts = world.facts().await;
    let kept = Kept::default();
    let writer = kept.clone();
    let subscriber = log::subscriber(format, filter, move || writer.clone());
    tracing::subscriber::with_default(subscriber, || {
        let mut log = log::Writer::default();
        for (index, fact) in &facts {
            log.write(START, *index, fact);
        }
    });
    let bytes = kept.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_machine_reads_one_object_a_line() {
    let text = written(Format::Json, "info").await;
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let entered = lines.iter().find(|line| line["message"] == "A caller entered the queue");
    let entered = entered.unwrap_or_else(|| panic!("{text}"));
    assert_eq!(entered["call"], "0000000000000001");
    assert_eq!(entered["queue"], "sales");
    assert_eq!(entered["level"], "INFO");
    assert!(entered["index"].is_u64());
}

#[tokio::test]
async fn info_leaves_out_what_every_call_does() {
    let info = written(Format::Plain, "info").await;
    assert!(info.contains("A caller entered the queue"));
    assert!(info.contains("An agent is rung"));
    assert!(!info.contains("The phone rings"));
    let debug = written(Format::Plain, "debug").await;
    assert!(debug.contains("The phone rings"));
}

#[tokio::test]
async fn no_line_tells_of_the_caller() {
    for format in [Format::Plain, Format::Json] {
        let text = written(format, "trace").await;
        assert!(!text.is_empty());
        assert!(!text.contains(NUMBER), "{text}");
        assert!(!text.contains("Secret Caller"), "{text}");
    }
}

#[test]
fn reasons_are_the_published_words() {
    let kept = Kept::default();
    let writer = kept.clone();
    let subscriber = log::subscriber(Format::Json, "info", move || writer.clone());
    let ends = [
        CallEnd::AnsweredAndHungUp { by: HungUpBy::Agent },
        CallEnd::Rejected(486),
        CallEnd::Abandoned,
        CallEnd::AgentLost,
    ];
    tracing::subscriber::with_default(subscriber, || {
        let mut log = log::Writer::default();
        let mut write = |index, fact: &Fact| log.write(START, LogIndex(index), fact);
        for (index, why) in (0..).zip(ends) {
            let (waited, talked) = (Millis::ZERO, Millis::ZERO);
            let queue = QueueId::new("sales");
            let fact = Fact::CallEnded { call: CallId(1), queue, why, waited, talked };
            write(index, &fact);
        }
        let (agent, queue) = (AgentId::new("2771"), QueueId::new("sales"));
        let by = Actor { role: Role::System, name: "test".to_owned() };
        let why = ReservationEnd::RungOut;
        let fact = Fact::ReservationEnded { call: CallId(1), queue, agent: agent.clone(), why };
        write(9, &fact);
        write(10, &Fact::AgentReady { agent, by: by.clone() });
        let call = CallId(1);
        write(11, &Fact::CallHungUp { call, by: by.clone() });
        let to = "sip:+49301234@pbx".to_owned();
        write(12, &Fact::CallTransferring { call, to, by });
    });
    let bytes = kept.0.lock().unwrap().clone();
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["why"], "AnsweredAndHungUp");
    assert_eq!(lines[0]["by"], "Agent");
    assert_eq!(lines[1]["why"], "Rejected");
    assert_eq!(lines[1]["status"], 486);
    assert_eq!(lines[2]["why"], "Abandoned");
    assert_eq!(lines[2].get("by"), None);
    assert_eq!((&lines[3]["why"], &lines[3]["level"]), (&json!("AgentLost"), &json!("WARN")));
    assert_eq!(lines[4]["why"], "RingOut");
    assert_eq!(lines[5]["message"], "The agent is ready");
    assert_eq!((&lines[6]["by"], &lines[6]["role"]), (&json!("test"), &json!("System")));
    assert_eq!((&lines[7]["by"], &lines[7]["role"]), (&json!("test"), &json!("System")));
    assert!(!text.contains("+49301234"), "where to may be somebody's number: {text}");
}

#[test]
fn calls_that_are_lost_in_heaps_are_counted() {
    let kept = Kept::default();
    let writer = kept.clone();
    let subscriber = log::subscriber(Format::Json, "info", move || writer.clone());
    let lost = |call: u64| {
        let why = if call.is_multiple_of(4) { CallEnd::AgentLost } else { CallEnd::CallerLost };
        let (waited, talked) = (Millis::ZERO, Millis::ZERO);
        let queue = QueueId::new("sales");
        Fact::CallEnded { call: CallId(call), queue, why, waited, talked }
    };
    tracing::subscriber::with_default(subscriber, || {
        let mut log = log::Writer::default();
        (0..10_000).for_each(|nth| log.write(START, LogIndex(nth), &lost(nth)));
        log.tell_left_out(START + Millis(9_999));
        log.tell_left_out(START + Millis(10_000));
        log.tell_left_out(START + Millis(20_000));
        log.write(START + Millis(20_000), LogIndex(10_001), &lost(10_001));
    });
    let bytes = kept.0.lock().unwrap().clone();
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 20 + 2 + 1, "{text}");
    assert!(lines[..20].iter().all(|line| line["message"] == "The call was lost"), "{text}");
    let told = |line: &Value| (line["message"].clone(), line["why"].clone(), line["calls"].clone());
    let more = json!("More calls were lost");
    assert_eq!(told(&lines[20]), (more.clone(), json!("AgentLost"), json!(2500 - 5)));
    assert_eq!(told(&lines[21]), (more, json!("CallerLost"), json!(7500 - 15)));
    assert_eq!(lines[22]["call"], "0000000000002711", "the next one has its line");
    assert!(lines.iter().all(|line| line["level"] == "WARN"), "{text}");
}
