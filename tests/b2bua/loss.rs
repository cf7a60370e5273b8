//! A lossy link: every call completes or fails cleanly, and nothing is left behind.

use carillon::acd::config::AnswerMode;
use carillon::acd::config::Strategy;
use carillon::base::prng::Prng;
use carillon::base::time::Millis;

use crate::phone::Answer;
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
    for caller in &callers {
        world.run(Millis(prng.below(20_000)));
        world.with(*caller, |phone, now| {
            if phone.dialog.is_some() { phone.bye(now) } else { phone.cancel(now) }
        });
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

#[test]
fn nothing_is_left_behind() {
    let answered: usize = (1000..1200).map(one_world).sum();
    assert!(answered > 100, "only {answered} answered");
}
