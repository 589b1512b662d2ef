//! A real ClickHouse server for one process: found, started and stopped.
//!
//! A trial, a laptop, a small site and the tests have no database server of their own. [`Engine::start`] gives
//! them one: a `clickhouse` program of a recent enough version from the `PATH`, or else the server that is
//! inside `libchdb.so`, which `cargo xtask fetch clickhouse` puts in the [`cache`]. Either way it is ClickHouse
//! itself, one node, on loopback, in a child process with a process group of its own, so that an interrupt at
//! the keyboard reaches it only through [`Engine::stop`], and it dies when the process that started it dies.
//!
//! The child is this crate's own code in a program that answers to [`serve_if_asked`]: the running program if
//! it calls that at the top of its `main`, or the small program `wardwatch-engine` that this crate builds.
//!
//! A data directory belongs to one engine at a time. It holds
//!
//! | name | what it is |
//! |---|---|
//! | `engine.lock` | locked (`flock`) for exactly as long as the engine's process lives |
//! | `engine.json` | who runs the engine and where it answers, for [`Engine::find_running`] |
//! | `engine.log` | what the engine's process printed, from its last start |
//! | `clickhouse.log` | ClickHouse's own log, rotated |
//! | `config.xml`, `users.xml` | what the engine was started with, written anew at each start |
//! | `server/` | ClickHouse's data |
//!
//! What the engine is not: it takes no `ON CLUSTER`, no replicated tables and no `CREATE USER` (the library
//! cannot), and it listens on loopback only.

pub mod cache;
mod config;
mod engine;
mod error;
mod http;
mod library;
mod process;
mod record;
mod serve;
mod source;

pub use engine::{Engine, Options, Running};
pub use error::{Error, Result};
pub use process::{Owned, free_ports};
pub use serve::{Runner, die_with_parent, serve_if_asked};
pub use source::Source;
