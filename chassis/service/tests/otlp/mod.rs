//! An OTLP receiver that keeps what it is sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{LogsService, LogsServiceServer};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Server, ServerTlsConfig};
use tonic::{Request, Response, Status};

/// What has been received, as text: the requests' debug output is enough to look for a name in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    traces: Vec<String>,
    metrics: Vec<String>,
    logs: Vec<String>,
}

impl Received {
    pub(crate) fn traces(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).traces.concat()
    }

    pub(crate) fn metrics(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).metrics.concat()
    }

    pub(crate) fn logs(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).logs.concat()
    }
}

/// Starts a receiver on a free port.
pub(crate) async fn receive(tls: Option<ServerTlsConfig>) -> (SocketAddr, Received, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("bound");
    let received = Received::default();
    let mut server = Server::builder();
    if let Some(tls) = tls {
        server = server.tls_config(tls).expect("the server's settings");
    }
    let serving = server
        .add_service(TraceServiceServer::new(received.clone()))
        .add_service(MetricsServiceServer::new(received.clone()))
        .add_service(LogsServiceServer::new(received.clone()))
        .serve_with_incoming(TcpListenerStream::new(listener));
    let serving = tokio::spawn(async move { serving.await.expect("served") });
    (address, received, serving)
}

#[tonic::async_trait]
impl TraceService for Received {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).traces.push(format!("{:?}", request.get_ref()));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Received {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .metrics
            .push(format!("{:?}", request.get_ref()));
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Received {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).logs.push(format!("{:?}", request.get_ref()));
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}
