//! Digest authentication against published vectors, and both sides against each other.

use carillon::base::time::LocalTime;
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
const NOON: LocalTime = LocalTime(43_200_000_000);
const ASKED: &str = "sip:PBX.example";

fn realm() -> Realm {
    Realm::new("pbx.example", KEY, Millis::from_secs(300))
}

/// What a phone reads out of the challenges of a realm, made at noon.
fn asked(realm: &mut Realm) -> Vec<Challenge> {
    let asked = realm.challenges(NOON, false);
    let response = challenged(&[&asked[0].to_string(), &asked[1].to_string()]);
    let read = challenges(&response, Name::WwwAuthenticate);
    assert_eq!(read, asked);
    read
}

/// What a phone sends for the n-th use of a nonce, written and read.
fn phone(asked: &Challenge, nc: u32) -> Credentials {
    let answer = client::answer(asked, LOGIN, REGISTER, ASKED, "c", nc);
    authorized(&answer.to_string()).remove(0)
}

fn verdict(realm: &mut Realm, answer: &Credentials) -> Verdict {
    let soon = NOON + Millis::from_secs(20);
    realm.verify(soon, answer, REGISTER, ASKED, Some("q-secret"))
}

#[test]
fn the_right_password_is_accepted_whatever_the_algorithm() {
    // 10 and 16 tell hexadecimal counts from decimal ones.
    for nc in [1, 9, 10, 16, 255, 4_000_000_000] {
        for nth in [0, 1] {
            let mut realm = realm();
            let asked = asked(&mut realm);
            assert_eq!(verdict(&mut realm, &phone(&asked[nth], nc)), Verdict::Accepted, "{nc}");
        }
    }
}

#[test]
fn each_count_is_taken_once_in_any_order() {
    let mut realm = realm();
    let asked = asked(&mut realm);
    let order = [1, 2, 5, 3, 4, 70, 7, 71, 1000, 937, 999];
    for nc in order {
        assert_eq!(verdict(&mut realm, &phone(&asked[0], nc)), Verdict::Accepted, "{nc}");
    }
    for nc in order.into_iter().chain([6, 8, 936]) {
        assert_eq!(verdict(&mut realm, &phone(&asked[0], nc)), Verdict::Stale, "{nc}");
    }
    // The weaker challenge of the same response has the same nonce and the same counts.
    assert_eq!(verdict(&mut realm, &phone(&asked[1], 1000)), Verdict::Stale);
    assert_eq!(verdict(&mut realm, &phone(&asked[1], 1001)), Verdict::Accepted);
    assert_eq!(realm.remembered(), 1);
}

#[test]
fn an_answer_without_a_count_is_taken_once() {
    let mut realm = realm();
    for (first, second) in [(true, true), (true, false), (false, true)] {
        let mut asked = asked(&mut realm).remove(0);
        let with_count = phone(&asked, 9);
        asked.qops.clear();
        let without = phone(&asked, 1);
        assert_eq!((without.nc.as_ref(), without.qop), (None, None));
        let pick = |plain| if plain { &without } else { &with_count };
        assert_eq!(verdict(&mut realm, pick(first)), Verdict::Accepted);
        assert_eq!(verdict(&mut realm, pick(second)), Verdict::Stale);
    }
}

#[test]
fn two_who_are_asked_at_once_do_not_spend_each_others_nonce() {
    let mut realm = realm();
    let (first, second) = (asked(&mut realm), asked(&mut realm));
    assert_eq!(verdict(&mut realm, &phone(&first[0], 1)), Verdict::Accepted);
    assert_eq!(verdict(&mut realm, &phone(&second[0], 1)), Verdict::Accepted);
}

#[test]
fn the_user_asked_for_must_be_the_user_of_the_answer() {
    let mut realm = realm();
    let of = |asked: &[Challenge], uri| client::answer(&asked[0], LOGIN, REGISTER, uri, "c", 1);
    let uris = [
        ("sip:sales@pbx.example", "sip:sales@192.0.2.1:5062;transport=tcp", Verdict::Accepted),
        ("sips:s%61les@pbx.example", "sip:sales@pbx.example", Verdict::Accepted),
        ("tel:+4922199", "sip:+4922199@pbx.example;user=phone", Verdict::Accepted),
        ("sip:sales@pbx.example", "sip:board@pbx.example", Verdict::Elsewhere),
        ("sip:sales@pbx.example", "sip:SALES@pbx.example", Verdict::Elsewhere),
        ("sip:pbx.example", "sip:sales@pbx.example", Verdict::Elsewhere),
        ("*", "sip:sales@pbx.example", Verdict::Elsewhere),
    ];
    for (hashed, wanted, expected) in uris {
        let answer = of(&asked(&mut realm), hashed);
        let verdict = realm.verify(NOON, &answer, REGISTER, wanted, Some("q-secret"));
        assert_eq!(verdict, expected, "{hashed} for {wanted}");
        let wrong = of(&asked(&mut realm), hashed);
        let verdict = realm.verify(NOON, &wrong, REGISTER, wanted, Some("guessed"));
        assert_eq!(verdict, Verdict::Refused, "a wrong password learns nothing");
    }
}

#[test]
fn nothing_else_is_accepted() {
    let mut realm = realm();
    let answer = phone(&asked(&mut realm)[0], 1);
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
        assert_eq!(verdict(&mut realm, &changed), Verdict::Refused, "{}", changed);
    }
    let other = Subject { method: "INVITE", body: b"" };
    for (subject, password) in [(other, Some("q-secret")), (REGISTER, Some("x")), (REGISTER, None)]
    {
        let verdict = realm.verify(NOON, &answer, subject, ASKED, password);
        assert_eq!(verdict, Verdict::Refused);
    }
    assert_eq!(realm.remembered(), 0, "strangers leave nothing behind");
    assert_eq!(verdict(&mut realm, &answer), Verdict::Accepted);
}

#[test]
fn an_answer_made_for_another_realm_is_refused() {
    let mut realm = realm();
    let asked = asked(&mut realm).remove(0);
    // Whoever has the password of this user elsewhere, and hashes it with that realm's name.
    for name in ["other.example", "PBX.example", ""] {
        let foreign = phone(&Challenge { realm: name.into(), ..asked.clone() }, 1);
        assert_eq!(verdict(&mut realm, &foreign), Verdict::Refused, "{name}");
    }
    assert_eq!(verdict(&mut realm, &phone(&asked, 1)), Verdict::Accepted);
}

/// The answer with a qop, right in itself, whose hash holds these for count and cnonce.
fn incomplete(asked: &Challenge, nc: Option<&str>, cnonce: Option<&str>) -> Credentials {
    use md5::Digest;
    assert_eq!(asked.algorithm, Algorithm::MD5);
    let hex = |text: String| {
        let bytes = md5::Md5::digest(text);
        bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let secret = hex(format!("{}:{}:{}", LOGIN.username, asked.realm, LOGIN.password));
    let request = hex(format!("{}:{ASKED}", REGISTER.method));
    let (count, own) = (nc.unwrap_or_default(), cnonce.unwrap_or_default());
    let whole = format!("{secret}:{}:{count}:{own}:auth:{request}", asked.nonce);
    let mut answer = phone(asked, 1);
    (answer.nc, answer.cnonce) = (nc.map(Into::into), cnonce.map(Into::into));
    answer.response = hex(whole);
    answer
}

#[test]
fn a_qop_comes_with_a_count_and_a_nonce_of_the_phones() {
    let mut realm = realm();
    let asked = asked(&mut realm).remove(1);
    // RFC 7616 §3.4: both MUST be sent with a qop; counts are hexadecimal and begin at 1.
    let cases = [
        (None, Some("c")),
        (Some("00000001"), None),
        (None, None),
        (Some("00000000"), Some("c")),
        (Some("one"), Some("c")),
    ];
    for (nc, cnonce) in cases {
        let answer = incomplete(&asked, nc, cnonce);
        assert_eq!(verdict(&mut realm, &answer), Verdict::Refused, "{nc:?} {cnonce:?}");
    }
    let complete = incomplete(&asked, Some("00000001"), Some("c"));
    assert_eq!(verdict(&mut realm, &complete), Verdict::Accepted);
}

#[test]
fn who_knows_the_password_hears_that_only_the_nonce_is_wrong() {
    let mut realm = realm();
    let answer = phone(&asked(&mut realm)[0], 1);
    let at = |realm: &mut Realm, now, password| {
        realm.verify(now, &answer, REGISTER, ASKED, Some(password))
    };
    assert_eq!(at(&mut realm, NOON + Millis::from_secs(301), "q-secret"), Verdict::Stale);
    assert_eq!(at(&mut realm, NOON + Millis::from_secs(301), "x"), Verdict::Refused);
    let mut stranger = Realm::new("pbx.example", [8; 32], Millis::from_secs(300));
    assert_eq!(at(&mut stranger, NOON, "q-secret"), Verdict::Stale, "another process's");
    assert_eq!(at(&mut realm, NOON + Millis::from_secs(300), "q-secret"), Verdict::Accepted);
}

#[test]
fn what_is_forgotten_for_want_of_room_is_not_taken_again() {
    let mut realm = realm();
    let answers: Vec<_> =
        (0..30_010).map(|_| phone(&realm.challenges(NOON, false)[1], 1)).collect();
    for answer in &answers {
        assert_eq!(verdict(&mut realm, answer), Verdict::Accepted);
    }
    assert_eq!(realm.remembered(), 30_000);
    for answer in [&answers[0], &answers[9], &answers[10], &answers[30_009]] {
        assert_eq!(verdict(&mut realm, answer), Verdict::Stale);
    }
    let later = NOON + Millis::from_secs(400);
    let fresh = phone(&realm.challenges(later, false)[0], 1);
    let verdict = realm.verify(later, &fresh, REGISTER, ASKED, Some("q-secret"));
    assert_eq!((verdict, realm.remembered()), (Verdict::Accepted, 1), "the old ones are let go");
}

#[test]
fn credentials_do_not_print_what_could_be_guessed_from() {
    let shown = format!("{:?}", phone(&asked(&mut realm())[0], 1));
    assert!(!shown.contains("response") && !shown.contains("6000"), "{shown}");
}

#[test]
fn a_count_that_is_no_token_is_not_read() {
    let answer = |nc: &str| {
        let line = "Digest username=\"6000\", realm=\"r\", nonce=\"n\", uri=\"sip:a\"";
        authorized(&format!("{line}, response=\"0\", qop=auth, cnonce=\"c\", nc=\"{nc}\""))
    };
    // Written again without its quotes, the second half would be a parameter of its own.
    assert!(answer("1,uri=\"").is_empty() && answer("auth,auth-int").is_empty());
    assert_eq!(answer("00000001").len(), 1);
}

#[test]
fn a_value_ends_where_its_quotes_do() {
    let read = |response: &str| {
        authorized(&format!(
            "Digest username=\"6000\", realm=\"r\", nonce=\"n\", uri=\"sip:a\", response={response}"
        ))
    };
    assert_eq!(read("\"e518\"").len(), 1);
    assert_eq!(read("e518").len(), 1);
    for odd in ["\"\"e518=\"6000\"", "\"e518\"x", "e5\"1\"8", "e518\\"] {
        assert_eq!(read(odd), [], "{odd}");
    }
}

#[test]
fn a_name_that_is_encoded_or_hashed_is_left_out() {
    let read = |name: &str| {
        authorized(&format!(
            "Digest {name}, realm=\"r\", nonce=\"n\", uri=\"sip:a\", response=\"0\""
        ))
    };
    assert_eq!(read("username=\"6000\", userhash=false").len(), 1);
    assert_eq!(read("username*=UTF-8''J%C3%BCrgen"), []);
    assert_eq!(read("username=\"488869477bf257147b804c45308cd62a\", userhash=true"), []);
}
