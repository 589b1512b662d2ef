//! What an operator and an orchestrator see.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;

struct Served {
    address: SocketAddr,
    health: Health,
    counters: Counters,
    shutdown: CancellationToken,
}

impl Served {
    async fn start() -> Self {
        let (health, counters, shutdown) = <(Health, Counters, CancellationToken)>::default();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = HealthServer::bind(any, health.clone(), counters.clone()).await.expect("bound");
        let address = server.address().expect("bound");
        tokio::spawn(server.serve(shutdown.clone()));
        Self { address, health, counters, shutdown }
    }

    /// Status and body, asked for without an HTTP library.
    async fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).await.expect("connected");
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("asked");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("answered");
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        (status, body.to_owned())
    }
}

#[tokio::test]
async fn ready_is_when_every_check_is() {
    let served = Served::start().await;
    assert_eq!(served.get("/healthz").await, (200, "live\n".to_owned()));
    assert_eq!(served.get("/readyz").await, (200, r#"{"ready":true,"checks":{}}"#.to_owned()));

    let bus = served.health.check("bus");
    let store = served.health.check("store");
    bus.ready();
    let (status, body) = served.get("/readyz").await;
    assert_eq!(status, 503);
    let expected =
        r#"{"ready":false,"checks":{"bus":{"ready":true},"store":{"ready":false,"detail":"starting"}}}"#;
    assert_eq!(body, expected);
    assert!(!served.health.ready());

    store.ready();
    assert_eq!(served.get("/readyz").await.0, 200);
    bus.not_ready("no broker answers");
    let (status, body) = served.get("/readyz").await;
    assert_eq!(status, 503);
    assert!(body.contains("no broker answers"), "{body}");
    assert_eq!(served.get("/healthz").await.0, 200, "not ready is not dead");
}

#[tokio::test]
async fn counters_are_listed() {
    let served = Served::start().await;
    served.counters.counter("batches", &[("lane", "live")]).add(3);
    let (status, body) = served.get("/metrics.json").await;
    assert_eq!(status, 200);
    assert_eq!(body, r#"[{"name":"batches","labels":{"lane":"live"},"kind":"counter","value":3}]"#);
    assert_eq!(served.get("/elsewhere").await.0, 404);
}

#[tokio::test]
async fn a_cancelled_server_lets_go_of_its_port() {
    let served = Served::start().await;
    served.get("/healthz").await;
    served.shutdown.cancel();
    while TcpStream::connect(served.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_check_that_is_registered_twice_is_one() {
    let health = Health::default();
    health.check("bus").ready();
    health.check("bus");
    assert!(health.ready(), "registering again does not take readiness back");
}
