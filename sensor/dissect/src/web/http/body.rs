//! The beginning of a body, joined out of its chunks (RFC 9112, 7.1) and decoded (RFC 9110, 8.4.1), within bounds.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::{DeflateDecoder, GzDecoder, ZlibDecoder};
use httparse::Status;

/// Octets of a body that are looked at, before and after decoding.
pub(super) const LONGEST: usize = 64 * 1024;

/// Octets of a direction that are held for that, with the chunks' lines.
const MOST_HELD: usize = 2 * LONGEST;

/// How a body's end is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// It has so many octets.
    Length(u64),
    Chunked,
    /// It ends with the connection, which nobody tells: a document is whole when it is closed.
    UntilClose,
}

/// How a body is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Encoding {
    #[default]
    Identity,
    Gzip,
    Deflate,
    /// Not one that is read here.
    Other,
}

impl Encoding {
    pub(super) fn of(value: &str) -> Self {
        let is = |name: &str| value.eq_ignore_ascii_case(name);
        if is("identity") {
            Self::Identity
        } else if is("gzip") || is("x-gzip") {
            Self::Gzip
        } else if is("deflate") {
            Self::Deflate
        } else {
            Self::Other
        }
    }
}

/// What has come of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gathered<'a> {
    /// Its beginning, as it was sent.
    pub(super) bytes: Cow<'a, [u8]>,
    /// Nothing more will come that would be looked at.
    pub(super) is_all: bool,
}

/// The body that begins with these bytes.
pub(super) fn gather(bytes: &[u8], extent: Extent) -> Gathered<'_> {
    match extent {
        Extent::Length(length) => {
            let wanted = usize::try_from(length).unwrap_or(LONGEST).min(LONGEST);
            let come = bytes.get(..wanted).unwrap_or(bytes);
            Gathered { bytes: come.into(), is_all: come.len() == wanted }
        }
        Extent::Chunked => chunks(bytes),
        Extent::UntilClose => {
            let come = bytes.get(..LONGEST).unwrap_or(bytes);
            Gathered { bytes: come.into(), is_all: come.len() == LONGEST }
        }
    }
}

fn chunks(bytes: &[u8]) -> Gathered<'_> {
    let (mut joined, mut rest) = (Vec::new(), bytes);
    let is_all = loop {
        let (line, size) = match httparse::parse_chunk_size(rest) {
            // Behind what is no chunk nothing more comes; the reader of chunks will find its footing again.
            Ok(Status::Complete((_, 0))) | Err(_) => break true,
            Ok(Status::Complete(chunk)) => chunk,
            Ok(Status::Partial) => break false,
        };
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let data = rest.get(line..).unwrap_or_default();
        joined.extend_from_slice(data.get(..size.min(data.len())).unwrap_or_default());
        if joined.len() >= LONGEST {
            joined.truncate(LONGEST);
            break true;
        }
        match size.checked_add(2).and_then(|end| data.get(end..)) {
            Some(behind) => rest = behind,
            None => break false,
        }
    };
    Gathered { bytes: joined.into(), is_all: is_all || bytes.len() >= MOST_HELD }
}

/// The octets behind the encoding, as far as they can be had; none where it is not one that is read.
pub(super) fn decode(bytes: &[u8], encoding: Encoding) -> Cow<'_, [u8]> {
    match encoding {
        Encoding::Identity => bytes.into(),
        Encoding::Gzip => inflate(GzDecoder::new(bytes)).into(),
        // In a zlib stream (RFC 1950) by the standard; some send a bare one (RFC 1951).
        Encoding::Deflate => match inflate(ZlibDecoder::new(bytes)) {
            empty if empty.is_empty() => inflate(DeflateDecoder::new(bytes)).into(),
            decoded => decoded.into(),
        },
        Encoding::Other => Cow::Borrowed(&[]),
    }
}

fn inflate(decoder: impl Read) -> Vec<u8> {
    let mut decoded = Vec::new();
    // What was decoded before the end of what has come stays.
    let _ = decoder.take(LONGEST as u64).read_to_end(&mut decoded);
    decoded
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn gathered(bytes: &[u8], extent: Extent) -> (Vec<u8>, bool) {
        let Gathered { bytes, is_all } = gather(bytes, extent);
        (bytes.into_owned(), is_all)
    }

    #[test]
    fn the_end_of_what_is_looked_at_is_known() {
        assert_eq!(gathered(b"abc", Extent::Length(3)), (b"abc".to_vec(), true));
        assert_eq!(gathered(b"abcGET", Extent::Length(3)), (b"abc".to_vec(), true));
        assert_eq!(gathered(b"ab", Extent::Length(3)), (b"ab".to_vec(), false));
        assert_eq!(
            gathered(b"2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\nGET", Extent::Chunked),
            (b"abc".to_vec(), true)
        );
        assert_eq!(gathered(b"2\r\nab\r\n5\r\nc", Extent::Chunked), (b"abc".to_vec(), false));
        assert_eq!(gathered(b"2\r\nab\r", Extent::Chunked), (b"ab".to_vec(), false));
        assert_eq!(gathered(b"abc", Extent::UntilClose), (b"abc".to_vec(), false));
        let long = vec![b'x'; 100_000];
        assert_eq!(gather(&long, Extent::Length(u64::MAX)).bytes.len(), LONGEST);
        assert!(gather(&long, Extent::UntilClose).is_all);
        let chunk = [b"FFFFFFFFFFFFFFF\r\n", &long[..]].concat();
        assert_eq!(gathered(&chunk, Extent::Chunked), (long[..LONGEST].to_vec(), true));
    }

    #[test]
    fn encodings_are_undone_and_bombs_are_not() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&vec![b'x'; 5_000_000]).expect("memory");
        let bomb = gzip.finish().expect("memory");
        assert_eq!(decode(&bomb, Encoding::Gzip).len(), LONGEST);
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(b"abc").expect("memory");
        assert_eq!(&*decode(&zlib.finish().expect("memory"), Encoding::Deflate), b"abc");
        let mut bare = DeflateEncoder::new(Vec::new(), Compression::fast());
        bare.write_all(b"abc").expect("memory");
        assert_eq!(&*decode(&bare.finish().expect("memory"), Encoding::Deflate), b"abc");
        assert_eq!(&*decode(b"abc", Encoding::of("br")), b"");
        assert_eq!(&*decode(b"no gzip", Encoding::Gzip), b"");
    }
}
