//! Digest authentication against published vectors, and both sides against each other.

use carillon::base::time::ClusterTime;
use carillon::base::time::Millis;
use carillon::sip::Message;
use carillon::sip::Name;
use carillon::sip::ResponseBuilder;
use carillon::sip::digest::Algorithm;
use carillon::sip::digest::Qop;
use carillon::sip::digest::Subject;
use carillon::sip::digest::challenge::Challenge;
use carillon::sip::digest::challenge::challenges;
use carillon::sip::digest::client;
use carillon::sip::digest::client::Login;
use carillon::sip::digest::credentials::Credentials;
use carillon::sip::digest::credentials::credentials;
use carillon::sip::digest::server::Realm;
use carillon::sip::digest::server::Verdict;

use crate::codec::INVITE;
use crate::codec::message;

const REGISTER: Subject<'_> = Subject { method: "REGISTER", body: b"" };
const LOGIN: Login<'_> = Login { username: "6000", password: "q-secret" };

fn challenge(algorithm: &str, qops: &[Qop]) -> Challenge {
    Challenge {
        realm: "pbx.example".into(),
        nonce: "n0nce".into(),
        opaque: None,
        stale: false,
        algorithm: algorithm.parse().expect("a known algorithm"),
        qops: qops.to_vec(),
    }
}

/// A 401 with these lines, read back.
fn challenged(lines: &[&str]) -> Message {
    let response = ResponseBuilder::to(&message(INVITE), 401);
    lines
        .iter()
        .fold(response, |response, line| response.header(Name::WwwAuthenticate, line))
        .build()
}

/// The INVITE with this Authorization, read back.
fn authorized(line: &str) -> Vec<Credentials> {
    let request = message(INVITE).with_header(Name::Authorization, line);
    credentials(&request, Name::Authorization)
}

#[test]
fn answers_equal_independent_vectors() {
    let vectors = [
        ("MD5", "e5184b96a8219208d1d8b62949ea7241"),
        ("SHA-256", "b05c4e2144dd38ee63e3177527a38ecd305e2499b8b6f21181dfac96fc367829"),
        ("SHA-512-256", "de2fc363eed2b43e2ccaa0a57b435e00d0353b263969f68c70377e8dd60c8588"),
    ];
    for (algorithm, expected) in vectors {
        let challenge = challenge(algorithm, &[Qop::Auth]);
        let answer = client::answer(&challenge, LOGIN, REGISTER, "sip:pbx.example", "c0nonce", 1);
        assert_eq!(answer.response, expected, "{algorithm}");
        assert_eq!(answer.nc.as_deref(), Some("00000001"));
    }
    let answer =
        client::answer(&challenge("MD5", &[]), LOGIN, REGISTER, "sip:pbx.example", "unused", 1);
    assert_eq!(answer.response, "8a3cc368248f2ae9be1732a269e30a30");
    assert_eq!((answer.cnonce, answer.nc, answer.qop), (None, None, None));
}

#[test]
fn the_example_of_rfc_7616_comes_out() {
    let login = Login { username: "Mufasa", password: "Circle of Life" };
    let subject = Subject { method: "GET", body: b"" };
    let vectors = [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ];
    for (algorithm, expected) in vectors {
        let challenge = Challenge {
            realm: "http-auth@example.org".into(),
            nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v".into(),
            opaque: Some("FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS".into()),
            ..challenge(algorithm, &[Qop::Auth, Qop::AuthInt])
        };
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let answer = client::answer(&challenge, login, subject, "/dir/index.html", cnonce, 1);
        assert_eq!(answer.response, expected, "{algorithm}");
    }
}

#[test]
fn challenges_are_read_in_order_and_strangers_are_left_out() {
    let response = challenged(&[
        "NoOneKnowsThisScheme opaque-data=here",
        r#"Digest realm="r", nonce="1", algorithm=SHA3-256, qop="auth""#,
        r#"Digest realm="r", nonce = "2" ,algorithm=sha-512-256,qop="auth-int, auth",stale=TRUE"#,
        r#"Digest realm="a \"b\" c", nonce="3", opaque="", Digest realm="r2", nonce="4""#,
        r#"Digest realm="r", nonce="5", qop="auth-conf""#,
        r#"Digest realm="r", nonce="6"#,
    ]);
    let found = challenges(&response, Name::WwwAuthenticate);
    let nonces: Vec<_> = found.iter().map(|challenge| challenge.nonce.as_str()).collect();
    assert_eq!(nonces, ["2", "3", "4"]);
    assert_eq!(found[0].algorithm, Algorithm::SHA_512_256);
    assert_eq!(found[0].qops, [Qop::AuthInt, Qop::Auth]);
    assert!(found[0].stale && !found[1].stale);
    assert_eq!(found[1].realm, r#"a \"b\" c"#, "kept as it is hashed");
    assert_eq!(client::choose(&found), Some(&found[0]));
}

#[test]
fn an_answer_survives_being_written_and_read() {
    for algorithm in ["MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256-sess"] {
        for qops in [&[][..], &[Qop::Auth][..], &[Qop::AuthInt][..]] {
            let login = Login { username: "o\"dd\r\nX: y", password: "p" };
            let asked = challenge(algorithm, qops);
            let answer = client::answer(&asked, login, REGISTER, "sip:A@b;c=d", "cn", 0x1a);
            let line = answer.to_string();
            assert!(!line.contains(['\r', '\n']), "{line}");
            let read = authorized(&line);
            assert_eq!(read.len(), 1, "{line}");
            assert!(read[0] == answer, "{line}");
            assert_eq!(read[0].count(), answer.qop.map(|_| 26));
        }
    }
}

const KEY: [u8; 32] = [7; 32];
const NOON: ClusterTime = ClusterTime(1_700_000_000_000);

fn realm() -> Realm {
    Realm::new("pbx.example", KEY, Millis::from_secs(300))
}

/// What a phone sends for the n-th use of a nonce made at noon.
fn phone(nc: u32, subject: Subject<'_>, strongest: bool) -> Credentials {
    let asked = realm().challenges(NOON, false);
    let response = challenged(&[&asked[0].to_string(), &asked[1].to_string()]);
    let read = challenges(&response, Name::WwwAuthenticate);
    assert_eq!(read, asked);
    let chosen = if strongest { client::choose(&read).expect("a challenge") } else { &read[1] };
    client::answer(chosen, LOGIN, subject, "sip:PBX.example", "c", nc)
}

#[test]
fn any_node_with_the_key_accepts_the_right_password() {
    let soon = NOON + Millis::from_secs(20);
    // 10 and 16 tell hexadecimal counts from decimal ones.
    for nc in [1, 9, 10, 16, 255, 4_000_000_000] {
        for strongest in [true, false] {
            let read = authorized(&phone(nc, REGISTER, strongest).to_string());
            let verdict = realm().verify(soon, &read[0], REGISTER, Some("q-secret"));
            assert_eq!(verdict, Verdict::Accepted, "{nc}");
        }
    }
}

#[test]
fn nothing_else_is_accepted() {
    let soon = NOON + Millis::from_secs(20);
    let answer = phone(1, REGISTER, true);
    let verdict = |answer: &Credentials, password| realm().verify(soon, answer, REGISTER, password);
    assert_eq!(verdict(&answer, Some("q-secret")), Verdict::Accepted);
    assert_eq!(verdict(&answer, Some("wrong")), Verdict::Refused);
    assert_eq!(verdict(&answer, None), Verdict::Refused);
    for change in [
        |answer: &mut Credentials| answer.nonce.push('0'),
        |answer: &mut Credentials| answer.nonce = format!("0{}", answer.nonce),
        |answer: &mut Credentials| answer.uri.make_ascii_lowercase(),
        |answer: &mut Credentials| answer.username.push('x'),
        |answer: &mut Credentials| answer.realm.push('x'),
        |answer: &mut Credentials| answer.nc = Some("00000002".into()),
        |answer: &mut Credentials| answer.nc = None,
        |answer: &mut Credentials| answer.qop = None,
        |answer: &mut Credentials| answer.response.clear(),
    ] {
        let mut changed = answer.clone();
        change(&mut changed);
        assert_eq!(verdict(&changed, Some("q-secret")), Verdict::Refused, "{}", changed);
    }
    let other = Subject { method: "INVITE", body: b"" };
    assert_eq!(realm().verify(soon, &answer, other, Some("q-secret")), Verdict::Refused);
    let stranger = Realm::new("pbx.example", [8; 32], Millis::from_secs(300));
    assert_eq!(stranger.verify(soon, &answer, REGISTER, Some("q-secret")), Verdict::Refused);
}

#[test]
fn an_old_nonce_is_stale_and_one_from_the_future_is_not_ours() {
    let answer = phone(1, REGISTER, true);
    let at = |now| realm().verify(now, &answer, REGISTER, Some("q-secret"));
    assert_eq!(at(NOON + Millis::from_secs(300)), Verdict::Accepted);
    assert_eq!(at(NOON + Millis::from_secs(301)), Verdict::Stale);
    assert_eq!(at(ClusterTime(NOON.0 - 20_000)), Verdict::Accepted, "another node's clock");
    assert_eq!(at(ClusterTime(NOON.0 - 60_000)), Verdict::Refused);
    let wrong = realm().verify(NOON + Millis::from_secs(999), &answer, REGISTER, Some("x"));
    assert_eq!(wrong, Verdict::Refused, "stale says that the password was right");
}

#[test]
fn credentials_do_not_print_what_could_be_guessed_from() {
    let shown = format!("{:?}", phone(1, REGISTER, true));
    assert!(!shown.contains("response") && !shown.contains("6000"), "{shown}");
}
