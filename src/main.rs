//! The program `carillon`: reads its arguments and runs a node.

fn main() {}
