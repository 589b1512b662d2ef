//! The engine as its users see it: started, asked, stopped, crashed, started again.
//!
//! Needs a server to run; without one the tests skip by name.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use wardwatch_engine::cache::Cache;
use wardwatch_engine::{Engine, Error, Options, Source};
use wardwatch_skip::skip;

/// Options for an engine run by this crate's own program; `None`, and a line for the runner, without a server.
fn options(test: &str, data: &Path) -> Option<Options> {
    match Source::find(&Cache::default()) {
        Ok(source) => {
            let mut options = Options::new(data);
            options.source = Some(source);
            options.program = Some(PathBuf::from(env!("CARGO_BIN_EXE_wardwatch-engine")));
            Some(options)
        }
        Err(missing) => {
            skip!(test, missing);
            None
        }
    }
}

/// What the server at `url` answers to a statement: status and body.
fn ask(url: &str, statement: &str, headers: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    let length = statement.len();
    write!(stream, "POST / HTTP/1.0\r\n{headers}Content-Length: {length}\r\n\r\n{statement}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.trim_end().to_owned())
}

fn value(engine: &Engine, statement: &str) -> String {
    let (status, body) = ask(engine.url(), statement, "");
    assert_eq!(status, 200, "{statement}: {body}");
    body
}

#[test]
fn acknowledged_rows_survive_a_stop_and_a_crash() {
    let data = tempfile::tempdir().unwrap();
    let Some(options) = options("acknowledged_rows_survive_a_stop_and_a_crash", data.path()) else { return };

    let engine = Engine::start(&options).unwrap();
    value(&engine, "CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n");
    value(&engine, "INSERT INTO t SELECT number FROM numbers(1000)");
    let pid = engine.pid();
    engine.stop().unwrap();
    assert!(!Path::new(&format!("/proc/{pid}")).exists(), "stopped");

    let engine = Engine::start(&options).unwrap();
    assert_eq!(value(&engine, "SELECT count(), sum(n) FROM t"), "1000\t499500");
    value(&engine, "INSERT INTO t SELECT number FROM numbers(1000)");
    engine.kill().unwrap();

    let engine = Engine::start(&options).unwrap();
    assert_eq!(value(&engine, "SELECT count(), sum(n) FROM t"), "2000\t999000");
}

#[test]
fn the_server_is_set_up_as_the_pipeline_needs_it() {
    let data = tempfile::tempdir().unwrap();
    let Some(options) = options("the_server_is_set_up_as_the_pipeline_needs_it", data.path()) else { return };
    let engine = Engine::start(&options).unwrap();

    assert_eq!(value(&engine, "SELECT getSetting('async_insert')"), "false");
    assert_eq!(value(&engine, "SELECT timezone()"), "UTC");
    value(&engine, "SYSTEM FLUSH LOGS");
    assert_eq!(value(&engine, "SELECT count() FROM system.tables WHERE name LIKE '%\\_log'"), "0");
    let total = std::fs::read_to_string("/proc/meminfo").unwrap();
    let total: u64 = total.split_ascii_whitespace().nth(1).unwrap().parse().unwrap();
    let limit: u64 =
        value(&engine, "SELECT value FROM system.server_settings WHERE name = 'max_server_memory_usage'")
            .parse()
            .unwrap();
    assert!(limit > 0 && limit <= total * 1024 * 51 / 100, "{limit} of {total} KiB");
    for listening in ["tcp", "http"] {
        let open = std::fs::read_to_string(format!("/proc/{}/net/tcp", engine.pid())).unwrap();
        let port = if listening == "tcp" { engine.tcp_port() } else { engine.url()[17..].parse().unwrap() };
        let listener =
            open.lines().find(|line| line.contains(&format!(":{port:04X} 00000000:0000 0A"))).unwrap();
        assert!(listener.contains("0100007F:"), "{listening} listens on 127.0.0.1: {listener}");
    }
}

#[test]
fn a_data_directory_belongs_to_one_engine_and_tells_who_that_is() {
    let data = tempfile::tempdir().unwrap();
    let test = "a_data_directory_belongs_to_one_engine_and_tells_who_that_is";
    let Some(mut options) = options(test, data.path()) else { return };
    options.password = Some("s<&>'\"".to_owned());
    assert_eq!(Engine::find_running(data.path()), None);

    let engine = Engine::start(&options).unwrap();
    let running = Engine::find_running(data.path()).unwrap();
    assert_eq!((running.url.as_str(), running.pid), (engine.url(), engine.pid()));
    assert_eq!(running.password, options.password);
    assert_eq!(running.owner, std::process::id());

    let second = Engine::start(&options).unwrap_err();
    assert!(matches!(second, Error::Locked { by: Some(by), .. } if by.pid == engine.pid()), "{second}");
    assert!(second.to_string().contains(&format!("process {}", engine.pid())), "{second}");

    let key = "X-ClickHouse-User: wardwatch\r\nX-ClickHouse-Key: s<&>'\"\r\n";
    assert_eq!(engine.user(), "wardwatch");
    assert_eq!(ask(engine.url(), "CREATE TABLE t ENGINE = Memory AS SELECT 'who' AS secret", key).0, 200);
    assert_eq!(ask(engine.url(), "SELECT secret FROM t", key), (200, "who".to_owned()));
    for statement in
        ["SELECT secret FROM t", "SHOW TABLES FROM default LIKE 't'", "SELECT query FROM system.processes"]
    {
        let (_, body) = ask(engine.url(), statement, "");
        assert!(!body.contains("who") && !body.lines().any(|line| line == "t"), "{statement}: {body}");
    }

    engine.kill().unwrap();
    assert!(data.path().join("engine.json").exists(), "a crash leaves the record behind");
    assert_eq!(Engine::find_running(data.path()), None, "and nobody is taken in by it");

    let engine = Engine::start(&options).unwrap();
    engine.stop().unwrap();
    if matches!(options.source, Some(Source::Library(_))) {
        let printed = std::fs::read_to_string(data.path().join("engine.log")).unwrap();
        assert!(printed.contains("QUERY_WAS_CANCELLED"), "stopped in order, not killed: {printed}");
    }
}

#[test]
fn a_port_in_use_is_named() {
    let data = tempfile::tempdir().unwrap();
    let Some(mut options) = options("a_port_in_use_is_named", data.path()) else { return };
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    options.http_port = Some(taken.local_addr().unwrap().port());
    let refusal = Engine::start(&options).unwrap_err();
    assert!(matches!(refusal, Error::Ended { .. }), "{refusal}");
    assert!(refusal.to_string().contains("Address already in use"), "{refusal}");
}

#[test]
fn a_program_is_served_locked_and_stopped_like_the_library() {
    let data = tempfile::tempdir().unwrap();
    let test = "a_program_is_served_locked_and_stopped_like_the_library";
    let Some(mut options) = options(test, data.path()) else { return };
    let Some(Source::Library(library)) = &options.source else {
        return skip!(test, "the other tests here run on a program already");
    };
    // A program that takes the command line of `clickhouse server` and is the library's server behind it.
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("clickhouse");
    let script = format!(
        "#!/bin/sh\ntest \"$1\" = server || exit 2\ndata=${{2#--config-file=}}\nexec '{}' engine-serve $PPID library '{}' \
         \"${{data%/config.xml}}\"\n",
        env!("CARGO_BIN_EXE_wardwatch-engine"),
        library.display()
    );
    // Written by another process: while this one has it open for writing, a fork of another test would, too, and
    // the kernel runs no file that somebody writes.
    let write = "printf %s \"$1\" > \"$2\" && chmod 755 \"$2\"";
    assert!(Command::new("sh").args(["-c", write, "sh", &script]).arg(&program).status().unwrap().success());
    options.source = Some(Source::Program(program));

    let engine = Engine::start(&options).unwrap();
    assert_eq!(value(&engine, "SELECT 1"), "1");
    assert_eq!(Engine::find_running(data.path()).unwrap().pid, engine.pid());
    assert!(matches!(Engine::start(&options).unwrap_err(), Error::Locked { .. }));
    engine.stop().unwrap();
    assert_eq!(Engine::find_running(data.path()), None);
    assert!(!data.path().join("engine.json").exists());
}

#[test]
fn the_server_dies_with_the_process_that_started_it() {
    let data = tempfile::tempdir().unwrap();
    let test = "the_server_dies_with_the_process_that_started_it";
    let Some(options) = options(test, data.path()) else { return };
    if std::env::var_os("WARDWATCH_TEST_ABORT").is_some() {
        let options = Options { data: std::env::var_os("WARDWATCH_TEST_ABORT").unwrap().into(), ..options };
        let engine = Engine::start(&options).unwrap();
        assert!(Engine::find_running(&options.data).is_some());
        std::mem::forget(engine);
        std::process::abort();
    }
    // This test again, in a process that aborts while its engine runs.
    let aborted = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env("WARDWATCH_TEST_ABORT", data.path())
        .output()
        .unwrap();
    assert_eq!(aborted.status.signal(), Some(6), "{}", String::from_utf8_lossy(&aborted.stderr));
    assert!(data.path().join("engine.json").exists(), "it had started");
    // The kernel kills the server at once, and with it goes the lock.
    Engine::start(&options).unwrap();
    assert_eq!(Engine::find_running(data.path()), None);
}
