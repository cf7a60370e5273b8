//! Client transactions at work: carries out what `invite_client` and `client` order.
//!
//! Always holds: once a final response has come the request is dropped; what stays until the end
//! is the key and, for a failed INVITE, the serialized ACK.
//!
//! Not here: the machines themselves, and matching (`key`).

use bytes::Bytes;

use crate::base::time::LocalTime;
use crate::base::time::Millis;
use crate::sip::flow::Flow;
use crate::sip::message::Message;
use crate::sip::method::Method;
use crate::sip::status;
use crate::sip::transaction::Cancelling;
use crate::sip::transaction::Output;
use crate::sip::transaction::client;
use crate::sip::transaction::compose;
use crate::sip::transaction::invite_client;
use crate::sip::transaction::key::ClientKey;
use crate::sip::transaction::machine::Action;
use crate::sip::transaction::shared::Arrived;
use crate::sip::transaction::shared::Shared;
use crate::sip::transaction::table::Slot;
use crate::sip::transaction::table::Table;
use crate::sip::transaction::timer::Timer;
use crate::sip::transaction::timer::Whose;
use crate::sip::uri::HostPort;

/// One request and where it stands.
#[derive(Debug)]
struct Transaction {
    machine: Machine,
    /// The request, until a final response comes.
    request: Option<Message>,
    sent_by: HostPort,
    ack: Bytes,
    cancel: Cancel,
    pause: Millis,
    /// A CANCEL is the layer's own affair; its user hears nothing of it.
    quiet: bool,
    /// What it was counted with in [`Shared::kept`].
    weight: usize,
}

impl Transaction {
    /// The bytes it keeps alive, without the tables around it.
    fn weight(&self, key: &ClientKey) -> usize {
        let request = self.request.as_ref().map_or(0, |request| request.as_bytes().len());
        size_of::<(ClientKey, Self)>() + key.len() + request + self.ack.len()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Machine {
    Invite(invite_client::State),
    Other(client::State),
}

/// Whether the INVITE is being taken back. The text is the `Reason` header.
#[derive(Debug)]
enum Cancel {
    No,
    AfterProvisional(Option<String>),
    Sent,
}

/// What both client machines can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
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
                let (next, actions) = invite_client::step(*state, event.for_invite());
                *state = next;
                actions
            }
            Self::Other(state) => {
                let (next, actions) = client::step(*state, event.for_other());
                *state = next;
                actions
            }
        }
    }

    fn is_over(self) -> bool {
        match self {
            Self::Invite(state) => state == invite_client::State::Terminated,
            Self::Other(state) => state == client::State::Terminated,
        }
    }

    /// Tells whether the request may still have to be sent, acknowledged or cancelled.
    fn needs_request(self) -> bool {
        match self {
            Self::Invite(state) => {
                matches!(state, invite_client::State::Calling | invite_client::State::Proceeding)
            }
            Self::Other(state) => {
                matches!(state, client::State::Trying | client::State::Proceeding)
            }
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

    fn for_invite(self) -> invite_client::Input {
        match self {
            Self::Provisional => invite_client::Input::Provisional,
            Self::Success => invite_client::Input::Success,
            Self::Failure => invite_client::Input::Failure,
            Self::TransportError => invite_client::Input::TransportError,
            Self::Fired(timer) => invite_client::Input::Fired(timer),
        }
    }

    fn for_other(self) -> client::Input {
        match self {
            Self::Provisional => client::Input::Provisional,
            Self::Success | Self::Failure => client::Input::Final,
            Self::TransportError => client::Input::TransportError,
            Self::Fired(timer) => client::Input::Fired(timer),
        }
    }
}

/// The client transactions of one layer.
#[derive(Debug)]
pub(super) struct Clients {
    table: Table<ClientKey, Transaction>,
}

impl Clients {
    pub(super) fn none() -> Self {
        Self { table: Table::empty() }
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn has(&self, key: &ClientKey) -> bool {
        self.table.find(key).is_some()
    }

    /// Begins a transaction; the request has its Via already.
    pub(super) fn begin(
        &mut self,
        shared: &mut Shared,
        now: LocalTime,
        key: ClientKey,
        request: Message,
        (sent_by, flow): (HostPort, Flow),
    ) {
        let quiet = request.method() == Method::Cancel;
        let (machine, actions) = if request.method() == Method::Invite {
            let (state, actions) = invite_client::START;
            (Machine::Invite(state), actions)
        } else {
            let (state, actions) = client::START;
            (Machine::Other(state), actions)
        };
        let transaction = Transaction {
            machine,
            request: Some(request),
            sent_by,
            ack: Bytes::new(),
            cancel: Cancel::No,
            pause: Millis::ZERO,
            quiet,
            weight: 0,
        };
        let slot = self.table.insert(key, flow, transaction);
        self.carry_out(shared, now, slot, actions, None);
    }

    /// Hands a response to its transaction. `false`: there is none, or it was not sent by us, or
    /// not to where the response comes from.
    pub(super) fn on_response(
        &mut self,
        shared: &mut Shared,
        now: LocalTime,
        arrived: &Arrived<'_>,
        (branch, sent_by): (&str, &HostPort),
    ) -> bool {
        let response = arrived.message;
        let key = ClientKey::new(branch, &response.method());
        let Some(slot) = self.table.find(&key) else { return false };
        let Some((_, flow, transaction)) = self.table.at(slot) else { return false };
        if !is_same_sender(&transaction.sent_by, sent_by) || !arrived.counts_on(flow) {
            return false;
        }
        let event = Event::of_status(response.status().unwrap_or_default());
        self.drive(shared, now, slot, event, Some(response));
        if event == Event::Provisional {
            self.send_held_cancel(shared, now, slot);
        }
        true
    }

    /// Lets every transaction on a broken flow know.
    pub(super) fn on_transport_error(&mut self, shared: &mut Shared, now: LocalTime, flow: Flow) {
        for slot in self.table.using(flow) {
            self.drive(shared, now, slot, Event::TransportError, None);
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

    /// Takes an INVITE back: now, or when a provisional response has come (RFC 3261 §9.1).
    pub(super) fn cancel(
        &mut self,
        shared: &mut Shared,
        now: LocalTime,
        invite: &ClientKey,
        reason: Option<&str>,
    ) -> Cancelling {
        let Some(slot) = self.table.find(invite) else { return Cancelling::TooLate };
        let Some((_, _, transaction)) = self.table.at_mut(slot) else {
            return Cancelling::TooLate;
        };
        let Machine::Invite(state) = transaction.machine else { return Cancelling::TooLate };
        if !transaction.machine.needs_request() {
            return Cancelling::TooLate;
        }
        if matches!(transaction.cancel, Cancel::Sent) {
            return Cancelling::Sent;
        }
        transaction.cancel = Cancel::AfterProvisional(reason.map(str::to_owned));
        if state == invite_client::State::Calling {
            return Cancelling::Held;
        }
        self.send_held_cancel(shared, now, slot);
        Cancelling::Sent
    }

    fn send_held_cancel(&mut self, shared: &mut Shared, now: LocalTime, slot: Slot) {
        let Some((key, flow, invite)) = self.table.at_mut(slot) else { return };
        let Cancel::AfterProvisional(reason) = &invite.cancel else { return };
        let Some(request) = &invite.request else { return };
        let Some(cancel) = compose::cancel(request, reason.as_deref()) else { return };
        let key = ClientKey::new(key.branch(), &Method::Cancel);
        let sent_by = invite.sent_by.clone();
        invite.cancel = Cancel::Sent;
        shared.start(now, Whose::Client(slot), Timer::Cancelled, flow);
        self.begin(shared, now, key, cancel, (sent_by, flow));
    }

    fn drive(
        &mut self,
        shared: &mut Shared,
        now: LocalTime,
        slot: Slot,
        event: Event,
        arrived: Option<&Message>,
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
        arrived: Option<&Message>,
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
        if !transaction.machine.needs_request() {
            transaction.request = None;
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
        arrived: Option<&Message>,
    ) -> Option<Timer> {
        let (key, flow, transaction) = self.table.at_mut(slot)?;
        let whose = Whose::Client(slot);
        match action {
            Action::SendRequest => {
                if let Some(request) = &transaction.request {
                    shared.transmit(request.as_bytes().clone(), flow);
                }
            }
            Action::SendAck => {
                transaction.acknowledge(arrived);
                shared.transmit(transaction.ack.clone(), flow);
            }
            Action::Tell => {
                if let Some(message) = arrived.filter(|_| !transaction.quiet) {
                    let message = message.clone();
                    shared.put(Output::Response { key: key.clone(), message });
                }
            }
            Action::TellTimedOut if !transaction.quiet => {
                shared.put(Output::TimedOut { key: key.clone() });
            }
            Action::TellTransportFailed if !transaction.quiet => {
                shared.put(Output::TransportFailed { key: key.clone() });
            }
            Action::Start(timer) => {
                if matches!(timer, Timer::A | Timer::E) {
                    transaction.pause = shared.timers.t1;
                }
                return shared.start(now, whose, timer, flow);
            }
            Action::StartDoubled(timer) => {
                transaction.pause = shared.timers.doubled(timer, transaction.pause);
                shared.counts.requests_repeated += 1;
                shared.start_after(now, whose, timer, transaction.pause);
            }
            Action::StartSlow(timer) => {
                transaction.pause = shared.timers.t2;
                shared.counts.requests_repeated += 1;
                shared.start_after(now, whose, timer, transaction.pause);
            }
            Action::SendResponse
            | Action::TellUndelivered
            | Action::TellTimedOut
            | Action::TellTransportFailed => {}
        }
        None
    }
}

impl Transaction {
    /// Makes the ACK of a failure, the first time it is needed.
    fn acknowledge(&mut self, failure: Option<&Message>) {
        if let (Some(request), Some(failure)) = (&self.request, failure)
            && let Some(ack) = compose::ack_of_failure(request, failure)
        {
            self.ack = ack.as_bytes().clone();
        }
    }
}

/// Compares sent-by as hosts are compared: without case (RFC 3261 §18.1.2).
pub(super) fn is_same_sender(one: &HostPort, other: &HostPort) -> bool {
    one.port == other.port && one.host.eq_ignore_ascii_case(&other.host)
}
