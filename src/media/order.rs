//! What may be ordered of a media thread, and what it reports: one page of plain data.
//!
//! Always holds: orders name streams, never sockets; an order for a stream that is closed already
//! does nothing (the leg may end while the order is on its way).
//!
//! Not here: how an order is carried out ([`super::engine`]), what a program sounds like
//! ([`super::program`]).

use std::net::IpAddr;

use crate::base::id::LegId;
use crate::base::id::PromptId;
use crate::base::time::Millis;
use crate::media::dtmf::Digit;
use crate::sdp::negotiate::Agreed;

/// A stream is one leg's audio and has the leg's name.
pub type StreamId = LegId;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Begin to send and receive. Until told otherwise the stream sends silence.
    Open {
        /// The stream to make; one that is open already is closed first.
        stream: StreamId,
        /// The local port that was written into our session description.
        port: u16,
        /// What was negotiated.
        agreed: Agreed,
        /// Where the leg's signalling comes from: behind a NAT its audio comes from there too.
        signalled_by: Option<IpAddr>,
    },
    /// A re-INVITE changed address, codec or direction.
    Update {
        /// The stream.
        stream: StreamId,
        /// What was negotiated now.
        agreed: Agreed,
    },
    /// Play a program from its beginning, in place of what is played now.
    Play {
        /// The stream.
        stream: StreamId,
        /// What to play.
        program: Program,
        /// Comes back in [`Report::Finished`].
        token: u64,
    },
    /// Stop playing; nothing is reported for it.
    StopPlaying {
        /// The stream.
        stream: StreamId,
    },
    /// Let two streams hear each other; what both play stops, joins they were in end.
    Join {
        /// One.
        a: StreamId,
        /// The other.
        b: StreamId,
    },
    /// End the join the stream is in, for both.
    Part {
        /// Either of the two.
        stream: StreamId,
    },
    /// Send one telephone event to the stream's peer, after those still being sent.
    SendDigit {
        /// The stream.
        stream: StreamId,
        /// Which key.
        digit: Digit,
        /// How long it is held down.
        duration: Millis,
    },
    /// Report [`Report::Lost`] once when nothing is received for this long, neither RTP nor RTCP,
    /// while audio flows both ways; none: never.
    Watch {
        /// The stream.
        stream: StreamId,
        /// How long.
        silence: Option<Millis>,
    },
    /// End the stream.
    Close {
        /// The stream.
        stream: StreamId,
    },
}

/// What to play to one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// Played once, one after the other.
    pub first: Vec<PromptId>,
    /// Then repeated for as long as the program runs.
    pub music: Option<PromptId>,
    /// Interrupts the music, which then goes on where it was.
    pub announcement: Option<Announcement>,
}

impl Program {
    /// Plays the prompts once, then reports that it has finished.
    pub fn once(prompts: Vec<PromptId>) -> Self {
        Self { first: prompts, ..Self::default() }
    }

    /// Tells whether the program comes to an end by itself.
    pub fn ends(&self) -> bool {
        self.music.is_none() && self.announcement.is_none()
    }
}

/// What is said again and again while the music plays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// Played one after the other.
    pub prompts: Vec<PromptId>,
    /// From the end of one announcement (or of what comes first) to the start of the next.
    pub every: Millis,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The peer pressed a key; told once, when the key goes down.
    Digit {
        /// The stream.
        stream: StreamId,
        /// Which key.
        digit: Digit,
    },
    /// A program that ends has ended.
    Finished {
        /// The stream.
        stream: StreamId,
        /// From the order.
        token: u64,
    },
    /// A program names a prompt nobody loaded; it is passed over.
    NoPrompt {
        /// The stream.
        stream: StreamId,
        /// The name.
        prompt: PromptId,
    },
    /// Nothing was received for as long as was to be watched.
    Lost {
        /// The stream.
        stream: StreamId,
    },
}

impl Report {
    /// Of which stream it tells.
    pub fn stream(&self) -> StreamId {
        match self {
            Self::Digit { stream, .. }
            | Self::Finished { stream, .. }
            | Self::NoPrompt { stream, .. }
            | Self::Lost { stream } => *stream,
        }
    }
}
