//! The 2xx that is repeated until its ACK (RFC 3261 §13.3.1.4).

use carillon::sip::Transport;
use carillon::sip::dialog::accepted::Nudge;
use carillon::sip::dialog::accepted::Repeating;
use carillon::sip::transaction::timer::Timers;

use crate::letters::Bench;
use crate::letters::Letter;
use crate::letters::at;
use crate::letters::response;

#[test]
fn it_is_repeated_up_to_t2_and_given_up() {
    let mut waiting = Repeating::success(at(0), &Timers::default());
    let mut times = Vec::new();
    let end = loop {
        let due = waiting.next_deadline();
        match waiting.on_deadline(due) {
            Nudge::Resend => times.push(due.0 / 1000),
            Nudge::GiveUp => break due.0 / 1000,
            Nudge::Wait => panic!("woken for nothing"),
        }
    };
    assert_eq!(times[..5], [500, 1_500, 3_500, 7_500, 11_500]);
    assert_eq!((times.len(), end), (10, 32_000));
}

#[test]
fn it_does_nothing_before_its_time() {
    let mut waiting = Repeating::success(at(100), &Timers::default());
    assert_eq!(waiting.on_deadline(at(599)), Nudge::Wait);
    assert_eq!(waiting.on_deadline(at(600)), Nudge::Resend);
    assert_eq!(waiting.on_deadline(at(601)), Nudge::Wait);
}

#[test]
fn its_transaction_lives_as_long_as_it_is_repeated() {
    let mut bench = Bench::new();
    let outputs = bench.receive(&Letter::INVITE.build(), Transport::Tcp);
    let Some(carillon::sip::transaction::Output::Request { key, message, .. }) =
        outputs.into_iter().nth(1)
    else {
        panic!("the INVITE is told");
    };
    let ok = response(&message, 200, "us");
    bench.layer.respond(at(0), &key, &ok);
    bench.outputs();
    let mut waiting = Repeating::success(at(0), &Timers::default());
    let mut sent = 0;
    while waiting.on_deadline(waiting.next_deadline()) == Nudge::Resend {
        bench.layer.respond(at(bench.now), &key, &ok);
        sent += bench.outputs().len();
    }
    assert_eq!(sent, 10);
}
