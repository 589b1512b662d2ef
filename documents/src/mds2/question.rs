//! The ids of questions, in both editions, and what answers look like.

use crate::spreadsheet::Line;

/// The longest id.
const LONGEST_ID: usize = 16;

/// An edition of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edition {
    /// HN 1-2013.
    Of2013,
    /// HN 1-2019.
    Of2019,
}

/// The id of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct QuestionId {
    /// As the form has it, without blanks.
    pub(super) text: String,
    /// What stands before the number: `MPII`, `1`, `B`.
    group: String,
}

impl Edition {
    /// The year.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Of2013 => "2013",
            Self::Of2019 => "2019",
        }
    }

    /// An id, if the text is nothing else.
    pub(super) fn id(self, text: &str) -> Option<QuestionId> {
        if text.len() > LONGEST_ID {
            return None;
        }
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let is_number = |number: &str| {
            number.split('.').all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()))
        };
        let (group, number) = match text.split_once('-') {
            Some((group, number)) => (group, Some(number)),
            None => (text.as_str(), None),
        };
        let is_id = match (self, number) {
            (Self::Of2019, Some(number)) => {
                let is_sign = (3..=4).contains(&group.len()) && group.chars().all(|c| c.is_ascii_uppercase());
                is_sign && is_number(number)
            }
            (Self::Of2019, None) => false,
            (Self::Of2013, Some(number)) => {
                group.len() <= 2 && is_number(number) && group.parse().is_ok_and(|section: u8| section > 0)
            }
            // The first section's: A to D, with numbers behind a point.
            (Self::Of2013, None) => {
                let (letter, rest) = group.split_once('.').map_or((group, None), |(l, r)| (l, Some(r)));
                let is_letter = letter.len() == 1 && letter.starts_with(|c: char| ('A'..='D').contains(&c));
                is_letter && rest.is_none_or(is_number)
            }
        };
        let group = group.split('.').next().unwrap_or_default().to_owned();
        is_id.then_some(QuestionId { text, group })
    }

    /// The sign of a question's section; `above` is that of the last heading.
    pub(super) fn section(self, id: &QuestionId, above: &str) -> String {
        match self {
            Self::Of2019 => id.group.clone(),
            Self::Of2013 if id.group.starts_with(|c: char| c.is_ascii_alphabetic()) => "MPD".into(),
            Self::Of2013 if above.is_empty() => id.group.clone(),
            Self::Of2013 => above.to_owned(),
        }
    }
}

/// The sign of a section in a heading such as `AUTOMATIC LOGOFF (ALOF)`.
pub(super) fn sign(line: &Line) -> Option<String> {
    line.cells.iter().take(3).find_map(|(_, text)| {
        let (_, rest) = text.split_once('(')?;
        let (sign, _) = rest.split_once(')')?;
        let is_sign = sign.len() == 4 && sign.chars().all(|c| c.is_ascii_uppercase());
        is_sign.then(|| sign.to_owned())
    })
}

/// An answer in the form's own words, where it is one of them.
pub(super) fn normal(answer: &str) -> String {
    let word: String = answer.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    match word.as_str() {
        "yes" | "y" => "Yes".into(),
        "no" | "n" => "No".into(),
        "na" | "notapplicable" => "N/A".into(),
        "seenote" | "seenotes" => "See Note".into(),
        // What is left of an empty field of the form.
        "" => String::new(),
        _ => answer.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_both_editions_are_told_apart() {
        for id in ["DOC-1", "MPII-2.11", "AUDT-4.1.1", " SBOM-1 "] {
            assert!(Edition::Of2019.id(id).is_some(), "{id}");
            assert!(Edition::Of2013.id(id).is_none(), "{id}");
        }
        for id in ["A", "B.3", "1-1", "20-1.2", "2-2.10"] {
            assert!(Edition::Of2013.id(id).is_some(), "{id}");
            assert!(Edition::Of2019.id(id).is_none(), "{id}");
        }
        for text in
            ["", "-", "HTTP", "E.1", "0-1", "300-1", "1-", "1-1.", "MPII-", "mpii-1", "ISO-", "2019-05-31"]
        {
            assert!(Edition::Of2013.id(text).is_none() && Edition::Of2019.id(text).is_none(), "{text}");
        }
    }

    #[test]
    fn answers_have_one_spelling() {
        for (said, normal_answer) in [
            ("YES", "Yes"),
            ("n/a", "N/A"),
            ("See Notes", "See Note"),
            ("__", ""),
            ("Windows 10", "Windows 10"),
        ] {
            assert_eq!(normal(said), normal_answer);
        }
    }
}
