//! Credentials that work, on a real gRPC call, and those that do not, by name.

#![allow(missing_docs, reason = "a test")]

#[expect(dead_code, reason = "only whether a call gets through is asked here")]
mod otlp;

use std::path::PathBuf;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tonic::transport::Channel;
use wardwatch_service::tls::{ClientTls, ServerTls};

/// Two authorities; a server's and a client's credentials by the first; a stranger's by the second.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        let files = Self(tempfile::tempdir().expect("a temporary directory"));
        for (authority, names) in [("ca", &["server", "client"][..]), ("other-ca", &["stranger"])] {
            let mut params = CertificateParams::new(Vec::new()).expect("no names");
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let issuer =
                CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("signed");
            files.write(&format!("{authority}.pem"), &issuer.pem());
            for name in names {
                let key = KeyPair::generate().expect("a key");
                let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
                let certificate = params.signed_by(&key, &issuer).expect("signed");
                files.write(&format!("{name}.pem"), &certificate.pem());
                files.write(&format!("{name}.key"), &key.serialize_pem());
            }
        }
        files.write("text.pem", "not a certificate\n");
        files.write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        files
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("written");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn server(&self) -> ServerTls {
        ServerTls { certificate: self.path("server.pem"), key: self.path("server.key"), client_ca: None }
    }

    fn mutual(&self) -> ServerTls {
        ServerTls { client_ca: Some(self.path("ca.pem")), ..self.server() }
    }

    fn client(&self) -> ClientTls {
        ClientTls { ca: self.path("ca.pem"), ..ClientTls::default() }
    }

    fn client_as(&self, name: &str) -> ClientTls {
        let certificate = Some(self.path(&format!("{name}.pem")));
        ClientTls { certificate, key: Some(self.path(&format!("{name}.key"))), ..self.client() }
    }
}

/// Whether a call with these credentials gets through to a server with those.
async fn gets_through(server: &ServerTls, client: &ClientTls) -> bool {
    let (address, _received, serving) = otlp::receive(Some(server.load().expect("the server's files"))).await;
    let channel = Channel::from_shared(format!("https://localhost:{}", address.port()))
        .expect("an address")
        .tls_config(client.load().expect("the client's files"))
        .expect("the client's settings")
        .connect_lazy();
    let answer = TraceServiceClient::new(channel).export(ExportTraceServiceRequest::default()).await;
    serving.abort();
    answer.is_ok()
}

#[tokio::test]
async fn a_client_checks_its_server() {
    let files = Files::new();
    assert!(gets_through(&files.server(), &files.client()).await);
    let misled = ClientTls { ca: files.path("other-ca.pem"), ..ClientTls::default() };
    assert!(!gets_through(&files.server(), &misled).await, "another authority does not vouch for it");
    let wrong_name = ClientTls { server_name: Some("collector.example".to_owned()), ..files.client() };
    assert!(!gets_through(&files.server(), &wrong_name).await, "the certificate carries another name");
}

#[tokio::test]
async fn with_mutual_tls_a_server_checks_its_clients() {
    let files = Files::new();
    assert!(gets_through(&files.mutual(), &files.client_as("client")).await);
    assert!(!gets_through(&files.mutual(), &files.client()).await, "without a certificate");
    assert!(!gets_through(&files.mutual(), &files.client_as("stranger")).await, "by another authority");
}

#[test]
fn a_file_that_cannot_be_used_is_named_with_its_problem() {
    let files = Files::new();
    let server = |certificate: &str, key: &str| {
        let files = ServerTls { certificate: files.path(certificate), key: files.path(key), client_ca: None };
        files.load().expect_err("it cannot be used").to_string()
    };
    let path = |name: &str| files.path(name).display().to_string();

    let missing = server("missing.pem", "server.key");
    assert_eq!(missing, format!("cannot read the certificate {}", path("missing.pem")));
    let text = server("text.pem", "server.key");
    assert_eq!(
        text,
        format!("the certificate {} cannot be used: no PEM certificate in it", path("text.pem"))
    );
    let broken = server("broken.pem", "server.key");
    assert!(
        broken.starts_with(&format!("the certificate {} cannot be used: ", path("broken.pem"))),
        "{broken}"
    );
    let no_key = server("server.pem", "server.pem");
    assert!(
        no_key.starts_with(&format!("the private key {} cannot be used: ", path("server.pem"))),
        "{no_key}"
    );
    let swapped = server("server.pem", "client.key");
    let expected = format!("it is not the key of the certificate {}", path("server.pem"));
    assert!(swapped.contains(&path("client.key")) && swapped.ends_with(&expected), "{swapped}");

    let half = ClientTls { certificate: Some(files.path("client.pem")), ..files.client() };
    let half = half.load().expect_err("half").to_string();
    assert_eq!(half, "a client certificate and its key go together: key is not set");
    let no_authority = ClientTls::default().load().expect_err("no authority").to_string();
    assert!(no_authority.starts_with("cannot read the authority file"), "{no_authority}");
}
