//! Streams that carry a recognisable token wherever nothing may come out.
pub(crate) mod dicom;
