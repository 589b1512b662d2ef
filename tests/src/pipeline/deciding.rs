//! People who decide something.

use anyhow::Result;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Request, Status};
use wardwatch_proto::v1::control_client::ControlClient;
use wardwatch_proto::v1::{Command, Receipt};

use super::{Pipeline, token_of};

impl Pipeline {
    /// Sends what a person (or somebody who says so, with the token of a sensor) decided to the collector.
    pub async fn submit(&self, author: &str, command: Command) -> Result<Result<Receipt, Status>> {
        let mut client = ControlClient::connect(format!("http://{}", self.collector)).await?;
        let mut request = Request::new(command);
        let token: MetadataValue<Ascii> = format!("Bearer {}", token_of(author).expose()).parse()?;
        request.metadata_mut().insert("authorization", token);
        Ok(client.submit(request).await.map(tonic::Response::into_inner))
    }
}
