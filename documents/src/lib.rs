//! What manufacturers say of their products, read: software bills of materials and MDS2 forms.
//!
//! - [`sbom`]: `CycloneDX` 1.4 to 1.6 (JSON, XML) and SPDX 2.2 and 2.3 (JSON, tag-value), into one shape
//! - [`mds2`]: the Manufacturer Disclosure Statement for Medical Device Security (NEMA/MITA HN 1), editions 2013 and 2019,
//!   as a spreadsheet
//!
//! Pure: bytes in, what they say out. A document comes from outside, so everything has a bound; what breaks one is left out and
//! told with its place and the reason, and what is sound goes in.

#![forbid(unsafe_code)]

pub mod mds2;
pub mod sbom;

mod cyclonedx;
mod field;
mod spdx;
mod spreadsheet;
mod tag_value;
mod xml;

pub use field::{LeftOut, Losses};

/// The largest file, in octets.
pub const LARGEST_FILE: usize = 32 * 1024 * 1024;

/// Why a document cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The file is larger than [`LARGEST_FILE`].
    #[error("it has {0} octets; a document has at most {LARGEST_FILE}")]
    TooLarge(usize),
    /// It is in none of the formats.
    #[error("it is none of the formats that can be read: {0}")]
    UnknownFormat(&'static str),
    /// It is of a version that cannot be read.
    #[error("{format} {version:?} cannot be read; these can: {readable}")]
    UnknownVersion {
        /// `CycloneDX` or `SPDX`.
        format: &'static str,
        /// As the document says.
        version: String,
        /// Those that can be read.
        readable: &'static str,
    },
    /// It breaks the rules of its format.
    #[error("{place}: {problem}")]
    Malformed {
        /// Where: a line, a key, a sheet.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// It has more of something than is read.
    #[error("it has more than {most} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The bound.
        most: usize,
    },
    /// It says nothing that could be used.
    #[error("it holds no {0}")]
    Empty(&'static str),
}

/// Whether a file may be read at all.
fn bounded(bytes: &[u8]) -> Result<(), Error> {
    if bytes.len() > LARGEST_FILE { Err(Error::TooLarge(bytes.len())) } else { Ok(()) }
}
