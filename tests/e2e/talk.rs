//! Two people who talk, from before an attack until after it, and must not notice: what one says
//! the other hears, in order and in time.
//!
//! Not here: the phones themselves (`phone.rs`), callers who come and go meanwhile (`beside.rs`,
//! `siege.rs`).

use std::time::Duration;
use std::time::Instant;

use crate::carillon::Carillon;
use crate::phone::Heard;
use crate::phone::Phone;
use crate::wait::until;

/// A hole in what is heard that nobody takes for a pause any more, on a machine whose cores the
/// attack itself takes as well.
const HOLE_MAX: Duration = Duration::from_millis(500);

/// As many packets as such a hole has.
const MISSING_MAX: u16 = 10;

/// A caller and an agent, in a queue of their own.
pub(crate) struct Talk {
    caller: Phone,
    agent: Phone,
    before: [usize; 2],
}

impl Talk {
    /// Takes two phones.
    pub(crate) fn new() -> Self {
        Self { caller: Phone::new(), agent: Phone::new(), before: [0, 0] }
    }

    /// The queue and the agent, as resources.
    pub(crate) fn resources(&self) -> String {
        format!(
            "kind: Queue\nmetadata: {{name: talk}}\n---\nkind: Agent\nmetadata: {{name: \
             talker}}\nspec: {{queues: [talk], device: {{address: \
             \"sip:talker@127.0.0.1:{}\"}}}}\n---\n",
            self.agent.port()
        )
    }

    /// Lets them talk, on a node that has these resources.
    pub(crate) fn begin(&mut self, node: &Carillon) {
        node.wait_for_agent("talker", "LoggedOut");
        node.put_to_work("talker");
        self.caller.call("talk", node.sip);
        self.caller.hum(700.0);
        self.agent.answer();
        self.agent.hum(1100.0);
        node.wait_for_queue("talk", "/talking", 1);
        self.goes_on();
        self.before = self.heard_so_far();
    }

    /// Both have heard each other all the time, do so still, and hang up in order.
    pub(crate) fn end(self, node: &Carillon) {
        node.wait_for_queue("talk", "/talking", 1);
        self.goes_on();
        let Self { caller, agent, before: [caller_before, agent_before] } = &self;
        assert_whole("the caller", &caller.heard()[*caller_before..], &agent.spoken());
        assert_whole("the agent", &agent.heard()[*agent_before..], &caller.spoken());
        node.hang_up("talk");
        caller.released();
        agent.released();
    }

    fn heard_so_far(&self) -> [usize; 2] {
        [&self.caller, &self.agent].map(|phone| phone.heard().len())
    }

    /// Waits until both have heard half a second more.
    fn goes_on(&self) {
        let before = self.heard_so_far();
        until("they hear each other", Duration::from_secs(20), || {
            let mut both = self.heard_so_far().into_iter().zip(before);
            both.all(|(now, before)| now > before + 25).then_some(())
        });
    }
}

/// What was heard has no hole that anybody would notice, neither in numbers nor in time.
fn assert_whole(who: &str, heard: &[Heard], spoken: &[Instant]) {
    let voice: Vec<&Heard> = heard.iter().filter(|packet| packet.payload_type == 0).collect();
    let steps = voice.windows(2).map(|pair| pair[1].sequence.wrapping_sub(pair[0].sequence));
    let missing = steps.clone().map(|step| usize::from(step.wrapping_sub(1))).sum::<usize>();
    let widest = steps.max().expect("they talked");
    let of = voice.len();
    assert!(widest <= MISSING_MAX, "{who} misses {widest} packets in a row of {of}");
    assert!(missing * 50 <= of, "{who} misses {missing} packets of {of}");
    let silence = voice.windows(2).map(|pair| silence(pair[0].at, pair[1].at, spoken)).max();
    let silence = silence.expect("they talked");
    println!("{who}: {missing} packets of {of} are missing, {silence:?} of silence at most");
    assert!(silence <= HOLE_MAX, "{who} hears nothing for {silence:?}");
}

/// For how long nothing was heard between these moments, though something was said.
fn silence(from: Instant, to: Instant, spoken: &[Instant]) -> Duration {
    let next = spoken.partition_point(|said| *said <= from);
    spoken.get(next).map_or(Duration::ZERO, |said| to.saturating_duration_since(*said))
}
