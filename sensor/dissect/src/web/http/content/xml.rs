//! XML without document types, so that no entity can grow.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::element::{DEEPEST, Document, Element, MOST_ELEMENTS};

/// The document, as far as it is one.
pub(super) fn read(bytes: &[u8]) -> Document {
    let text = String::from_utf8_lossy(bytes);
    let mut reader = Reader::from_str(&text);
    // The elements that are open, the outermost first.
    let mut open: Vec<Element> = Vec::new();
    let mut elements = 0;
    let mut document = Document::default();
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Start(start) => {
                elements += 1;
                if open.len() >= DEEPEST || elements > MOST_ELEMENTS {
                    break;
                }
                open.push(element(&start, &mut elements));
            }
            Event::Empty(start) => {
                elements += 1;
                if elements > MOST_ELEMENTS {
                    break;
                }
                let element = element(&start, &mut elements);
                close(element, &mut open, &mut document);
            }
            Event::End(_) => {
                if let Some(element) = open.pop() {
                    close(element, &mut open, &mut document);
                }
            }
            Event::Text(text) => add(&mut open, &text.xml_content(XmlVersion::Implicit1_0)),
            Event::CData(text) => add(&mut open, &text.xml_content(XmlVersion::Implicit1_0)),
            Event::GeneralRef(reference) => add(&mut open, &character(&reference)),
            Event::DocType(_) | Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
        if document.is_closed {
            return document;
        }
    }
    // What is open ends where the text does.
    while let Some(element) = open.pop() {
        close(element, &mut open, &mut document);
    }
    document.is_closed = false;
    document
}

fn close(element: Element, open: &mut [Element], document: &mut Document) {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None => *document = Document { root: element, is_closed: true },
    }
}

fn add(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.add_text(text);
    }
}

fn element(start: &BytesStart<'_>, elements: &mut usize) -> Element {
    let mut element = Element::named(start.local_name().as_ref());
    for attribute in start.attributes().with_checks(false).flatten() {
        let Ok(value) = attribute.normalized_value(XmlVersion::Implicit1_0) else { continue };
        let name = attribute.key.local_name();
        if name.as_ref() == "value" {
            element.add_text(&value);
        } else if *elements < MOST_ELEMENTS {
            *elements += 1;
            element.children.push(Element::with_value(name.as_ref(), &value));
        }
    }
    element
}

/// The character that a reference stands for; of entities only those that every document has (XML 1.0, 4.6).
fn character(reference: &quick_xml::events::BytesRef<'_>) -> String {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return character.to_string();
    }
    match &**reference {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "apos" => "'",
        "quot" => "\"",
        _ => "",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_and_case_of_text_do_not_matter_and_references_are_resolved() {
        let document = read(
            b"<?xml version='1.0'?><s:a xmlns:s='x'><b value='1'/><c> J&amp;J&#x20;<![CDATA[<2>]]></c></s:a>",
        );
        assert!(document.is_closed);
        assert_eq!(document.root.name, "a");
        assert_eq!(document.root.text(&["b"]), "1");
        assert_eq!(document.root.text(&["c"]), "J&J <2>");
    }

    #[test]
    fn of_a_document_that_was_cut_the_beginning_is_there() {
        let whole = b"<a><b>1</b><c>22</c></a>";
        for length in 0..whole.len() {
            let document = read(whole.get(..length).unwrap_or_default());
            assert!(!document.is_closed);
        }
        let document = read(b"<a><b>1</b><c>2");
        assert_eq!((document.root.text(&["b"]), document.root.name.as_str()), ("1", "a"));
    }

    #[test]
    fn depth_number_and_document_types_have_an_end() {
        assert!(!read("<a>".repeat(10_000).as_bytes()).is_closed);
        let wide = format!("<a>{}", "<b/>".repeat(20_000));
        assert!(read(wide.as_bytes()).root.children.len() <= MOST_ELEMENTS);
        let bomb = b"<!DOCTYPE a [<!ENTITY b \"xxxx\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>";
        assert_eq!(read(bomb).root, Element::default());
    }
}
