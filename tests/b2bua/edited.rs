//! Requests with something in them that no builder writes.
//!
//! Not here: the telephones that send them (`phone`).

use carillon::sip::message::Message;
use carillon::sip::write::RequestBuilder;

/// A request of ours with some of its text replaced.
pub(crate) fn edited(request: &Message, from: &str, to: &str) -> Message {
    let text = String::from_utf8(request.as_bytes().to_vec()).expect("text");
    let text = text.replacen(from, to, 1);
    let (head, body) = text.split_once("\r\n\r\n").expect("an empty line");
    let (start, lines) = head.split_once("\r\n").expect("a first line");
    let target = start.split(' ').nth(1).and_then(|uri| uri.parse().ok()).expect("a URI");
    let lines = lines.lines().filter_map(|line| line.split_once(": "));
    let ours = lines.filter(|(name, _)| !name.starts_with("Content-"));
    let request = RequestBuilder::new(request.method(), &target);
    let request = ours.fold(request, |request, (name, value)| request.raw(name, value));
    request.body("application/sdp", body.as_bytes().to_vec()).build()
}
