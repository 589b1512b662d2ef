//! Lists of links (RFC 6690): `</sensors/temp>;rt="temperature-c";if="sensor",</x>;rt=light`.

use wardwatch_proto::v1::Attribute;

/// The kinds of resources and interfaces in a list, several in one text where the device says several. A list that is cut, as
/// blocks are (RFC 7959), is read as far as whole values go.
pub(super) struct Links<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Links<'a> {
    type Item = (Attribute, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (attribute, value) = match self.0.split_first()? {
                // The target, in which anything may stand.
                (b'<', rest) => {
                    self.0 = behind(rest, b'>')?;
                    continue;
                }
                (b';' | b',', rest) => {
                    self.0 = rest;
                    self.parameter()?
                }
                // Anything else is no list.
                _ => return None,
            };
            if let Some(attribute) = attribute
                && !value.is_empty()
            {
                return Some((attribute, value));
            }
        }
    }
}

impl<'a> Links<'a> {
    /// What a parameter says, and its value.
    fn parameter(&mut self) -> Option<(Option<Attribute>, &'a str)> {
        let name_ends = self.0.iter().position(|byte| b"=;,<".contains(byte))?;
        let (name, rest) = self.0.split_at_checked(name_ends)?;
        self.0 = rest;
        let Some(value) = rest.strip_prefix(b"=") else { return Some((None, "")) };
        let attribute = match name {
            b"rt" => Some(Attribute::CoapResourceType),
            b"if" => Some(Attribute::CoapInterface),
            _ => None,
        };
        let (value, rest) = match value.strip_prefix(b"\"") {
            Some(quoted) => {
                (quoted.get(..quoted.iter().position(|byte| *byte == b'"')?)?, behind(quoted, b'"')?)
            }
            None => value.split_at(value.iter().position(|byte| b";,".contains(byte)).unwrap_or(value.len())),
        };
        self.0 = rest;
        Some((attribute, str::from_utf8(value).unwrap_or_default()))
    }
}

/// What stands behind the first of this octet.
fn behind(bytes: &[u8], octet: u8) -> Option<&[u8]> {
    let at = bytes.iter().position(|byte| *byte == octet)?;
    bytes.get(at + 1..)
}
