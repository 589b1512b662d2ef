//! `wardwatch import mds2 FILE`: how a product is protected, as its manufacturer discloses.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use wardwatch_documents::mds2;
use wardwatch_proto::v1::{Answer, AttachDocument};

use super::product::{File, Product, told};
use crate::decide::{self, Deciding};

/// Attach an MDS2 form (NEMA/MITA HN 1-2013 or 2019, a filled-in spreadsheet) to a model.
///
/// Every device of that manufacturer and model, and of that version if one is given, has its answers from then on:
/// `wardwatch mds2 compare` compares two models, `wardwatch documents undo` takes it away.
#[derive(Args, Debug)]
pub(super) struct Mds2 {
    /// The form, .xlsx
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    product: Product,
    #[command(flatten)]
    deciding: Deciding,
}

pub(super) async fn run(arguments: &Mds2) -> anyhow::Result<()> {
    let Mds2 { file: path, product, deciding } = arguments;
    let file = File::read(path)?;
    let form = mds2::read(&file.content).with_context(|| format!("cannot use {}", path.display()))?;
    let head = file.attached_to(product, "mds2", [&form.manufacturer, &form.model])?;
    let whole = AttachDocument {
        format: format!("MDS2 {}", form.edition),
        title: form.document,
        date: form.date,
        left_out: u32::try_from(form.losses.count).unwrap_or(u32::MAX),
        answers: form.answers.into_iter().map(answer).collect(),
        ..head
    };
    decide::attach(deciding, whole, &told(path, &form.losses)).await
}

fn answer(of: mds2::Answer) -> Answer {
    let mds2::Answer { section, question, text, answer, note } = of;
    Answer { section, question, text, answer, note }
}
