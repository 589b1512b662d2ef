//! What target services of WS-Discovery say about themselves, in the tree that Wireshark makes of their documents.

use std::path::Path;

use anyhow::{Context, Result};
use wardwatch_proto::v1::{Attribute, Protocol};

use super::super::statement::Statements;
use super::details::{Frame, between, details_with};

/// Texts that every document of discovery has.
const NAMESPACES: [&str; 2] = ["ws-dd/ns/discovery/2009/01", "schemas.xmlsoap.org/ws/2005/04/discovery"];

/// Elements that describe a target service.
const TARGETS: [&str; 4] = ["Hello", "Bye", "ProbeMatch", "ResolveMatch"];

/// Adds what is said over UDP.
pub(super) fn read(capture: &Path, said: &mut Statements) -> Result<()> {
    // Wireshark tells documents on UDP by their content only when it is asked to, so it is asked where there are some.
    let bytes = std::fs::read(capture).with_context(|| format!("read {}", capture.display()))?;
    let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    if !NAMESPACES.iter().any(|namespace| has(namespace)) {
        return Ok(());
    }
    let filter = NAMESPACES.map(|namespace| format!("udp contains \"{namespace}\"")).join(" || ");
    for frame in details_with(capture, &["--enable-heuristic", "xml_udp"], &filter, "xml")? {
        document(&frame, said);
    }
    Ok(())
}

/// What one target service has said.
#[derive(Default)]
struct Target<'a> {
    endpoint: &'a str,
    types: &'a str,
    scopes: &'a str,
    addresses: &'a str,
}

/// Reads the tree from top to bottom: a start tag with its attributes in lines of their own, texts, an end tag.
fn document(frame: &Frame, said: &mut Statements) {
    let mut open: Vec<&str> = Vec::new();
    let mut is_in_tag = false;
    let mut target = Target::default();
    for line in frame.lines.iter().map(|line| line.trim()) {
        if let Some(ended) = line.strip_prefix("</") {
            open.pop();
            if TARGETS.contains(&local(ended)) {
                std::mem::take(&mut target).say(frame, said);
            }
        } else if line.starts_with('<') && !line.starts_with("<?") {
            open.push(local(line.trim_start_matches('<')));
            is_in_tag = !line.ends_with('>');
            if line.ends_with("/>") {
                open.pop();
            }
        } else if is_in_tag {
            is_in_tag = !line.ends_with('>');
            if line.ends_with("/>") {
                open.pop();
            }
        } else if open.iter().any(|element| TARGETS.contains(element)) {
            match open.last() {
                Some(&"Address") => target.endpoint = line,
                Some(&"Types") => target.types = line,
                Some(&"Scopes") => target.scopes = line,
                Some(&"XAddrs") => target.addresses = line,
                _ => {}
            }
        }
    }
}

/// A name without its prefix and without what ends its tag.
fn local(name: &str) -> &str {
    let name = name.trim_end_matches(['>', '/']);
    name.rsplit(':').next().unwrap_or(name)
}

impl Target<'_> {
    fn say(&self, frame: &Frame, said: &mut Statements) {
        let hosts: Vec<&str> = self.addresses.split(' ').map(|url| between(url, "://", "/")).collect();
        let hosts: Vec<&str> = hosts.iter().map(|host| host.split(':').next().unwrap_or(host)).collect();
        let is_sender = self.addresses.is_empty() || hosts.contains(&frame.source.as_str());
        let subject =
            if is_sender { frame.source.as_str() } else { hosts.first().copied().unwrap_or_default() };
        let mut say = |attribute, value: &str| {
            if !value.is_empty() {
                said.say(Protocol::WsDiscovery, attribute, subject, value);
            }
        };
        say(Attribute::EndpointUuid, between(self.endpoint, "uuid:", " "));
        for kind in self.types.split(' ') {
            say(Attribute::WsDiscoveryType, local(kind));
        }
        let locations = self.scopes.split(' ').filter(|scope| scope.starts_with("sdc.ctxt.loc:"));
        for query in locations.filter_map(|scope| scope.split_once('?')).map(|(_, query)| query) {
            for pair in query.split("&amp;") {
                // Wireshark leaves a URL as it is; blanks are what the captures have in one.
                let pair = pair.replace("%20", " ");
                match pair.split_once('=') {
                    Some(("fac", facility)) => say(Attribute::Institution, facility),
                    Some(("poc", point)) => say(Attribute::Department, point),
                    _ => {}
                }
            }
        }
    }
}
