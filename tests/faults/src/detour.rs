//! A way to ClickHouse on which an insert can be late, or its answer lost: what a load balancer, a full buffer or a bad line
//! does.
//!
//! The n-th insert into a table is taken from its sender whole. The server gets a part of it, or nothing yet; the rest comes
//! when it is released, whatever has become of the sender meanwhile. Or the server gets all of it, and the sender no answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long the server may take with what was released.
const ANSWER: Duration = Duration::from_secs(30);
/// The end of a body that is sent in chunks (RFC 9112, 7.1).
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// What is held back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Which table's insert.
    pub table: String,
    /// The how-manieth, from 1.
    pub number: usize,
    /// What is let through at once.
    pub through: Through,
}

/// What of a request is let through at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Through {
    /// Nothing: the server does not know of it.
    Nothing,
    /// Everything but the end of the body: the server has all rows and waits for more.
    AllButTheEnd,
    /// Everything, but the answer does not come back, and the connection ends: the sender cannot know. So it is with every
    /// third insert from that one on.
    AllButTheAnswer,
}

/// The way. Dropping it cuts it off.
pub struct Detour {
    address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    hold: Hold,
    server: SocketAddr,
    /// Inserts into the table that have come by.
    seen: std::sync::atomic::AtomicUsize,
    caught: watch::Sender<Option<Instant>>,
    released: watch::Sender<bool>,
    answered: watch::Sender<bool>,
}

/// What is done with a request.
enum Way {
    On,
    Held,
    Unanswered,
}

impl Detour {
    /// Opens it to the server.
    pub async fn open(server: SocketAddr, hold: Hold) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("open a detour")?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            hold,
            server,
            seen: 0.into(),
            caught: watch::Sender::new(None),
            released: watch::Sender::new(false),
            answered: watch::Sender::new(false),
        });
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                // A connection that breaks is its sender's to notice.
                tokio::spawn(async move { state.connection(client).await.ok() });
            }
        });
        Ok(Self { address, state, task })
    }

    /// Where it begins.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// When the insert was caught.
    pub fn caught(&self) -> Option<Instant> {
        *self.state.caught.borrow()
    }

    /// Lets the rest through, and waits until the server has answered.
    pub async fn release(&self) -> Result<()> {
        self.state.released.send_replace(true);
        let mut answered = self.state.answered.subscribe();
        let answer = timeout(ANSWER, answered.wait_for(|answered| *answered)).await;
        answer.context("the server did not answer what was released")?.context("the detour was closed")?;
        Ok(())
    }
}

impl Drop for Detour {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl State {
    async fn connection(&self, client: TcpStream) -> Result<()> {
        let server = TcpStream::connect(self.server).await?;
        let ((mut from_client, mut to_client), (from_server, mut to_server)) =
            (client.into_split(), server.into_split());
        let mut buffer = vec![0; 1 << 16];
        loop {
            tokio::select! {
                read = from_client.read(&mut buffer) => {
                    let piece = buffer.get(..read?).filter(|piece| !piece.is_empty()).context("the client is gone")?;
                    match self.way_of(piece) {
                        Way::On => to_server.write_all(piece).await?,
                        Way::Held => return self.hold(piece.to_vec(), from_client, to_server, from_server).await,
                        Way::Unanswered => return self.swallow(piece.to_vec(), from_client, to_server, from_server).await,
                    }
                }
                // Answers are small: one of a pair of pieces may wait for the other.
                answered = from_server.readable() => {
                    answered?;
                    let mut answer = vec![0; 1 << 16];
                    match from_server.try_read(&mut answer) {
                        Ok(0) => return Ok(()),
                        Ok(read) => to_client.write_all(answer.get(..read).unwrap_or_default()).await?,
                        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
        }
    }

    /// What is to be done with what begins here. The client sends a request's head in one piece, when it has the answer to the
    /// one before.
    fn way_of(&self, piece: &[u8]) -> Way {
        let line = piece.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        let is_insert = line.starts_with("POST ")
            && ["%20", "+"]
                .iter()
                .any(|blank| line.contains(&format!("INSERT{blank}INTO{blank}{}{blank}", self.hold.table)));
        if !is_insert {
            return Way::On;
        }
        let number = self.seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
        match self.hold.through {
            Through::AllButTheAnswer
                if number >= self.hold.number && (number - self.hold.number).is_multiple_of(3) =>
            {
                Way::Unanswered
            }
            Through::Nothing | Through::AllButTheEnd if number == self.hold.number => Way::Held,
            _ => Way::On,
        }
    }

    /// Lets a request through, and cuts the connection off when the server has begun to answer.
    async fn swallow(
        &self,
        mut request: Vec<u8>,
        mut client: OwnedReadHalf,
        mut to_server: OwnedWriteHalf,
        mut from_server: OwnedReadHalf,
    ) -> Result<()> {
        whole(&mut request, &mut client).await?;
        to_server.write_all(&request).await?;
        let _ = from_server.read(&mut [0; 64]).await?;
        self.caught
            .send_if_modified(|caught| caught.is_none().then(|| *caught = Some(Instant::now())).is_some());
        Ok(())
    }

    async fn hold(
        &self,
        mut request: Vec<u8>,
        mut client: OwnedReadHalf,
        mut to_server: OwnedWriteHalf,
        mut from_server: OwnedReadHalf,
    ) -> Result<()> {
        whole(&mut request, &mut client).await?;
        let (first, rest) = request.split_at(match self.hold.through {
            Through::Nothing => 0,
            Through::AllButTheEnd => request.len() - LAST_CHUNK.len(),
            Through::AllButTheAnswer => request.len(),
        });
        to_server.write_all(first).await?;
        self.caught.send_replace(Some(Instant::now()));
        let mut released = self.released.subscribe();
        released.wait_for(|released| *released).await?;
        if first.is_empty() {
            // A server does not wait for long on a connection on which nothing was asked; a balancer would take another.
            (from_server, to_server) = TcpStream::connect(self.server).await?.into_split();
        }
        let ended = async {
            to_server.write_all(rest).await?;
            // Nothing comes after it, so the server ends the connection when it has answered.
            to_server.shutdown().await?;
            copy(&mut from_server, &mut tokio::io::sink()).await
        };
        // The server may have given up on it by now: that is an answer as well.
        let _ = ended.await;
        self.answered.send_replace(true);
        Ok(())
    }
}

/// Reads the rest of a request whose body is sent in chunks.
async fn whole(request: &mut Vec<u8>, client: &mut OwnedReadHalf) -> Result<()> {
    while !request.ends_with(LAST_CHUNK) {
        anyhow::ensure!(client.read_buf(request).await? > 0, "the client is gone before it has sent all");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn server() -> (SocketAddr, JoinHandle<Vec<u8>>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut got = Vec::new();
            stream.read_to_end(&mut got).await.unwrap();
            got
        });
        (address, task)
    }

    async fn until_caught(detour: &Detour) {
        while detour.caught().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn what_the_server_knew_nothing_of_comes_although_its_connection_is_closed() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let hold = Hold { table: "flows".to_owned(), number: 1, through: Through::Nothing };
        let detour = Detour::open(listener.local_addr().unwrap(), hold).await.unwrap();
        let mut client = TcpStream::connect(detour.address).await.unwrap();
        let (idle, _) = listener.accept().await.unwrap();
        let request = "POST /?query=INSERT%20INTO%20flows%20FORMAT HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        client.write_all(request.as_bytes()).await.unwrap();
        until_caught(&detour).await;
        drop((client, idle));
        let served = tokio::spawn(async move {
            let mut got = String::new();
            listener.accept().await.unwrap().0.read_to_string(&mut got).await.unwrap();
            got
        });
        detour.release().await.unwrap();
        assert_eq!(served.await.unwrap(), request);
    }

    #[tokio::test]
    async fn an_insert_is_late_although_its_sender_is_gone() {
        let (address, server) = server().await;
        let hold = Hold { table: "flows".to_owned(), number: 2, through: Through::AllButTheEnd };
        let detour = Detour::open(address, hold).await.unwrap();
        let mut client = TcpStream::connect(detour.address).await.unwrap();
        let request = |table: &str| {
            format!(
                "POST /?query=INSERT%20INTO%20{table}%20FORMAT HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
            )
        };
        for table in ["flows", "devices", "flows_by_hour"] {
            client.write_all(request(table).as_bytes()).await.unwrap();
            // One request at a time, as a client that waits for answers sends them.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(detour.caught().is_none());
        client.write_all(request("flows").as_bytes()).await.unwrap();
        until_caught(&detour).await;
        drop(client);
        detour.release().await.unwrap();
        let got = String::from_utf8(server.await.unwrap()).unwrap();
        assert_eq!(
            got,
            [request("flows"), request("devices"), request("flows_by_hour"), request("flows")].concat()
        );
    }
}
