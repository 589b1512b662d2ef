//! The web and what secures it.

pub(crate) mod http;
pub(crate) mod tls;
