//! The client library's errors in this crate's words, and which of them pass.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::task::JoinError;

use crate::error::{Error, Result};

/// An attempt that failed: `publish to wardwatch.facts/3`.
pub(super) fn failed(action: impl Into<String>, error: &KafkaError) -> Error {
    let code = error.rdkafka_error_code();
    Error::Kafka { action: action.into(), problem: error.to_string(), retriable: code.is_some_and(passes) }
}

/// The outcome of work that was handed to the runtime, which drops it only when it ends itself.
pub(super) fn joined<T>(outcome: Result<T, JoinError>) -> Result<T> {
    outcome.map_err(|_| Error::Closed)
}

/// Whether what this code stands for passes by itself: brokers that are away, busy, or not agreed yet.
pub(super) fn passes(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::AllBrokersDown
            | Code::BrokerTransportFailure
            | Code::CoordinatorLoadInProgress
            | Code::CoordinatorNotAvailable
            | Code::Fatal
            | Code::FetchSessionIdNotFound
            | Code::GaplessGuarantee
            | Code::IllegalGeneration
            | Code::InvalidFetchSessionEpoch
            | Code::KafkaStorageError
            | Code::LeaderNotAvailable
            | Code::MessageTimedOut
            | Code::NetworkException
            | Code::NotCoordinator
            | Code::NotEnoughReplicas
            | Code::NotEnoughReplicasAfterAppend
            | Code::NotLeaderForPartition
            | Code::OperationTimedOut
            | Code::PollExceeded
            // What a producer that is replaced hands back.
            | Code::PurgeInflight
            | Code::PurgeQueue
            | Code::QueueFull
            | Code::RebalanceInProgress
            | Code::ReplicaNotAvailable
            | Code::RequestTimedOut
            | Code::Resolve
            | Code::State
            | Code::UnknownMemberId
            | Code::UnstableOffsetCommit
            | Code::WaitingForCoordinator
    )
}
