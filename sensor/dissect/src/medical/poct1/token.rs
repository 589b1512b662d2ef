//! Where tags and texts end (XML 1.0, 2 and 3). What a tag says is read by a parser that gets it alone.

/// A piece of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// From `<` to `>`.
    Tag(&'a [u8]),
    /// Between tags.
    Text(&'a [u8]),
    /// Between tags, and longer than any value: perhaps only the first piece of it.
    LongText,
    /// A comment, a processing instruction, a declaration.
    Other,
}

/// Octets of the longest tag and of the longest text that are read.
const LONGEST_TAG: usize = 8 * 1024;
const LONGEST_TEXT: usize = 512;

/// The first token and its length; nothing while its end has not come.
pub(super) fn next(bytes: &[u8]) -> Result<Option<(Token<'_>, usize)>, &'static str> {
    let Some(first) = bytes.first() else { return Ok(None) };
    if *first != b'<' {
        return Ok(match bytes.iter().position(|byte| *byte == b'<') {
            Some(end) if end <= LONGEST_TEXT => bytes.get(..end).map(|text| (Token::Text(text), end)),
            None if bytes.len() <= LONGEST_TEXT => None,
            end => Some((Token::LongText, end.unwrap_or(bytes.len()))),
        });
    }
    let (is_tag, length) = if b"<!--".starts_with(bytes.get(..4.min(bytes.len())).unwrap_or_default()) {
        (false, end_of(bytes, b"-->"))
    } else {
        match bytes {
            [_, b'?', ..] => (false, end_of(bytes, b"?>")),
            // Nothing of this protocol declares a type or needs a section, and a type may declare anything.
            [_, b'!', ..] => return Err("a declaration within a document"),
            _ => (true, end_of_tag(bytes)),
        }
    };
    match length {
        Some(length) if length <= LONGEST_TAG => {
            Ok(bytes.get(..length).map(|tag| (if is_tag { Token::Tag(tag) } else { Token::Other }, length)))
        }
        Some(_) => Err("a tag longer than any"),
        None if bytes.len() > LONGEST_TAG => Err("a tag longer than any"),
        None => Ok(None),
    }
}

fn end_of(bytes: &[u8], end: &[u8]) -> Option<usize> {
    bytes.windows(end.len()).position(|window| window == end).map(|at| at + end.len())
}

/// Behind the `>` that stands in no quotes.
fn end_of_tag(bytes: &[u8]) -> Option<usize> {
    let mut quote = None;
    let end = bytes.iter().position(|byte| {
        match quote {
            Some(open) if open == *byte => quote = None,
            None if matches!(*byte, b'"' | b'\'') => quote = Some(*byte),
            _ => {}
        }
        quote.is_none() && *byte == b'>'
    });
    end.map(|at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_falls_into_tags_and_texts() {
        let mut rest = &b"<?xml version='1.0'?>\n<!-- > --><A V='>'>t</A><B"[..];
        let mut tokens = Vec::new();
        while let Ok(Some((token, used))) = next(rest) {
            tokens.push(token);
            rest = &rest[used..];
        }
        assert_eq!(
            tokens,
            [
                Token::Other,
                Token::Text(b"\n"),
                Token::Other,
                Token::Tag(b"<A V='>'>"),
                Token::Text(b"t"),
                Token::Tag(b"</A>")
            ]
        );
        assert_eq!(rest, b"<B");
    }

    #[test]
    fn declarations_and_endless_tags_break_it() {
        assert!(next(b"<!DOCTYPE a [").is_err());
        assert!(next(b"<![CDATA[x]]>").is_err());
        assert!(next(&[&b"<A V='"[..], &[b'x'; LONGEST_TAG]].concat()).is_err());
        assert_eq!(next(b"<!"), Ok(None));
    }
}
