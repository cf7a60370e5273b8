//! The targets by their names.
//!
//! Always holds: a target either returns or panics, and a panic is a finding.
//!
//! Not here: where inputs come from (`main.rs`, `guided.rs`).

/// What is done with one input.
pub(crate) type Target = fn(&[u8]);

/// Finds a target.
pub(crate) fn find(name: &str) -> Option<Target> {
    let targets: [(&str, Target); 7] = [
        ("codec", crate::codec::run),
        ("stream", crate::stream::run),
        ("sdp", crate::sdp::run),
        ("media", crate::media::run),
        ("transactions", crate::transactions::run),
        ("bodies", crate::bodies::run),
        ("digest", crate::digest::run),
    ];
    targets.into_iter().find(|(known, _)| *known == name).map(|(_, target)| target)
}
