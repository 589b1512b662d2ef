//! Which rules may hold of a device: of hundreds, few ask for anything that was said of it.
//!
//! A rule holds when all its conditions do, so it is filed under one of them: under the values that it asks for, where there
//! is one that names them, else under the field that the fewest rules are filed under.

use super::Rule;
use crate::condition::{Asked, Condition};
use crate::evidence::{Evidence, Field};
use hashbrown::HashMap;

/// The rules by what they ask for.
#[derive(Clone, Debug, Default)]
pub(super) struct RuleIndex {
    fields: HashMap<Field, Filed>,
    /// Rules that ask for conversations alone.
    others: Vec<usize>,
}

/// The rules that ask for one field.
#[derive(Clone, Debug, Default)]
struct Filed {
    /// By value, in small letters.
    by_value: HashMap<String, Vec<usize>>,
    /// Whatever the value.
    always: Vec<usize>,
}

impl RuleIndex {
    pub(super) fn of<'a>(rules: impl Iterator<Item = &'a Rule>) -> Self {
        let mut index = Self::default();
        for (place, rule) in rules.enumerate() {
            let asked = rule.when.iter().filter_map(Condition::asks);
            let costs = |asked: &Asked<'_>| {
                let filed = index.fields.get(&asked.field);
                (asked.values.is_none(), filed.map_or(0, |filed| filed.always.len()))
            };
            match asked.min_by_key(costs) {
                None => index.others.push(place),
                Some(Asked { field, values }) => index.fields.entry(field).or_default().file(place, values),
            }
        }
        index
    }

    /// The places of the rules that may hold, in order.
    pub(super) fn find(&self, evidence: &Evidence<'_>) -> Vec<usize> {
        let mut found = self.others.clone();
        for said in evidence.said().chunk_by(|a, b| a.field == b.field) {
            let Some(filed) = said.first().and_then(|said| self.fields.get(&said.field)) else { continue };
            found.extend(&filed.always);
            if !filed.by_value.is_empty() {
                for one in said.chunk_by(|a, b| a.value == b.value).filter_map(<[_]>::first) {
                    let places = filed.by_value.get(&one.value.to_ascii_lowercase());
                    found.extend(places.into_iter().flatten());
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

impl Filed {
    fn file(&mut self, place: usize, values: Option<Vec<&str>>) {
        match values {
            None => self.always.push(place),
            Some(values) => {
                for value in values {
                    self.by_value.entry(value.to_ascii_lowercase()).or_default().push(place);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Knowledge;

    #[test]
    fn every_rule_is_found_by_its_example_among_few_others() {
        let knowledge = Knowledge::builtin().expect("the built-in pack");
        let taxonomy = &knowledge.taxonomy;
        let all = taxonomy.rules.len() + taxonomy.model_rules.len();
        let mut looked_at = 0;
        for (place, rule) in taxonomy.rules.iter().chain(&taxonomy.model_rules).enumerate() {
            let found = taxonomy.index.find(&rule.example.evidence());
            assert!(found.contains(&place), "{} is not found by its example", rule.id);
            looked_at += found.len();
        }
        assert!(looked_at < all * all / 10, "{looked_at} of {all} by {all}");
    }
}
