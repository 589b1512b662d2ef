//! What was said about one endpoint: each statement once, with when, how often and by whom; bounded.

use std::cmp::Ordering;
use std::net::IpAddr;
use std::sync::Arc;

use crate::hour::hour;
use crate::settings::Settings;

/// An attribute's value in a protocol, heard by a sensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) key: StatementKey,
    /// Who said it: the strongest role so far (sender before peer before third).
    pub(crate) role: i32,
    /// Of the latest teller in that role.
    pub(crate) teller: Option<IpAddr>,
    /// When that teller last said it.
    pub(crate) teller_at: u64,
    pub(crate) first_seen: u64,
    pub(crate) last_seen: u64,
    pub(crate) count: u64,
    /// Heard in the batch at hand. Not part of the state.
    pub(crate) is_touched: bool,
}

/// What tells statements about one endpoint apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StatementKey {
    pub(crate) attribute: i32,
    pub(crate) value: Box<str>,
    pub(crate) protocol: i32,
    pub(crate) sensor: Arc<str>,
}

/// A statement as it is heard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard<'a> {
    pub(crate) attribute: i32,
    pub(crate) value: &'a str,
    pub(crate) protocol: i32,
    pub(crate) sensor: &'a Arc<str>,
    pub(crate) role: i32,
    pub(crate) teller: Option<IpAddr>,
    pub(crate) at: u64,
    pub(crate) count: u64,
}

/// What hearing a statement came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Known: counted.
    Repeated,
    /// New, or said by someone with more weight than before.
    New,
    /// New, and this one was given up for it; itself, where there is no room and all others are younger.
    Evicted(StatementKey),
}

/// The statements about one endpoint, in the order of their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Statements {
    list: Vec<Statement>,
}

/// Finds statements by keys that come in order: what is looked for together mostly lies together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InOrder<'a> {
    /// Those that were not passed yet.
    rest: &'a [Statement],
}

impl<'a> InOrder<'a> {
    /// The statement of a key, which must not be less than the one before.
    pub(crate) fn find(&mut self, key: &StatementKey) -> Option<&'a Statement> {
        if self.rest.first()?.key < *key {
            // The next one is seldom another than the next but one.
            let next = self.rest.get(1).is_some_and(|second| second.key >= *key);
            let passed = if next { 1 } else { self.rest.partition_point(|known| known.key < *key) };
            self.rest = self.rest.get(passed..)?;
        }
        self.rest.first().filter(|known| known.key == *key)
    }
}

impl Heard<'_> {
    fn compare(&self, key: &StatementKey) -> Ordering {
        key.attribute
            .cmp(&self.attribute)
            .then_with(|| (*key.value).cmp(self.value))
            .then_with(|| key.protocol.cmp(&self.protocol))
            .then_with(|| key.sensor.cmp(self.sensor))
    }
}

impl Statement {
    fn new(heard: &Heard<'_>) -> Self {
        Self {
            key: StatementKey {
                attribute: heard.attribute,
                value: heard.value.into(),
                protocol: heard.protocol,
                sensor: Arc::clone(heard.sensor),
            },
            role: heard.role,
            teller: heard.teller,
            teller_at: heard.at,
            first_seen: heard.at,
            last_seen: heard.at,
            count: heard.count,
            is_touched: true,
        }
    }

    /// What is said of a device no longer.
    pub(crate) fn withdrawn(key: StatementKey) -> Self {
        Self {
            key,
            role: 0,
            teller: None,
            teller_at: 0,
            first_seen: 0,
            last_seen: 0,
            count: 0,
            is_touched: false,
        }
    }

    /// The hour in which it was said last: what a device is described from.
    pub(crate) fn last_hour(&self) -> u64 {
        hour(self.last_seen)
    }

    /// The same as merging it with what is heard, without making that a statement: most of what is heard was heard before.
    fn hear_again(&mut self, heard: &Heard<'_>) {
        self.first_seen = self.first_seen.min(heard.at);
        self.last_seen = self.last_seen.max(heard.at);
        self.count = self.count.saturating_add(heard.count);
        let stronger = heard.role < self.role;
        let later = heard.role == self.role && (heard.at, heard.teller) > (self.teller_at, self.teller);
        if stronger || later {
            (self.role, self.teller, self.teller_at) = (heard.role, heard.teller, heard.at);
        }
        self.is_touched = true;
    }

    /// Adds what is known of the same statement from elsewhere. Neither order nor grouping matters.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.first_seen = self.first_seen.min(other.first_seen);
        self.last_seen = self.last_seen.max(other.last_seen);
        self.count = self.count.saturating_add(other.count);
        let stronger = other.role < self.role;
        let later =
            other.role == self.role && (other.teller_at, other.teller) > (self.teller_at, self.teller);
        if stronger || later {
            (self.role, self.teller, self.teller_at) = (other.role, other.teller, other.teller_at);
        }
        self.is_touched |= other.is_touched;
    }
}

impl Statements {
    /// Takes it in, if it was said before.
    pub(crate) fn hear_again(&mut self, heard: &Heard<'_>) -> Option<Outcome> {
        let at = self.list.binary_search_by(|known| heard.compare(&known.key)).ok()?;
        let known = self.list.get_mut(at)?;
        let before = known.role;
        known.hear_again(heard);
        Some(if known.role == before { Outcome::Repeated } else { Outcome::New })
    }

    pub(crate) fn hear(&mut self, heard: &Heard<'_>, settings: &Settings) -> Outcome {
        if let Some(outcome) = self.hear_again(heard) {
            return outcome;
        }
        if self.list.len() == self.list.capacity() {
            // Most endpoints say a few dozen things and then nothing new: room for many more would stay empty.
            self.list.reserve_exact(2);
        }
        let at = self.list.partition_point(|known| heard.compare(&known.key).is_lt());
        self.list.insert(at, Statement::new(heard));
        self.make_room(heard.attribute, settings).map_or(Outcome::New, Outcome::Evicted)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Statement> {
        self.list.iter()
    }

    /// Finds statements by keys that come in order.
    pub(crate) fn in_order(&self) -> InOrder<'_> {
        InOrder { rest: &self.list }
    }

    /// The statements of one attribute.
    pub(crate) fn of(&self, attribute: i32) -> impl Iterator<Item = &Statement> {
        let start = self.list.partition_point(|known| known.key.attribute < attribute);
        let rest = self.list.get(start..).unwrap_or_default();
        rest.iter().take_while(move |known| known.key.attribute == attribute)
    }

    /// The statements of one value.
    pub(crate) fn about(&self, attribute: i32, value: &str) -> impl Iterator<Item = &Statement> {
        let start =
            self.list.partition_point(|known| (known.key.attribute, &*known.key.value) < (attribute, value));
        let rest = self.list.get(start..).unwrap_or_default();
        rest.iter().take_while(move |known| known.key.attribute == attribute && *known.key.value == *value)
    }

    /// The keys of what was heard since the last call.
    pub(crate) fn take_touched(&mut self) -> Vec<StatementKey> {
        let touched = self.list.iter_mut().filter(|statement| statement.is_touched);
        touched
            .map(|statement| {
                statement.is_touched = false;
                statement.key.clone()
            })
            .collect()
    }

    /// Rebuilds from statements in any order.
    pub(crate) fn from_unsorted(mut list: Vec<Statement>) -> Self {
        list.sort_by(|a, b| a.key.cmp(&b.key));
        list.dedup_by(|next, first| next.key == first.key);
        Self { list }
    }

    /// Gives up the longest unseen statement where there is one too many of an attribute, or of all.
    fn make_room(&mut self, attribute: i32, settings: &Settings) -> Option<StatementKey> {
        let start = self.list.partition_point(|known| known.key.attribute < attribute);
        let end = self.list.partition_point(|known| known.key.attribute <= attribute);
        let same = self.list.get(start..end).unwrap_or_default();
        let values = same.chunk_by(|a, b| a.key.value == b.key.value).count();
        let range = if values > settings.values_per_attribute {
            start..end
        } else if self.list.len() > settings.statements_per_endpoint {
            0..self.list.len()
        } else {
            return None;
        };
        // Of equally old ones the last in order goes, so that the choice does not depend on the order of arrival.
        let oldest = range
            .filter_map(|at| Some((self.list.get(at)?.last_seen, std::cmp::Reverse(at))))
            .min()
            .map(|(_, std::cmp::Reverse(at))| at);
        oldest.map(|at| self.list.remove(at).key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(statements: &mut Statements, value: &str, at: u64, settings: &Settings) -> Outcome {
        let sensor = Arc::from("s1");
        let heard =
            Heard { attribute: 3, value, protocol: 2, sensor: &sensor, role: 1, teller: None, at, count: 1 };
        statements.hear(&heard, settings)
    }

    #[test]
    fn a_repeat_is_counted() {
        let (mut statements, settings) = (Statements::default(), Settings::default());
        assert_eq!(hear(&mut statements, "a", 5, &settings), Outcome::New);
        assert_eq!(hear(&mut statements, "a", 3, &settings), Outcome::Repeated);
        let only = statements.iter().next().expect("one statement");
        assert_eq!((only.first_seen, only.last_seen, only.count), (3, 5, 2));
    }

    #[test]
    fn a_thousand_identities_leave_the_newest_few() {
        let settings = Settings { values_per_attribute: 8, ..Settings::default() };
        let mut statements = Statements::default();
        for at in 0..1000 {
            hear(&mut statements, &format!("name-{at}"), at, &settings);
        }
        let values: Vec<_> = statements.iter().map(|statement| statement.key.value.as_ref()).collect();
        assert_eq!(values, (992..1000).map(|at| format!("name-{at}")).collect::<Vec<_>>());
    }

    #[test]
    fn all_attributes_together_are_bounded_too() {
        let settings = Settings { statements_per_endpoint: 10, ..Settings::default() };
        let mut statements = Statements::default();
        for at in 0..40 {
            hear(&mut statements, &format!("name-{at}"), at, &settings);
        }
        assert_eq!(statements.iter().count(), 10);
    }

    #[test]
    fn what_the_device_says_of_itself_outweighs_hearsay_in_any_order() {
        let sensor = Arc::from("s1");
        let heard = |role, at| Heard {
            attribute: 3,
            value: "a",
            protocol: 2,
            sensor: &sensor,
            role,
            teller: Some(IpAddr::from([10, 0, 0, at as u8])),
            at,
            count: 1,
        };
        let settings = Settings::default();
        for order in [[1, 3], [3, 1]] {
            let mut statements = Statements::default();
            for role in order {
                statements.hear(&heard(role, u64::try_from(role).expect("positive")), &settings);
            }
            let only = statements.iter().next().expect("one statement");
            assert_eq!((only.role, only.teller), (1, Some(IpAddr::from([10, 0, 0, 1]))));
        }
    }
}
