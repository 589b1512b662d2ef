//! Transfer syntaxes (PS3.5, annex A): how a dataset's octets are to be read.

/// The encodings that are told apart. What a syntax does to the pixels is of no interest here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Transfer {
    /// The negotiation was not seen: one of the two little endian encodings, told by the first element.
    #[default]
    Unknown,
    ImplicitLittle,
    ExplicitLittle,
    /// Retired, still met on old archives.
    ExplicitBig,
    /// Explicit little endian behind a raw deflate stream (A.5).
    Deflated,
}

impl Transfer {
    pub(super) fn from_uid(uid: &str) -> Self {
        match uid {
            // The second is GE's private one: implicit VR with pixels in big endian.
            "1.2.840.10008.1.2" | "1.2.840.113619.5.2" => Self::ImplicitLittle,
            "1.2.840.10008.1.2.2" => Self::ExplicitBig,
            // And, of pixels that are fetched elsewhere, JPIP's for both generations of JPEG 2000.
            "1.2.840.10008.1.2.1.99" | "1.2.840.10008.1.2.4.95" | "1.2.840.10008.1.2.4.205" => Self::Deflated,
            "" => Self::Unknown,
            // Every other syntax, compressed or not, has the explicit little endian encoding (A.4).
            _ => Self::ExplicitLittle,
        }
    }
}
