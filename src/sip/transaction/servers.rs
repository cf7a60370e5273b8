//! Server transactions at work: carries out what `invite_server` and `server` order.
//!
//! Always holds: the request is dropped as soon as it was handed on; what stays until the end is
//! the key, where responses go, and the latest of them, serialized.
//!
//! Not here: the machines themselves, matching (`key`), and repeating a 2xx to INVITE until its
//! ACK, which is the user's (`dialog::accepted`).

use bytes::Bytes;

use crate::base::time::LocalTime;
use crate::base::time::Millis;
use crate::sip::flow::Flow;
use crate::sip::message::Message;
use crate::sip::method::Method;
use crate::sip::status;
use crate::sip::transaction::Discard;
use crate::sip::transaction::Output;
use crate::sip::transaction::invite_server;
use crate::sip::transaction::key::ServerKey;
use crate::sip::transaction::machine::Action;
use crate::sip::transaction::server;
use crate::sip::transaction::shared::Arrived;
use crate::sip::transaction::shared::Shared;
use crate::sip::transaction::table::Slot;
use crate::sip::transaction::table::Table;
use crate::sip::transaction::timer::Timer;
use crate::sip::transaction::timer::Whose;

/// One request received and where it stands.
#[derive(Debug)]
struct Transaction {
    machine: Machine,
    /// The latest response; empty before there is one.
    response: Bytes,
    /// Where to send when the stream the request came by is gone (RFC 3261 §18.2.2).
    fallback: Option<Flow>,
    pause: Millis,
    /// What it was counted with in [`Shared::kept`].
    weight: usize,
}

impl Transaction {
    /// The bytes it keeps alive, without the tables around it.
    fn weight(&self, key: &ServerKey) -> usize {
        size_of::<(ServerKey, Self)>() + key.len() + self.response.len()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Machine {
    Invite(invite_server::State),
    Other(server::State),
}

/// What both server machines can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Request,
    Ack,
    Provisional,
    Success,
    Failure,
    TransportError,
    Fired(Timer),
}

impl Machine {
    fn step(&mut self, event: Event) -> &'static [Action] {
        match self {
            Self::Invite(state) => {
                let (next, actions) = invite_server::step(*state, event.for_invite());
                *state = next;
                actions
            }
            Self::Other(state) => {
                let Some(input) = event.for_other() else { return &[] };
                let (next, actions) = server::step(*state, input);
                *state = next;
                actions
            }
        }
    }

    fn is_over(self) -> bool {
        match self {
            Self::Invite(state) => state == invite_server::State::Terminated,
            Self::Other(state) => state == server::State::Terminated,
        }
    }

    /// Tells whether the latest response may have to be sent again.
    fn needs_response(self) -> bool {
        match self {
            Self::Invite(state) => {
                matches!(state, invite_server::State::Proceeding | invite_server::State::Completed)
            }
            Self::Other(_) => true,
        }
    }
}

impl Event {
    fn of_status(code: u16) -> Self {
        if status::is_provisional(code) {
            Self::Provisional
        } else if status::is_success(code) {
            Self::Success
        } else {
            Self::Failure
        }
    }

    fn for_invite(self) -> invite_server::Input {
        match self {
            Self::Request => invite_server::Input::Invite,
            Self::Ack => invite_server::Input::Ack,
            Self::Provisional => invite_server::Input::Provisional,
            Self::Success => invite_server::Input::Success,
            Self::Failure => invite_server::Input::Failure,
            Self::TransportError => invite_server::Input::TransportError,
            Self::Fired(timer) => invite_server::Input::Fired(timer),
        }
    }

    fn for_other(self) -> Option<server::Input> {
        match self {
            Self::Request => Some(server::Input::Request),
            Self::Ack => None,
            Self::Provisional => Some(server::Input::Provisional),
            Self::Success | Self::Failure => Some(server::Input::Final),
            Self::TransportError => Some(server::Input::TransportError),
            Self::Fired(timer) => Some(server::Input::Fired(timer)),
        }
    }
}

/// The server transactions of one layer.
#[derive(Debug)]
pub(super) struct Servers {
    table: Table<ServerKey, Transaction>,
}

impl Servers {
    pub(super) fn none() -> Self {
        Self { table: Table::empty() }
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// Tells whether there is such a transaction.
    pub(super) fn has(&self, key: &ServerKey) -> bool {
        self.table.find(key).is_some()
    }

    /// Begins a transaction, told to the user if `arrived` is given. `reply` is where responses go,
    /// and where if that breaks.
    pub(super) fn begin(
        &mut self,
        shared: &mut Shared,
        now: LocalTime,
        key: ServerKey,
        arrived: Option<&Arrived<'_>>,
        (reply, trying): ((Flow, Option<Flow>), Bytes),
    ) {
        let (machine, actions) = if key.method() == Method::Invite {
            let (state, actions) = invite_server::START;
            (Machine::Invite(state), actions)
        } else {
            let (state, actions) = server::START;
            (Machine::Other(state), actions)
        };
        let (flow, fallback) = reply;
        let pause = Millis::ZERO;
        let transaction = Transaction { machine, response: trying, fallback, pause, weight: 0 };
        let slot = self.table.insert(key, flow, transaction);
        self.carry_out(shared, now, slot, actions, arrived);
    }

    /// Hands a repeated request, or an ACK, to its transaction. `false`: there is none. What comes
    /// from elsewhere than the first is no repeat of it.
    pub(super) fn on_request(
        &mut self,
        shared: &mut Shared,
        now: LocalTime,
        key: &ServerKey,
        arrived: &Arrived<'_>,
    ) -> bool {
        let Some(slot) = self.table.find(key) else { return false };
        if self.table.at(slot).is_some_and(|(_, flow, _)| !arrived.counts_on(flow)) {
            shared.discard(Discard::Elsewhere);
            return true;
        }
        let is_ack = arrived.message.method() == Method::Ack;
        let event = if is_ack { Event::Ack } else { Event::Request };
        shared.counts.requests_absorbed += 1;
        self.drive(shared, now, slot, event, Some(arrived));
        true
    }

    /// Sends a response of the user. `false`: the transaction is gone.
    pub(super) fn respond(
        &mut self,
        shared: &mut Shared,
        now: LocalTime,
        key: &ServerKey,
        response: &Message,
    ) -> bool {
        let Some(slot) = self.table.find(key) else { return false };
        let Some((_, _, transaction)) = self.table.at_mut(slot) else { return false };
        let event = Event::of_status(response.status().unwrap_or_default());
        let actions = transaction.machine.step(event);
        if actions.contains(&Action::SendResponse) {
            transaction.response = response.as_bytes().clone();
        }
        self.carry_out(shared, now, slot, actions, None);
        true
    }

    /// What a CANCEL finds: `None` no such INVITE, or one from elsewhere; else whether it still
    /// rings and the latest response to it.
    ///
    /// A CANCEL cannot be asked for a password, so it counts from where the INVITE came
    /// (RFC 3261 §22.1).
    pub(super) fn pending(
        &self,
        invite: &ServerKey,
        cancel: &Arrived<'_>,
    ) -> Option<(bool, Bytes)> {
        let (_, flow, transaction) = self.table.at(self.table.find(invite)?)?;
        if !cancel.counts_on(flow) {
            return None;
        }
        let Machine::Invite(state) = transaction.machine else { return None };
        let rings = state == invite_server::State::Proceeding;
        Some((rings, transaction.response.clone()))
    }

    /// Lets every transaction on a broken flow know, or moves it where responses go then.
    pub(super) fn on_transport_error(&mut self, shared: &mut Shared, now: LocalTime, flow: Flow) {
        for slot in self.table.using(flow) {
            let Some((_, _, transaction)) = self.table.at_mut(slot) else { continue };
            match transaction.fallback.take().filter(|fallback| *fallback != flow) {
                Some(fallback) => {
                    let response = transaction.response.clone();
                    self.table.move_to(slot, fallback);
                    if !response.is_empty() {
                        shared.transmit(response, fallback);
                    }
                }
                None => self.drive(shared, now, slot, Event::TransportError, None),
            }
        }
    }

    /// Lets a timer fire.
    pub(super) fn on_timer(
        &mut self,
        shared: &mut Shared,
        now: LocalTime,
        slot: Slot,
        timer: Timer,
    ) {
        self.drive(shared, now, slot, Event::Fired(timer), None);
    }

    /// Tells whether the timer still means something to the transaction it was set for.
    pub(super) fn awaits(&self, slot: Slot, timer: Timer) -> bool {
        let Some((_, _, transaction)) = self.table.at(slot) else { return false };
        let mut machine = transaction.machine;
        let actions = machine.step(Event::Fired(timer));
        machine != transaction.machine || !actions.is_empty()
    }

    fn drive(
        &mut self,
        shared: &mut Shared,
        now: LocalTime,
        slot: Slot,
        event: Event,
        arrived: Option<&Arrived<'_>>,
    ) {
        let Some((_, _, transaction)) = self.table.at_mut(slot) else { return };
        let actions = transaction.machine.step(event);
        self.carry_out(shared, now, slot, actions, arrived);
    }

    fn carry_out(
        &mut self,
        shared: &mut Shared,
        now: LocalTime,
        slot: Slot,
        actions: &'static [Action],
        arrived: Option<&Arrived<'_>>,
    ) {
        let mut at_once = None;
        for action in actions {
            let fires = self.one(shared, now, slot, *action, arrived);
            at_once = at_once.or(fires);
        }
        let Some((key, _, transaction)) = self.table.at_mut(slot) else { return };
        if transaction.machine.is_over() {
            shared.weigh(&mut transaction.weight, 0);
            self.table.remove(slot);
            return;
        }
        if !transaction.machine.needs_response() {
            transaction.response = Bytes::new();
        }
        let weight = transaction.weight(key);
        shared.weigh(&mut transaction.weight, weight);
        if let Some(timer) = at_once {
            self.drive(shared, now, slot, Event::Fired(timer), None);
        }
    }

    /// Carries one action out. Returns a timer of no length, which fires at once.
    fn one(
        &mut self,
        shared: &mut Shared,
        now: LocalTime,
        slot: Slot,
        action: Action,
        arrived: Option<&Arrived<'_>>,
    ) -> Option<Timer> {
        let (key, flow, transaction) = self.table.at_mut(slot)?;
        let whose = Whose::Server(slot);
        match action {
            Action::SendResponse => shared.transmit(transaction.response.clone(), flow),
            Action::Tell => {
                if let Some(Arrived { message, flow, .. }) = arrived {
                    shared.put(told(key, message, *flow));
                }
            }
            Action::TellUndelivered => {
                shared.put(Output::ResponseUndelivered { key: key.clone() });
            }
            Action::Start(timer) => {
                if timer == Timer::G {
                    transaction.pause = shared.timers.t1;
                }
                return shared.start(now, whose, timer, flow);
            }
            Action::StartDoubled(timer) => {
                transaction.pause = shared.timers.doubled(timer, transaction.pause);
                shared.counts.responses_repeated += 1;
                shared.start_after(now, whose, timer, transaction.pause);
            }
            Action::SendRequest
            | Action::SendAck
            | Action::TellTimedOut
            | Action::TellTransportFailed
            | Action::StartSlow(_) => {}
        }
        None
    }
}

fn told(key: &ServerKey, message: &Message, flow: Flow) -> Output {
    let message = message.clone();
    if message.method() == Method::Ack {
        return Output::Ack { message, flow };
    }
    Output::Request { key: key.clone(), message, flow }
}
