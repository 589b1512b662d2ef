//! SPDX 2.2 (ISO/IEC 5962:2021) and 2.3: <https://spdx.github.io/spdx-spec/v2.3/>.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::cyclonedx::{is_word, list, text};
use crate::sbom::{
    Component, DEEPEST, LONGEST_IDENTIFIER, LONGEST_NAME, MOST_COMPONENTS, MOST_HASHES, Sbom, Subject,
};
use crate::{Error, Losses};

/// A package, as both forms of SPDX tell of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Package {
    /// `packages[3]`, `line 17`.
    pub(crate) place: String,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) supplier: String,
    pub(crate) originator: String,
    pub(crate) purpose: String,
    pub(crate) concluded: String,
    pub(crate) declared: String,
    /// Type and locator.
    pub(crate) references: Vec<(String, String)>,
    /// Algorithm and digest.
    pub(crate) checksums: Vec<(String, String)>,
}

/// A document, as both forms of SPDX tell of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Document {
    /// `SPDX-2.3`.
    pub(crate) version: String,
    pub(crate) created: String,
    pub(crate) packages: Vec<Package>,
    /// Which element, its relationship, and to which.
    pub(crate) relationships: Vec<[String; 3]>,
}

/// Reads a document in JSON.
pub(crate) fn read(document: &Value) -> Result<Sbom, Error> {
    let owned = |of: &Value, key: &str| text(of, key).to_owned();
    let pairs = |of: &Value, key: &str, left: &str, right: &str| {
        list(of, key).iter().map(|pair| (owned(pair, left), owned(pair, right))).collect()
    };
    let mut losses = Losses::default();
    let mut packages = Vec::new();
    for (index, package) in list(document, "packages").iter().enumerate() {
        let place = format!("packages[{index}]");
        if !package.is_object() {
            losses.add(|| place, "it is no object");
            continue;
        }
        packages.push(Package {
            place,
            id: owned(package, "SPDXID"),
            name: owned(package, "name"),
            version: owned(package, "versionInfo"),
            supplier: owned(package, "supplier"),
            originator: owned(package, "originator"),
            purpose: owned(package, "primaryPackagePurpose"),
            concluded: owned(package, "licenseConcluded"),
            declared: owned(package, "licenseDeclared"),
            references: pairs(package, "externalRefs", "referenceType", "referenceLocator"),
            checksums: pairs(package, "checksums", "algorithm", "checksumValue"),
        });
    }
    let keys = ["spdxElementId", "relationshipType", "relatedSpdxElement"];
    let related = list(document, "relationships").iter().map(|of| keys.map(|key| owned(of, key)));
    // The older way to say what it describes.
    let described = list(document, "documentDescribes").iter().filter_map(Value::as_str);
    let described = described.map(|id| [ROOT, "DESCRIBES", id].map(ToOwned::to_owned));
    let document = Document {
        version: owned(document, "spdxVersion"),
        created: document.get("creationInfo").map(|info| owned(info, "created")).unwrap_or_default(),
        packages,
        relationships: related.chain(described).collect(),
    };
    conclude(document, losses)
}

/// The id of the document itself.
const ROOT: &str = "SPDXRef-DOCUMENT";

/// What a document says, whichever form it has.
pub(crate) fn conclude(document: Document, mut losses: Losses) -> Result<Sbom, Error> {
    let Document { version, created, packages, relationships } = document;
    let number = version.strip_prefix("SPDX-").unwrap_or_default();
    if !["2.2", "2.3"].contains(&number) {
        let (format, version) = ("SPDX", version.chars().take(20).collect());
        return Err(Error::UnknownVersion { format, version, readable: "SPDX-2.2, SPDX-2.3" });
    }
    if packages.len() > MOST_COMPONENTS {
        return Err(Error::TooMany { what: "packages", most: MOST_COMPONENTS });
    }
    let made = losses.line(&created, 64, || "created".into());
    let mut by_id: HashMap<&str, usize> = HashMap::new();
    for (index, package) in packages.iter().enumerate() {
        by_id.entry(package.id.as_str()).or_insert(index);
    }
    let (mut within, mut described) = (HashMap::new(), Vec::new());
    for [from, kind, to] in &relationships {
        let (outer, inner) = match kind.as_str() {
            "DESCRIBES" | "CONTAINS" => (from, to),
            "DESCRIBED_BY" | "CONTAINED_BY" => (to, from),
            _ => continue,
        };
        let Some(&inner) = by_id.get(inner.as_str()) else { continue };
        match by_id.get(outer.as_str()) {
            Some(&outer) if outer != inner => {
                within.entry(inner).or_insert(outer);
            }
            None if outer == ROOT => described.push(inner),
            _ => {}
        }
    }
    described.dedup();
    // A document that describes one package is of that one.
    let root = if let [only] = described.as_slice() { Some(*only) } else { None };
    let components: Vec<Option<Component>> =
        packages.iter().map(|package| component(package, &mut losses)).collect();
    let mut sbom = Sbom { format: format!("SPDX {number}"), made, losses, ..Sbom::default() };
    if let Some(root) = root.and_then(|root| components.get(root)?.as_ref()) {
        let (name, version, supplier) = (root.name.clone(), root.version.clone(), root.supplier.clone());
        sbom.subject = Subject { name, version, supplier };
    }
    order(&mut sbom, components, &within, root);
    Ok(sbom)
}

/// Lists the components, each after what contains it.
fn order(
    sbom: &mut Sbom,
    mut components: Vec<Option<Component>>,
    within: &HashMap<usize, usize>,
    root: Option<usize>,
) {
    let is_usable: Vec<bool> = components.iter().map(Option::is_some).collect();
    let outer = |inner: usize| -> Option<usize> {
        if Some(inner) == root {
            return None;
        }
        let usable = |index: &usize| is_usable.get(*index).copied().unwrap_or_default();
        within.get(&inner).copied().filter(usable).or(root.filter(usable))
    };
    let mut inner_of: HashMap<Option<usize>, Vec<usize>> = HashMap::new();
    for index in 0..components.len() {
        inner_of.entry(outer(index)).or_default().push(index);
    }
    // What is to be listed: the package, and the place of what contains it.
    let mut waiting: Vec<(usize, Option<u32>, u32)> = Vec::new();
    let first = inner_of.remove(&None).unwrap_or_default();
    waiting.extend(first.into_iter().rev().map(|index| (index, None, 0)));
    // The one that the document is of comes first.
    if let Some(at) = waiting.iter().position(|(index, ..)| Some(*index) == root) {
        let root = waiting.remove(at);
        waiting.push(root);
    }
    let mut listed = HashSet::new();
    let mut remaining = 0..components.len();
    loop {
        let Some((index, parent, depth)) = waiting.pop() else {
            // Packages that contain each other in a ring: it is cut at the first.
            let Some(next) = remaining.find(|index| !listed.contains(index)) else { return };
            waiting.push((next, None, 0));
            continue;
        };
        if !listed.insert(index) {
            continue;
        }
        let Some(component) = components.get_mut(index).and_then(Option::take) else { continue };
        let here = sbom.components.len() as u32;
        sbom.components.push(Component { parent, depth, ..component });
        // Deeper than that, it is told as if it stood next to what contains it.
        let (parent, depth) = if depth < DEEPEST { (Some(here), depth + 1) } else { (parent, depth) };
        let inner = inner_of.remove(&Some(index)).unwrap_or_default();
        waiting.extend(inner.into_iter().rev().map(|index| (index, parent, depth)));
    }
}

fn component(package: &Package, losses: &mut Losses) -> Option<Component> {
    let Package { place, .. } = package;
    let name = match crate::field::line(&package.name, LONGEST_NAME) {
        Ok("") => Err("it has no name"),
        other => other,
    };
    let name = match name {
        Ok(name) => name.to_owned(),
        Err(reason) => {
            losses.add(|| place.clone(), reason);
            return None;
        }
    };
    let of_type = |wanted: &[&str]| {
        let found = package.references.iter().find(|(kind, _)| wanted.contains(&kind.as_str()));
        found.map(|(_, locator)| locator.as_str()).unwrap_or_default()
    };
    let (purl, cpe) = (of_type(&["purl"]), of_type(&["cpe23Type", "cpe22Type"]));
    let mut field = |said: &str, longest, what| {
        let said = if ["NOASSERTION", "NONE"].contains(&said) { "" } else { said };
        losses.line(said, longest, || format!("{place}.{what}"))
    };
    let suppliers = [organisation(&package.supplier), organisation(&package.originator)];
    let supplier = suppliers.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    let is_concluded = !["", "NOASSERTION", "NONE"].contains(&package.concluded.as_str());
    let licence = if is_concluded { &package.concluded } else { &package.declared };
    let (version, supplier) =
        (field(&package.version, LONGEST_NAME, "version"), field(supplier, LONGEST_NAME, "supplier"));
    let (purl, cpe) = (field(purl, LONGEST_IDENTIFIER, "purl"), field(cpe, LONGEST_IDENTIFIER, "cpe"));
    let licence = field(licence, LONGEST_IDENTIFIER, "licence");
    let kind = kind(&package.purpose).to_owned();
    let mut hashes = Vec::new();
    for (algorithm, digest) in &package.checksums {
        let algorithm = spelled(algorithm);
        let is_digest = digest.len() <= 128 && digest.chars().all(|c| c.is_ascii_hexdigit());
        if hashes.len() < MOST_HASHES && is_digest && !digest.is_empty() && is_word(&algorithm) {
            hashes.push(format!("{algorithm}:{}", digest.to_ascii_lowercase()));
        } else {
            losses.add(|| format!("{place}.checksum"), "it is no digest, or one of too many");
        }
    }
    Some(Component { kind, name, version, supplier, purl, cpe, licence, hashes, parent: None, depth: 0 })
}

/// `Organization: Acme (info@acme.example)`: without what it is and how to reach it.
fn organisation(said: &str) -> &str {
    let name = said.strip_prefix("Organization:").or_else(|| said.strip_prefix("Person:")).unwrap_or(said);
    let name = name.trim();
    match name.rsplit_once(" (") {
        Some((before, rest)) if rest.ends_with(')') => before.trim_end(),
        _ => name,
    }
}

/// The purpose of a package in the words of CycloneDX.
fn kind(purpose: &str) -> &'static str {
    match purpose.replace('_', "-").as_str() {
        "APPLICATION" | "INSTALL" => "application",
        "FRAMEWORK" => "framework",
        "LIBRARY" => "library",
        "CONTAINER" => "container",
        "OPERATING-SYSTEM" => "operating-system",
        "DEVICE" => "device",
        "FIRMWARE" => "firmware",
        "SOURCE" | "ARCHIVE" | "FILE" => "file",
        _ => "",
    }
}

/// The name of a digest as CycloneDX has it.
fn spelled(algorithm: &str) -> String {
    match algorithm.strip_prefix("SHA") {
        Some(bits) if bits.starts_with(|c: char| c.is_ascii_digit()) => format!("SHA-{bits}"),
        _ => algorithm.to_owned(),
    }
}
