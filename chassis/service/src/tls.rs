//! gRPC credentials from PEM files.
//!
//! The files are read and checked at start, so that a wrong path, a wrong file or a key that is not the
//! certificate's is an error that names the file, rather than a failed handshake later.

use std::path::{Path, PathBuf};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};
use tonic::transport::{Certificate, ClientTlsConfig, Identity, ServerTlsConfig};

/// How a server proves who it is, and whether its clients must.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerTls {
    /// The server's certificate and those between it and the root, PEM.
    pub certificate: PathBuf,
    /// The certificate's private key, PEM.
    pub key: PathBuf,
    /// The authorities whose clients are let in, PEM. With it a client must show a certificate (mutual TLS).
    pub client_ca: Option<PathBuf>,
}

/// How a client checks its server, and proves who it is itself.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientTls {
    /// The authorities that may vouch for the server, PEM.
    pub ca: PathBuf,
    /// The client's certificate and those between it and the root, PEM. Goes with `key`.
    pub certificate: Option<PathBuf>,
    /// The certificate's private key, PEM. Goes with `certificate`.
    pub key: Option<PathBuf>,
    /// The name that the server's certificate must carry, where it is not the one in its address.
    pub server_name: Option<String>,
}

/// What is wrong with a file of credentials.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// It cannot be read.
    #[error("cannot read the {what} {}", path.display())]
    Unreadable {
        /// What it is for.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not what it should be.
    #[error("the {what} {} cannot be used: {problem}", path.display())]
    Unusable {
        /// What it is for.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Only one of two that go together.
    #[error("a client certificate and its key go together: {0} is not set")]
    Half(&'static str),
}

impl ServerTls {
    /// Reads and checks the files.
    pub fn load(&self) -> Result<ServerTlsConfig, TlsError> {
        let mut config = ServerTlsConfig::new().identity(identity(&self.certificate, &self.key)?);
        if let Some(path) = &self.client_ca {
            config = config.client_ca_root(authorities("client authority file", path)?);
        }
        Ok(config)
    }
}

impl ClientTls {
    /// Reads and checks the files.
    pub fn load(&self) -> Result<ClientTlsConfig, TlsError> {
        let mut config = ClientTlsConfig::new().ca_certificate(authorities("authority file", &self.ca)?);
        match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => config = config.identity(identity(certificate, key)?),
            (Some(_), None) => return Err(TlsError::Half("key")),
            (None, Some(_)) => return Err(TlsError::Half("certificate")),
            (None, None) => {}
        }
        if let Some(name) = &self.server_name {
            config = config.domain_name(name);
        }
        Ok(config)
    }
}

fn identity(certificate: &Path, key: &Path) -> Result<Identity, TlsError> {
    let (chain_pem, chain) = certificates("certificate", certificate)?;
    let key_pem = read("private key", key)?;
    let key_der = PrivateKeyDer::from_pem_slice(&key_pem)
        .map_err(|error| unusable("private key", key, format!("no PEM private key in it ({error})")))?;
    CertifiedKey::from_der(chain, key_der, &ring::default_provider()).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => unusable(
            "private key",
            key,
            format!("it is not the key of the certificate {}", certificate.display()),
        ),
        rustls::Error::InvalidCertificate(_) => unusable("certificate", certificate, error.to_string()),
        other => unusable("private key", key, other.to_string()),
    })?;
    Ok(Identity::from_pem(chain_pem, key_pem))
}

fn authorities(what: &'static str, path: &Path) -> Result<Certificate, TlsError> {
    Ok(Certificate::from_pem(certificates(what, path)?.0))
}

fn certificates(
    what: &'static str,
    path: &Path,
) -> Result<(Vec<u8>, Vec<CertificateDer<'static>>), TlsError> {
    let pem = read(what, path)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| unusable(what, path, format!("not valid PEM ({error})")))?;
    if chain.is_empty() {
        return Err(unusable(what, path, "no PEM certificate in it".to_owned()));
    }
    Ok((pem, chain))
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Unreadable { what, path: path.to_owned(), source })
}

fn unusable(what: &'static str, path: &Path, problem: String) -> TlsError {
    TlsError::Unusable { what, path: path.to_owned(), problem }
}
