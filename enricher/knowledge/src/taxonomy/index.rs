//! Which rules may hold of a device: of hundreds, few ask for anything that was said of it.
//!
//! A rule holds when all its conditions do, so it is filed under one of them, the one that holds of the fewest devices: under
//! texts of which one must stand in a value, else under the values that it asks for, else under its field alone, and where
//! it asks for conversations alone, under their protocols. Texts come before values since what rules ask for together is
//! mostly a value that many devices have, such as the maker, and a text of a value that few have, such as the model.

use super::Rule;
use crate::by_text::ByText;
use crate::caseless::Caseless;
use crate::condition::{Asked, Condition};
use crate::evidence::{Evidence, Field};
use hashbrown::HashMap;
use wardwatch_proto::v1::Protocol;

/// The rules by what they ask for.
#[derive(Clone, Debug, Default)]
pub(super) struct RuleIndex {
    fields: HashMap<Field, Filed>,
    /// Rules that ask for conversations alone, by protocol.
    spoken: HashMap<Protocol, Vec<usize>>,
    /// Rules that may hold of any device.
    always: Vec<usize>,
}

/// The rules that ask for one field.
#[derive(Clone, Debug, Default)]
struct Filed {
    by_text: ByText,
    by_value: HashMap<Caseless<String>, Vec<usize>>,
    /// Whatever the value.
    always: Vec<usize>,
}

impl RuleIndex {
    pub(super) fn of<'a>(rules: impl Iterator<Item = &'a Rule>) -> Self {
        let mut index = Self::default();
        let mut texts: HashMap<Field, Vec<(usize, Vec<String>)>> = HashMap::new();
        for (place, rule) in rules.enumerate() {
            match rule.when.iter().map(Condition::asks).min_by_key(|asked| index.cost(asked)) {
                Some(Asked::Text(field, needed)) => texts.entry(field).or_default().push((place, needed)),
                Some(Asked::Value(field, values)) => {
                    let filed = index.fields.entry(field).or_default();
                    for value in values {
                        filed.by_value.entry(Caseless(value.to_owned())).or_default().push(place);
                    }
                }
                Some(Asked::Field(field)) => index.fields.entry(field).or_default().always.push(place),
                Some(Asked::Spoken(protocols)) if !protocols.is_empty() => {
                    for protocol in protocols {
                        index.spoken.entry(*protocol).or_default().push(place);
                    }
                }
                Some(Asked::Spoken(_)) | None => index.always.push(place),
            }
        }
        for (field, needed) in texts {
            index.fields.entry(field).or_default().by_text = ByText::of(needed);
        }
        index
    }

    /// The higher, the more devices a rule is looked at for where it is filed so.
    fn cost(&self, asked: &Asked<'_>) -> (u8, usize) {
        let filed = |field: &Field| self.fields.get(field);
        match asked {
            Asked::Text(..) => (0, 0),
            Asked::Value(field, values) => {
                let by_value = filed(field).map(|filed| &filed.by_value);
                let others = |value: &&str| by_value.and_then(|rules| rules.get(&Caseless(*value)));
                (1, values.iter().filter_map(others).map(Vec::len).sum())
            }
            Asked::Field(field) => (2, filed(field).map_or(0, |filed| filed.always.len())),
            Asked::Spoken(protocols) if !protocols.is_empty() => (3, protocols.len()),
            Asked::Spoken(_) => (4, 0),
        }
    }

    /// The places of the rules that may hold, in order.
    pub(super) fn find(&self, evidence: &Evidence<'_>) -> Vec<usize> {
        let mut found = self.always.clone();
        for said in evidence.said().chunk_by(|a, b| a.field == b.field) {
            let Some(filed) = said.first().and_then(|said| self.fields.get(&said.field)) else { continue };
            found.extend(&filed.always);
            for one in said.chunk_by(|a, b| a.value == b.value).filter_map(<[_]>::first) {
                found.extend(filed.by_value.get(&Caseless(one.value)).into_iter().flatten());
                filed.by_text.find(one.value, &mut found);
            }
        }
        for spoken in evidence.spoken().chunk_by(|a, b| a.protocol == b.protocol).filter_map(<[_]>::first) {
            found.extend(self.spoken.get(&spoken.protocol).into_iter().flatten());
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Knowledge;
    use crate::evidence::Said;
    use crate::taxonomy::Taxonomy;

    fn rules(taxonomy: &Taxonomy) -> Vec<&Rule> {
        taxonomy.rules.iter().chain(&taxonomy.model_rules).collect()
    }

    /// What is known of a device that is several at once.
    fn together<'a>(parts: &[&Evidence<'a>]) -> Evidence<'a> {
        let said = parts.iter().flat_map(|part| part.said()).copied().collect();
        let spoken = parts.iter().flat_map(|part| part.spoken()).copied().collect();
        Evidence::new(said, spoken, parts.iter().map(|part| part.newest()).max().unwrap_or_default())
    }

    /// That exactly the rules hold that hold among those that are found, and say the same.
    fn check(taxonomy: &Taxonomy, evidence: &Evidence<'_>) {
        let held = |place: usize| {
            let reason = taxonomy.rule(place).and_then(|rule| rule.support(evidence));
            reason.map(|reason| (place, reason))
        };
        let of_all: Vec<_> = (0..rules(taxonomy).len()).filter_map(held).collect();
        let of_found: Vec<_> = taxonomy.index.find(evidence).into_iter().filter_map(held).collect();
        assert_eq!(of_found, of_all, "{evidence:?}");
    }

    #[test]
    fn every_rule_is_found_by_its_example_among_few_others() {
        let knowledge = Knowledge::builtin().expect("the built-in pack");
        let taxonomy = &knowledge.taxonomy;
        let all = rules(taxonomy);
        let mut looked_at = 0;
        for (place, rule) in all.iter().enumerate() {
            let found = taxonomy.index.find(&rule.example.evidence());
            assert!(found.contains(&place), "{} is not found by its example", rule.id);
            looked_at += found.len();
        }
        assert!(looked_at < all.len() * 2, "{looked_at} by {} examples", all.len());
    }

    #[test]
    fn the_rules_that_hold_are_among_those_that_are_found() {
        let knowledge = Knowledge::builtin().expect("the built-in pack");
        let taxonomy = &knowledge.taxonomy;
        let rules = rules(taxonomy);
        let counterexamples = rules.iter().map(|rule| &rule.counterexample);
        let examples: Vec<_> = rules.iter().map(|rule| &rule.example).chain(counterexamples).collect();
        let devices: Vec<_> = examples.iter().map(|example| example.evidence()).collect();
        check(taxonomy, &Evidence::default());
        check(taxonomy, &together(&devices.iter().collect::<Vec<_>>()));
        for (at, device) in devices.iter().enumerate() {
            check(taxonomy, device);
            // With its neighbours, which are alike, and with some others.
            for (step, many) in [(1, 2), (97, 5)] {
                let others: Vec<_> = devices.iter().cycle().skip(at).step_by(step).take(many).collect();
                check(taxonomy, &together(&others));
            }
        }
    }

    #[test]
    fn neither_case_nor_letters_beyond_ascii_hide_a_rule() {
        let knowledge = Knowledge::builtin().expect("the built-in pack");
        let taxonomy = &knowledge.taxonomy;
        let changes: [fn(&str) -> String; 4] = [
            str::to_ascii_uppercase,
            str::to_ascii_lowercase,
            |value| format!("{value} \u{e4}"),
            // Other cases of these letters, where a pattern ignores the case.
            |value| value.replace(['k', 'K'], "\u{212a}").replace(['s', 'S'], "\u{17f}"),
        ];
        for rule in rules(taxonomy) {
            let evidence = rule.example.evidence();
            for change in changes {
                let values: Vec<_> = evidence.said().iter().map(|said| change(said.value)).collect();
                let said = evidence.said().iter().zip(&values).map(|(said, value)| Said { value, ..*said });
                let spoken = evidence.spoken().to_vec();
                check(taxonomy, &Evidence::new(said.collect(), spoken, evidence.newest()));
            }
        }
    }
}
