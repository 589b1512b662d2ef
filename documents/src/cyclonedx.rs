//! CycloneDX (ECMA-424): <https://cyclonedx.org/specification/overview/>.

use serde_json::Value;

use crate::sbom::{
    Component, DEEPEST, LONGEST_IDENTIFIER, LONGEST_NAME, MOST_COMPONENTS, MOST_HASHES, Sbom, Subject,
};
use crate::{Error, Losses};

/// Licences that are joined into one expression.
const MOST_LICENCES: usize = 16;

/// Reads a document; one in XML has been brought into the shape of JSON before.
pub(crate) fn read(document: &Value) -> Result<Sbom, Error> {
    let wrong =
        |place: &str, problem: &str| Error::Malformed { place: place.into(), problem: problem.into() };
    if text(document, "bomFormat") != "CycloneDX" {
        return Err(wrong("bomFormat", "it is not \"CycloneDX\""));
    }
    let version = text(document, "specVersion");
    if !["1.4", "1.5", "1.6"].contains(&version) {
        let (format, version) = ("CycloneDX", version.chars().take(20).collect());
        return Err(Error::UnknownVersion { format, version, readable: "1.4, 1.5, 1.6" });
    }
    let mut sbom = Sbom { format: format!("CycloneDX {version}"), ..Sbom::default() };
    let metadata = document.get("metadata").unwrap_or(&Value::Null);
    sbom.made = sbom.losses.line(text(metadata, "timestamp"), 64, || "metadata.timestamp".into());
    let root = metadata.get("component");
    if let Some(root) = root {
        take(&mut sbom, root, None, 0, "metadata.component")?;
    }
    let is_rooted = !sbom.components.is_empty();
    if let Some(first) = sbom.components.first_mut() {
        if first.supplier.is_empty() {
            // Of the whole document: 1.4 and 1.5 say `manufacture`.
            let organisations = ["manufacturer", "manufacture", "supplier"];
            let named = organisations.iter().filter_map(|key| metadata.get(key)).map(|of| text(of, "name"));
            let name = named.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
            first.supplier = sbom.losses.line(name, LONGEST_NAME, || "metadata.manufacturer.name".into());
        }
        let (name, version, supplier) = (first.name.clone(), first.version.clone(), first.supplier.clone());
        sbom.subject = Subject { name, version, supplier };
    }
    match document.get("components") {
        None | Some(Value::Null) => {}
        Some(Value::Array(components)) => {
            let (parent, depth) = if is_rooted { (Some(0), 1) } else { (None, 0) };
            for (index, component) in components.iter().enumerate() {
                take(&mut sbom, component, parent, depth, &format!("components[{index}]"))?;
            }
        }
        Some(_) => return Err(wrong("components", "it is no list")),
    }
    Ok(sbom)
}

/// Takes in a component and what it contains.
fn take(sbom: &mut Sbom, of: &Value, parent: Option<u32>, depth: u32, place: &str) -> Result<(), Error> {
    if depth > DEEPEST {
        sbom.losses.add(|| place.into(), "components are contained too deep");
        return Ok(());
    }
    let here = match component(of, &mut sbom.losses, place) {
        Ok(component) => {
            if sbom.components.len() >= MOST_COMPONENTS {
                return Err(Error::TooMany { what: "components", most: MOST_COMPONENTS });
            }
            sbom.components.push(Component { parent, depth, ..component });
            Some(sbom.components.len() as u32 - 1)
        }
        Err(reason) => {
            sbom.losses.add(|| place.into(), reason);
            None
        }
    };
    // What is in a component that cannot be used is where that would be.
    let (parent, depth) = here.map_or((parent, depth), |here| (Some(here), depth + 1));
    let inner = of.get("components").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for (index, component) in inner.iter().enumerate() {
        take(sbom, component, parent, depth, &format!("{place}.components[{index}]"))?;
    }
    Ok(())
}

fn component(of: &Value, losses: &mut Losses, place: &str) -> Result<Component, &'static str> {
    if !of.is_object() {
        return Err("it is no object");
    }
    let name = crate::field::line(text(of, "name"), LONGEST_NAME)?;
    if name.is_empty() {
        return Err("it has no name");
    }
    let group = losses.line(text(of, "group"), LONGEST_NAME, || format!("{place}.group"));
    let name = if group.is_empty() { name.to_owned() } else { format!("{group}/{name}") };
    let mut field = |key: &str, longest| losses.line(text(of, key), longest, || format!("{place}.{key}"));
    let (kind, version) = (field("type", 64), field("version", LONGEST_NAME));
    let (purl, cpe) = (field("purl", LONGEST_IDENTIFIER), field("cpe", LONGEST_IDENTIFIER));
    let organisations = ["manufacturer", "supplier"].iter().filter_map(|key| of.get(key));
    let suppliers = organisations.map(|of| text(of, "name")).chain([text(of, "publisher")]);
    let supplier = suppliers.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    let supplier = losses.line(supplier, LONGEST_NAME, || format!("{place}.supplier"));
    let licence = losses.line(&licence(of), LONGEST_IDENTIFIER, || format!("{place}.licenses"));
    let mut hashes = Vec::new();
    for (index, hash) in list(of, "hashes").iter().enumerate() {
        let (algorithm, digest) = (text(hash, "alg"), text(hash, "content"));
        let is_digest = digest.len() <= 128 && digest.chars().all(|c| c.is_ascii_hexdigit());
        if hashes.len() < MOST_HASHES && is_digest && !digest.is_empty() && is_word(algorithm) {
            hashes.push(format!("{algorithm}:{}", digest.to_ascii_lowercase()));
        } else {
            losses.add(|| format!("{place}.hashes[{index}]"), "it is no digest, or one of too many");
        }
    }
    let (parent, depth) = (None, 0);
    Ok(Component { kind, name, version, supplier, purl, cpe, licence, hashes, parent, depth })
}

/// One expression of all licences: several that are listed all hold.
fn licence(of: &Value) -> String {
    let said = list(of, "licenses").iter().take(MOST_LICENCES).map(|choice| {
        let licence = choice.get("license").unwrap_or(&Value::Null);
        let said = [text(choice, "expression"), text(licence, "id"), text(licence, "name")];
        said.into_iter().find(|said| !said.is_empty()).unwrap_or_default()
    });
    said.filter(|said| !said.is_empty()).collect::<Vec<_>>().join(" AND ")
}

/// The name of an algorithm: `SHA-256`, `BLAKE2b-256`.
pub(crate) fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= 16 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// A text; empty where there is none.
pub(crate) fn text<'a>(of: &'a Value, key: &str) -> &'a str {
    of.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A list; empty where there is none.
pub(crate) fn list<'a>(of: &'a Value, key: &str) -> &'a [Value] {
    of.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
