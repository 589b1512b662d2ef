//! How many of an oracle's statements the sensor makes as well.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};

use super::exceptions::Exceptions;

/// How many differences a failing test lists.
const SHOWN: usize = 60;

/// What was compared in one area, or of one field.
#[derive(Debug, Default)]
struct Tally {
    agreed: u64,
    excepted: u64,
    unexplained: u64,
}

/// A comparison with one oracle, counted by area or field.
#[derive(Debug)]
pub struct Agreement {
    title: String,
    exceptions: Exceptions,
    tallies: BTreeMap<String, Tally>,
    unexplained: Vec<String>,
}

impl Agreement {
    /// Nothing compared yet.
    pub fn new(title: impl Into<String>, exceptions: Exceptions) -> Self {
        Self { title: title.into(), exceptions, tallies: BTreeMap::new(), unexplained: Vec::new() }
    }

    /// The sensor says what the oracle says.
    pub fn agrees(&mut self, class: &str) {
        self.tallies.entry(class.to_owned()).or_default().agreed += 1;
    }

    /// The sensor says something else about `item` of `capture`, as told in `difference`. Exceptions are looked up by
    /// the item, and by the rule that it falls under, if any.
    pub fn differs(&mut self, class: &str, capture: &str, item: &str, rule: Option<&str>, difference: &str) {
        let tally = self.tallies.entry(class.to_owned()).or_default();
        if self.exceptions.excuse(capture, item, rule) {
            tally.excepted += 1;
        } else {
            tally.unexplained += 1;
            self.unexplained.push(format!("{capture}: {item}: {difference}"));
        }
    }

    /// The share of all that was compared in which both agree, exceptions counted as differences: 0 to 1.
    pub fn share(&self) -> f64 {
        self.whole().share()
    }

    /// The same for each area or field.
    pub fn shares(&self) -> impl Iterator<Item = (&str, f64)> {
        self.tallies.iter().map(|(class, tally)| (class.as_str(), tally.share()))
    }

    /// Prints the table, for people.
    pub fn print(&self) {
        let mut table = format!(
            "{}\n{:26}{:>9}{:>9}{:>9}{:>12}{:>13}\n",
            self.title, "", "compared", "agree", "%", "exceptions", "unexplained"
        );
        for (class, tally) in &self.tallies {
            tally.row(class, &mut table);
        }
        self.whole().row("all", &mut table);
        // Where standard error is closed there is nobody to tell.
        let _ = writeln!(io::stderr(), "{table}");
    }

    /// What is wrong: differences without an exception, exceptions without a difference, nothing to compare.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.tallies.is_empty() {
            faults.push("nothing was compared".into());
        }
        let not_met = self.exceptions.not_met().into_iter();
        faults.extend(not_met.map(|item| format!("an exception does not occur: {item}")));
        let shown = self.unexplained.iter().take(SHOWN);
        faults.extend(shown.map(|difference| format!("no exception explains {difference}")));
        if self.unexplained.len() > SHOWN {
            faults.push(format!("and {} differences more", self.unexplained.len() - SHOWN));
        }
        faults
    }

    fn whole(&self) -> Tally {
        self.tallies.values().fold(Tally::default(), |whole, tally| Tally {
            agreed: whole.agreed + tally.agreed,
            excepted: whole.excepted + tally.excepted,
            unexplained: whole.unexplained + tally.unexplained,
        })
    }
}

impl Tally {
    /// The share of what was compared in which both agree.
    fn share(&self) -> f64 {
        let compared = self.agreed + self.excepted + self.unexplained;
        if compared == 0 { 1.0 } else { self.agreed as f64 / compared as f64 }
    }

    fn row(&self, name: &str, table: &mut String) {
        let compared = self.agreed + self.excepted + self.unexplained;
        let percent = self.share() * 100.0;
        let Self { agreed, excepted, unexplained } = self;
        let _ =
            writeln!(table, "{name:26}{compared:>9}{agreed:>9}{percent:>9.2}{excepted:>12}{unexplained:>13}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &str = r#"
        [[exception]]
        oracle = "it"
        capture = "area/one.pcap"
        items = ["first", "second"]
        reason = "they were seen to differ"

        [[exception]]
        oracle = "it"
        capture = "area/two.pcap"
        rule = "in a tunnel"
        reason = "they were seen to differ"
    "#;

    fn agreement() -> Agreement {
        Agreement::new("a test", Exceptions::parse(KNOWN, "it").expect("exceptions"))
    }

    #[test]
    fn known_differences_are_no_faults_and_count_as_differences() {
        let mut agreement = agreement();
        agreement.agrees("area");
        agreement.differs("area", "area/one.pcap", "first", None, "");
        agreement.differs("area", "area/one.pcap", "second", None, "");
        agreement.differs("area", "area/two.pcap", "anything", Some("in a tunnel"), "");
        assert_eq!(agreement.faults(), [""; 0]);
        assert!((agreement.share() - 0.25).abs() < f64::EPSILON);
    }

    #[test]
    fn a_difference_that_no_exception_explains_is_a_fault() {
        let mut agreement = agreement();
        agreement.differs("area", "area/two.pcap", "first", None, "told twice");
        agreement.differs("area", "area/one.pcap", "third", Some("in a tunnel"), "not told");
        let faults = agreement.faults().join("\n");
        assert!(faults.contains("no exception explains area/two.pcap: first: told twice"), "{faults}");
        assert!(faults.contains("no exception explains area/one.pcap: third: not told"), "{faults}");
    }

    #[test]
    fn an_exception_that_does_not_occur_is_a_fault_and_so_is_nothing_to_compare() {
        let faults = agreement().faults().join("\n");
        for fault in ["nothing was compared", "area/one.pcap: first", "area/one.pcap: second", "in a tunnel"]
        {
            assert!(faults.contains(fault), "{fault} is not in {faults}");
        }
    }

    #[test]
    fn an_exception_needs_a_reason_and_something_that_it_excepts() {
        let without_reason = KNOWN.replace("they were seen to differ", "so");
        assert!(Exceptions::parse(&without_reason, "it").is_err());
        let without_items = KNOWN.replace(r#"["first", "second"]"#, "[]");
        assert!(Exceptions::parse(&without_items, "it").is_err());
    }
}
