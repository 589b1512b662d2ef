//! What OpenSSL's command says of a certificate.

use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use wardwatch_proto::v1::Attribute;

/// Common names of subject and issuer (of an issuer without one, the organisation; of a subject without one, the first
/// DNS name), and the days of the validity. Nothing for what OpenSSL cannot read.
pub fn read(der: &[u8]) -> Result<Vec<(Attribute, String)>> {
    let mut openssl = Command::new("openssl")
        .args(["x509", "-inform", "der", "-noout", "-subject", "-issuer", "-dates", "-dateopt", "iso_8601"])
        .args(["-nameopt", "multiline,utf8,-esc_msb", "-ext", "subjectAltName"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("run openssl")?;
    // A program that gives up early closes its end; what it says then is nothing.
    let _ = openssl.stdin.take().context("openssl has no input")?.write_all(der);
    let output = openssl.wait_with_output().context("wait for openssl")?;
    Ok(interpret(&String::from_utf8_lossy(&output.stdout)))
}

fn interpret(text: &str) -> Vec<(Attribute, String)> {
    let mut names = [Name::default(), Name::default()];
    let mut part = 0;
    let mut told = Vec::new();
    let mut first_host = None;
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(date) = line.strip_prefix("notBefore=") {
            told.push((Attribute::CertificateNotBefore, day(date)));
        } else if let Some(date) = line.strip_prefix("notAfter=") {
            told.push((Attribute::CertificateNotAfter, day(date)));
        } else if line.starts_with("subject=") {
            part = 0;
        } else if line.starts_with("issuer=") {
            part = 1;
        } else if let Some(host) = trimmed.split(", ").find_map(|name| name.strip_prefix("DNS:")) {
            first_host = first_host.or_else(|| Some(host.to_owned()));
        } else if let Some((kind, value)) = trimmed.split_once(" = ") {
            let value = Some(value.to_owned());
            match kind.trim() {
                "commonName" => names[part].common = value,
                "organizationName" => names[part].organization = value,
                _ => {}
            }
        }
    }
    let [subject, issuer] = names;
    told.extend(subject.common.or(first_host).map(|name| (Attribute::CertificateSubject, name)));
    told.extend(issuer.common.or(issuer.organization).map(|name| (Attribute::CertificateIssuer, name)));
    told
}

#[derive(Default)]
struct Name {
    common: Option<String>,
    organization: Option<String>,
}

/// `2021-03-01 00:00:00Z`.
fn day(date: &str) -> String {
    date.split(' ').next().unwrap_or_default().to_owned()
}
