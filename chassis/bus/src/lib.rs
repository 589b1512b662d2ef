//! The log between the services: Kafka, or a journal on the local disk.

#![forbid(unsafe_code)]
