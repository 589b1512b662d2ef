//! Documents as manufacturers make them, and as somebody damages them.

mod form;
mod hostile;
mod mds2;
mod sbom;
