//! Names of sensors, each kept once: every statement of a site names one of a few.

use std::collections::BTreeSet;
use std::sync::Arc;

/// Names that are shared; beyond, somebody is making them up.
const MOST_SENSORS: usize = 1024;

/// The names of a site's sensors.
#[derive(Debug, Default)]
pub(crate) struct Sensors(BTreeSet<Arc<str>>);

impl Sensors {
    /// The one text of this name; where there is no room for another, one of its own.
    pub(crate) fn of(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return Arc::clone(known);
        }
        let new: Arc<str> = Arc::from(name);
        if self.0.len() < MOST_SENSORS {
            self.0.insert(Arc::clone(&new));
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_once_as_long_as_there_is_room() {
        let mut sensors = Sensors::default();
        let first = sensors.of("s1");
        assert!(Arc::ptr_eq(&first, &sensors.of("s1")));
        for number in 0..2 * MOST_SENSORS {
            assert_eq!(&*sensors.of(&format!("made up {number}")), format!("made up {number}"));
        }
        assert_eq!(sensors.0.len(), MOST_SENSORS);
        assert!(Arc::ptr_eq(&first, &sensors.of("s1")));
    }
}
