//! The program `carillon`: reads its arguments and does what they say.

use std::process::ExitCode;

use carillon::node;
use carillon::node::args::Args;
use clap::Parser;

fn main() -> ExitCode {
    node::run(Args::parse())
}
