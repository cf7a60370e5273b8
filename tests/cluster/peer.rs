//! Strangers at the door of the peer protocol, and links that find nobody.

use std::net::SocketAddr;
use std::time::Duration;

use carillon::base::id::Incarnation;
use carillon::base::id::NodeId;
use carillon::base::id::Owner;
use carillon::cluster::ClusterConfig;
use carillon::cluster::identity::ClusterId;
use carillon::cluster::identity::Identity;
use carillon::cluster::peer::frame::Answer;
use carillon::cluster::peer::frame::Ask;
use carillon::cluster::peer::frame::Purpose;
use carillon::cluster::peer::link::Dial;
use carillon::cluster::peer::link::Link;
use carillon::cluster::peer::link::LinkError;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::world;
use crate::world::Node;
use crate::world::put;
use crate::world::request;
use crate::world::within;

async fn listening() -> (TempDir, SocketAddr, Node) {
    let data = tempfile::tempdir().unwrap();
    let address = world::free_addresses(1)[&NodeId(1)];
    let config = ClusterConfig { listen: Some(address), ..world::alone(data.path()) };
    let node = world::start(config).await;
    (data, address, node)
}

fn link(address: SocketAddr, cluster: ClusterId, target: u64, incarnation: u64) -> Link {
    let owner = Owner { node: NodeId(9), incarnation: Incarnation(incarnation) };
    Link::new(Dial {
        me: Identity { cluster, owner },
        target,
        address: address.to_string(),
        purpose: Purpose::Forward,
        patience: Duration::from_secs(5),
    })
}

async fn read_point(link: &Link) -> Result<Answer, LinkError> {
    link.ask(Ask::ReadPoint, Duration::from_secs(5)).await
}

fn refusal(answer: Result<Answer, LinkError>) -> String {
    match answer {
        Err(LinkError::Unreachable(why)) => why,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_right_node_of_the_right_cluster_is_spoken_to() {
    let (_data, address, node) = listening().await;
    let ours = node.handle.identity().cluster;
    let known = read_point(&link(address, ours, 1, 2)).await.unwrap();
    assert_eq!(known, Answer::ReadPoint(node.handle.applied().0));

    let why = refusal(read_point(&link(address, ClusterId(1), 1, 2)).await);
    assert!(why.contains("the node belongs to cluster"), "{why}");
    let why = refusal(read_point(&link(address, ours, 2, 2)).await);
    assert_eq!(why, "the address belongs to node 1");
    let why = refusal(read_point(&link(address, ours, 1, 1)).await);
    assert_eq!(why, "a newer life (2) of the calling node was seen");
    node.cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_closes_its_own_connection_and_nothing_else() {
    let (_data, address, node) = listening().await;
    for garbage in [
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0xff; 64],
        vec![0, 0, 0, 0],
        vec![0, 0, 0, 3, 77, 0, 0],
        [vec![0, 0, 4, 0], vec![1; 1024]].concat(),
    ] {
        let mut stranger = TcpStream::connect(address).await.unwrap();
        stranger.write_all(&garbage).await.unwrap();
        let mut answer = Vec::new();
        // Closed or reset, but over, and without a word.
        let _ = within("it is closed", stranger.read_to_end(&mut answer)).await;
        assert!(answer.is_empty());
    }
    node.handle.propose(request(), put("a")).await.unwrap();
    node.cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_there_is_said_at_once() {
    let nobody = world::free_addresses(1)[&NodeId(1)];
    let link = link(nobody, ClusterId(1), 1, 1);
    refusal(read_point(&link).await);
    refusal(read_point(&link).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_does_not_answer_is_given_up_by_the_deadline() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let link = link(address, ClusterId(1), 1, 1);
    let answer = link.call(Ask::ReadPoint, Duration::from_millis(50)).await;
    assert_eq!(answer, Err(LinkError::TimedOut));
}
