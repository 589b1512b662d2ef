//! The sensor calls a flow what nDPI calls it, where nDPI recognised it by content and both know the protocol.
//!
//! Of these flows at least 97 % have the same name; each of the others is in `exceptions/protocols.toml` with the reason.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use anyhow::Result;
use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::Protocol;
use wardwatch_tests::oracle::agreement::Agreement;
use wardwatch_tests::oracle::conversation::Conversation;
use wardwatch_tests::oracle::exceptions::Exceptions;
use wardwatch_tests::oracle::{corpus, ndpi, stated};
use wardwatch_tests::skip;

/// The share of nDPI's flows that must have the same name.
const LEAST: f64 = 0.97;

#[test]
fn ndpi_names_the_same_protocols() -> Result<()> {
    let test = "sensor_agrees_on_protocols::ndpi_names_the_same_protocols";
    let Some(data) = skip::unless_test_data(test) else { return Ok(()) };
    let captures = corpus::captures(&data)?;
    let compared = corpus::each(&captures, |capture| {
        let theirs = ndpi::flows(&data, capture)?;
        if theirs.is_empty() {
            return Ok(Vec::new());
        }
        let mut ours = BTreeMap::<Conversation, Vec<Protocol>>::new();
        for flow in stated::flows(&stated::facts(&capture.path)?)? {
            ours.entry(flow.conversation).or_default().push(flow.protocol);
        }
        let known = theirs.into_iter().filter_map(|flow| Some((ndpi::labels(&flow.name)?, flow)));
        let compared = known.map(|(labels, flow)| {
            let ours = ours.get(&flow.conversation).map(Vec::as_slice).unwrap_or_default();
            let differs = !ours.iter().any(|label| labels.contains(label));
            let names: Vec<&str> = ours.iter().map(|label| label.name()).collect();
            (flow, differs.then(|| names.join(", ")))
        });
        Ok(compared.collect::<Vec<_>>())
    })?;
    let exceptions = Exceptions::read("protocols.toml", "ndpi")?;
    let mut agreement = Agreement::new("flows that nDPI recognises by content", exceptions);
    for (capture, compared) in captures.iter().zip(compared) {
        for (flow, difference) in compared {
            let class = flow.name.split('.').next().unwrap_or_default();
            match difference {
                None => agreement.agrees(class),
                Some(ours) => {
                    let difference = format!("nDPI says {}, the sensor {ours:?}", flow.name);
                    agreement.differs(class, &capture.id, &flow.conversation.to_string(), None, &difference);
                }
            }
        }
    }
    agreement.print();
    let faults = agreement.faults();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(agreement.share() >= LEAST, "{:.2} % agree", agreement.share() * 100.0);
    Ok(())
}
