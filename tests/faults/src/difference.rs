//! What two contents do not have in common, for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::content::Content;

/// How many rows of a kind are shown.
const SHOWN: usize = 4;
/// The longest text of a row that is shown, in characters.
const LONGEST: usize = 400;

/// What differs, or `None` when nothing does.
pub fn between(expected: &Content, found: &Content) -> Option<String> {
    let mut text = String::new();
    let kinds: std::collections::BTreeSet<_> = expected.kinds.keys().chain(found.kinds.keys()).collect();
    for kind in kinds {
        let of = |content: &Content| content.kinds.get(kind).cloned().unwrap_or_default();
        tell(kind, &of(expected), &of(found), &mut text);
    }
    (!text.is_empty()).then_some(text)
}

fn tell(kind: &str, expected: &[String], found: &[String], text: &mut String) {
    let (missing, extra) = apart(expected, found);
    if missing.is_empty() && extra.is_empty() {
        return;
    }
    // Writing to a text cannot fail.
    let _ = writeln!(
        text,
        "{kind}: {} rows expected, {} found; {} missing, {} too many",
        expected.len(),
        found.len(),
        missing.len(),
        extra.len()
    );
    for row in missing.iter().take(SHOWN) {
        let _ = writeln!(text, "  missing   {}", short(row));
        if let Some((other, columns)) = nearest(row, &extra) {
            let _ = writeln!(
                text,
                "  instead   {columns}{}",
                if columns.is_empty() { short(other) } else { String::new() }
            );
        }
    }
    for row in extra.iter().take(SHOWN) {
        let twice = if expected.binary_search(row).is_ok() { "twice    " } else { "too much " };
        let _ = writeln!(text, "  {twice} {}", short(row));
    }
}

/// What is only in one of two sorted lists, counting how often.
fn apart(expected: &[String], found: &[String]) -> (Vec<String>, Vec<String>) {
    let mut balance: BTreeMap<&String, i64> = BTreeMap::new();
    for row in expected {
        *balance.entry(row).or_default() += 1;
    }
    for row in found {
        *balance.entry(row).or_default() -= 1;
    }
    let of = |sign: i64| {
        let rows = balance.iter().filter(move |(_, balance)| **balance * sign > 0);
        rows.flat_map(|(row, balance)| std::iter::repeat_n((*row).clone(), balance.unsigned_abs() as usize))
            .collect()
    };
    (of(1), of(-1))
}

/// The row that has most in common with this one, and the columns in which they differ.
fn nearest<'a>(row: &str, others: &'a [String]) -> Option<(&'a str, String)> {
    let wanted: Map<String, Value> = serde_json::from_str(row).ok()?;
    let compared = others.iter().take(1000).filter_map(|other| {
        let found: Map<String, Value> = serde_json::from_str(other).ok()?;
        let differing: Vec<String> = wanted
            .iter()
            .filter(|(column, value)| found.get(*column) != Some(value))
            .map(|(column, value)| {
                format!("{column}: {value} became {}; ", found.get(column).unwrap_or(&Value::Null))
            })
            .collect();
        Some((differing, other))
    });
    let (differing, other) = compared.min_by_key(|(differing, _)| differing.len())?;
    (differing.len() * 2 < wanted.len()).then(|| (other.as_str(), differing.concat()))
}

fn short(row: &str) -> String {
    if row.chars().count() <= LONGEST {
        return row.to_owned();
    }
    format!("{}...", row.chars().take(LONGEST).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(rows: &[&str]) -> Content {
        let mut rows: Vec<String> = rows.iter().map(|row| (*row).to_owned()).collect();
        rows.sort_unstable();
        Content { kinds: [("flows".to_owned(), rows)].into() }
    }

    #[test]
    fn the_same_is_no_difference() {
        assert_eq!(between(&content(&["a", "b"]), &content(&["b", "a"])), None);
    }

    #[test]
    fn a_row_that_is_there_twice_is_one() {
        let told = between(&content(&["a", "b"]), &content(&["b", "a", "a"])).unwrap();
        assert!(told.contains("0 missing, 1 too many") && told.contains("twice     a"), "{told}");
    }

    #[test]
    fn a_row_that_became_another_is_told_by_its_columns() {
        let expected = content(&[r#"{"device":"d1","score":10,"name":"CT"}"#]);
        let found = content(&[r#"{"device":"d1","score":12,"name":"CT"}"#]);
        let told = between(&expected, &found).unwrap();
        assert!(told.contains("score: 10 became 12"), "{told}");
    }

    #[test]
    fn a_kind_that_is_not_there_at_all_is_missing() {
        let told = between(&content(&["a"]), &Content::default()).unwrap();
        assert!(told.contains("flows: 1 rows expected, 0 found"), "{told}");
    }
}
