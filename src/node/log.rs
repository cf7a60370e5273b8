//! Where log lines go: stderr, as much as `RUST_LOG` asks for.
//!
//! Not here: what is worth a line and how it looks (`observe::log`).

use crate::node::args::LogFormat;
use crate::observe::log;

/// The libraries below speak up only when something is wrong.
const USUAL: &str = "info,openraft=error,raft_log=warn,chunked_wal=warn";

/// Begins to write log lines, those of panics too.
pub fn begin(format: LogFormat) {
    let filter = std::env::var("RUST_LOG").unwrap_or_else(|_| USUAL.to_owned());
    let format = match format {
        LogFormat::Plain => log::Format::Plain,
        LogFormat::Json => log::Format::Json,
    };
    // A second subscriber is refused, and the first goes on.
    let _ =
        tracing::subscriber::set_global_default(log::subscriber(format, &filter, std::io::stderr));
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current().name().unwrap_or_default().to_owned();
        let words = panic.payload_as_str().unwrap_or_default();
        tracing::error!(place, thread, "panicked: {words}");
    }));
}
