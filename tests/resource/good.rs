//! What reads without a mistake, and what comes of it.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use carillon::acd::config::Address;
use carillon::acd::config::Network;
use carillon::acd::config::OverflowAction;
use carillon::acd::config::PromptSource;
use carillon::acd::config::RingAction;
use carillon::acd::config::Settings;
use carillon::base::time::Millis;
use carillon::resource::Configuration;
use carillon::resource::ConnectionLimits;
use carillon::resource::File;
use carillon::resource::Kind;
use carillon::resource::NodeSettings;
use carillon::resource::read;
use carillon::resource::read_agent;
use carillon::resource::read_queue;
use carillon::resource::write;

use crate::outside::Configured;
use crate::outside::World;

fn read_good(name: &str) -> Configuration {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/resource/good");
    let text = fs::read_to_string(folder.join(name)).unwrap();
    let shown = format!("config/{name}");
    match read(&[File { name: &shown, text: &text }], &World) {
        Ok(configuration) => configuration,
        Err(mistakes) => {
            let said: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            panic!("{}", said.join("\n"));
        }
    }
}

#[test]
fn everything_that_can_be_said_is_understood() {
    let read = read_good("everything.yaml");
    let queue = &read.queues[0];
    assert_eq!(queue.ring, Millis::from_secs(15));
    assert_eq!(
        queue.addresses,
        [
            Address { user: "sales".to_owned(), host: None },
            Address { user: "+4922199".to_owned(), host: None },
            Address { user: "sales".to_owned(), host: Some("acd.example".to_owned()) },
        ]
    );
    assert_eq!(queue.on_busy.action, RingAction::StayReady);
    assert_eq!(queue.on_busy.delay, Millis::from_secs(5));
    assert_eq!(queue.limits.calls_max, Some(500));
    let voicemail = Address { user: "voicemail".to_owned(), host: Some("pbx.example".to_owned()) };
    assert_eq!(queue.overflow.no_agents.action, OverflowAction::Transfer { to: voicemail });
    assert!(matches!(queue.overflow.too_long.action, OverflowAction::Queue { .. }));
    assert_eq!(read.queues[1].overflow.no_agents.action, OverflowAction::Wait);
    assert_eq!(read.queues[1].caller.music, None);

    let agent = &read.agents[0];
    assert_eq!(agent.pin.as_ref().map(|pin| pin.expose().as_str()), Some("2771"));
    assert_eq!(agent.queues.len(), 2);
    let trunk = &read.trunks[0];
    let office = Network { address: "192.0.2.0".parse().unwrap(), prefix: 24 };
    assert_eq!(trunk.allowed_sources[0], office);
    let password = trunk.outbound_auth.as_ref().map(|auth| auth.password.expose().as_str());
    assert_eq!(password, Some("a password with spaces"));
    assert_eq!(read.settings.log_out_when_inactive, None);
    assert_eq!(read.settings.not_ready_reasons, ["Break", "Lunch"]);
    assert_eq!(read.settings.session_expires, Millis::from_secs(600));
    assert_eq!(read.node.rtp_ports, [20_000, 20_001, 20_002, 20_003]);
    assert_eq!(read.node.rtp_lost_after, Some(Millis::from_secs(60)));
    assert_eq!(read.node.api_listen, SocketAddr::from(([127, 0, 0, 1], 8080)));
    assert_eq!(read.node.tokens_file.as_deref(), Some("config/tokens.yaml"));
}

#[test]
fn limits_of_sip_are_read_each_for_its_own() {
    let limits = read_good("everything.yaml").node.sip_limits;
    let [trunks, strangers] = [limits.trunks, limits.strangers].map(|of_one| {
        [of_one.invites_per_second, of_one.messages_per_second, of_one.half_open_calls]
    });
    assert_eq!((trunks, strangers), ([50, 1000, 500], [2, 20, 3]));
    assert_eq!(limits.strangers_messages_per_second, 500);
    let ConnectionLimits { all, of_trunk, strangers, of_stranger } = limits.connections;
    assert_eq!([all, of_trunk, strangers, of_stranger], [400, 100, 40, 4].map(Some));
    assert_eq!((limits.transaction_megabytes, limits.retry_after_seconds), (64, 7));
}

#[test]
fn only_what_is_read_at_the_start_waits_for_a_restart() {
    let started = NodeSettings::default();
    let mut wanted = started.clone();
    wanted.sip_limits.trunks.invites_per_second += 1;
    wanted.sip_limits.strangers.half_open_calls += 1;
    assert_eq!(wanted.changed_since(&started), Vec::<&str>::new());
    let followed = ["sip.limits.trunks.invitesPerSecond", "sip.limits.strangers.halfOpenCalls"];
    assert_eq!(wanted.followed_since(&started), followed);
    wanted.sip_limits.connections.all = Some(7);
    wanted.api_listen.set_port(7);
    let waiting = ["api.listen", "sip.limits.connectionsInAll"];
    assert_eq!(wanted.changed_since(&started), waiting);
    assert_eq!(wanted.followed_since(&started), followed);
}

#[test]
fn settings_that_were_kept_before_there_were_limits_can_be_read() {
    let mut kept = serde_json::to_value(NodeSettings::default()).unwrap();
    assert!(kept.as_object_mut().unwrap().remove("sip_limits").is_some());
    assert_eq!(serde_json::from_value::<NodeSettings>(kept).unwrap(), NodeSettings::default());
}

#[test]
fn what_is_left_out_has_its_published_default() {
    let read = read_good("least.yaml");
    let queue = &read.queues[0];
    assert_eq!(queue.display_name, "sales");
    assert_eq!(queue.ring, Millis::from_secs(15));
    assert_eq!(queue.limits.calls_max, None);
    assert_eq!(queue.overflow.full.action, OverflowAction::Reject { status: 486 });
    assert_eq!(queue.caller.music.as_ref().map(|music| music.as_str()), Some("music"));
    assert!(queue.open);
    assert_eq!(read.settings, Settings::default());
    assert_eq!(read.node, NodeSettings::default());
    assert!(read.agents[0].pin.is_none());
}

#[test]
fn prompts_of_the_program_need_no_line_of_their_own() {
    let read = read_good("everything.yaml");
    let source = |name: &str| {
        read.prompts.iter().find(|prompt| prompt.id.as_str() == name).map(|prompt| &prompt.source)
    };
    let file = PromptSource::File("config/audio/welcome.wav".to_owned());
    assert_eq!(source("welcome"), Some(&file));
    // It is named by a queue all the same.
    assert_eq!(source("music"), None);
}

#[test]
fn an_empty_folder_is_a_configuration() {
    assert_eq!(read(&[], &World).unwrap().queues, []);
    let empty = File { name: "empty.yaml", text: "# nothing yet\n---\n" };
    assert_eq!(read(&[empty], &World).unwrap().queues, []);
}

#[test]
fn what_is_written_reads_back() {
    let read = read_good("everything.yaml");
    let queues = read.queues.iter().map(|queue| (Kind::Queue, queue.id.to_string()));
    let trunks = read.trunks.iter().map(|trunk| (Kind::Trunk, trunk.id.to_string()));
    let world = Configured(queues.chain(trunks).collect());
    for queue in &read.queues {
        let again = read_queue(queue.id.as_str(), &write::queue(queue), &world).unwrap();
        assert_eq!(&again, queue);
    }
    for agent in &read.agents {
        let mut expected = agent.clone();
        expected.pin = None;
        let again = read_agent(agent.id.as_str(), &write::agent(agent), &world).unwrap();
        assert_eq!(again, expected);
    }
}

#[test]
fn a_body_names_what_is_configured() {
    let spec = serde_json::json!({ "queues": ["sails"] });
    let world = Configured(vec![(Kind::Queue, "sales".to_owned())]);
    let mistakes = read_agent("2771", &spec, &world).unwrap_err();
    assert_eq!(mistakes[0].field.pointer(), "/queues/0");
    assert_eq!(mistakes[0].remedy, "did you mean sales?");
}

#[test]
fn what_is_written_holds_no_secret() {
    let read = read_good("everything.yaml");
    for agent in &read.agents {
        assert!(!write::agent(agent).to_string().contains("pin"));
    }
    for trunk in &read.trunks {
        assert!(!write::trunk(trunk).to_string().contains("password"));
    }
}

#[test]
fn a_number_to_transfer_to_has_no_host_and_reads_back() {
    let world = Configured(Vec::new());
    let spec = serde_json::json!({ "overflow": { "closed": { "transfer": "tel:+49-221.(99)" } } });
    let queue = read_queue("sales", &spec, &world).unwrap();
    let to = Address { user: "+4922199".to_owned(), host: None };
    assert_eq!(queue.overflow.closed.action, OverflowAction::Transfer { to });
    let written = write::queue(&queue);
    assert_eq!(written["overflow"]["closed"]["transfer"], "tel:+4922199");
    assert_eq!(read_queue("sales", &written, &world).unwrap(), queue);
}
