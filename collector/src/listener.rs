//! Connections as they come in, and a look at their first bytes: a scanner or a misdirected client that speaks no gRPC
//! is counted and named in the log, where the HTTP layer would drop it without a word.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tonic::transport::server::{Connected, TcpConnectInfo};
use wardwatch_service::{Counter, Counters};

/// How an HTTP/2 connection begins (RFC 9113, 3.4), and how a TLS one does (RFC 8446, 5.1: a handshake record).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const TLS_HANDSHAKE: &[u8] = b"\x16\x03";

/// Accepts connections.
pub(crate) struct Listener {
    socket: TcpListener,
    expected: &'static [u8],
    accepted: Counter,
    strangers: Counter,
}

impl Listener {
    pub(crate) fn new(listener: TcpListener, is_tls: bool, counters: &Counters) -> Self {
        Self {
            socket: listener,
            expected: if is_tls { TLS_HANDSHAKE } else { HTTP2_PREFACE },
            accepted: counters.counter("collector_connections", &[]),
            strangers: counters.counter("collector_connections_not_grpc", &[]),
        }
    }
}

impl Stream for Listener {
    type Item = io::Result<Connection>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let accepted = ready!(self.socket.poll_accept(context));
        Poll::Ready(Some(accepted.map(|(stream, peer)| {
            self.accepted.increment();
            Connection { stream, peer, expected: self.expected, seen: 0, strangers: self.strangers.clone() }
        })))
    }
}

/// A connection whose first bytes are compared with what they should be.
pub(crate) struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    expected: &'static [u8],
    /// How many of the expected bytes have come.
    seen: usize,
    strangers: Counter,
}

impl Connection {
    fn compare(&mut self, fresh: &[u8]) {
        let rest = self.expected.get(self.seen..).unwrap_or_default();
        let compared = rest.len().min(fresh.len());
        if rest.get(..compared) == fresh.get(..compared) {
            self.seen += compared;
        } else {
            self.strangers.increment();
            tracing::warn!(peer = %self.peer, "a connection that does not speak gRPC");
            self.seen = self.expected.len();
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(context, buffer);
        if self.seen < self.expected.len() {
            let fresh = buffer.filled().get(before..).unwrap_or_default();
            self.compare(fresh);
        }
        outcome
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
