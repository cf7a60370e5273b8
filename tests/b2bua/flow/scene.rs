//! The scene of a flow: who takes part, what is configured, and what came of each message.
//!
//! | declared | means |
//! |---|---|
//! | `party alice 192.0.2.101:5060` | somebody with a socket |
//! | `queue on-agent 6000` | how the queue `sales` answers, and its numbers |
//! | | (`on-entry`, `early-media`, `on-agent`) |
//! | `trunk pbx from=192.0.2.0 asks=ann:secret` | who may call, and with which password |
//! | `trunk pbx peers=sip:a,sip:b proxy=sip:p login=ann:secret` | the ways to phones |
//! | `agent bob sip:bob@192.0.2.201 pbx` | who answers, at which device, behind which trunk |

use std::net::SocketAddr;

use bytes::Bytes;
use carillon::acd::command::Command;
use carillon::acd::config::Address;
use carillon::acd::config::AnswerMode;
use carillon::acd::config::Credentials;
use carillon::acd::config::Network;
use carillon::acd::config::TrunkConfig;
use carillon::base::id::TrunkId;
use carillon::base::secret::Private;
use carillon::base::time::Millis;
use carillon::media::order::Order;
use carillon::sdp::Agreed;
use carillon::sip::digest::Subject;
use carillon::sip::digest::challenge;
use carillon::sip::digest::client;
use carillon::sip::header::name::Name;
use carillon::sip::message::Message;

use crate::flow::names::Names;
use crate::world::World;
use crate::world::queue;
use crate::world::trunk;

/// Everything that is set up and told so far.
pub(super) struct Scene {
    world: World,
    parties: Vec<(String, SocketAddr)>,
    trunks: Vec<TrunkConfig>,
    shown: Vec<String>,
    names: Names,
    challenge: Option<Message>,
    told: Vec<String>,
    messages: usize,
    ordered: usize,
    proposed: usize,
}

impl Default for Scene {
    fn default() -> Self {
        let mut world = World::new(7, AnswerMode::OnAgent);
        world.set_trunks(Vec::new());
        Self {
            world,
            parties: Vec::new(),
            trunks: Vec::new(),
            shown: Vec::new(),
            names: Names::default(),
            challenge: None,
            told: Vec::new(),
            messages: 0,
            ordered: 0,
            proposed: 0,
        }
    }
}

impl Scene {
    /// Takes a declaration; keeps a remark.
    pub(super) fn remark(&mut self, line: &str) -> Result<(), String> {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["party", name, at] => {
                let at = at.parse().map_err(|_| format!("`{at}` is no address"))?;
                self.parties.push((name.to_owned(), at));
            }
            ["queue", mode, ref numbers @ ..] => {
                let mode =
                    answer_mode(mode).ok_or_else(|| format!("`{mode}` is no way to answer"))?;
                let mut sales = queue("sales", mode);
                let address = |user: &&str| Address { user: (*user).to_owned(), host: None };
                sales.addresses.extend(numbers.iter().map(address));
                self.world.put_queue(sales);
            }
            ["trunk", name, ref settings @ ..] => {
                self.trunks.push(trunk_of(name, settings)?);
                self.world.set_trunks(self.trunks.clone());
            }
            ["agent", name, device] => self.world.log_in(name, device, None),
            ["agent", name, device, trunk] => {
                self.world.log_in(name, device, Some(TrunkId::new(trunk)));
            }
            ["show", ref names @ ..] => {
                self.shown = names.iter().map(|name| (*name).to_owned()).collect();
            }
            _ => {}
        }
        self.say(line.to_owned());
        Ok(())
    }

    /// Writes a line of its own.
    pub(super) fn say(&mut self, line: String) {
        self.told.push(line);
    }

    /// Sends a message of a party's.
    pub(super) fn send(&mut self, from: &str, lines: &[String]) -> Result<(), String> {
        let named = self.parties.iter().find(|(name, _)| name == from);
        let at = named.ok_or_else(|| format!("nobody is called `{from}`"))?.1;
        let empty = lines.iter().position(String::is_empty).unwrap_or(lines.len());
        let (head, body) = (&lines[..empty], &lines[(empty + 1).min(lines.len())..]);
        let body: String = body.iter().map(|line| format!("{}\r\n", plain(line))).collect();
        let body = self.names.reveal(&body)?;
        let length = |line: &String| match line.split_once(": ") {
            Some((name @ ("Content-Length" | "l"), _)) => format!("{name}: {}", body.len()),
            _ => line.clone(),
        };
        let head: Vec<String> = head.iter().map(length).collect();
        let mut text = String::new();
        for line in &head {
            let line = self.with_credentials(&plain(line), &head[0])?;
            text.push_str(&self.names.reveal(&line)?);
            text.push_str("\r\n");
        }
        self.tell(&format!("{from} -> carillon"), &head, &lines[empty..]);
        self.world.inject(&format!("{text}\r\n{body}"), at);
        Ok(())
    }

    fn with_credentials(&self, line: &str, start: &str) -> Result<String, String> {
        let Some((name, asked)) = line.split_once("{credentials ") else {
            return Ok(line.to_owned());
        };
        let words: Vec<&str> = asked.trim_end_matches('}').split(' ').collect();
        let [username, password] = words[..] else { return Err(format!("`{line}`: who?")) };
        let asked = self.challenge.as_ref().ok_or("nobody was challenged")?;
        let challenges = challenge::challenges(asked, Name::WwwAuthenticate);
        let mut first = start.split(' ');
        let (method, uri) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
        let (login, subject) =
            (client::Login { username, password }, Subject { method, body: b"" });
        let answer = client::answer(&challenges[0], login, subject, uri, "0a4f113b", 1);
        Ok(format!("{name}{answer}"))
    }

    fn tell(&mut self, way: &str, head: &[String], rest: &[String]) {
        self.messages += 1;
        let mut lines = vec![format!("F{} {way}", self.messages)];
        for line in head.iter().chain(rest) {
            let line = format!("    {line}");
            lines.push(if line.trim().is_empty() { String::new() } else { line });
        }
        self.told.push(lines.join("\n"));
    }

    /// Lets time pass and writes down what happens.
    pub(super) fn pass(&mut self, pause: Millis) {
        for _ in 0..pause.0 {
            self.world.run(Millis(1));
            self.look();
        }
    }

    /// The node takes no more calls.
    pub(super) fn drain(&mut self) {
        self.world.ua.set_draining(true);
    }

    fn look(&mut self) {
        for command in self.world.commands.split_off(self.proposed) {
            self.say(format!("core hears {}", worded(&command)));
        }
        for order in self.world.media.clone().into_iter().skip(self.ordered) {
            self.ordered += 1;
            self.told.extend(ordered(&order).map(|words| format!("media {words}")));
        }
        for (to, bytes) in std::mem::take(&mut self.world.mail) {
            self.receive(to, bytes);
        }
    }

    fn receive(&mut self, to: SocketAddr, bytes: Bytes) {
        let named = self.parties.iter().find(|(_, at)| *at == to);
        let name = named.map_or_else(|| to.to_string(), |(name, _)| name.clone());
        let text = self.names.hide(&String::from_utf8_lossy(&bytes));
        if let Ok(message) = Message::parse(bytes)
            && message.has(Name::WwwAuthenticate)
        {
            self.challenge = Some(message);
        }
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let shown = |(nth, line): &(usize, &String)| *nth == 0 || self.shows(line);
        let lines = lines.iter().enumerate().filter(shown).map(|(_, line)| line.clone());
        let lines: Vec<String> = lines.collect();
        let end = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
        self.tell(&format!("carillon -> {name}"), &lines[..end], &[]);
    }

    fn shows(&self, line: &str) -> bool {
        self.shown.is_empty() || self.shown.iter().any(|start| line.starts_with(start.as_str()))
    }

    /// The whole flow as it was played; a last line tells of what is left of its calls.
    pub(super) fn finish(mut self) -> String {
        self.world.run_secs(400);
        let left = (self.world.ua.legs(), self.world.ua.transactions(), self.world.ua.proposals());
        if left != (0, 0, 0) {
            // No line of the notation: the flow fails until it ends as calls end.
            self.say(format!("left behind: legs, transactions, proposals {left:?}"));
        }
        let mut text = String::new();
        let mut before = "";
        for told in &self.told {
            let apart = told.starts_with('F') || before.starts_with('F');
            let remarked = told.starts_with('#') && !before.starts_with('#');
            if !text.is_empty() && (apart || remarked) && !before.starts_with("# ") {
                text.push('\n');
            }
            text.push_str(told);
            text.push('\n');
            before = told;
        }
        text
    }
}

/// A line with its signs for what cannot be seen made good.
fn plain(line: &str) -> String {
    line.replace("\\s", " ").replace("\\t", "\t").replace("\\0", "\0")
}

fn answer_mode(text: &str) -> Option<AnswerMode> {
    match text {
        "on-entry" => Some(AnswerMode::OnEntry),
        "early-media" => Some(AnswerMode::EarlyMedia),
        "on-agent" => Some(AnswerMode::OnAgent),
        _ => None,
    }
}

fn trunk_of(name: &str, settings: &[&str]) -> Result<TrunkConfig, String> {
    let mut made = TrunkConfig {
        id: TrunkId::new(name),
        peers: Vec::new(),
        allowed_sources: Vec::new(),
        ..trunk()
    };
    for setting in settings {
        let wrong = format!("`{setting}` is no setting of a trunk");
        let (key, value) = setting.split_once('=').ok_or_else(|| wrong.clone())?;
        match key {
            "from" => {
                let address = value.parse().map_err(|_| wrong)?;
                made.allowed_sources.push(Network { address, prefix: 24 });
            }
            "asks" => made.inbound_auth = Some(login(value).ok_or(wrong)?),
            "login" => made.outbound_auth = Some(login(value).ok_or(wrong)?),
            "peers" => made.peers = value.split(',').map(str::to_owned).collect(),
            "proxy" => made.outbound_proxy = Some(value.to_owned()),
            _ => return Err(wrong),
        }
    }
    Ok(made)
}

fn login(text: &str) -> Option<Credentials> {
    let (username, password) = text.split_once(':')?;
    Some(Credentials { username: username.to_owned(), password: Private::new(password.to_owned()) })
}

fn worded(command: &Command) -> String {
    match command {
        Command::EndLeg { why, .. } => format!("EndLeg {why:?}"),
        Command::FailReservation { why, .. } => format!("FailReservation {why:?}"),
        Command::HoldLeg { held, .. } => format!("HoldLeg {held}"),
        Command::SettleTransfer { refused, .. } => format!("SettleTransfer {refused:?}"),
        Command::EnqueueCall(arrival) => {
            let (number, name) = (arrival.caller.number.expose(), arrival.caller.name.expose());
            let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
            format!("EnqueueCall {} from {} {}", arrival.to, shown(number), shown(name))
        }
        other => {
            let debug = format!("{other:?}");
            debug.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
        }
    }
}

fn ordered(order: &Order) -> Option<String> {
    match order {
        Order::Open { agreed, .. } => Some(format!("opens {}", settled(agreed))),
        Order::Update { agreed, .. } => Some(format!("changes {}", settled(agreed))),
        Order::Join { .. } => Some("joins both".to_owned()),
        Order::Close { .. } => Some("closes".to_owned()),
        Order::SendDigit { digit, duration, .. } => Some(format!("sends {digit:?} {duration:?}")),
        _ => None,
    }
}

fn settled(agreed: &Agreed) -> String {
    let Agreed { remote, codec, payload, dtmf, dtmf_received, direction, ptime_ms, .. } = agreed;
    let number = |payload: &Option<u8>| payload.map_or("none".to_owned(), |n| n.to_string());
    let keys = format!("keys {} {}", number(dtmf), number(dtmf_received));
    let direction = direction.as_str();
    format!("{remote} {} {payload}, {keys}, {direction}, {ptime_ms} ms", codec.as_str())
}
