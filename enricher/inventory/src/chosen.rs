//! Which value of each attribute a device shows, in little memory.

/// The value shown of each attribute that has one value at a time: attribute, length and text in turn, one after another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chosen(Box<[u8]>);

/// Octets before a value: its attribute and its length, two each.
const HEAD: usize = 4;

impl Chosen {
    pub(crate) fn of<T: AsRef<str>>(values: impl IntoIterator<Item = (i32, T)>) -> Self {
        let mut all = Vec::new();
        for (attribute, value) in values {
            let value = value.as_ref();
            // No value of the contract is near that long, nor is there an attribute of that number.
            let (Ok(attribute), Ok(length)) = (u16::try_from(attribute), u16::try_from(value.len())) else {
                continue;
            };
            all.extend_from_slice(&attribute.to_le_bytes());
            all.extend_from_slice(&length.to_le_bytes());
            all.extend_from_slice(value.as_bytes());
        }
        Self(all.into_boxed_slice())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (i32, &str)> {
        self.octets().filter_map(|(attribute, value)| Some((attribute, std::str::from_utf8(value).ok()?)))
    }

    /// Whether the device shows this value.
    pub(crate) fn shows(&self, attribute: i32, value: &str) -> bool {
        self.octets().any(|(of, shown)| of == attribute && shown == value.as_bytes())
    }

    fn octets(&self) -> impl Iterator<Item = (i32, &[u8])> {
        let mut rest = &*self.0;
        std::iter::from_fn(move || {
            let (head, after) = rest.split_first_chunk::<HEAD>()?;
            let [a, b, c, d] = *head;
            let (value, after) = after.split_at_checked(usize::from(u16::from_le_bytes([c, d])))?;
            rest = after;
            Some((i32::from(u16::from_le_bytes([a, b])), value))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_is_shown_and_nothing_else() {
        let all = [(3, "X1"), (5, ""), (7, "Größe")];
        let chosen = Chosen::of(all);
        assert_eq!(chosen.iter().collect::<Vec<_>>(), all);
        assert!(chosen.shows(7, "Größe") && chosen.shows(5, ""));
        assert!(!chosen.shows(3, "Größe") && !chosen.shows(4, "X1"));
        assert_eq!(Chosen::default().iter().count(), 0);
    }
}
