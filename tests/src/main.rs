//! The engines' process for the tests of this package.

#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    wardwatch_engine::serve_if_asked();
    let _ = writeln!(io::stderr(), "this program is started by tests: wardwatch-tests engine-serve ...");
    ExitCode::FAILURE
}
