//! How a message lies in a record of the journal: format, key, headers, payload; lengths as 32 bits, little-endian.

use bytes::{Buf as _, BufMut as _, Bytes};

use crate::message::{Headers, Publication};

const FORMAT: u8 = 1;

/// Key, headers and payload of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) key: Bytes,
    pub(super) headers: Headers,
    pub(super) payload: Bytes,
}

pub(super) fn encode(publication: &Publication) -> Vec<u8> {
    let headers = &publication.headers;
    let mut record = Vec::with_capacity(publication.bytes() + 16 + 8 * headers.len());
    record.put_u8(FORMAT);
    put(&mut record, &publication.key);
    record.put_u32_le(headers.len() as u32);
    for (name, value) in headers.iter() {
        put(&mut record, name.as_bytes());
        put(&mut record, value);
    }
    record.put_slice(&publication.payload);
    record
}

fn put(record: &mut Vec<u8>, field: &[u8]) {
    record.put_u32_le(field.len() as u32);
    record.put_slice(field);
}

/// The content without copying it, or `None` when the record is not what was laid out here.
pub(super) fn decode(mut record: Bytes) -> Option<Content> {
    if record.try_get_u8().ok()? != FORMAT {
        return None;
    }
    let key = take(&mut record)?;
    let count = record.try_get_u32_le().ok()?;
    let mut headers = Headers::new();
    for _ in 0..count {
        let name = take(&mut record)?;
        headers.push(std::str::from_utf8(&name).ok()?, take(&mut record)?);
    }
    Some(Content { key, headers, payload: record })
}

fn take(record: &mut Bytes) -> Option<Bytes> {
    let length = record.try_get_u32_le().ok()? as usize;
    (length <= record.len()).then(|| record.split_to(length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topic::TopicPartition;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_message_comes_back_as_it_was(
            key: Vec<u8>, payload: Vec<u8>, headers in prop::collection::vec((".*", any::<Vec<u8>>()), 0..4),
        ) {
            let mut publication = Publication::new(TopicPartition::new("t", 0), payload).key(key);
            for (name, value) in headers {
                publication.headers.push(name, value);
            }
            let content = decode(encode(&publication).into());
            let Publication { key, headers, payload, .. } = publication;
            prop_assert_eq!(content, Some(Content { key, headers, payload }));
        }

        #[test]
        fn any_bytes_are_read_without_panic(mut record: Vec<u8>) {
            let _ = decode(record.clone().into());
            record.insert(0, FORMAT);
            let _ = decode(record.into());
        }
    }
}
