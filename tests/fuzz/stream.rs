//! A stream, whole and in pieces.
//!
//! Always holds: the frames do not depend on the cuts, and a frame is found once only.

use carillon::sip::stream::Frame;
use carillon::sip::stream::Framer;

/// Takes a stream; its first byte says how long the pieces are.
pub(crate) fn run(input: &[u8]) {
    let piece = usize::from(input.first().copied().unwrap_or_default()) + 1;
    assert_eq!(frames(input.chunks(piece)), frames([input]));
}

fn frames<'a>(feeds: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
    let (mut framer, mut seen) = (Framer::new(), Vec::new());
    for feed in feeds {
        framer.feed(feed);
        loop {
            match framer.poll_frame() {
                Ok(Some(Frame::Message(message))) => {
                    crate::readers::read_all(&message);
                    seen.push(message.as_bytes().escape_ascii().to_string());
                }
                Ok(Some(Frame::Refused(error))) => seen.push(format!("refused: {error}")),
                Ok(Some(Frame::KeepAlive)) => seen.push("keep-alive".into()),
                Ok(None) => break,
                Err(error) => seen.push(error.to_string()),
            }
        }
    }
    seen
}
