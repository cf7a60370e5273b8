//! A node carries out its own orders, and those of nobody else.
//!
//! The log of this node is told of calls another node owns, and of another life of this node: the
//! core orders their owners to hold the callers. A node that took such an order for its own would
//! find no phone to it, and report the caller lost.

use std::fs;
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use carillon::acd::command::Arrival;
use carillon::acd::command::CallStateName;
use carillon::acd::command::Caller;
use carillon::acd::command::Command;
use carillon::acd::command::Dialog;
use carillon::acd::command::Outcome;
use carillon::acd::config::Address;
use carillon::base::id::CallId;
use carillon::base::id::Incarnation;
use carillon::base::id::NodeId;
use carillon::base::id::Owner;
use carillon::base::id::RequestId;
use carillon::node::running::Node;

use crate::carillon::free_port;
use crate::carillon::free_rtp_ports;
use crate::wait::until;

const DEADLINE: Duration = Duration::from_secs(20);

struct World {
    node: Node,
    runtime: tokio::runtime::Runtime,
    requests: u128,
    _folder: tempfile::TempDir,
}

impl World {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let config = folder.path().join("config");
        fs::create_dir(&config).expect("a folder");
        let [sip, api, observe] = [free_port(), free_port(), free_port()];
        let rtp = free_rtp_ports();
        let text = format!(
            "kind: Settings\nmetadata: {{name: default}}\nspec:\n  sip: {{advertise: 127.0.0.1, \
             listen: [{{transport: Udp, address: 127.0.0.1, port: {sip}}}]}}\n  rtp: {{advertise: \
             127.0.0.1, ports: \"{rtp}-{}\"}}\n  api: {{listen: \"127.0.0.1:{api}\"}}\n  observe: \
             {{listen: \"127.0.0.1:{observe}\"}}\n---\nkind: Queue\nmetadata: {{name: sales}}\n\
             spec: {{overflow: {{noAgents: {{wait: {{}}}}}}}}\n",
            rtp + 3
        );
        fs::write(config.join("all.yaml"), text).expect("written");
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let data = folder.path().join("data");
        let node = runtime.block_on(Node::start(&config, &data)).expect("the node starts");
        Self { node, runtime, requests: 0, _folder: folder }
    }

    fn done(&mut self, command: Command) {
        self.requests += 1;
        let proposed = self.node.handle.propose(RequestId(self.requests << 32), command);
        let applied = self.runtime.block_on(proposed).expect("committed");
        assert_eq!(applied.outcome, Outcome::Done);
    }

    /// A caller reaches the queue through the node that is `owner`.
    fn call(&mut self, call: CallId, owner: Owner) {
        self.done(Command::EnqueueCall(Box::new(Arrival {
            call,
            owner,
            to: Address { user: "sales".to_owned(), host: None },
            caller: Arc::new(Caller::default()),
            priority: None,
            dialog: Dialog::from(Vec::new()),
        })));
    }

    fn state(&self, call: CallId) -> Option<CallStateName> {
        self.node.handle.view(|view| view.call(call).map(|call| call.state))
    }

    fn wait_until_lost(&self, call: CallId) {
        until("a caller without a phone is given up", DEADLINE, || {
            (self.state(call) != Some(CallStateName::Waiting)).then_some(())
        });
    }
}

#[test]
fn the_calls_of_another_node_are_left_to_it() {
    let mut world = World::start();
    let own = world.node.handle.identity().owner;
    let other = Owner { node: NodeId(own.node.0 + 1), incarnation: Incarnation(1) };
    world.done(Command::StartNode { owner: other });
    let theirs: Vec<_> = (100..110).map(CallId).collect();
    for call in &theirs {
        world.call(*call, other);
    }
    // Orders come in log order: when ours are carried out, theirs would have been.
    for call in (110..120).map(CallId) {
        world.call(call, own);
        world.wait_until_lost(call);
    }
    for call in theirs {
        assert_eq!(world.state(call), Some(CallStateName::Waiting), "{call}");
    }
    world.runtime.block_on(world.node.stop());
}

#[test]
fn the_calls_of_another_life_are_left_to_it() {
    let mut world = World::start();
    let own = world.node.handle.identity().owner;
    world.call(CallId(1), own);
    world.wait_until_lost(CallId(1));
    let next = Owner { incarnation: Incarnation(own.incarnation.0 + 1), ..own };
    world.done(Command::StartNode { owner: next });
    let theirs: Vec<_> = (100..110).map(CallId).collect();
    for call in &theirs {
        world.call(*call, next);
    }
    // This life has nothing left to do by which to see that it has come past; so it is asked
    // something else, far more often than its shards take to report a caller lost.
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    for nth in 0..200 {
        let host = socket.local_addr().expect("bound");
        let options = format!(
            "OPTIONS sip:{to} SIP/2.0\r\nVia: SIP/2.0/UDP {host};branch=z9hG4bK{nth}\r\n\
             From: <sip:probe@{host}>;tag=1\r\nTo: <sip:{to}>\r\nCall-ID: {nth}@tests\r\n\
             CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            to = world.node.sip[0][0],
        );
        socket.send_to(options.as_bytes(), world.node.sip[0][0]).expect("sent");
        let answered = socket.recv(&mut [0; 2000]).expect("an answer");
        assert!(answered > 0);
    }
    for call in theirs {
        assert_eq!(world.state(call), Some(CallStateName::Waiting), "{call}");
    }
    world.runtime.block_on(world.node.stop());
}
