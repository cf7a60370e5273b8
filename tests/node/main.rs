//! The program as it is typed: `check`, `demo`, and what it says when it cannot do what was asked.
//!
//! Not here: the program among phones of others (`tests/e2e`), the sentences about each mistake
//! (`tests/resource`).

mod check;
mod demo;
mod program;
