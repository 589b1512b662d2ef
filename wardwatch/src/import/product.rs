//! What a document is attached to, and how a file of one is read.

use std::path::Path;

use anyhow::Context as _;
use clap::Args;
use sha2::{Digest as _, Sha256};
use wardwatch_documents::{LARGEST_FILE, Losses};
use wardwatch_proto::document::document_id;
use wardwatch_proto::v1::AttachDocument;

/// What a document is attached to.
#[derive(Args, Debug)]
pub(super) struct Product {
    /// Who makes the product, in any spelling [default: as the document says]
    #[arg(long, value_name = "NAME")]
    manufacturer: Option<String>,
    /// The model, as in `wardwatch devices` [default: as the document says]
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// The software or firmware version; without it, the document is of every version that has none of its own
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
}

/// A file, and its SHA-256.
pub(super) struct File {
    pub(super) content: Vec<u8>,
    sha256: Vec<u8>,
}

impl File {
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let size = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?.len();
        anyhow::ensure!(
            size <= LARGEST_FILE as u64,
            "{} has {size} octets; a document has at most {LARGEST_FILE}",
            path.display()
        );
        let content = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let sha256 = Sha256::digest(&content).to_vec();
        Ok(Self { content, sha256 })
    }

    /// A document of this file without entries, attached to the product: what was typed, else what the document says.
    pub(super) fn attached_to(
        &self,
        product: &Product,
        kind: &str,
        said: [&str; 2],
    ) -> anyhow::Result<AttachDocument> {
        let chosen = |typed: &Option<String>, said: &str, option: &str, what: &str| {
            let chosen = typed.as_deref().unwrap_or(said).trim().to_owned();
            anyhow::ensure!(
                !chosen.is_empty(),
                "the document does not say {what}: say it with {option} NAME"
            );
            Ok(chosen)
        };
        let [manufacturer, model] = said;
        let manufacturer =
            chosen(&product.manufacturer, manufacturer, "--manufacturer", "who makes the product")?;
        let model = chosen(&product.model, model, "--model", "which model it is of")?;
        let version = product.version.as_deref().unwrap_or_default().trim().to_owned();
        Ok(AttachDocument {
            document: document_id(&self.sha256, &manufacturer, &model, &version),
            sha256: self.sha256.clone(),
            kind: kind.to_owned(),
            manufacturer,
            model,
            version,
            ..AttachDocument::default()
        })
    }
}

/// What was left out, in lines for people; empty where nothing was.
pub(super) fn told(path: &Path, losses: &Losses) -> String {
    let listed = losses.listed.iter().map(|loss| format!("\n  {}: {}", loss.place, loss.reason));
    let more = losses.count - losses.listed.len();
    match losses.count {
        0 => String::new(),
        count => {
            let more = if more > 0 { format!("\n  and {more} more") } else { String::new() };
            let listed: String = listed.collect();
            format!("{}: {count} left out{listed}{more}", path.display())
        }
    }
}
