//! Looks through everything that a pipeline has written for what must never leave a sensor.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use wardwatch_proto::topic;

use super::Pipeline;

/// The digits of a point in time since 1970: in seconds, milliseconds, microseconds, nanoseconds.
const EPOCH_DIGITS: [usize; 4] = [10, 13, 16, 19];

/// Tokens that must be nowhere, in any case of letters.
#[derive(Debug)]
pub struct Forbidden {
    by_length: BTreeMap<usize, BTreeSet<Vec<u8>>>,
    /// Which pairs of bytes a token begins with, since most places can be passed over.
    begins: Vec<bool>,
}

impl Forbidden {
    /// # Panics
    /// When a token has fewer than four bytes: such would be found by chance.
    pub fn new(tokens: impl IntoIterator<Item = String>) -> Self {
        let mut by_length: BTreeMap<usize, BTreeSet<Vec<u8>>> = BTreeMap::new();
        let mut begins = vec![false; 1 << 16];
        for token in tokens {
            assert!(token.len() >= 4, "{token:?} is too short to be looked for");
            let token = token.to_lowercase().into_bytes();
            begins[pair(token[0], token[1])] = true;
            by_length.entry(token.len()).or_default().insert(token);
        }
        Self { by_length, begins }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.by_length.values().map(BTreeSet::len).sum()
    }

    /// A token that stands in these bytes.
    ///
    /// Digits within a longer run of digits that has the length of a point in time are none: a clock's reading holds
    /// every date sooner or later.
    pub fn found_in(&self, bytes: &[u8]) -> Option<String> {
        let folded = bytes.to_ascii_lowercase();
        let places = folded.windows(2).enumerate().filter(|(_, two)| self.begins[pair(two[0], two[1])]);
        places.map(|(at, _)| at).find_map(|at| {
            let tokens = self.by_length.iter().filter_map(|(length, tokens)| {
                let window = folded.get(at..at + length)?;
                tokens.get(window)
            });
            let mut tokens = tokens.filter(|token| !is_of_a_clock(&folded, at, token));
            tokens.next().map(|token| String::from_utf8_lossy(token).into_owned())
        })
    }
}

fn pair(first: u8, second: u8) -> usize {
    usize::from(first) << 8 | usize::from(second)
}

fn is_of_a_clock(bytes: &[u8], at: usize, token: &[u8]) -> bool {
    if !token.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let before = bytes[..at].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let after = bytes[at + token.len()..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    before + after > 0 && EPOCH_DIGITS.contains(&(before + token.len() + after))
}

/// What was looked through, and what was found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Messages of all topics: keys, payloads, headers.
    pub messages: usize,
    /// Columns of all tables that can hold text.
    pub columns: usize,
    /// Bytes looked through.
    pub bytes: usize,
    /// Where a token was found, and which.
    pub leaks: Vec<String>,
}

impl Findings {
    /// Looks through some bytes.
    pub fn look(&mut self, forbidden: &Forbidden, place: impl FnOnce() -> String, bytes: &[u8]) {
        self.bytes += bytes.len();
        if let Some(token) = forbidden.found_in(bytes) {
            self.leaks.push(format!("{}: {token}", place()));
        }
    }
}

/// Looks through every message of every topic, every text of every table, and the names of all counters and checks.
pub async fn search(pipeline: &Pipeline, forbidden: &Forbidden) -> Result<Findings> {
    let mut findings = Findings::default();
    for topic in topic::ALL {
        for message in pipeline.messages(topic).await? {
            findings.messages += 1;
            let place = |part: &str| format!("{} at {}, {part}", message.from, message.offset);
            findings.look(forbidden, || place("key"), &message.key);
            findings.look(forbidden, || place("payload"), &message.payload);
            for (name, value) in message.headers.iter() {
                findings.look(forbidden, || place("header"), name.as_bytes());
                findings.look(forbidden, || place(name), value);
            }
        }
    }
    let columns = "SELECT c.table, c.name FROM system.columns AS c \
                   INNER JOIN system.tables AS t ON t.database = c.database AND t.name = c.table \
                   WHERE c.database = currentDatabase() AND t.engine NOT IN ('View', 'MaterializedView') \
                   AND c.type LIKE '%String%' ORDER BY ALL";
    let columns = pipeline.store.text(columns, "TSV").await?;
    for (table, column) in columns.lines().filter_map(|line| line.split_once('\t')) {
        findings.columns += 1;
        let values =
            pipeline.store.bytes(&format!("SELECT DISTINCT `{column}` FROM {table}"), "RowBinary").await?;
        findings.look(forbidden, || format!("column {table}.{column}"), &values);
    }
    for service in pipeline.services() {
        let told = format!("{:?} {:?}", service.context.counters.snapshot(), service.context.health.states());
        findings.look(
            forbidden,
            || format!("counters and checks of the {}", service.name()),
            told.as_bytes(),
        );
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_in_any_case_and_anywhere() {
        let forbidden = Forbidden::new(["CANARY000017X".into(), "18011001".into(), "Ottilie".into()]);
        assert_eq!(forbidden.count(), 3);
        let found = |text: &str| forbidden.found_in(text.as_bytes());
        assert_eq!(found("\x00\x12canary000017x^Doe").as_deref(), Some("canary000017x"));
        assert_eq!(found("OTTILIE").as_deref(), Some("ottilie"));
        assert_eq!(found("|18011001|").as_deref(), Some("18011001"));
        assert_eq!(found("18011001120000").as_deref(), Some("18011001"), "a date and a time");
        assert_eq!(found("1718011001123"), None, "milliseconds since 1970");
        assert_eq!(found("canary000017y Ottili"), None);
    }
}
