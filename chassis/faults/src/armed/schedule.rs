//! What is to happen where, as text: `enricher.plan-after@3=kill;collector.after-enqueue@5=stall:2s`.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use crate::is_point;

/// What happens at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Kill,
    Stop,
    Stall(Duration),
}

/// What is to happen at which hit of which point.
#[derive(Debug, Default)]
pub(super) struct Schedule(HashMap<(String, u64), Action>);

/// Why a schedule cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Error {
    #[error("{0:?} is not of the form point@n=action")]
    Form(String),
    #[error("there is no point {0:?}")]
    Point(String),
    #[error("{0:?} is not the number of a hit, from 1")]
    Number(String),
    #[error("{0:?} is not an action: kill, stop, or stall:<duration>")]
    Action(String),
    #[error("{point}@{number} is there twice")]
    Twice { point: String, number: u64 },
}

impl Schedule {
    /// Reads faults that are separated by `;`. An empty text is an empty schedule.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let mut faults = HashMap::new();
        for fault in text.split(';').map(str::trim).filter(|fault| !fault.is_empty()) {
            let parts =
                fault.split_once('=').and_then(|(place, action)| Some((place.split_once('@')?, action)));
            let ((point, number), action) = parts.ok_or_else(|| Error::Form(fault.to_owned()))?;
            if !is_point(point) {
                return Err(Error::Point(point.to_owned()));
            }
            let of = number.parse().ok().filter(|number| *number > 0);
            let number = of.ok_or_else(|| Error::Number(number.to_owned()))?;
            let action = Action::parse(action).ok_or_else(|| Error::Action(action.to_owned()))?;
            if faults.insert((point.to_owned(), number), action).is_some() {
                return Err(Error::Twice { point: point.to_owned(), number });
            }
        }
        Ok(Self(faults))
    }

    /// What is to happen at the hit of this number.
    pub(super) fn at(&self, point: &str, number: u64) -> Option<Action> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&(point.to_owned(), number)).copied()
    }
}

impl Action {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "kill" => Some(Self::Kill),
            "stop" => Some(Self::Stop),
            text => humantime::parse_duration(text.strip_prefix("stall:")?).ok().map(Self::Stall),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill => f.write_str("kill"),
            Self::Stop => f.write_str("stop"),
            Self::Stall(duration) => {
                // Without the spaces that people like: a ledger's line is split at them.
                let duration = humantime::format_duration(*duration).to_string().replace(' ', "");
                write!(f, "stall:{duration}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_says_what_happens_at_which_hit() {
        let text = "enricher.plan-after@3=kill; enricher.insert-body:flows@2=stop;collector.after-enqueue@5=stall:1500ms;";
        let schedule = Schedule::parse(text).unwrap();
        assert_eq!(schedule.at("enricher.plan-after", 3), Some(Action::Kill));
        assert_eq!(schedule.at("enricher.plan-after", 2), None);
        assert_eq!(schedule.at("enricher.insert-body:flows", 2), Some(Action::Stop));
        let stall = Action::Stall(Duration::from_millis(1500));
        assert_eq!(schedule.at("collector.after-enqueue", 5), Some(stall));
        assert_eq!(stall.to_string(), "stall:1s500ms");
        assert_eq!(Action::parse(&stall.to_string()), Some(stall));
    }

    #[test]
    fn nothing_to_do_is_a_schedule() {
        assert!(Schedule::parse("").unwrap().0.is_empty());
    }

    #[test]
    fn every_slip_of_the_pen_is_refused() {
        let refused = |text: &str| Schedule::parse(text).unwrap_err();
        assert_eq!(refused("enricher.plan-after"), Error::Form("enricher.plan-after".to_owned()));
        assert_eq!(refused("enricher.plan-after=kill"), Error::Form("enricher.plan-after=kill".to_owned()));
        assert_eq!(refused("enricher.plan-afer@1=kill"), Error::Point("enricher.plan-afer".to_owned()));
        assert_eq!(refused("enricher.plan-after@0=kill"), Error::Number("0".to_owned()));
        assert_eq!(refused("enricher.plan-after@x=kill"), Error::Number("x".to_owned()));
        assert_eq!(refused("enricher.plan-after@1=kil"), Error::Action("kil".to_owned()));
        assert_eq!(refused("enricher.plan-after@1=stall:2"), Error::Action("stall:2".to_owned()));
        let twice = "enricher.plan-after@1=kill;enricher.plan-after@1=stop";
        assert_eq!(refused(twice), Error::Twice { point: "enricher.plan-after".to_owned(), number: 1 });
    }
}
