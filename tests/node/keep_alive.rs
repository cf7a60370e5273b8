//! Line ends over UDP, by which phones keep the way through a router open.

use std::net::Ipv4Addr;
use std::net::UdpSocket;
use std::time::Duration;

use crate::carillon::Carillon;
use crate::crowd::options;

const DEADLINE: Duration = Duration::from_secs(20);

#[test]
fn a_keep_alive_over_udp_is_answered_and_longer_noise_is_not() {
    let node = Carillon::start("kind: Queue\nmetadata: {name: sales}\nspec: {}\n");
    let phone = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    phone.set_read_timeout(Some(DEADLINE)).expect("set");
    phone.connect((Ipv4Addr::LOCALHOST, node.sip)).expect("connected");
    let heard = || {
        let mut buffer = [0; 4096];
        let length = phone.recv(&mut buffer).expect("an answer");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    for keep_alive in ["\r\n\r\n", "\r\n", "\n"] {
        phone.send(keep_alive.as_bytes()).expect("sent");
        assert_eq!(heard(), "\r\n", "{keep_alive:?}");
    }
    for noise in ["", "\r\n\r\n\r\n", "\0\0"] {
        phone.send(noise.as_bytes()).expect("sent");
    }
    let port = phone.local_addr().expect("bound").port();
    let asked = options().replace("TCP 127.0.0.1:9", &format!("UDP 127.0.0.1:{port}"));
    phone.send(asked.as_bytes()).expect("sent");
    let answer = heard();
    assert!(answer.starts_with("SIP/2.0 200"), "nothing was said before: {answer:?}");
}
