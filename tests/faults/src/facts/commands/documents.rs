//! What manufacturers say of their products: for a site and for all, in parts, withdrawn and attached again.

use anyhow::{Context as _, Result};
use wardwatch_proto::document::{document_id, parts};
use wardwatch_proto::v1::command::Action;
use wardwatch_proto::v1::{Answer, AttachDocument, Component, WithdrawDocument};

use super::Hand;

pub(super) fn decide(hand: &mut Hand<'_>) -> Result<()> {
    let form = mds2("Philips", "Ward 1")?;
    hand.decides(30, Action::AttachDocument(form.clone()));
    hand.decides(125, withdraw(&form.document));
    hand.decides(127, withdraw(&form.document));
    hand.decides(160, Action::AttachDocument(form));
    // In two parts, the second one first; then it is read anew, by a version that cuts it otherwise.
    let of = |part: u32, parts: u32, components: &[&str]| {
        let first = if part == 0 { 0 } else { 2 };
        AttachDocument { part, parts, first, entries: 4, ..sbom("Philips", "Ward 3", components) }
    };
    hand.decides(40, Action::AttachDocument(of(1, 2, &["zlib", "curl"])));
    hand.decides(48, Action::AttachDocument(of(0, 2, &["busybox", "openssl"])));
    hand.decides(131, Action::AttachDocument(of(0, 1, &["busybox", "openssl", "zlib", "libcurl"])));
    // Of a kind that nobody knows.
    let novel = AttachDocument { kind: "novel".to_owned(), ..of(0, 1, &["busybox"]) };
    hand.decides(58, Action::AttachDocument(novel));
    Ok(())
}

/// Its manufacturer is spelled otherwise than by the pack that is laid over the knowledge before.
pub(super) fn for_all_sites(hand: &mut Hand<'_>) -> Result<()> {
    let whole = sbom("PHILIPS", "Ward 5", &["linux", "glibc"]);
    let id = whole.document.clone();
    let only = parts(whole)?.pop().context("a document without parts")?;
    hand.decides(1, Action::AttachDocument(only));
    let form = mds2("Philips", "Ward 7")?;
    hand.decides(1, Action::AttachDocument(form));
    hand.decides(2, withdraw(&id));
    Ok(())
}

/// Of no part yet.
fn sbom(manufacturer: &str, model: &str, components: &[&str]) -> AttachDocument {
    let component = |name: &&str| Component {
        kind: "library".to_owned(),
        name: (*name).to_owned(),
        version: "1.0".to_owned(),
        hashes: vec!["SHA-1:00".to_owned()],
        ..Component::default()
    };
    AttachDocument {
        components: components.iter().map(component).collect(),
        ..document("sbom", "CycloneDX 1.5", manufacturer, model)
    }
}

fn mds2(manufacturer: &str, model: &str) -> Result<AttachDocument> {
    let answer = |question: &str| Answer {
        section: "MPII".to_owned(),
        question: question.to_owned(),
        text: format!("{question}?"),
        answer: "Yes".to_owned(),
        note: String::new(),
    };
    let whole = AttachDocument {
        answers: ["MPII-1", "MPII-2"].map(answer).to_vec(),
        ..document("mds2", "MDS2 2019", manufacturer, model)
    };
    parts(whole)?.pop().context("a document without parts")
}

fn document(kind: &str, format: &str, manufacturer: &str, model: &str) -> AttachDocument {
    let sha256 = vec![kind.len() as u8; 32];
    AttachDocument {
        document: document_id(&sha256, manufacturer, model, ""),
        sha256,
        kind: kind.to_owned(),
        format: format.to_owned(),
        manufacturer: manufacturer.to_owned(),
        model: model.to_owned(),
        title: format!("{kind} of {model}"),
        ..AttachDocument::default()
    }
}

fn withdraw(document: &str) -> Action {
    Action::WithdrawDocument(WithdrawDocument { document: document.to_owned(), note: String::new() })
}
