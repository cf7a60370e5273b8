//! Offer and answer: every open exchange against every request of theirs, as a snapshot.

use std::fmt::Write;

use carillon::sip::dialog::offer_answer::Carrier;
use carillon::sip::dialog::offer_answer::Invite;
use carillon::sip::dialog::offer_answer::Offer;
use carillon::sip::dialog::offer_answer::OfferAnswer;
use carillon::sip::dialog::offer_answer::Stage;

use crate::matrix::compare;

const INVITE: Carrier = Carrier::Invite;
const PRACK: Carrier = Carrier::Prack;
const UPDATE: Carrier = Carrier::Update;

/// A call both sides agreed on.
fn agreed() -> OfferAnswer {
    let mut call = OfferAnswer::default();
    call.on_request(INVITE, true).expect("nothing is open");
    call.on_answered(INVITE, Stage::Success, true);
    call.on_ack(false).expect("no answer is owed");
    call
}

fn after(change: impl FnOnce(&mut OfferAnswer)) -> OfferAnswer {
    let mut call = agreed();
    change(&mut call);
    call
}

fn situations() -> Vec<(&'static str, OfferAnswer)> {
    let heard = |call: &mut OfferAnswer, carrier, described| {
        call.on_request(carrier, described).expect("it fits");
    };
    vec![
        ("nothing open", agreed()),
        ("our INVITE with offer", after(|call| call.on_sent(INVITE, true))),
        ("our INVITE without", after(|call| call.on_sent(INVITE, false))),
        (
            "our INVITE without, their offer in 1xx",
            after(|call| {
                call.on_sent(INVITE, false);
                call.on_response(INVITE, Stage::Reliable, true).expect("an offer");
            }),
        ),
        (
            "our INVITE, answered in 1xx",
            after(|call| {
                call.on_sent(INVITE, true);
                call.on_response(INVITE, Stage::Reliable, true).expect("an answer");
            }),
        ),
        ("their INVITE with offer", after(|call| heard(call, INVITE, true))),
        ("their INVITE without", after(|call| heard(call, INVITE, false))),
        (
            "their INVITE, answered in 1xx",
            after(|call| {
                heard(call, INVITE, true);
                call.on_answered(INVITE, Stage::Reliable, true);
            }),
        ),
        (
            "their INVITE without, our offer in 1xx",
            after(|call| {
                heard(call, INVITE, false);
                call.on_answered(INVITE, Stage::Reliable, true);
            }),
        ),
        (
            "their INVITE answered 2xx, no ACK",
            after(|call| {
                heard(call, INVITE, true);
                call.on_answered(INVITE, Stage::Success, true);
            }),
        ),
        (
            "their INVITE without, our offer in 2xx",
            after(|call| {
                heard(call, INVITE, false);
                call.on_answered(INVITE, Stage::Success, true);
            }),
        ),
        ("our UPDATE with offer", after(|call| call.on_sent(UPDATE, true))),
        ("our UPDATE without", after(|call| call.on_sent(UPDATE, false))),
        ("their UPDATE with offer", after(|call| heard(call, UPDATE, true))),
        ("their UPDATE without", after(|call| heard(call, UPDATE, false))),
    ]
}

#[test]
fn offer_answer_matrix() {
    let mut text = String::from(
        "# offer and answer, RFC 3261 section 14, RFC 3262 section 5, RFC 3311 section 5\n\
         # situation, then: their request -> verdict; our request -> may go or waits\n\
         # (+ is: with a description)\n",
    );
    for (name, call) in situations() {
        let _ = writeln!(text, "\n{name}");
        for (carrier, label) in [(INVITE, "INVITE"), (PRACK, "PRACK"), (UPDATE, "UPDATE")] {
            for (described, mark) in [(false, " "), (true, "+")] {
                let verdict = match call.clone().on_request(carrier, described) {
                    Ok(()) => "goes on".to_owned(),
                    Err(collision) => format!("{collision:?}"),
                };
                let may = if call.may_send(carrier, described) { "may go" } else { "waits" };
                let row = format!("  {label:<6}{mark} theirs -> {verdict:<11} ours -> {may}");
                let _ = writeln!(text, "{}", row.trim_end());
            }
        }
        for (described, mark) in [(false, " "), (true, "+")] {
            let verdict = match call.clone().on_ack(described) {
                Ok(()) => "goes on".to_owned(),
                Err(collision) => format!("{collision:?}"),
            };
            let _ = writeln!(text, "  ACK   {mark} theirs -> {verdict}");
        }
    }
    compare("offer_answer.txt", &text);
}

#[test]
fn a_failure_closes_what_its_request_opened() {
    for carrier in [INVITE, PRACK, UPDATE] {
        let mut call = agreed();
        call.on_sent(carrier, true);
        assert_eq!(call.offer(), Offer::Ours(carrier));
        call.on_response(carrier, Stage::Failure, false).expect("a failure lacks nothing");
        assert_eq!((call.offer(), call.invite()), (Offer::None, Invite::None));
        call.on_request(carrier, true).expect("nothing is open");
        call.on_answered(carrier, Stage::Failure, false);
        assert_eq!((call.offer(), call.invite()), (Offer::None, Invite::None));
    }
}

#[test]
fn a_description_repeated_in_the_2xx_changes_nothing() {
    let mut call = OfferAnswer::default();
    call.on_sent(INVITE, true);
    call.on_response(INVITE, Stage::Reliable, true).expect("the answer");
    call.on_response(INVITE, Stage::Success, true).expect("the answer again");
    assert_eq!((call.offer(), call.invite()), (Offer::None, Invite::None));
}

#[test]
fn a_late_offer_in_a_1xx_is_answered_in_the_prack() {
    let mut call = OfferAnswer::default();
    call.on_request(INVITE, false).expect("nothing is open");
    call.on_answered(INVITE, Stage::Reliable, true);
    assert_eq!(call.offer(), Offer::Ours(INVITE));
    call.on_request(PRACK, true).expect("the answer");
    call.on_answered(PRACK, Stage::Success, false);
    call.on_answered(INVITE, Stage::Success, false);
    call.on_ack(false).expect("nothing is owed");
    assert_eq!((call.offer(), call.invite()), (Offer::None, Invite::None));
}

#[test]
fn an_update_settled_meanwhile_does_not_hide_a_late_offer() {
    let mut call = agreed();
    call.on_sent(INVITE, false);
    call.on_request(UPDATE, true).expect("nothing is open");
    call.on_answered(UPDATE, Stage::Success, true);
    call.on_response(INVITE, Stage::Success, true).expect("an offer");
    assert_eq!(call.offer(), Offer::Theirs(INVITE));
    call.on_ack_sent(true);
    assert_eq!((call.offer(), call.invite()), (Offer::None, Invite::None));
}
