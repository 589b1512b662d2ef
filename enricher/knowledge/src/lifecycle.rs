//! Which words in another system's table say that a device is no longer in service.

use crate::error::KnowledgeError;
use crate::pack::Entry;

/// Words of all packs together.
const MOST: usize = 256;
/// The longest of them, in octets.
const LONGEST: usize = 64;

/// The states that mean it, in small letters, words parted by one blank.
#[derive(Clone, Debug, Default)]
pub(crate) struct RetiredStates {
    all: Vec<String>,
}

impl RetiredStates {
    /// What earlier packs said stays.
    pub(crate) fn add(&mut self, entry: &Entry<Vec<String>>) -> Result<(), KnowledgeError> {
        for (number, state) in entry.value.iter().enumerate() {
            let wrong = |problem: String| Err(entry.place.wrong(format!("[{number}]"), problem));
            let folded = folded(state);
            if folded.is_empty() || state.len() > LONGEST {
                return wrong(format!("must have a letter or a digit, and at most {LONGEST} octets"));
            }
            if self.all.contains(&folded) {
                continue;
            }
            if self.all.len() >= MOST {
                return wrong(format!("there are {MOST} states already"));
            }
            self.all.push(folded);
        }
        Ok(())
    }

    /// Whether a state is one of them, or begins with one: `Retired - sold in May`.
    pub(crate) fn holds(&self, state: &str) -> bool {
        let state = folded(state);
        let begins =
            |known: &String| state.strip_prefix(known.as_str()).is_some_and(|rest| rest.starts_with(' '));
        self.all.iter().any(|known| state == *known || begins(known))
    }
}

/// The words of a text in small letters.
fn folded(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use crate::Knowledge;

    #[test]
    fn states_that_say_so_are_told_from_those_that_will_or_do_not() {
        let knowledge = Knowledge::builtin().expect("the built-in pack is sound");
        for state in ["Retired", "RETIRED", "retired - sold in May", "De-commissioned", "Ausgemustert"] {
            assert!(knowledge.is_retired_state(state), "{state}");
        }
        for state in ["In Service", "Not retired", "To be disposed", "Out of service", "Retirement home", ""]
        {
            assert!(!knowledge.is_retired_state(state), "{state}");
        }
    }

    #[test]
    fn a_hospital_adds_its_own_and_a_state_without_a_word_is_refused() {
        let knowledge = Knowledge::builtin().expect("the built-in pack is sound");
        let ours = knowledge.over("ours", "version = \"1\"\nretired_states = [\"Status 9\"]").expect("sound");
        assert!(ours.is_retired_state("status 9") && ours.is_retired_state("retired"));
        let wrong = knowledge.over("ours", "version = \"1\"\nretired_states = [\"scrap\", \" - \"]");
        let told = wrong.expect_err("no word").to_string();
        assert!(told.contains("retired_states") && told.contains("[1]"), "{told}");
    }
}
