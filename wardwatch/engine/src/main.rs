//! The engine's process for programs that cannot become it themselves, such as tests.

#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    wardwatch_engine::serve_if_asked();
    let _ = writeln!(io::stderr(), "this program is started by others: wardwatch-engine engine-serve ...");
    ExitCode::FAILURE
}
