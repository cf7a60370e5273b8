//! Reliable provisional responses (RFC 3262), both sides, in virtual time.

use carillon::sip::Method;
use carillon::sip::Name;
use carillon::sip::ResponseBuilder;
use carillon::sip::Transport;
use carillon::sip::dialog::Dialog;
use carillon::sip::dialog::Heard;
use carillon::sip::dialog::accepted::Nudge;
use carillon::sip::dialog::reliable::Arrival;
use carillon::sip::dialog::reliable::Held;
use carillon::sip::dialog::reliable::Receiver;
use carillon::sip::dialog::reliable::Sender;
use carillon::sip::dialog::reliable::UnknownPrack;
use carillon::sip::transaction::timer::Timers;

use crate::letters::at;
use crate::letters::flow;
use crate::letters::ours;

#[test]
fn it_is_repeated_with_doubling_pauses_and_given_up() {
    let mut sender = Sender::new(1, 99);
    sender.send(at(0), &Timers::default(), false).expect("the first");
    let mut times = Vec::new();
    let end = loop {
        let due = sender.next_deadline().expect("it waits");
        match sender.on_deadline(due) {
            Nudge::Resend => times.push(due.0 / 1000),
            Nudge::GiveUp => break due.0 / 1000,
            Nudge::Wait => panic!("woken for nothing"),
        }
    };
    assert_eq!(times, [500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    assert_eq!(end, 32_000);
}

#[test]
fn the_next_one_and_a_described_2xx_wait_for_the_prack() {
    let timers = Timers::default();
    let mut sender = Sender::new(7, 41);
    let first = sender.send(at(0), &timers, true).expect("the first");
    assert_eq!(first, 42);
    assert_eq!(sender.send(at(1), &timers, false), Err(Held::UntilPrack));
    assert_eq!(sender.may_accept(), Err(Held::UntilPrack));
    assert_eq!(sender.on_prack(first + 1, 7), Err(UnknownPrack));
    assert_eq!(sender.on_prack(first, 8), Err(UnknownPrack));
    assert_eq!(sender.on_prack(first, 7), Ok(()));
    assert_eq!(sender.on_prack(first, 7), Err(UnknownPrack), "a new PRACK for an old response");
    assert_eq!(sender.next_deadline(), None);
    assert_eq!(sender.may_accept(), Ok(()));
    assert_eq!(sender.send(at(2), &timers, false), Ok(first + 1));
    assert_eq!(sender.may_accept(), Ok(()), "without a description a 2xx need not wait");
}

#[test]
fn after_the_final_response_nothing_is_repeated_and_the_prack_still_fits() {
    let mut sender = Sender::new(1, 0);
    let rseq = sender.send(at(0), &Timers::default(), false).expect("the first");
    sender.finish();
    assert_eq!(sender.next_deadline(), None);
    assert_eq!(sender.on_deadline(at(99_000)), Nudge::Wait);
    assert_eq!(sender.send(at(1), &Timers::default(), false), Err(Held::Finished));
    assert_eq!(sender.on_prack(rseq, 1), Ok(()));
}

#[test]
fn numbers_begin_between_1_and_2_to_the_31() {
    for random in [0, 0x7fff_fffe, 0x7fff_ffff, u64::MAX] {
        let first = Sender::new(1, random).send(at(0), &Timers::default(), false);
        assert!(first.is_ok_and(|rseq| (1..=0x7fff_ffff).contains(&rseq)), "{random}");
    }
}

#[test]
fn the_client_takes_them_in_order_only() {
    let mut receiver = Receiver::default();
    let arrivals = [5, 5, 7, 6, 7, 4].map(|rseq| receiver.on_response(rseq));
    assert_eq!(
        arrivals,
        [
            Arrival::InOrder,
            Arrival::Repeated,
            Arrival::TooEarly,
            Arrival::InOrder,
            Arrival::InOrder,
            Arrival::Repeated
        ]
    );
}

#[test]
fn a_dialog_says_when_a_prack_is_due_and_writes_it() {
    let invite = ours("INVITE", "");
    let ringing = ResponseBuilder::to(&invite, 183)
        .to_tag("bob")
        .header(Name::Require, "100rel")
        .header(Name::RSeq, 17)
        .header(Name::Contact, "<sip:bob@192.0.2.9:5070>")
        .build();
    let way = flow(Transport::Udp);
    let mut dialog = Dialog::from_response(&invite, &ringing, way).expect("a dialog");
    assert_eq!(dialog.on_response(&ringing), Ok(Heard::WantsPrack { rseq: 17 }));
    let prack = dialog.prack(17).build();
    assert_eq!(prack.method(), Method::Prack);
    assert_eq!(prack.header(Name::RAck).as_deref(), Some("17 7 INVITE"));
    assert_eq!(prack.header(Name::CSeq).as_deref(), Some("8 PRACK"));
    assert_eq!(dialog.on_response(&ringing), Ok(Heard::Ignore));
    assert_eq!(dialog.on_response(&ringing.with_header(Name::RSeq, 19)), Ok(Heard::Ignore));
    assert_eq!(
        dialog.on_response(&ringing.with_header(Name::RSeq, 18)),
        Ok(Heard::WantsPrack { rseq: 18 })
    );
}
