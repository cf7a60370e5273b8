//! A telephone on the project's own transactions and dialogs, told what to do beforehand.
//!
//! It keeps its timers itself, acknowledges what must be acknowledged, and writes down every
//! message it receives, so that a test asks it what it heard.

use std::collections::VecDeque;
use std::net::SocketAddr;

use bytes::Bytes;
use carillon::base::time::LocalTime;
use carillon::base::time::Millis;
use carillon::sip::dialog::Dialog;
use carillon::sip::dialog::Heard;
use carillon::sip::dialog::accepted::Nudge;
use carillon::sip::dialog::accepted::Repeating;
use carillon::sip::flow::Flow;
use carillon::sip::header::name::Name;
use carillon::sip::message::Message;
use carillon::sip::method::Method;
use carillon::sip::transaction::Layer;
use carillon::sip::transaction::Output;
use carillon::sip::transaction::key::ClientKey;
use carillon::sip::transaction::key::ServerKey;
use carillon::sip::transaction::timer::Timers;
use carillon::sip::uri::HostPort;
use carillon::sip::uri::Uri;
use carillon::sip::write::RequestBuilder;
use carillon::sip::write::ResponseBuilder;

/// What a phone does with an INVITE.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// 180, then 200 after a while.
    After(Millis),
    /// 180, then this final status after a while.
    Refuse(u16, Millis),
    /// 180 and nothing else.
    Ring,
    /// Nothing at all.
    Silent,
    /// As after `After`, but asks for credentials first.
    Challenge(Box<Self>),
    /// 422 with this Min-SE to an interval that is shorter, as after `After` to others.
    TooBrief(u32),
    /// A reliable 183 with the SDP answer, then 200 after a while.
    Reliable(Millis),
}

/// What a phone that waits will do.
enum Plan {
    Final(ServerKey, Message, u16),
}

/// One telephone.
pub(crate) struct Phone {
    pub(crate) at: SocketAddr,
    pub(crate) peer: SocketAddr,
    pub(crate) layer: Layer,
    pub(crate) answer: Answer,
    /// Every request and response it received, repeats by transactions left out.
    pub(crate) heard: Vec<Message>,
    pub(crate) dialog: Option<Dialog>,
    /// Sends no ACK for a 2xx.
    pub(crate) forgets_ack: bool,
    /// Says 100 to an INVITE within the dialog, and nothing else.
    pub(crate) stalls: bool,
    /// Sends no PRACK.
    pub(crate) forgets_prack: bool,
    /// What it says it allows.
    pub(crate) allow: &'static str,
    /// Its own words in SDP.
    pub(crate) sdp: String,
    /// Requests within the dialog it refuses, and how.
    pub(crate) refuses: Option<(Method, u16)>,
    /// What it does with a REFER: the status, then the fragments of its NOTIFYs.
    pub(crate) referred: (u16, Vec<u16>),
    pub(crate) name: String,
    pub(crate) invite: Option<(ClientKey, Message)>,
    out: VecDeque<(Bytes, SocketAddr)>,
    plans: Vec<(LocalTime, Plan)>,
    accepted: Option<(ServerKey, Message, Repeating)>,
    now: LocalTime,
    count: u64,
    ack: Option<Message>,
    /// A header of all its responses.
    pub(crate) extra: String,
}

pub(crate) fn sdp(at: SocketAddr, direction: &str, formats: &str) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP {formats}\r\na=rtpmap:101 telephone-event/8000\r\n\
         a={direction}\r\n",
        ip = at.ip(),
        port = at.port() + 10_000,
    )
}

impl Phone {
    pub(crate) fn new(name: &str, at: SocketAddr, peer: SocketAddr) -> Self {
        let mut layer = Layer::new(Timers::default());
        layer.add_name(&HostPort::from(at));
        Self {
            at,
            peer,
            layer,
            answer: Answer::After(Millis(1000)),
            heard: Vec::new(),
            dialog: None,
            forgets_ack: false,
            stalls: false,
            forgets_prack: false,
            allow: "INVITE, ACK, BYE, CANCEL, PRACK, UPDATE, INFO, NOTIFY",
            sdp: sdp(at, "sendrecv", "0 8 101"),
            refuses: None,
            referred: (202, vec![100, 200]),
            name: name.to_owned(),
            invite: None,
            out: VecDeque::new(),
            plans: Vec::new(),
            accepted: None,
            now: LocalTime::default(),
            count: 0,
            ack: None,
            extra: String::new(),
        }
    }

    /// The statuses of the responses to requests of this method, in order.
    pub(crate) fn statuses(&self, method: &Method) -> Vec<u16> {
        let answers = self.heard.iter().filter(|m| m.method() == *method);
        answers.filter_map(Message::status).collect()
    }

    /// The requests of this method it received.
    pub(crate) fn requests(&self, method: &Method) -> Vec<&Message> {
        self.heard.iter().filter(|m| m.is_request() && m.method() == *method).collect()
    }

    fn flow(&self, peer: SocketAddr) -> Flow {
        let transport = carillon::sip::flow::Transport::Udp;
        Flow { transport, local: self.at, peer }
    }

    fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    fn branch(&mut self) -> String {
        let n = self.next();
        format!("z9hG4bK{}-{n}", self.name)
    }

    fn contact(&self) -> Uri {
        Uri::sip(Some(&self.name), HostPort::from(self.at))
    }

    /// Begins an INVITE to a user of the peer.
    pub(crate) fn compose(&mut self, user: &str) -> RequestBuilder {
        let n = self.next();
        let target = Uri::sip(Some(user), HostPort::from(self.peer));
        RequestBuilder::new(Method::Invite, &target)
            .header(Name::MaxForwards, 70)
            .raw("From", &format!("\"Alice\" <sip:{}@{}>;tag=f{n}", self.name, self.at))
            .raw("To", &format!("<{target}>"))
            .raw("Call-ID", &format!("{}-{n}@test", self.name))
            .raw("CSeq", "1 INVITE")
            .raw("Contact", &format!("<{}>", self.contact()))
            .raw("Allow", "INVITE, ACK, BYE, CANCEL, PRACK, UPDATE, INFO, REFER, NOTIFY")
    }

    /// Calls a user of the peer with our SDP.
    pub(crate) fn call(&mut self, now: LocalTime, user: &str) {
        let body = self.sdp.clone().into_bytes();
        let invite = self.compose(user).raw("Supported", "timer").body("application/sdp", body);
        self.send_invite(now, invite.build());
    }

    pub(crate) fn send_invite(&mut self, now: LocalTime, invite: Message) {
        let branch = self.branch();
        let key = self.send_as(now, &invite, &branch);
        self.invite = Some((key, invite));
    }

    pub(crate) fn send_as(&mut self, now: LocalTime, request: &Message, branch: &str) -> ClientKey {
        let flow = self.flow(self.peer);
        let at = HostPort::from(self.at);
        let key = self.layer.send_request(now, request, branch, &at, flow);
        self.settle(now);
        key
    }

    pub(crate) fn cancel(&mut self, now: LocalTime) {
        if let Some((key, _)) = &self.invite {
            let _sent = self.layer.cancel(now, key, None);
        }
        self.settle(now);
    }

    /// Sends a request within the dialog.
    pub(crate) fn send(&mut self, now: LocalTime, method: Method, body: Option<(&str, String)>) {
        self.send_with(now, method, body, &[]);
    }

    pub(crate) fn send_with(
        &mut self,
        now: LocalTime,
        method: Method,
        body: Option<(&str, String)>,
        headers: &[(&str, &str)],
    ) {
        let branch = self.branch();
        let dialog = self.dialog.as_mut().expect("a dialog");
        let mut request = dialog.request(method);
        for (name, value) in headers {
            request = request.raw(name, value);
        }
        let request = match body {
            Some((kind, body)) => request.body(kind, body.into_bytes()).build(),
            None => request.build(),
        };
        dialog.on_sent(&request);
        self.send_as(now, &request, &branch);
    }

    pub(crate) fn bye(&mut self, now: LocalTime) {
        self.send(now, Method::Bye, None);
    }

    pub(crate) fn receive(&mut self, now: LocalTime, bytes: Bytes, from: SocketAddr) {
        let message = Message::parse(bytes).expect("what we send can be read");
        let flow = self.flow(from);
        self.layer.handle_message(now, message, flow);
        self.settle(now);
    }

    pub(crate) fn poll(&mut self) -> Option<(Bytes, SocketAddr)> {
        self.out.pop_front()
    }

    pub(crate) fn next_deadline(&self) -> Option<LocalTime> {
        let plans = self.plans.iter().map(|(at, _)| *at).min();
        let accepted = self.accepted.as_ref().map(|(_, _, again)| again.next_deadline());
        [plans, accepted, self.layer.next_deadline()].into_iter().flatten().min()
    }

    pub(crate) fn wake(&mut self, now: LocalTime) {
        self.layer.handle_deadline(now);
        self.settle(now);
        while let Some(at) = self.plans.iter().position(|(at, _)| *at <= now) {
            let (_, Plan::Final(key, invite, status)) = self.plans.remove(at);
            self.finish(&key, &invite, status);
        }
        if let Some((key, response, again)) = &mut self.accepted {
            match again.on_deadline(now) {
                Nudge::Resend => self.layer.respond(now, key, response),
                Nudge::GiveUp => self.accepted = None,
                Nudge::Wait => {}
            }
        }
        self.settle(now);
    }

    fn settle(&mut self, now: LocalTime) {
        self.now = now;
        while let Some(output) = self.layer.poll_output() {
            match output {
                Output::Transmit { bytes, flow } => self.out.push_back((bytes, flow.peer)),
                Output::Request { key, message, .. } => self.on_request(&key, &message),
                Output::Ack { message, .. } => {
                    self.accepted = None;
                    if let Some(dialog) = &mut self.dialog {
                        let _judged = dialog.on_request(&message);
                    }
                    self.heard.push(message);
                }
                Output::Cancelled { invite, cancel } => self.on_cancelled(&invite, cancel),
                Output::Response { message, .. } | Output::StrayResponse { message, .. } => {
                    self.on_response(&message);
                }
                Output::TimedOut { .. }
                | Output::TransportFailed { .. }
                | Output::ResponseUndelivered { .. }
                | Output::Discarded { .. } => {}
            }
        }
    }

    fn on_cancelled(&mut self, invite: &ServerKey, cancel: Message) {
        self.heard.push(cancel);
        let at = self.plans.iter().position(|(_, Plan::Final(key, ..))| key == invite);
        if let Some(at) = at {
            let (_, Plan::Final(key, message, _)) = self.plans.remove(at);
            self.respond(&key, &message, 487, None);
        }
    }

    fn on_response(&mut self, message: &Message) {
        self.heard.push(message.clone());
        if message.method() == Method::Invite {
            self.on_invite_answered(message);
        } else if let Some(dialog) = &mut self.dialog {
            let _heard = dialog.on_response(message);
        }
    }

    fn on_invite_answered(&mut self, response: &Message) {
        let status = response.status().unwrap_or_default();
        let Some((_, invite)) = self.invite.clone().filter(|_| status > 100 && status < 300) else {
            if let Some(dialog) = &mut self.dialog {
                let _heard = dialog.on_response(response);
            }
            return;
        };
        if self.dialog.is_none() {
            let flow = self.flow(self.peer);
            let made = Dialog::from_response(&invite, response, flow);
            self.dialog = Some(made.expect("a dialog"));
        }
        let Some(dialog) = &mut self.dialog else { return };
        let cseq = response.cseq().expect("CSeq").number;
        match dialog.on_response(response).expect("readable") {
            Heard::WantsAck { .. } if !self.forgets_ack => {
                let late = invite.body().is_empty() && !response.body().is_empty();
                let ack = dialog.ack(cseq);
                let ack = if late {
                    ack.body("application/sdp", self.sdp.clone().into_bytes()).build()
                } else {
                    ack.build()
                };
                dialog.on_sent(&ack);
                self.acknowledge(ack);
            }
            Heard::WantsPrack { rseq } if !self.forgets_prack => {
                let late = invite.body().is_empty() && !response.body().is_empty();
                let prack = dialog.prack(rseq);
                let prack = if late {
                    prack.body("application/sdp", self.sdp.clone().into_bytes()).build()
                } else {
                    prack.build()
                };
                dialog.on_sent(&prack);
                let branch = self.branch();
                let (flow, at) = (self.flow(self.peer), HostPort::from(self.at));
                self.layer.send_request(self.now, &prack, &branch, &at, flow);
            }
            Heard::Ignore if status >= 200 && !self.forgets_ack => {
                if let Some(ack) = self.ack.clone() {
                    self.acknowledge(ack);
                }
            }
            _ => {}
        }
    }

    /// Sends the ACK it has forgotten, with nothing in it.
    pub(crate) fn remember_ack(&mut self, now: LocalTime) {
        let ack = self.dialog.as_mut().expect("a dialog").ack(1).build();
        self.acknowledge(ack);
        self.settle(now);
    }

    fn acknowledge(&mut self, ack: Message) {
        let branch = self.branch();
        let (flow, at) = (self.flow(self.peer), HostPort::from(self.at));
        self.layer.send_ack(&ack, &branch, &at, flow);
        self.ack = Some(ack);
    }

    fn respond(&mut self, key: &ServerKey, request: &Message, status: u16, body: Option<String>) {
        let tag = format!("t{}", self.name);
        let mut response = ResponseBuilder::to(request, status)
            .to_tag(&tag)
            .copy(Name::RecordRoute, request)
            .raw("Contact", &format!("<{}>", self.contact()))
            .raw("Allow", self.allow);
        if let Some((name, value)) = self.extra.split_once(": ") {
            response = response.raw(name, value);
        }
        let response = match body {
            Some(body) => response.body("application/sdp", body.into_bytes()).build(),
            None => response.build(),
        };
        if let Some(dialog) = &mut self.dialog {
            dialog.on_answered(&response);
        }
        self.layer.respond(self.now, key, &response);
        if status / 100 == 2 && request.method() == Method::Invite {
            let again = Repeating::success(self.now, &Timers::default());
            self.accepted = Some((key.clone(), response, again));
        }
    }

    fn on_request(&mut self, key: &ServerKey, message: &Message) {
        self.heard.push(message.clone());
        let inside = message.to().is_ok_and(|to| to.tag().is_some());
        if message.method() == Method::Invite && !inside {
            let answer = self.answer.clone();
            self.on_call(key, message, answer);
            return;
        }
        let judged = self.dialog.as_mut().map(|dialog| dialog.on_request(message));
        match judged {
            Some(Ok(())) => {}
            Some(Err(reject)) => return self.respond(key, message, reject.status(), None),
            None => return self.respond(key, message, 481, None),
        }
        match (message.method(), self.refuses.clone()) {
            (method, Some((refused, status))) if method == refused => {
                self.respond(key, message, status, None);
            }
            (Method::Invite, _) if self.stalls => {}
            (Method::Invite, _) => self.respond(key, message, 200, Some(self.sdp.clone())),
            (Method::Refer, _) => self.on_refer(key, message),
            _ => self.respond(key, message, 200, None),
        }
    }

    fn on_refer(&mut self, key: &ServerKey, message: &Message) {
        let (status, fragments) = self.referred.clone();
        self.respond(key, message, status, None);
        for fragment in fragments {
            let body = format!("SIP/2.0 {fragment} So\r\n");
            let state = if fragment < 200 { "active;expires=60" } else { "terminated" };
            let headers = [("Event", "refer"), ("Subscription-State", state)];
            let kind = "message/sipfrag;version=2.0";
            let now = self.now;
            self.send_with(now, Method::Notify, Some((kind, body)), &headers);
        }
    }

    fn on_call(&mut self, key: &ServerKey, message: &Message, answer: Answer) {
        let flow = self.flow(self.peer);
        let tag = format!("t{}", self.name);
        let authorized = message.has(Name::Authorization);
        if let Answer::Challenge(then) = answer {
            if authorized {
                return self.on_call(key, message, *then);
            }
            let challenge = "WWW-Authenticate: Digest realm=\"pbx\", nonce=\"abc\", qop=\"auth\"";
            challenge.clone_into(&mut self.extra);
            self.respond(key, message, 401, None);
            self.extra.clear();
            return;
        }
        if let Answer::TooBrief(least) = answer {
            let asked = message.session_expires().ok().flatten().map_or(0, |asked| asked.seconds);
            if asked >= least {
                return self.on_call(key, message, Answer::After(Millis(100)));
            }
            self.extra = format!("Min-SE: {least}");
            self.respond(key, message, 422, None);
            self.extra.clear();
            return;
        }
        self.dialog = Dialog::from_invite_received(message, &tag, &self.contact(), flow).ok();
        let (status, after) = match answer {
            Answer::Silent => return,
            Answer::Ring => (487, Millis::from_secs(10_000)),
            Answer::After(after) | Answer::Reliable(after) => (200, after),
            Answer::Refuse(status, after) => (status, after),
            Answer::Challenge(_) | Answer::TooBrief(_) => unreachable!("answered above"),
        };
        if matches!(answer, Answer::Reliable(_)) {
            "Require: 100rel\r\nRSeq: 7".clone_into(&mut self.extra);
            let response = ResponseBuilder::to(message, 183)
                .to_tag(&tag)
                .raw("Contact", &format!("<{}>", self.contact()))
                .raw("Require", "100rel")
                .raw("RSeq", "7")
                .body("application/sdp", self.sdp.clone().into_bytes())
                .build();
            self.extra.clear();
            self.layer.respond(self.now, key, &response);
        } else {
            self.respond(key, message, 180, None);
        }
        self.plans.push((self.now + after, Plan::Final(key.clone(), message.clone(), status)));
    }

    fn finish(&mut self, key: &ServerKey, invite: &Message, status: u16) {
        let body = (status == 200).then(|| self.sdp.clone());
        self.respond(key, invite, status, body);
    }
}
