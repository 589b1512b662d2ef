//! The pieces that a memory is stored in.

/// A piece of the stored memory; an empty value removes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is about, such as `received/<site>/<sensor>/<epoch>`. Never empty.
    pub key: String,
    /// Its whole value, in the service's own encoding.
    pub value: Vec<u8>,
}

/// A name as part of a key: without `/`.
pub fn escape(name: &str) -> String {
    name.replace('%', "%25").replace('/', "%2F")
}

/// The name that was [escaped](escape).
pub fn unescape(name: &str) -> String {
    name.replace("%2F", "/").replace("%25", "%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_comes_back() {
        for name in ["north", "a/b", "50%", "%2F", "%25", "a%2Fb/%", ""] {
            assert!(!escape(name).contains('/'));
            assert_eq!(unescape(&escape(name)), name);
        }
    }
}
