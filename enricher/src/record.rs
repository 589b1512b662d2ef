//! A message of `wardwatch.facts`, read and checked.

use std::borrow::Cow;

use prost::Message as _;
use wardwatch_processor::{Reason, Tally, is_name};
use wardwatch_proto::attribute;
use wardwatch_proto::command::{self, Malformed};
use wardwatch_proto::v1::fact::Fact as Stated;
use wardwatch_proto::v1::{Attribute, Batch, Command, Fact, LogRecord, Observation, log_record};

/// The longest key that tells third devices apart, in octets.
const LONGEST_SUBJECT_KEY: usize = 512;

/// A message that could be read.
#[derive(Debug)]
pub(crate) enum Record {
    /// Facts of one sensor.
    Batch(Batch),
    /// What someone decided.
    Command(Box<Command>),
}

/// Why a message is put aside. The words stand in the dead letter's header and in the counter's label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is not a `LogRecord`.
    NotARecord,
    /// It is one of a kind that this program does not know, or of none.
    UnknownKind,
    /// It does not say which site or sensor it is of, or says it with more than 128 octets or control characters.
    BadName,
    /// The partition has as many sites as the configuration allows.
    TooManySites,
    /// It is a command that breaks its bounds.
    BadCommand(Malformed),
}

impl Unreadable {
    /// The reason in a word.
    pub(crate) fn reason(self) -> Reason {
        Reason(match self {
            Self::NotARecord => "not-a-record",
            Self::UnknownKind => "unknown-kind",
            Self::BadName => "bad-name",
            Self::TooManySites => "too-many-sites",
            Self::BadCommand(malformed) => malformed.word(),
        })
    }
}

/// Reads a message.
pub(crate) fn read(payload: &[u8]) -> Result<Record, Unreadable> {
    let record = LogRecord::decode(payload).map_err(|_| Unreadable::NotARecord)?;
    match record.record {
        Some(log_record::Record::Batch(batch)) if is_name(&batch.site) && is_name(&batch.sensor) => {
            Ok(Record::Batch(batch))
        }
        Some(log_record::Record::Batch(_)) => Err(Unreadable::BadName),
        Some(log_record::Record::Command(command)) => match command::check(&command) {
            Ok(()) => Ok(Record::Command(Box::new(command))),
            Err(malformed) => Err(Unreadable::BadCommand(malformed)),
        },
        None => Err(Unreadable::UnknownKind),
    }
}

/// The facts that may be believed, in their order: flows as they are, observations within the grammar of their attribute.
/// The sensor has asked the same; this is for sensors that are older, broken or lying.
pub(crate) fn believable(facts: Vec<Fact>, tally: &mut Tally) -> Vec<Fact> {
    tally.add("enricher_facts_received", facts.len());
    let is_flow = |fact: &&Fact| matches!(fact.fact, Some(Stated::Flow(_)));
    tally.add("enricher_flows_received", facts.iter().filter(is_flow).count());
    facts.into_iter().filter_map(|fact| judge(fact, tally)).collect()
}

fn judge(mut fact: Fact, tally: &mut Tally) -> Option<Fact> {
    match &mut fact.fact {
        // Counted all at once.
        Some(Stated::Flow(_)) => {}
        Some(Stated::Observation(observation)) => {
            if let Err(reason) = check(observation) {
                tally.add_labelled("enricher_observations_rejected", "reason", reason, 1);
                return None;
            }
            tally.add("enricher_observations_received", 1);
        }
        None => {
            tally.add("enricher_facts_unknown", 1);
            return None;
        }
    }
    Some(fact)
}

/// Brings the value into canonical form, or says in a word why the statement is not believed.
fn check(observation: &mut Observation) -> Result<(), &'static str> {
    let attribute = Attribute::try_from(observation.attribute).map_err(|_| "unknown-attribute")?;
    if attribute == Attribute::Unspecified {
        return Err("unknown-attribute");
    }
    if attribute::is_imported(attribute) || attribute::is_table(observation.protocol()) {
        return Err("imported-only");
    }
    let subject = observation.subject.as_ref().ok_or("no-subject")?;
    if subject.key.len() > LONGEST_SUBJECT_KEY || subject.key.contains(char::is_control) {
        return Err("bad-subject");
    }
    let canonical = match attribute::accept(attribute, &observation.value).ok_or("breaks-grammar")? {
        Cow::Borrowed(value) if value == observation.value => return Ok(()),
        changed => changed.into_owned(),
    };
    observation.value = canonical;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wardwatch_proto::v1::{Flow, Protocol, Subject};

    fn observation(attribute: Attribute, value: &str) -> Fact {
        let observation = Observation {
            attribute: attribute.into(),
            value: value.into(),
            subject: Some(Subject::default()),
            ..Observation::default()
        };
        Fact { fact: Some(Stated::Observation(observation)) }
    }

    fn record(record: log_record::Record) -> Vec<u8> {
        LogRecord { record: Some(record) }.encode_to_vec()
    }

    #[test]
    fn what_cannot_be_read_has_a_reason() {
        assert_eq!(read(b"\xff\xff garbage").expect_err("garbage"), Unreadable::NotARecord);
        assert_eq!(read(b"").expect_err("nothing"), Unreadable::UnknownKind);
        let nameless = record(log_record::Record::Batch(Batch::default()));
        assert_eq!(read(&nameless).expect_err("no site"), Unreadable::BadName);
        let idle = Command { site: "north".into(), ..Command::default() };
        assert_eq!(
            read(&record(log_record::Record::Command(idle))).expect_err("no action").reason(),
            Unreadable::UnknownKind.reason()
        );
    }

    #[test]
    fn what_only_other_systems_know_is_not_believed_of_a_sensor() {
        let mut in_a_table = observation(Attribute::Location, "Ward 3");
        if let Some(Stated::Observation(observation)) = &mut in_a_table.fact {
            observation.protocol = Protocol::Cmms.into();
        }
        let facts = vec![observation(Attribute::CostCentre, "4711"), in_a_table];
        let mut tally = Tally::default();
        assert!(believable(facts, &mut tally).is_empty());
        let counters = wardwatch_service::Counters::default();
        tally.count(&counters);
        assert_eq!(counters.total("enricher_observations_rejected"), 2);
    }

    #[test]
    fn a_value_outside_its_grammar_is_dropped_and_its_neighbours_stay() {
        let facts = vec![
            Fact { fact: Some(Stated::Flow(Flow::default())) },
            observation(Attribute::HostName, " CT01.Example. "),
            observation(Attribute::DicomModality, "Doe^John 1970"),
            observation(Attribute::Unspecified, "anything"),
            Fact { fact: None },
        ];
        let mut tally = Tally::default();
        let believed = believable(facts, &mut tally);
        let counters = wardwatch_service::Counters::default();
        tally.count(&counters);
        assert_eq!(believed.len(), 2);
        assert!(matches!(&believed[1].fact, Some(Stated::Observation(o)) if o.value == "ct01.example"));
        assert_eq!(counters.total("enricher_facts_received"), 5);
        assert_eq!(counters.total("enricher_flows_received"), 1);
        assert_eq!(counters.total("enricher_observations_received"), 1);
        assert_eq!(counters.total("enricher_observations_rejected"), 2);
        assert_eq!(counters.total("enricher_facts_unknown"), 1);
    }
}
