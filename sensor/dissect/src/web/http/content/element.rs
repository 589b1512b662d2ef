//! A document as a tree that XML and JSON share, within bounds; what was cut off behind its beginning is missing.

/// Elements of one document.
pub(super) const MOST_ELEMENTS: usize = 8192;

/// Elements within elements.
pub(super) const DEEPEST: usize = 32;

/// Octets of text in one element: names and numbers of devices are shorter, and prose is not wanted.
const LONGEST_TEXT: usize = 1024;

/// An element of XML with its local name, whose attributes stand before its children; or a member of a JSON object, an
/// array being so many members of the same name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    /// Its text, or the attribute `value` (as FHIR has it in XML).
    pub(super) value: String,
    pub(super) children: Vec<Element>,
}

/// What was read of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Document {
    pub(super) root: Element,
    /// Its end was there.
    pub(super) is_closed: bool,
}

impl Element {
    pub(super) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    pub(super) fn with_value(name: &str, value: &str) -> Self {
        let mut element = Self::named(name);
        element.add_text(value);
        element
    }

    /// Text is kept to its bound, whole or not at all.
    pub(super) fn add_text(&mut self, text: &str) {
        if self.value.len() + text.len() <= LONGEST_TEXT {
            self.value.push_str(text);
        }
    }

    /// The children of this name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first child of this name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The first element on this way of names.
    pub(super) fn at(&self, way: &[&str]) -> Option<&Self> {
        way.iter().try_fold(self, |element, name| element.child(name))
    }

    /// What stands there, without the blanks around it; empty where nothing does.
    pub(super) fn text(&self, way: &[&str]) -> &str {
        self.at(way).map(|element| element.value.trim()).unwrap_or_default()
    }
}
