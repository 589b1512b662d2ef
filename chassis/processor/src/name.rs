//! What may be the name of a site or a sensor.

/// The longest name, in octets.
const LONGEST: usize = 128;

/// Whether this may be the name of a site or a sensor: one to 128 octets without control characters.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= LONGEST && !name.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_printable() {
        assert!(is_name("north/ward 3, Gebäude Ä"));
        assert!(is_name(&"n".repeat(128)));
        for bad in ["", "a\nb", "\u{7f}", &"n".repeat(129)] {
            assert!(!is_name(bad), "{bad:?}");
        }
    }
}
