//! A lossy link: every call completes or fails cleanly, and nothing is left behind.

use carillon::acd::config::AnswerMode;
use carillon::acd::config::Strategy;
use carillon::base::prng::Prng;
use carillon::base::time::LocalTime;
use carillon::base::time::Millis;
use carillon::sip::dialog::state::State;

use crate::phone::Answer;
use crate::phone::Phone;
use crate::world::World;
use crate::world::queue;

fn one_world(seed: u64) -> usize {
    let modes = [AnswerMode::OnEntry, AnswerMode::EarlyMedia, AnswerMode::OnAgent];
    let mut prng = Prng::from_seed(seed);
    let mode = modes[prng.below(3) as usize];
    let mut world = World::new(seed, mode);
    let mut sales = queue("sales", mode);
    sales.strategy = if prng.below(2) == 0 { Strategy::MostIdle } else { Strategy::RingAll };
    world.put_queue(sales);
    world.loss = 100;
    for name in ["ann", "bob", "eve"] {
        let nth = world.agent(name);
        let after = Millis(prng.below(8000));
        world.phones[nth].answer = match prng.below(5) {
            0 => Answer::Ring,
            1 => Answer::Refuse(486, after),
            2 => Answer::Reliable(after),
            _ => Answer::After(after),
        };
    }
    let callers: Vec<usize> = (0..3).map(|_| world.caller()).collect();
    for caller in &callers {
        world.with(*caller, |phone, now| phone.call(now, "sales"));
        world.run(Millis(prng.below(5000)));
    }
    world.run(Millis(prng.below(20_000)));
    // A CANCEL may come too late and a BYE be lost for good: people hang up until it works.
    for _ in 0..3 {
        for caller in &callers {
            world.with(*caller, hang_up);
            world.run(Millis(prng.below(20_000)));
        }
        world.run_secs(40);
    }
    let answered = world
        .facts
        .iter()
        .filter(|fact| matches!(fact, carillon::acd::fact::Fact::CallAnswered { .. }));
    let answered = answered.count();
    world.run_secs(3600);
    world.assert_clean();
    answered
}

fn hang_up(phone: &mut Phone, now: LocalTime) {
    match phone.dialog.as_ref().map(|dialog| dialog.state) {
        Some(State::Confirmed) => phone.bye(now),
        Some(State::Ended) => {}
        Some(State::Early) | None => phone.cancel(now),
    }
}

#[test]
fn nothing_is_left_behind() {
    let answered: usize = (1000..1200).map(one_world).sum();
    assert!(answered > 100, "only {answered} answered");
}
