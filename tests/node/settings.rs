//! Settings that change while a node runs: the next call has them, and what was taken up is said.

use std::net::UdpSocket;

use crate::place::PATIENCE;
use crate::place::Place;

const CONFIG: &str = "\
kind: Trunk
metadata: {name: here}
spec: {peers: [\"sip:127.0.0.1\"], inbound: {allowedSources: [127.0.0.0/8]}}
---
kind: Queue
metadata: {name: sales}
spec: {overflow: {noAgents: {wait: {}}}}
";

/// Calls the queue, and returns the interval of the session timer that the 200 names.
fn interval(sip: u16, call: u32) -> String {
    let phone = UdpSocket::bind("127.0.0.1:0").expect("it works on this machine");
    phone.set_read_timeout(Some(PATIENCE)).expect("it works on this machine");
    let port = phone.local_addr().expect("it works on this machine").port();
    let body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                m=audio 9 RTP/AVP 0\r\n";
    let request = format!(
        "INVITE sip:sales@127.0.0.1:{sip} SIP/2.0\r\n\
         Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{call}\r\nFrom: <sip:a@127.0.0.1>;tag=1\
         \r\nTo: <sip:sales@127.0.0.1>\r\nCall-ID: {call}@127.0.0.1\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:a@127.0.0.1:{port}>\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\
         \r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    phone.send_to(request.as_bytes(), ("127.0.0.1", sip)).expect("it works on this machine");
    let mut buffer = [0; 4096];
    loop {
        let length = phone.recv(&mut buffer).expect("an answer");
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        if text.starts_with("SIP/2.0 100 ") {
            continue;
        }
        assert!(text.starts_with("SIP/2.0 200 "), "{text}");
        let line = text.lines().find_map(|line| line.strip_prefix("Session-Expires: "));
        return line.and_then(|line| line.split(';').next()).unwrap_or_default().to_owned();
    }
}

/// Writes the settings with this field of `sip`.
fn write(place: &Place, field: &str) {
    place.write_settings("tokens.yaml");
    let file = place.path("config/settings.yaml");
    let text = std::fs::read_to_string(file).expect("it is written");
    place.replace("config/settings.yaml", text.replace("sip: {", &format!("sip: {{{field}, ")));
}

#[test]
fn the_session_timer_is_that_of_the_settings_now() {
    let place = Place::new();
    place.replace("config/calls.yaml", CONFIG);
    write(&place, "sessionExpiresSeconds: 600");
    let node = place.start();
    node.says("carillon is ready for calls");
    assert_eq!(interval(place.sip, 1), "600");
    write(&place, "sessionExpiresSeconds: 240");
    let mut calls = 2..;
    crate::wait::until("a call has the new interval", PATIENCE, || {
        let interval = interval(place.sip, calls.next()?);
        (interval == "240").then_some(())
    });
}

#[test]
fn a_change_of_the_limits_is_told_by_its_fields() {
    let place = Place::new();
    let node = place.start();
    node.says("carillon is ready for calls");
    write(&place, "limits: {retryAfterSeconds: 7, trunks: {invitesPerSecond: 9, connections: 3}}");
    let waiting = node.says("used only after a restart");
    let fields = "sip.limits.trunks.connections, sip.limits.retryAfterSeconds";
    assert!(waiting.contains(fields) && !waiting.contains("invitesPerSecond"), "{waiting}");
    let used = node.says("used from now on");
    assert!(used.ends_with("fields=sip.limits.trunks.invitesPerSecond"), "{used}");
    let metrics = place.ask(place.observe, "", "GET", "/metrics").1;
    assert!(metrics.contains("carillon_config_restart_needed 2"), "{metrics}");
    place.write_settings("tokens.yaml");
    node.says("again as this node was started with");
    assert!(node.says("used from now on").ends_with("fields=sip.limits.trunks.invitesPerSecond"));
}
