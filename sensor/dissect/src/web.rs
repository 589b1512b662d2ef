//! The web and what secures it.

pub(crate) mod dtls;
pub(crate) mod http;
pub(crate) mod http2;
mod pieces;
pub(crate) mod quic;
pub(crate) mod tls;
