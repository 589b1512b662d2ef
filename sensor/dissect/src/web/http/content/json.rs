//! JSON (RFC 8259), read into the tree as it comes, so that the beginning of a document that was cut is there.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::element::{DEEPEST, Document, Element, MOST_ELEMENTS};

/// The document, as far as it is one. The root has no name.
pub(super) fn read(bytes: &[u8]) -> Document {
    let mut top = Element::default();
    let mut elements = 0;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let into = Into { parent: &mut top, name: "", depth: 0, elements: &mut elements };
    let is_closed = into.deserialize(&mut reader).is_ok();
    Document { root: top.children.into_iter().next().unwrap_or_default(), is_closed }
}

/// Where a value goes: a child of this name, or one for each entry of an array.
struct Into<'a> {
    parent: &'a mut Element,
    name: &'a str,
    depth: usize,
    elements: &'a mut usize,
}

impl Into<'_> {
    fn add<E: serde::de::Error>(self, element: Element) -> Result<(), E> {
        *self.elements += 1;
        if *self.elements > MOST_ELEMENTS {
            return Err(E::custom("too many elements"));
        }
        self.parent.children.push(element);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Into<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        if self.depth > DEEPEST {
            return Err(D::Error::custom("too deep"));
        }
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Into<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        let element = Element::with_value(self.name, text);
        self.add(element)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.visit_str(if value { "true" } else { "false" })
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<(), E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<(), E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<(), E> {
        self.visit_str(&number.to_string())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Self { parent, name, depth, elements } = self;
        loop {
            let into = Into { parent: &mut *parent, name, depth: depth + 1, elements: &mut *elements };
            if entries.next_element_seed(into)?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Self { parent, name, depth, elements } = self;
        let place = Into { parent: &mut *parent, name, depth, elements: &mut *elements };
        place.add(Element::named(name))?;
        let Some(object) = parent.children.last_mut() else { return Ok(()) };
        while let Some(name) = members.next_key::<String>()? {
            let into = Into { parent: &mut *object, name: &name, depth: depth + 1, elements: &mut *elements };
            members.next_value_seed(into)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_arrays_and_values_become_elements() {
        let document = read(br#"{"a":"1","b":[{"c":2},{"c":[true,null,-1.5]}],"d":{}}"#);
        assert!(document.is_closed);
        assert_eq!(document.root.text(&["a"]), "1");
        let all: Vec<&str> =
            document.root.all("b").flat_map(|b| b.all("c")).map(|c| c.value.as_str()).collect();
        assert_eq!(all, ["2", "true", "-1.5"]);
    }

    #[test]
    fn of_a_document_that_was_cut_the_beginning_is_there() {
        let document = read(br#"{"a":"1","b":{"c":"2","d":"#);
        assert!(!document.is_closed);
        assert_eq!((document.root.text(&["a"]), document.root.text(&["b", "c"])), ("1", "2"));
    }

    #[test]
    fn depth_and_number_have_an_end() {
        for hostile in [r#"{"a":"#.repeat(10_000), "[".repeat(60_000), format!("[{}", "1,".repeat(60_000))] {
            let document = read(hostile.as_bytes());
            assert!(!document.is_closed);
        }
    }
}
