//! Challenges and answers of strangers.
//!
//! Always holds: what was read is written so that it reads as the same; no guess is accepted; the
//! answer we make to any challenge is read by whoever knows the header.

use carillon::base::time::LocalTime;
use carillon::base::time::Millis;
use carillon::sip::Message;
use carillon::sip::Name;
use carillon::sip::RequestBuilder;
use carillon::sip::Uri;
use carillon::sip::digest::Subject;
use carillon::sip::digest::challenge::challenges;
use carillon::sip::digest::client;
use carillon::sip::digest::client::Login;
use carillon::sip::digest::credentials::credentials;
use carillon::sip::digest::server::Realm;
use carillon::sip::digest::server::Verdict;

const LOGIN: Login<'_> = Login { username: "6000", password: "q-\"secret\"" };
const SUBJECT: Subject<'_> = Subject { method: "INVITE", body: b"v=0\r\n" };
const URI: &str = "sip:sales@acd.example";

/// Takes the value of either header.
pub(crate) fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    answered(text);
    challenged(text);
}

fn with(name: Name, value: &str) -> Message {
    let uri: Uri = URI.parse().expect("a URI");
    RequestBuilder::new("INVITE".into(), &uri).header(name, value).build()
}

fn answered(text: &str) {
    let key = [7; 32];
    let mut realm = Realm::new("acd.example", key, Millis(300_000));
    for read in credentials(&with(Name::Authorization, text), Name::Authorization) {
        let printed = read.to_string();
        let again = credentials(&with(Name::Authorization, &printed), Name::Authorization);
        assert_eq!(again, std::slice::from_ref(&read), "{printed}");
        let verdict = realm.verify(LocalTime(1), &read, SUBJECT, URI, Some(LOGIN.password));
        assert_ne!(verdict, Verdict::Accepted, "{printed}");
    }
}

fn challenged(text: &str) {
    let read = challenges(&with(Name::WwwAuthenticate, text), Name::WwwAuthenticate);
    for challenge in &read {
        let printed = challenge.to_string();
        let again = challenges(&with(Name::WwwAuthenticate, &printed), Name::WwwAuthenticate);
        assert_eq!(again, std::slice::from_ref(challenge), "{printed}");
    }
    if let Some(challenge) = client::choose(&read) {
        let answer = client::answer(challenge, LOGIN, SUBJECT, URI, "c0ffee", 1);
        let printed = answer.to_string();
        let again = credentials(&with(Name::Authorization, &printed), Name::Authorization);
        assert_eq!(again, [answer], "{printed}");
    }
}
