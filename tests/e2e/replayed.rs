//! An overheard password, sent again in every way: it opens nothing, while its owner calls on, and
//! others do not notice.
//!
//! Not here: every algorithm and every count, and the age of a challenge, which needs virtual time
//! (`tests/sip/digest.rs`).

use md5::Digest;
use md5::Md5;

use crate::beside::Beside;
use crate::carillon::Carillon;
use crate::phone::Text;
use crate::stranger::Overheard;
use crate::stranger::Stranger;
use crate::stranger::status;

const USER: &str = "gate";
const PASSWORD: &str = "open sesame";
/// What the process may grow by, in KiB: a log, some calls that are remembered.
const KIB_MAX: u64 = 8_000;

fn md5(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The value of a parameter in quotes.
fn quoted<'a>(header: &'a str, name: &str) -> &'a str {
    let begin = format!("{name}=\"");
    header.split_once(&begin).and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default()
}

/// RFC 7616 §3.4.1 with MD5 and `qop=auth`.
fn proof(answer: &Text, method: &str, uri: &str, count: u32) -> String {
    let challenges = answer.all("www-authenticate");
    let challenge = challenges.lines().find(|line| line.contains("MD5")).expect("an MD5 challenge");
    let (realm, nonce) = (quoted(challenge, "realm"), quoted(challenge, "nonce"));
    let secret = md5(&format!("{USER}:{realm}:{PASSWORD}"));
    let asked = md5(&format!("{method}:{uri}"));
    let response = md5(&format!("{secret}:{nonce}:{count:08x}:c:auth:{asked}"));
    format!(
        "Authorization: Digest username=\"{USER}\", realm=\"{realm}\", nonce=\"{nonce}\", \
         uri=\"{uri}\", response=\"{response}\", algorithm=MD5, qop=auth, nc={count:08x}, \
         cnonce=\"c\"\r\n"
    )
}

#[test]
fn an_overheard_password_opens_nothing() {
    let node = Carillon::start_behind(
        &format!("{{auth: {{username: {USER}, password: \"{PASSWORD}\"}}}}"),
        "kind: Queue\nmetadata: {name: sales}\nspec: {overflow: {noAgents: {wait: {}}}}\n---\n\
         kind: Queue\nmetadata: {name: board}\nspec: {overflow: {noAgents: {wait: {}}}}\n---\n\
         kind: Trunk\nmetadata: {name: office}\nspec: {peers: [\"sip:127.0.0.1\"], inbound: \
         {allowedSources: [127.0.0.1/32, 127.0.0.5/32]}}\n",
    );
    let beside = Beside::start(&node);
    let before = node.memory_kib();
    let owner = Stranger::at("127.0.0.3", node.sip);
    let thieves = [Stranger::at("127.0.0.2", node.sip), Stranger::at("127.0.0.3", node.sip)];
    let first = Overheard::of_nothing("sales", "first", node.sip);
    let asked = owner.call(&first, "");
    assert_eq!(status(Some(&asked)), 401);
    let overheard = proof(&asked, "INVITE", &first.target, 1);
    let answer = owner.call(&first, &overheard);
    assert_eq!(status(Some(&answer)), 200, "{answer:?}");
    node.wait_for_queue("sales", "/waiting", 1);
    let dialog =
        Overheard { to: answer.header("to").to_owned(), target: answer.contact(), ..first };

    // While the owner's call lives, and when it is over.
    for round in ["while it lives", "when it is over"] {
        for (nth, thief) in thieves.iter().enumerate() {
            let name = format!("{}{nth}", if round == "while it lives" { "a" } else { "b" });
            replay(thief, &node, &overheard, &name);
        }
        if round == "while it lives" {
            // Neither does it end the call, or move it: it was made for another method.
            for method in ["BYE", "UPDATE"] {
                let forged = thieves[0].compose(method, &dialog, &overheard, "");
                assert_eq!(status(thieves[0].ask(&forged).as_ref()), 401, "{method}");
            }
            let moved = thieves[0].description();
            let forged = thieves[0].compose("INVITE", &dialog, &overheard, &moved);
            assert_eq!(status(thieves[0].ask(&forged).as_ref()), 401, "a re-INVITE");
            node.wait_for_queue("sales", "/waiting", 1);
            let bye = owner.compose("BYE", &dialog, "", "");
            assert_eq!(status(owner.ask(&bye).as_ref()), 200, "the owner needs no password now");
            node.wait_for_queue("sales", "/waiting", 0);
        }
    }
    // The owner calls again with a count of its own.
    let second = Overheard::of_nothing("sales", "second", node.sip);
    let fresh = owner.call(&second, "");
    let answer = owner.call(&second, &proof(&fresh, "INVITE", &second.target, 1));
    assert_eq!(status(Some(&answer)), 200);
    let total =
        |queue: &str| node.read(&format!("/api/v1/queues/{queue}"))["totals"]["entered"].clone();
    assert_eq!((total("sales"), total("board")), (2.into(), 0.into()));
    beside.finish(&node);
    let grown = node.memory_kib().saturating_sub(before);
    println!("replayed: {grown} KiB more than {before}");
    assert!(grown < KIB_MAX, "{grown} KiB more than {before}");
}

/// Uses what was overheard for calls of one's own.
fn replay(thief: &Stranger, node: &Carillon, overheard: &str, name: &str) {
    // By the Call-ID a call comes to one of the node's shards, and each has nonces of its own.
    for nth in 0..8 {
        let mine = Overheard::of_nothing("sales", &format!("{name}-mine{nth}"), node.sip);
        assert_eq!(status(Some(&thief.call(&mine, overheard))), 401, "as it is");
    }
    let other = Overheard::of_nothing("board", &format!("{name}-other"), node.sip);
    // RFC 7616 §3.4.6: an answer made for another address is a bad request.
    assert_eq!(status(Some(&thief.call(&other, overheard))), 400, "to another queue");
    let edits = [
        ("nc=00000001", "nc=00000002"),
        ("cnonce=\"c\"", "cnonce=\"d\""),
        ("uri=\"sip:sales", "uri=\"sip:board"),
        ("qop=auth, nc=00000001, cnonce=\"c\"", "opaque=\"\""),
        ("username=\"gate\"", "username=\"boss\""),
    ];
    for (nth, (before, after)) in edits.into_iter().enumerate() {
        assert!(overheard.contains(before), "{before}");
        let edited = overheard.replace(before, after);
        let mine = Overheard::of_nothing("sales", &format!("{name}-{nth}"), node.sip);
        assert_eq!(status(Some(&thief.call(&mine, &edited))), 401, "{after}");
    }
}
