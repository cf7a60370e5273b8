//! The same bytes to Carillon's codec and to others: what one accepts and reads, so does the
//! other, and what Carillon writes they can read.
//!
//! `sipx-sip` reads the RFC corpora, damaged copies of them, and generated messages, well-formed
//! and damaged. Whether a message is accepted and what is read from it must be the same, but for
//! the closed list of `excuse.rs`. `rsip`, which is too strict to read from strangers, must at
//! least read what Carillon composes.
//!
//! `ORACLE_MESSAGES` says how many messages are generated, 5,000 where it is not said; ten times as
//! many copies of the corpora are damaged.
//!
//! Not here: what is compared (`reading.rs`), the messages (`generated.rs`), and what is done to
//! them (`damage.rs`).

use std::fmt;

use bytes::Bytes;
use carillon::base::prng::Prng;
use carillon::sip::Method;
use carillon::sip::Name;
use carillon::sip::NameAddr;
use carillon::sip::RequestBuilder;
use carillon::sip::ResponseBuilder;
use carillon::sip::Transport;
use carillon::sip::Via;
use rsip::prelude::HeadersExt;
use rsip::prelude::ToTypedHeader;
use rsip::prelude::UntypedHeader;

use crate::corpus::corpus;
use crate::damage::damage;
use crate::excuse::EXCUSES;
use crate::generated::Generator;
use crate::pieces::Pieces;
use crate::reading::ours;
use crate::reading::theirs;

/// How often each excuse was needed, and how many messages needed none.
#[derive(Default)]
struct Tally {
    judged: usize,
    accepted: usize,
    excused: usize,
    by_excuse: [usize; EXCUSES.len()],
}

impl Tally {
    /// Compares what the two make of a message; a difference without an excuse fails the test.
    fn judge(&mut self, bytes: Vec<u8>, origin: fmt::Arguments<'_>) {
        let bytes = Bytes::from(bytes);
        let (ours, theirs) = (ours(&bytes), theirs(&bytes));
        self.judged += 1;
        self.accepted += usize::from(ours.is_some() && theirs.is_some());
        if ours == theirs {
            return;
        }
        let needed = Pieces::of(&bytes).and_then(|message| needed(&message));
        let Some(needed) = needed else {
            let text = bytes.escape_ascii().to_string().replace("\\r\\n", "\n");
            panic!("{origin}: no excuse\n{text}\nours {ours:#?}\ntheirs {theirs:#?}");
        };
        self.excused += 1;
        for nth in needed {
            self.by_excuse[nth] += 1;
        }
    }

    fn add(&mut self, other: &Self) {
        self.judged += other.judged;
        self.accepted += other.accepted;
        self.excused += other.excused;
        for (sum, more) in self.by_excuse.iter_mut().zip(other.by_excuse) {
            *sum += more;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { judged, accepted, excused, .. } = self;
        write!(f, "{judged} judged, {accepted} accepted by both, {excused} excused")?;
        for (excuse, count) in EXCUSES.iter().zip(self.by_excuse).filter(|(_, count)| *count > 0) {
            write!(f, "\n{count:6} {}", excuse.name)?;
        }
        Ok(())
    }
}

/// Finds the excuses a message needs: one, or else as few of them together as can be.
fn needed(message: &Pieces) -> Option<Vec<usize>> {
    let read_alike = |cures: &[usize]| {
        let mut cured = message.clone();
        cures.iter().for_each(|nth| (EXCUSES[*nth].cure)(&mut cured));
        let bytes = Bytes::from(cured.join());
        let ours = ours(&bytes);
        ours.is_some() && ours == theirs(&bytes)
    };
    if read_alike(&[]) {
        return None; // The difference is in how its lines are written, which has no excuse.
    }
    let mut needed: Vec<usize> = (0..EXCUSES.len()).collect();
    for nth in 0..EXCUSES.len() {
        if read_alike(&[nth]) {
            return Some(vec![nth]);
        }
        let fewer: Vec<usize> = needed.iter().copied().filter(|it| *it != nth).collect();
        if read_alike(&fewer) {
            needed = fewer;
        }
    }
    read_alike(&needed).then_some(needed)
}

/// How many messages are generated.
fn count() -> u64 {
    let told = std::env::var("ORACLE_MESSAGES");
    told.map_or(5_000, |text| text.parse().expect("a number"))
}

fn of_the_corpora() -> Tally {
    let mut tally = Tally::default();
    for sample in corpus() {
        tally.judge(sample.bytes.to_vec(), format_args!("{}", sample.name));
    }
    tally
}

fn well_formed() -> Tally {
    let (mut tally, mut prng) = (Tally::default(), Prng::from_seed(3261));
    for round in 0..count() {
        let message = Generator(&mut prng).message();
        let taken = ours(&Bytes::from(message.clone())).is_some();
        assert!(taken, "round {round}: refused:\n{}", message.escape_ascii());
        tally.judge(message, format_args!("well-formed, round {round}"));
    }
    tally
}

fn well_formed_with_damage() -> Tally {
    let (mut tally, mut prng) = (Tally::default(), Prng::from_seed(3262));
    for round in 0..count() {
        let mut message = Generator(&mut prng).message();
        for _ in 0..=prng.below(2) {
            damage(&mut prng, &mut message);
        }
        tally.judge(message, format_args!("damaged, round {round}"));
    }
    tally
}

fn of_the_corpora_with_damage() -> Tally {
    let (mut tally, mut prng) = (Tally::default(), Prng::from_seed(4475));
    let corpus = corpus();
    for round in 0..10 * count() {
        let sample = &corpus[prng.below(corpus.len() as u64) as usize];
        let mut message = sample.bytes.to_vec();
        for _ in 0..=prng.below(3) {
            damage(&mut prng, &mut message);
        }
        tally.judge(message, format_args!("{}, round {round}", sample.name));
    }
    tally
}

#[test]
fn what_one_accepts_and_reads_so_does_the_other() {
    let corpora = of_the_corpora();
    assert_eq!(corpora.excused, 0, "the messages of the RFCs need no excuse");
    let whole = well_formed();
    assert!(whole.excused * 20 < whole.judged, "too many are excused: {whole}");
    assert!(whole.accepted * 10 > whole.judged * 9, "too few are accepted: {whole}");
    let (damaged, damaged_corpora) = (well_formed_with_damage(), of_the_corpora_with_damage());
    for tally in [&damaged, &damaged_corpora] {
        assert!(tally.accepted * 10 > tally.judged, "too few are accepted: {tally}");
    }
    println!(
        "well-formed: {whole}\nwith damage: {damaged}\ncorpora with damage: {damaged_corpora}"
    );
    let mut all = whole;
    all.add(&damaged);
    all.add(&damaged_corpora);
    let dead = EXCUSES.iter().zip(all.by_excuse).filter(|(_, count)| *count == 0);
    let dead: Vec<_> = dead.map(|(excuse, _)| excuse.name).collect();
    assert!(dead.is_empty(), "nothing needs these: {dead:?}");
}

#[test]
fn each_excuse_has_its_line_in_the_page() {
    let page = include_str!("conformance.md");
    let (_, list) = page.split_once("| difference | taken by |").expect("the list");
    let lines = list.lines().skip(2).take_while(|line| !line.is_empty());
    let named: Vec<_> =
        lines.filter_map(|line| line.split(" | ").next()?.strip_prefix("| ")).collect();
    assert_eq!(named, EXCUSES.iter().map(|excuse| excuse.name).collect::<Vec<_>>());
}

#[test]
fn what_is_composed_reads_in_rsip() {
    for method in Method::KNOWN {
        let uri = "sip:alice@192.0.2.4:5060;transport=UDP".parse().expect("a URI");
        let from: NameAddr =
            "\"Sales \\\"Q\\\"\" <sip:6000@acd.example>;tag=1".parse().expect("an address");
        let via = Via::new(Transport::Udp, "acd.example:5060".parse().expect("a host"), "z9hG4bK1");
        let request = RequestBuilder::new(method.clone(), &uri)
            .header(Name::Via, &via)
            .header(Name::MaxForwards, 70)
            .header(Name::From, &from)
            .header(Name::To, "<sip:alice@192.0.2.4>")
            .header(Name::CallId, "c0ffee@acd.example")
            .header(Name::CSeq, format!("7 {method}"))
            .header(Name::Contact, "<sip:acd.example:5060>")
            .body("application/sdp", b"v=0\r\n".to_vec())
            .build();
        let read = rsip::Request::try_from(&request.as_bytes()[..]).expect("rsip reads it");
        assert_eq!(read.method.to_string(), method.as_str());
        assert_eq!(read.body, b"v=0\r\n");
        let typed = read.via_header().expect("a Via").typed().expect("a readable Via");
        assert_eq!(typed.branch().map(ToString::to_string).as_deref(), Some("z9hG4bK1"));
        let tag = read.from_header().expect("a From").tag().expect("a readable From");
        assert_eq!(tag.map(|tag| tag.to_string()).as_deref(), Some("1"));

        for status in [100, 180, 183, 200, 302, 401, 407, 486, 487, 503, 603] {
            let response = ResponseBuilder::to(&request, status).to_tag("2").build();
            let read = rsip::Response::try_from(&response.as_bytes()[..]).expect("rsip reads it");
            assert_eq!(read.status_code.code(), status);
            assert_eq!(read.call_id_header().expect("a Call-ID").value(), "c0ffee@acd.example");
        }
    }
}
