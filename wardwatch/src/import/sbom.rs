//! `wardwatch import sbom FILE`: what a product is made of.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use wardwatch_documents::sbom;
use wardwatch_proto::v1::{AttachDocument, Component};

use super::product::{File, Product, told};
use crate::decide::{self, Deciding};

/// Attach a bill of materials (CycloneDX 1.4 to 1.6 as JSON or XML, SPDX 2.2 or 2.3 as JSON or tag-value) to a model.
///
/// Every device of that manufacturer and model, and of that version if one is given, has its components from then on:
/// `wardwatch components` shows them, `wardwatch documents undo` takes it away.
#[derive(Args, Debug)]
pub(super) struct Sbom {
    /// The document
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    product: Product,
    #[command(flatten)]
    deciding: Deciding,
}

pub(super) async fn run(arguments: &Sbom) -> anyhow::Result<()> {
    let Sbom { file: path, product, deciding } = arguments;
    let file = File::read(path)?;
    let read = sbom::read(&file.content).with_context(|| format!("cannot use {}", path.display()))?;
    let subject = &read.subject;
    let head = file.attached_to(product, "sbom", [&subject.supplier, &subject.name])?;
    let whole = AttachDocument {
        format: read.format,
        title: [subject.name.as_str(), subject.version.as_str()].join(" ").trim().to_owned(),
        date: read.made,
        left_out: u32::try_from(read.losses.count).unwrap_or(u32::MAX),
        components: read.components.into_iter().map(component).collect(),
        ..head
    };
    decide::attach(deciding, whole, &told(path, &read.losses)).await
}

fn component(of: sbom::Component) -> Component {
    Component {
        kind: of.kind,
        name: of.name,
        version: of.version,
        supplier: of.supplier,
        purl: of.purl,
        cpe: of.cpe,
        licence: of.licence,
        hashes: of.hashes,
        parent: of.parent.map_or(0, |parent| parent.saturating_add(1)),
        depth: of.depth,
    }
}
