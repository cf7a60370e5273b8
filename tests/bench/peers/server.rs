//! The server that is measured, whichever it is: started with so many agents, watched, stopped.
//!
//! Always holds: both servers get the same agents, the same queue with music, the same cores and
//! the same priority.
//!
//! Not here: how each is configured and spoken to (`carillon`, `asterisk`).

use std::net::UdpSocket;
use std::time::Duration;

use crate::asterisk::Asterisk;
use crate::carillon::Carillon;
use crate::machine::Place;
use crate::machine::Program;
use crate::machine::until;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum System {
    Carillon,
    Asterisk,
}

impl System {
    /// As the figures call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Carillon => "carillon",
            Self::Asterisk => "asterisk",
        }
    }

    /// Starts it with this staff and waits until it answers.
    pub(crate) fn start(self, place: &Place, staff: &Staff) -> Box<dyn Server> {
        let mut server: Box<dyn Server> = match self {
            Self::Carillon => Box::new(Carillon::start(place, staff)),
            Self::Asterisk => Box::new(Asterisk::start(place, staff)),
        };
        if staff.ready {
            server.free(staff.agents);
        }
        server
    }
}

/// Who works in the queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Staff {
    pub(crate) agents: u32,
    /// The port of 127.0.0.1 where all their phones are.
    pub(crate) phones: u16,
    /// Whether they take calls from the beginning.
    pub(crate) ready: bool,
}

/// A running server.
pub(crate) trait Server {
    /// The process to account for.
    fn program(&mut self) -> &mut Program;

    /// Where callers send their INVITE.
    fn target(&self) -> String;

    /// How many callers wait now.
    fn waiting(&mut self) -> u32;

    /// Lets agents 0 to `agents` take calls.
    fn free(&mut self, agents: u32);
}

/// Waits until something answers OPTIONS at this port of 127.0.0.1.
pub(crate) fn wait_for_sip(port: u16, limit: Duration) -> bool {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.set_read_timeout(Some(Duration::from_millis(200))).expect("a time limit");
    let own = socket.local_addr().expect("an address").port();
    let mut tries = 0;
    until(limit, || {
        tries += 1;
        let options = format!(
            "OPTIONS sip:queue@127.0.0.1:{port} SIP/2.0\r\n\
             Via: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bKprobe{tries}\r\n\
             From: <sip:probe@127.0.0.1>;tag={tries}\r\n\
             To: <sip:queue@127.0.0.1>\r\n\
             Call-ID: probe{tries}@127.0.0.1\r\n\
             CSeq: {tries} OPTIONS\r\n\
             Contact: <sip:probe@127.0.0.1:{own}>\r\n\
             Max-Forwards: 70\r\n\
             Content-Length: 0\r\n\r\n"
        );
        socket.send_to(options.as_bytes(), ("127.0.0.1", port)).ok()?;
        socket.recv(&mut [0; 4096]).ok()
    })
    .is_some()
}
