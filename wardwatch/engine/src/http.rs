//! The one request that the engine makes of its own server, over HTTP/1.0 on loopback.
//!
//! A query answers "is it you, and are you ready?" and "stop". That needs no HTTP client in every program that
//! starts an engine.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::error::{Error, Result};

/// No answer of ours is longer; what is longer did not come from our server.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// Where a server's HTTP interface is, and the password of its user `wardwatch`, if there is one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Endpoint<'a> {
    pub(crate) port: u16,
    pub(crate) password: Option<&'a str>,
}

impl Endpoint<'_> {
    /// The address as clients want it: `http://127.0.0.1:8123`.
    pub(crate) fn url(self) -> String {
        format!("http://{}:{}", Ipv4Addr::LOCALHOST, self.port)
    }

    /// Sends one statement and returns the body of the answer, without white space at its end.
    pub(crate) fn query(self, statement: &str, within: Duration) -> Result<String> {
        let answer = self.exchange(statement, within).map_err(|error| self.failed(&error.to_string()))?;
        let (head, body) =
            answer.split_once("\r\n\r\n").ok_or_else(|| self.failed("the answer is not HTTP"))?;
        let status = head.split_ascii_whitespace().nth(1).unwrap_or_default();
        if status == "200" { Ok(body.trim_end().to_owned()) } else { Err(self.failed(body.trim_end())) }
    }

    fn exchange(self, statement: &str, within: Duration) -> std::io::Result<String> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let mut stream = TcpStream::connect_timeout(&address, within)?;
        stream.set_read_timeout(Some(within))?;
        stream.set_write_timeout(Some(within))?;
        let key = self
            .password
            .map(|password| format!("X-ClickHouse-User: wardwatch\r\nX-ClickHouse-Key: {password}\r\n"));
        let request = format!(
            "POST / HTTP/1.0\r\nHost: localhost\r\n{}Content-Length: {}\r\n\r\n{statement}",
            key.unwrap_or_default(),
            statement.len()
        );
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.take(LONGEST_ANSWER).read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    fn failed(self, reason: &str) -> Error {
        Error::Query { url: self.url(), reason: reason.to_owned() }
    }
}
