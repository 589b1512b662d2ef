//! Prints what documents of manufacturers say: `cargo run -p wardwatch-documents --example read FILE...`

use std::io::Write as _;

use wardwatch_documents::{mds2, sbom};

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path)?;
        if bytes.starts_with(b"PK") {
            match mds2::read(&bytes) {
                Err(error) => writeln!(out, "{path}: {error}")?,
                Ok(form) => {
                    let (answers, left_out) = (form.answers.len(), form.losses.count);
                    writeln!(out, "{path}: MDS2 {}, {answers} answers, {left_out} left out", form.edition)?;
                    writeln!(
                        out,
                        "  {} | {} | {} | {}",
                        form.manufacturer, form.model, form.document, form.date
                    )?;
                    for answer in form.answers {
                        writeln!(
                            out,
                            "  {} | {} | {} | {}",
                            answer.section, answer.question, answer.answer, answer.note
                        )?;
                    }
                }
            }
            continue;
        }
        match sbom::read(&bytes) {
            Err(error) => writeln!(out, "{path}: {error}")?,
            Ok(sbom) => {
                let (components, left_out) = (sbom.components.len(), sbom.losses.count);
                writeln!(out, "{path}: {}, {components} components, {left_out} left out", sbom.format)?;
                for part in sbom.components {
                    let depth = "  ".repeat(part.depth as usize + 1);
                    let hashes = part.hashes.len();
                    writeln!(
                        out,
                        "{depth}{} {} {} | {} | {} | {} | {} | {hashes} digests",
                        part.kind, part.name, part.version, part.supplier, part.purl, part.cpe, part.licence
                    )?;
                }
                for loss in sbom.losses.listed {
                    writeln!(out, "  left out: {}: {}", loss.place, loss.reason)?;
                }
            }
        }
    }
    Ok(())
}
