//! The gRPC service: opens a session for each stream, within the bound on their number.

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};
use tracing::Instrument as _;
use wardwatch_bus::Bus;
use wardwatch_proto::v1::ingest_server::Ingest;
use wardwatch_proto::v1::{CollectorMessage, SensorMessage};
use wardwatch_service::CancellationToken;

use crate::admission::AdmittedSensor;
use crate::config::Config;
use crate::session::Session;
use crate::telling::Telling;

/// Messages to a sensor that wait for the network: acknowledgements are small and gathered, so a few will do.
const OUTBOUND: usize = 16;

/// What all streams share.
pub(crate) struct Sessions {
    pub(crate) config: Arc<Config>,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) telling: Telling,
    pub(crate) shutdown: CancellationToken,
    pub(crate) places: Arc<Semaphore>,
}

#[tonic::async_trait]
impl Ingest for Sessions {
    type StreamStream = ReceiverStream<Result<CollectorMessage, Status>>;

    async fn stream(
        &self,
        request: Request<Streaming<SensorMessage>>,
    ) -> Result<Response<Self::StreamStream>, Status> {
        let Some(admitted) = request.extensions().get::<AdmittedSensor>().cloned() else {
            return Err(Status::internal("the stream was not admitted"));
        };
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            self.telling.refused("too many streams");
            return Err(Status::unavailable("this collector has as many streams as it takes"));
        };
        self.telling.streams.increment();
        let (outbound, replies) = mpsc::channel(OUTBOUND);
        let span = tracing::info_span!("stream", sensor = admitted.sensor, site = admitted.site);
        let session = Session {
            admitted,
            config: Arc::clone(&self.config),
            bus: Arc::clone(&self.bus),
            telling: self.telling.clone(),
            shutdown: self.shutdown.clone(),
            outbound,
        };
        let inbound = request.into_inner();
        tokio::spawn(
            async move {
                session.run(inbound).await;
                drop(place);
            }
            .instrument(span),
        );
        Ok(Response::new(ReceiverStream::new(replies)))
    }
}
