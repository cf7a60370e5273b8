//! A session description: offered, answered, and held against what was agreed before.
//!
//! Always holds: what we write is read back; an answer has a line for each of the offer's; what
//! was agreed is a codec we allow and an address somebody can be sent to.

use carillon::sdp::CodecList;
use carillon::sdp::Direction;
use carillon::sdp::Local;
use carillon::sdp::Session;
use carillon::sdp::accept;
use carillon::sdp::accept_again;
use carillon::sdp::answer;
use carillon::sdp::offer_again;

fn lines(text: &[u8]) -> usize {
    String::from_utf8_lossy(text).lines().filter(|line| line.starts_with("m=")).count()
}

/// Takes a session description.
pub(crate) fn run(input: &[u8]) {
    let local = Local {
        address: "192.0.2.1".parse().expect("an address"),
        port: 20_000,
        id: 4711,
        version: 1,
        direction: Direction::SendRecv,
        codecs: CodecList::default(),
        ptime_ms: 20,
    };
    let Ok(theirs) = Session::parse(input) else { return };
    if let Ok((text, agreed)) = answer(&theirs, &local) {
        let ours = Session::parse(&text).expect("our answer is read");
        assert!(local.codecs.has(agreed.codec));
        assert!(!agreed.remote.ip().is_multicast());
        assert_eq!(lines(&text), usize::from(agreed.slots), "a line for each of theirs");
        assert!(agreed.slot < agreed.slots);
        accept(&ours, &local).expect("the other side could agree");
        let again = offer_again(&local, &agreed);
        assert_eq!(lines(&again), usize::from(agreed.slots));
        Session::parse(&again).expect("our next offer is read");
        let _ = accept_again(&theirs, &local, &agreed);
    }
    let _ = accept(&theirs, &local);
}
