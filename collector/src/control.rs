//! The gRPC service of people: what they decide is checked, given its author, its time and its id, and laid into the log.
//! It is answered when the log holds it. Nothing is kept here: a command that is sent again under the same id is
//! recognised behind the log.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use prost::Message as _;
use tonic::{Request, Response, Status};
use uuid::Uuid;
use wardwatch_bus::{Bus, Publication, TopicPartition};
use wardwatch_knowledge::Knowledge;
use wardwatch_proto::command::{self, action};
use wardwatch_proto::topic;
use wardwatch_proto::v1::command::Action;
use wardwatch_proto::v1::control_server::Control;
use wardwatch_proto::v1::{Command, LoadKnowledgePack, LogPlace, LogRecord, Receipt, log_record};

use crate::admission::AdmittedOperator;
use crate::config::Config;
use crate::telling::Telling;

/// What all submissions share.
pub(crate) struct Submissions {
    pub(crate) config: Arc<Config>,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) telling: Telling,
}

#[tonic::async_trait]
impl Control for Submissions {
    async fn submit(&self, request: Request<Command>) -> Result<Response<Receipt>, Status> {
        let Some(operator) = request.extensions().get::<AdmittedOperator>().cloned() else {
            return Err(Status::internal("the operator was not admitted"));
        };
        self.telling.commands_received.increment();
        let mut command = request.into_inner();
        if command.id.is_empty() {
            command.id = Uuid::new_v4().to_string();
        }
        command.author = operator.name.clone();
        command.at = now();
        if !operator.may_decide_about(&command.site) {
            return Err(self.rejected("foreign-site", Status::permission_denied(refusal(&operator))));
        }
        if let Err(malformed) = command::check(&command) {
            return Err(self.rejected(malformed.word(), Status::invalid_argument(malformed.to_string())));
        }
        command = self.with_sound_pack(command).await?;
        let (action, site, id) = (action(&command), command.site.clone(), command.id.clone());
        let receipt = self.publish(command).await?;
        tracing::info!(author = operator.name, action, site, id, "a command is in the log");
        Ok(Response::new(receipt))
    }
}

impl Submissions {
    /// The same, if it holds no pack that cannot be used.
    async fn with_sound_pack(&self, command: Command) -> Result<Command, Status> {
        // A large pack takes a while to be read.
        let read = tokio::task::spawn_blocking(move || {
            let problem = match &command.action {
                Some(Action::LoadKnowledgePack(load)) => problem(load),
                _ => None,
            };
            (command, problem)
        });
        let (command, problem) =
            read.await.map_err(|_| Status::internal("reading the knowledge pack panicked"))?;
        match problem {
            None => Ok(command),
            Some(problem) => Err(self.rejected("bad-pack", Status::invalid_argument(problem))),
        }
    }

    /// Lays a command into the partition of its site, or into all.
    async fn publish(&self, command: Command) -> Result<Receipt, Status> {
        let Command { id, author, at, site, .. } = command.clone();
        let partitions = match site.as_str() {
            "" => 0..self.config.partitions,
            site => {
                let partition = self.config.partition_of(site);
                partition..partition.saturating_add(1)
            }
        };
        let record = LogRecord { record: Some(log_record::Record::Command(command)) };
        let record = Bytes::from(record.encode_to_vec());
        if record.len() + site.len() > self.bus.largest_message() {
            let problem = format!("the log takes messages of at most {} octets", self.bus.largest_message());
            return Err(self.rejected("too-large", Status::invalid_argument(problem)));
        }
        let mut receipts = Vec::new();
        for partition in partitions {
            let to = TopicPartition::new(topic::FACTS, partition);
            let publication = Publication::new(to, record.clone()).key(site.clone());
            let receipt =
                self.bus.enqueue(publication).await.map_err(|error| self.not_published(&id, &error))?;
            receipts.push((partition, receipt));
        }
        let mut places = Vec::new();
        for (partition, receipt) in receipts {
            let offset = receipt.await.map_err(|error| self.not_published(&id, &error))?;
            self.telling.command_messages_published.increment();
            places.push(LogPlace { partition, offset });
        }
        self.telling.commands_published.increment();
        Ok(Receipt { id, author, at, places })
    }

    fn rejected(&self, reason: &'static str, status: Status) -> Status {
        self.telling.command_rejected(reason);
        tracing::warn!(reason, "a command was rejected");
        status
    }

    fn not_published(&self, id: &str, error: &wardwatch_bus::Error) -> Status {
        self.telling.commands_not_published.increment();
        tracing::warn!(%error, id, "a command could not be published");
        let again = format!("the log cannot take commands now: send it again under the id {id}");
        Status::unavailable(again)
    }
}

fn refusal(operator: &AdmittedOperator) -> String {
    format!("{} may only decide about these sites: {}", operator.name, operator.sites.join(", "))
}

/// Why a pack cannot be used.
fn problem(load: &LoadKnowledgePack) -> Option<String> {
    if load.content.is_empty() {
        return None;
    }
    let text = match std::str::from_utf8(&load.content) {
        Ok(text) => text,
        Err(error) => return Some(error.to_string()),
    };
    let read = Knowledge::builtin().and_then(|builtin| builtin.over(&load.name, text));
    let version = match read.and_then(|_| Knowledge::version_of(&load.name, text)) {
        Ok(version) => version,
        Err(error) => return Some(error.to_string()),
    };
    (version != load.version)
        .then(|| format!("the pack says that it is version {version:?}, and was sent as {:?}", load.version))
}

/// Nanoseconds since the Unix epoch.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
