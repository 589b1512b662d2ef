//! The contracts between the services: messages, services and the closed list of attributes.

#![forbid(unsafe_code)]
