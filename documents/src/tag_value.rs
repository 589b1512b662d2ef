//! SPDX as lines of tag and value: <https://spdx.github.io/spdx-spec/v2.3/conformance/>.

use crate::sbom::{MOST_COMPONENTS, Sbom};
use crate::spdx::{Document, Package, conclude};
use crate::{Error, Losses};

/// Relationships that are read.
const MOST_RELATIONSHIPS: usize = 500_000;
/// References and checksums of one package that are read.
const MOST_OF_ONE: usize = 64;

/// Reads a document.
pub(crate) fn read(text: &str) -> Result<Sbom, Error> {
    let (mut document, mut losses) = (Document::default(), Losses::default());
    let mut is_in_package = false;
    let mut lines = (1_usize..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((tag, value)) = line.split_once(':') else {
            losses.add(|| format!("line {number}"), "it is no tag with a value");
            continue;
        };
        let value = value.trim();
        if let Some(begun) = value.strip_prefix("<text>") {
            // A text of several lines: nothing that is read may be one but a name or a licence on one line.
            match begun.split_once("</text>") {
                Some((whole, _)) => take(&mut document, &mut is_in_package, &mut losses, number, tag, whole)?,
                None if lines.any(|(_, line)| line.contains("</text>")) => {}
                None => {
                    let (place, problem) = (format!("line {number}"), "its <text> does not end".into());
                    return Err(Error::Malformed { place, problem });
                }
            }
        } else {
            take(&mut document, &mut is_in_package, &mut losses, number, tag, value)?;
        }
    }
    conclude(document, losses)
}

fn take(
    document: &mut Document,
    is_in_package: &mut bool,
    losses: &mut Losses,
    line: usize,
    tag: &str,
    value: &str,
) -> Result<(), Error> {
    let text = value.trim().to_owned();
    match tag {
        "SPDXVersion" => document.version = text,
        "Created" => document.created = text,
        "PackageName" => {
            if document.packages.len() >= MOST_COMPONENTS {
                return Err(Error::TooMany { what: "packages", most: MOST_COMPONENTS });
            }
            let place = format!("line {line}");
            document.packages.push(Package { place, name: text, ..Package::default() });
            *is_in_package = true;
        }
        // What follows is of a file, a snippet, a licence or an annotation.
        "FileName" | "SnippetSPDXID" | "LicenseID" | "Annotator" => *is_in_package = false,
        "Relationship" => {
            let words: Vec<&str> = value.split_whitespace().collect();
            let [from, kind, to] = words.as_slice() else {
                losses.add(|| format!("line {line}"), "it is no relationship");
                return Ok(());
            };
            if document.relationships.len() >= MOST_RELATIONSHIPS {
                return Err(Error::TooMany { what: "relationships", most: MOST_RELATIONSHIPS });
            }
            document.relationships.push([*from, *kind, *to].map(ToOwned::to_owned));
        }
        _ => {
            if let Some(package) = document.packages.last_mut().filter(|_| *is_in_package)
                && let Err(reason) = describe(package, tag, text)
            {
                losses.add(|| format!("line {line}"), reason);
            }
        }
    }
    Ok(())
}

fn describe(package: &mut Package, tag: &str, text: String) -> Result<(), &'static str> {
    match tag {
        "SPDXID" => package.id = text,
        "PackageVersion" => package.version = text,
        "PackageSupplier" => package.supplier = text,
        "PackageOriginator" => package.originator = text,
        "PrimaryPackagePurpose" => package.purpose = text,
        "PackageLicenseConcluded" => package.concluded = text,
        "PackageLicenseDeclared" => package.declared = text,
        "PackageChecksum" => {
            let (algorithm, digest) = text.split_once(':').ok_or("it is no checksum")?;
            if package.checksums.len() < MOST_OF_ONE {
                package.checksums.push((algorithm.trim().to_owned(), digest.trim().to_owned()));
            }
        }
        "ExternalRef" => {
            let words: Vec<&str> = text.split_whitespace().collect();
            let [_, kind, locator] = words.as_slice() else { return Err("it is no external reference") };
            if package.references.len() < MOST_OF_ONE {
                package.references.push(((*kind).to_owned(), (*locator).to_owned()));
            }
        }
        _ => {}
    }
    Ok(())
}
