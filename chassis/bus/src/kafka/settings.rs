//! From our settings to the client library's.

use rdkafka::ClientConfig;

use crate::config::{Compression, KafkaConfig};
use crate::error::{Error, Result};

/// Room for key, headers and framing beside the largest message, and for several messages in one batch.
const FRAMING: usize = 64 << 10;
/// How long the broker may wait for messages before it answers that there are none: so long a partition that is taken up may
/// wait for its first fetch, since that is asked for with the next one.
const FETCH_WAIT: &str = "100";
/// How often the client library reports lag.
const STATISTICS_INTERVAL: &str = "5000";

/// Properties that the delivery guarantees rest on, or that have a setting of their own; and which.
const RESERVED: &[(&str, &str)] = &[
    ("acks", "delivery rests on acks from all replicas"),
    ("request.required.acks", "delivery rests on acks from all replicas"),
    ("enable.idempotence", "order and uniqueness rest on it"),
    ("max.in.flight", "order rests on it"),
    ("max.in.flight.requests.per.connection", "order rests on it"),
    ("retries", "delivery rests on it"),
    ("message.send.max.retries", "delivery rests on it"),
    ("transactional.id", "transactions are not used"),
    ("enable.auto.commit", "positions are kept in the services' own state"),
    ("auto.commit.enable", "positions are kept in the services' own state"),
    ("auto.commit.interval.ms", "positions are kept in the services' own state"),
    ("enable.auto.offset.store", "positions are kept in the services' own state"),
    ("auto.offset.reset", "lost messages must be seen, not jumped over"),
    ("enable.partition.eof", "nobody reads it"),
    ("group.id", "each service has its own"),
    ("group.protocol", "partitions are handed over cooperatively"),
    ("partition.assignment.strategy", "partitions are handed over cooperatively"),
    ("isolation.level", "transactions are not used"),
    ("bootstrap.servers", "set brokers"),
    ("metadata.broker.list", "set brokers"),
    ("compression.type", "set compression"),
    ("compression.codec", "set compression"),
    ("linger.ms", "set linger"),
    ("queue.buffering.max.ms", "set linger"),
    ("queue.buffering.max.kbytes", "set queue_bytes"),
    ("queue.buffering.max.messages", "set queue_bytes"),
    ("message.max.bytes", "set largest_message"),
    ("delivery.timeout.ms", "a message that was taken does not expire"),
    ("message.timeout.ms", "a message that was taken does not expire"),
    ("enable.gapless.guarantee", "order and completeness rest on it"),
    ("session.timeout.ms", "set session_timeout"),
    ("queued.max.messages.kbytes", "set prefetch_bytes"),
    ("statistics.interval.ms", "lag is read from the statistics"),
    ("sasl.password", "set sasl_password, which is never shown"),
    ("ssl.key.password", "set ssl_key_password, which is never shown"),
    ("sasl.oauthbearer.client.secret", "set oauth_client_secret, which is never shown"),
    ("ssl.key.pem", "name a file by ssl.key.location: properties are shown"),
    ("ssl.keystore.password", "name a PEM file by ssl.key.location: properties are shown"),
    ("sasl.oauthbearer.config", "it can hold secrets, and properties are shown"),
];

pub(super) fn producer(config: &KafkaConfig) -> Result<ClientConfig> {
    let mut native = base(config)?;
    let compression = match config.compression {
        Compression::Zstd => "zstd",
        Compression::Lz4 => "lz4",
        Compression::None => "none",
    };
    // The library counts its own overhead too: twice our bound, so that ours is reached first.
    let queue = (config.queue_bytes / 1024).saturating_mul(2).clamp(1024, 2_000_000);
    native
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("compression.type", compression)
        .set("linger.ms", config.linger.as_millis().to_string())
        // A message that expired or failed alone would leave a hole that nobody behind it sees.
        .set("message.timeout.ms", "0")
        .set("enable.gapless.guarantee", "true")
        .set("message.max.bytes", largest_request(config).to_string())
        .set("queue.buffering.max.kbytes", queue.to_string())
        .set("queue.buffering.max.messages", "1000000");
    Ok(native)
}

/// A consumer that is in no group, for questions about topics; unlike a producer it never makes a topic by asking for it.
pub(super) fn observer(config: &KafkaConfig) -> Result<ClientConfig> {
    let mut native = base(config)?;
    native.set("allow.auto.create.topics", "false");
    Ok(native)
}

pub(super) fn member(config: &KafkaConfig, group: &str) -> Result<ClientConfig> {
    let mut native = observer(config)?;
    let prefetch = (config.prefetch_bytes / 2 / 1024).clamp(1024, 2_000_000);
    native
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "error")
        .set("enable.partition.eof", "false")
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", config.session_timeout.as_millis().to_string())
        .set("heartbeat.interval.ms", (config.session_timeout.as_millis() / 10).clamp(200, 3000).to_string())
        .set("queued.max.messages.kbytes", prefetch.to_string())
        .set("fetch.message.max.bytes", largest_request(config).to_string())
        .set("statistics.interval.ms", STATISTICS_INTERVAL);
    if native.get("fetch.wait.max.ms").is_none() {
        native.set("fetch.wait.max.ms", FETCH_WAIT);
    }
    Ok(native)
}

/// A client that asks what a group has committed, and never joins it.
pub(super) fn auditor(config: &KafkaConfig, group: &str) -> Result<ClientConfig> {
    let mut native = observer(config)?;
    native.set("group.id", group).set("enable.auto.commit", "false");
    Ok(native)
}

/// What the broker must take in one batch.
pub(super) fn largest_request(config: &KafkaConfig) -> usize {
    config.largest_message.saturating_add(FRAMING)
}

fn base(config: &KafkaConfig) -> Result<ClientConfig> {
    if config.brokers.is_empty() {
        return Err(Error::Setting {
            key: "kafka.brokers".to_owned(),
            problem: "no broker is named".to_owned(),
        });
    }
    let mut native = ClientConfig::new();
    for (key, value) in &config.properties {
        if let Some((_, reason)) = RESERVED.iter().find(|(reserved, _)| key == reserved) {
            let problem = format!("{key:?} cannot be set here: {reason}");
            return Err(Error::Setting { key: format!("kafka.properties.{key}"), problem });
        }
        native.set(key, value);
    }
    native
        .set("bootstrap.servers", config.brokers.join(","))
        .set("client.id", "wardwatch")
        .set("socket.keepalive.enable", "true");
    let secrets = [
        ("sasl.password", &config.sasl_password),
        ("ssl.key.password", &config.ssl_key_password),
        ("sasl.oauthbearer.client.secret", &config.oauth_client_secret),
    ];
    for (key, secret) in secrets {
        if !secret.is_empty() {
            native.set(key, secret.expose());
        }
    }
    Ok(native)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wardwatch_service::Secret;

    fn with_property(key: &str, value: &str) -> KafkaConfig {
        KafkaConfig { properties: [(key.to_owned(), value.to_owned())].into(), ..KafkaConfig::default() }
    }

    #[test]
    fn security_properties_pass_through_and_secrets_come_from_their_own_settings() {
        let config = KafkaConfig {
            sasl_password: Secret::new("s3cret"),
            ..with_property("security.protocol", "SASL_SSL")
        };
        let native = producer(&config).expect("settings");
        assert_eq!(native.get("security.protocol"), Some("SASL_SSL"));
        assert_eq!(native.get("sasl.password"), Some("s3cret"));
        assert_eq!(native.get("ssl.key.password"), None);
        assert_eq!(native.get("enable.idempotence"), Some("true"));
        assert_eq!(native.get("acks"), Some("all"));
        assert_eq!(native.get("enable.gapless.guarantee"), Some("true"));
        assert_eq!(native.get("message.timeout.ms"), Some("0"));
    }

    #[test]
    fn what_delivery_rests_on_is_refused_by_name() {
        for (key, _) in RESERVED {
            let error = member(&with_property(key, "x"), "g").expect_err("reserved");
            assert!(error.to_string().contains(&format!("kafka.properties.{key}")), "{error}");
        }
    }

    #[test]
    fn a_property_that_the_library_does_not_know_is_an_error() {
        let native = producer(&with_property("linger.mss", "5")).expect("not ours to know");
        let created: Result<rdkafka::producer::FutureProducer, _> = native.create();
        let error = created.err().expect("no such property");
        assert!(error.to_string().contains("linger.mss"), "{error}");
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let config = KafkaConfig { sasl_password: Secret::new("s3cret"), ..KafkaConfig::default() };
        assert!(!format!("{config:?}").contains("s3cret"));
    }
}
