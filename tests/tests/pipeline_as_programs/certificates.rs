//! An authority, a collector's certificate for 127.0.0.1 and a sensor's, as PEM files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

/// A certificate and its key.
pub(crate) struct Pair {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// Who vouches, and who is vouched for.
pub(crate) struct Certificates {
    pub(crate) authority: PathBuf,
    pub(crate) server: Pair,
    pub(crate) client: Pair,
}

impl Certificates {
    /// Makes them anew in this folder.
    pub(crate) fn write(folder: &Path) -> Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, "Tarnwick test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let authority = folder.join("ca.pem");
        fs::write(&authority, issuer.pem())?;
        let signed = |name: &str, alternative: &str, usage| -> Result<Pair> {
            let mut params = CertificateParams::new(vec![alternative.to_owned()])?;
            params.extended_key_usages = vec![usage];
            let key = KeyPair::generate()?;
            let pair = Pair {
                certificate: folder.join(format!("{name}.pem")),
                key: folder.join(format!("{name}.key")),
            };
            fs::write(&pair.certificate, params.signed_by(&key, &issuer)?.pem())?;
            fs::write(&pair.key, key.serialize_pem())?;
            Ok(pair)
        };
        let server = signed("collector", "127.0.0.1", ExtendedKeyUsagePurpose::ServerAuth)?;
        let client = signed("sensor", "mirror-1.tarnwick.example", ExtendedKeyUsagePurpose::ClientAuth)?;
        Ok(Self { authority, server, client })
    }
}
