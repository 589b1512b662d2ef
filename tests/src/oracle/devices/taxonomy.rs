//! Which type of device is a narrower kind of which: the product's taxonomy, read from its file.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

/// Seen from this package.
const FILE: &str = "../enricher/knowledge/pack/taxonomy.toml";

#[derive(Debug, Deserialize)]
struct File {
    #[serde(rename = "type")]
    types: Vec<Type>,
}

#[derive(Debug, Deserialize)]
struct Type {
    name: String,
    is: Option<String>,
}

/// Each type and the broader one that it belongs to, if any.
#[derive(Debug)]
pub struct Taxonomy(BTreeMap<String, Option<String>>);

impl Taxonomy {
    /// Reads the file.
    pub fn read() -> Result<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("understand {}", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let File { types } = toml::from_str(text)?;
        Ok(Self(types.into_iter().map(|Type { name, is }| (name, is)).collect()))
    }

    /// Whether there is such a type.
    pub fn knows(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether a type is a narrower kind of another one. A chain that leads back to itself would not load in the product;
    /// it ends here after as many steps as there are types.
    pub fn is_narrower(&self, name: &str, broader: &str) -> bool {
        let mut at = name;
        for _ in 0..self.0.len() {
            match self.0.get(at) {
                Some(Some(next)) if next == broader => return true,
                Some(Some(next)) => at = next,
                _ => return false,
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_narrower_than_all_above_it_and_than_nothing_else() {
        let text = r#"
            [[type]]
            name = "computer"
            [[type]]
            name = "server"
            is = "computer"
            [[type]]
            name = "domain controller"
            is = "server"
            [[type]]
            name = "circle"
            is = "circle"
        "#;
        let taxonomy = Taxonomy::parse(text).expect("sound");
        assert!(taxonomy.knows("server") && !taxonomy.knows("firewall"));
        assert!(taxonomy.is_narrower("server", "computer"));
        assert!(taxonomy.is_narrower("domain controller", "computer"));
        for (name, broader) in
            [("computer", "server"), ("server", "server"), ("firewall", "computer"), ("circle", "server")]
        {
            assert!(!taxonomy.is_narrower(name, broader), "{name} {broader}");
        }
    }

    #[test]
    fn the_products_file_is_read() {
        assert!(Taxonomy::read().expect("it is there").knows("CT scanner"));
    }
}
