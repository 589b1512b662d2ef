//! Software bills of materials: what a product is made of, hardware too.

use serde_json::Value;

use crate::{Error, Losses, bounded, cyclonedx, spdx, tag_value, xml};

/// The most components of one document.
pub const MOST_COMPONENTS: usize = 50_000;
/// The deepest that components may contain others.
pub const DEEPEST: u32 = 16;
/// The longest name, version or supplier, in octets.
pub(crate) const LONGEST_NAME: usize = 256;
/// The longest package URL, CPE or licence, in octets.
pub(crate) const LONGEST_IDENTIFIER: usize = 1024;
/// Digests that are kept of one component.
pub(crate) const MOST_HASHES: usize = 8;

/// A bill of materials.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sbom {
    /// The format and its version: `CycloneDX 1.5`, `SPDX 2.3`.
    pub format: String,
    /// When it was made, as it says; empty where it does not.
    pub made: String,
    /// What it is of; empty fields where it does not say.
    pub subject: Subject,
    /// What the product is made of, each after what contains it. Where the document says what it is of, that is the first.
    pub components: Vec<Component>,
    /// What could not be used.
    pub losses: Losses,
}

/// The product that a document is of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// Its name, as a rule the model.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Who makes it.
    pub supplier: String,
}

/// A part of a product.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Component {
    /// In `CycloneDX`'s words, also for SPDX: `library`, `application`, `framework`, `operating-system`, `firmware`, `device`
    /// (hardware), `device-driver`, `container`, `file`; empty where it is not told.
    pub kind: String,
    /// Its name; with its group in front, where there is one.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Who makes or supplies it.
    pub supplier: String,
    /// Package URL.
    pub purl: String,
    /// Common Platform Enumeration, 2.2 or 2.3.
    pub cpe: String,
    /// SPDX licence expression, or the licence's name.
    pub licence: String,
    /// `SHA-256:2c26b4…`, algorithm as in `CycloneDX`.
    pub hashes: Vec<String>,
    /// The place in the list of what contains it.
    pub parent: Option<u32>,
    /// How deep it is contained; 0 for what nothing contains.
    pub depth: u32,
}

/// Reads a bill of materials in any of the formats.
///
/// # Errors
/// When it cannot be read at all, or no component of it can be used.
pub fn read(bytes: &[u8]) -> Result<Sbom, Error> {
    const FORMATS: &str = "CycloneDX 1.4 to 1.6 as JSON or XML, SPDX 2.2 or 2.3 as JSON or tag-value";
    bounded(bytes)?;
    let text = std::str::from_utf8(bytes).map_err(|error| Error::Malformed {
        place: format!("octet {}", error.valid_up_to()),
        problem: "it is no UTF-8".into(),
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_start();
    let sbom = if text.starts_with('{') {
        let document: Value = serde_json::from_str(text).map_err(|error| Error::Malformed {
            place: format!("line {}, column {}", error.line(), error.column()),
            problem: error.to_string(),
        })?;
        if document.get("bomFormat").is_some() {
            cyclonedx::read(&document)?
        } else if document.get("spdxVersion").is_some() {
            spdx::read(&document)?
        } else {
            return Err(Error::UnknownFormat(FORMATS));
        }
    } else if text.starts_with('<') {
        cyclonedx::read(&xml::as_json(text)?)?
    } else if text.lines().take(100).any(|line| line.trim_start().starts_with("SPDXVersion:")) {
        tag_value::read(text)?
    } else {
        return Err(Error::UnknownFormat(FORMATS));
    };
    if sbom.components.is_empty() { Err(Error::Empty("component that can be used")) } else { Ok(sbom) }
}
