//! The sensor's flows are those that Wireshark and Zeek see: the same ends, packets and bytes.
//!
//! Of an oracle's conversations at least 98 % are found in full; each of the others is in `exceptions/flows.toml` with
//! the reason why the sensor says something else.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::Result;
use wardwatch_tests::oracle::agreement::Agreement;
use wardwatch_tests::oracle::conversation::{Conversation, Sent};
use wardwatch_tests::oracle::exceptions::Exceptions;
use wardwatch_tests::oracle::stated::Flow;
use wardwatch_tests::oracle::tshark::Stream;
use wardwatch_tests::oracle::{corpus, stated, tshark, zeek};
use wardwatch_tests::skip;

/// The share of an oracle's conversations that must be found in full.
const LEAST: f64 = 0.98;

/// A flow may be stated as several where Wireshark sees one stream, if nothing was sent for this time (ns) between
/// them: the shortest idle time of a connection, that of one that was closed.
const SILENCE: u64 = 10_000_000_000;

/// Exceptions name all conversations inside tunnels so.
const IN_A_TUNNEL: &str = "in a tunnel";

#[test]
fn tshark_counts_the_same_frames_and_bytes_in_every_conversation() -> Result<()> {
    let test = "sensor_agrees_on_flows::tshark_counts_the_same_frames_and_bytes_in_every_conversation";
    let Some(data) = skip::unless_test_data(test) else { return Ok(()) };
    if skip::unless_program(test, "tshark") {
        return Ok(());
    }
    let mut captures = corpus::captures(&data)?;
    captures.extend(corpus::own()?);
    let compared = corpus::each(&captures, |capture| {
        let flows = stated::flows(&stated::facts(&capture.path)?)?;
        Ok(against_streams(&flows, &tshark::streams(&capture.path)?))
    })?;
    let mut agreement =
        Agreement::new("conversations that tshark sees", Exceptions::read("flows.toml", "tshark")?);
    for (capture, compared) in captures.iter().zip(compared) {
        for Compared { item, is_tunnelled, difference } in compared {
            match difference {
                None => agreement.agrees(&capture.area),
                Some(difference) => {
                    let rule = is_tunnelled.then_some(IN_A_TUNNEL);
                    agreement.differs(&capture.area, &capture.id, &item, rule, &difference);
                }
            }
        }
    }
    judge(&agreement);
    Ok(())
}

#[test]
fn zeek_names_the_same_originator_and_counts_the_same_packets_and_bytes() -> Result<()> {
    let test = "sensor_agrees_on_flows::zeek_names_the_same_originator_and_counts_the_same_packets_and_bytes";
    let Some(data) = skip::unless_test_data(test) else { return Ok(()) };
    let captures = corpus::captures(&data)?;
    let mut agreement = Agreement::new("connections that Zeek logs", Exceptions::read("flows.toml", "zeek")?);
    for capture in &captures {
        for log in zeek::connection_logs(&data, capture)? {
            let flows = stated::flows(&stated::facts(&capture.path)?)?;
            for Compared { item, is_tunnelled, difference } in
                against_connections(&flows, &zeek::connections(&log)?)
            {
                match difference {
                    None => agreement.agrees(&capture.area),
                    Some(difference) => {
                        let rule = is_tunnelled.then_some(IN_A_TUNNEL);
                        agreement.differs(&capture.area, &capture.id, &item, rule, &difference);
                    }
                }
            }
        }
    }
    judge(&agreement);
    Ok(())
}

fn judge(agreement: &Agreement) {
    agreement.print();
    let faults = agreement.faults();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(agreement.share() >= LEAST, "{:.2} % agree", agreement.share() * 100.0);
}

/// One statement of an oracle, and in which way the sensor's differs from it.
struct Compared {
    item: String,
    is_tunnelled: bool,
    difference: Option<String>,
}

/// Every stream of Wireshark's against the flows that began in it; then the flows that no stream is there for.
fn against_streams(flows: &[Flow], streams: &[Stream]) -> Vec<Compared> {
    let mut ours = BTreeMap::<&Conversation, Vec<&Flow>>::new();
    for flow in flows.iter().filter(|flow| ["tcp", "udp"].contains(&flow.conversation.transport)) {
        ours.entry(&flow.conversation).or_default().push(flow);
    }
    let mut theirs = BTreeMap::<&Conversation, Vec<&Stream>>::new();
    for stream in streams {
        theirs.entry(&stream.conversation).or_default().push(stream);
    }
    let mut compared = Vec::new();
    for (conversation, streams) in &theirs {
        let flows = ours.remove(conversation).unwrap_or_default();
        for (place, stream) in streams.iter().enumerate() {
            // Streams between the same ports follow each other: a flow belongs to the last one that had begun.
            let from = if place == 0 { 0 } else { stream.start };
            let until = streams.get(place + 1).map_or(u64::MAX, |next| next.start);
            let mut within: Vec<&Flow> =
                flows.iter().copied().filter(|flow| (from..until).contains(&flow.start)).collect();
            within.sort_by_key(|flow| flow.start);
            compared.push(Compared {
                item: conversation.to_string(),
                is_tunnelled: stream.is_tunnelled,
                difference: difference_to_stream(stream, &within),
            });
        }
    }
    compared.extend(ours.into_keys().map(|conversation| Compared {
        item: conversation.to_string(),
        is_tunnelled: false,
        difference: Some("tshark has no such conversation".into()),
    }));
    compared
}

fn difference_to_stream(stream: &Stream, flows: &[&Flow]) -> Option<String> {
    let mut sent = [Sent::default(); 2];
    for flow in flows {
        for (sum, of_flow) in sent.iter_mut().zip(flow.frames) {
            *sum += of_flow;
        }
    }
    if sent != stream.sent {
        let [a, b] = stream.sent;
        let [x, y] = sent;
        return Some(format!("tshark: {a}; {b}; the sensor: {x}; {y}"));
    }
    let split = flows.windows(2).any(|pair| match pair {
        [before, after] => after.start.saturating_sub(before.end) < SILENCE,
        _ => false,
    });
    split.then(|| {
        format!("the sensor makes {} flows of one stream without a silence between them", flows.len())
    })
}

/// Every connection of Zeek's; those between the same ends are compared together, since timeouts alone decide how many
/// they are.
fn against_connections(flows: &[Flow], connections: &[zeek::Connection]) -> Vec<Compared> {
    type Directed = (&'static str, SocketAddr, SocketAddr);
    let mut ours = BTreeMap::<Directed, Vec<[Sent; 2]>>::new();
    for flow in flows {
        let is_ordered = flow.initiator <= flow.responder;
        let [first, second] = flow.ip;
        let sent = if is_ordered { [first, second] } else { [second, first] };
        let key = (flow.conversation.transport, flow.initiator, flow.responder);
        ours.entry(key).or_default().push(sent);
    }
    let mut theirs = BTreeMap::<Directed, Vec<&zeek::Connection>>::new();
    for connection in connections {
        let key = (connection.transport, connection.originator, connection.responder);
        theirs.entry(key).or_default().push(connection);
    }
    let mut compared = Vec::new();
    for (key, connections) in theirs {
        let (transport, originator, responder) = key;
        let counted: Option<Vec<[Sent; 2]>> = connections.iter().map(|connection| connection.sent).collect();
        let difference = match (ours.get(&key), counted) {
            (None, _) => Some(if ours.contains_key(&(transport, responder, originator)) {
                "the sensor has originator and responder the other way round".to_owned()
            } else {
                "the sensor states no such flow".to_owned()
            }),
            (Some(_), None) => None,
            (Some(flows), Some(counted)) => {
                let (theirs, ours) = (sum(&counted), sum(flows));
                let [a, b] = theirs;
                let [x, y] = ours;
                (theirs != ours).then(|| format!("Zeek: {a}; {b}; the sensor: {x}; {y}"))
            }
        };
        compared.extend(connections.iter().map(|connection| Compared {
            item: format!("{transport} {originator} -> {responder}"),
            is_tunnelled: connection.is_tunnelled,
            difference: difference.clone(),
        }));
    }
    compared
}

fn sum(parts: &[[Sent; 2]]) -> [Sent; 2] {
    let mut whole = [Sent::default(); 2];
    for part in parts {
        for (sum, sent) in whole.iter_mut().zip(*part) {
            *sum += sent;
        }
    }
    whole
}
