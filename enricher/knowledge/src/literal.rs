//! What text must stand in every value that a regular expression matches, so that most patterns need not be tried.

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};
use regex_syntax::parse;

/// Texts of which one must stand in a value, at most.
const MOST_TEXTS: usize = 16;
/// A class of more characters than this says nothing.
const WIDEST_CLASS: usize = 4;
/// Longer texts tell no more.
const LONGEST_TEXT: usize = 32;
/// A text of fewer octets stands in too many values.
const SHORTEST_TEXT: usize = 2;

/// Texts of ASCII characters, in lower case, of which one stands in every ASCII value that the pattern matches,
/// whatever the case of its letters. Empty where the pattern needs no such text, or none that is long enough.
pub(crate) fn required(pattern: &str) -> Vec<String> {
    let found = parse(pattern).ok().and_then(|hir| Needs::of(&hir).best());
    found.filter(|texts| shortest(texts) >= SHORTEST_TEXT).unwrap_or_default()
}

/// What an expression needs.
#[derive(Default)]
struct Needs {
    /// All texts that it matches, where they are few.
    whole: Option<Vec<String>>,
    /// One of these stands in whatever it matches.
    part: Option<Vec<String>>,
}

impl Needs {
    fn of(hir: &Hir) -> Self {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Self::whole(vec![String::new()]),
            HirKind::Literal(literal) => match str::from_utf8(&literal.0) {
                Ok(text) if text.is_ascii() => Self::whole(vec![text.to_ascii_lowercase()]),
                _ => Self::default(),
            },
            HirKind::Class(class) => Self { whole: of_class(class), part: None },
            HirKind::Repetition(repetition) => Self::of_repetition(repetition),
            HirKind::Capture(capture) => Self::of(&capture.sub),
            HirKind::Concat(parts) => Self::of_sequence(parts),
            HirKind::Alternation(branches) => Self::of_alternation(branches),
        }
    }

    fn whole(texts: Vec<String>) -> Self {
        Self { whole: Some(texts), part: None }
    }

    fn of_repetition(repetition: &Repetition) -> Self {
        let once = Self::of(&repetition.sub);
        match (repetition.min, repetition.max) {
            (0, Some(1)) => {
                let whole = once.whole.map(|mut texts| {
                    texts.push(String::new());
                    texts
                });
                Self { whole: whole.filter(|texts| texts.len() <= MOST_TEXTS), part: None }
            }
            (0, _) => Self::default(),
            _ => Self { whole: None, part: once.best() },
        }
    }

    fn of_sequence(parts: &[Hir]) -> Self {
        let mut run = vec![String::new()];
        let (mut is_whole, mut best) = (true, None);
        for part in parts {
            let needs = Self::of(part);
            let joined = needs.whole.as_ref().and_then(|texts| join(&run, texts));
            if let Some(joined) = joined {
                run = joined;
                continue;
            }
            is_whole = false;
            best = better(best, Some(std::mem::replace(&mut run, vec![String::new()])));
            match needs.whole {
                Some(texts) => run = texts,
                None => best = better(best, needs.part),
            }
        }
        if is_whole { Self::whole(run) } else { Self { whole: None, part: better(best, Some(run)) } }
    }

    fn of_alternation(branches: &[Hir]) -> Self {
        let needs: Vec<Self> = branches.iter().map(Self::of).collect();
        let whole: Option<Vec<String>> = needs
            .iter()
            .map(|needs| needs.whole.clone())
            .collect::<Option<Vec<_>>>()
            .map(|texts| texts.concat());
        if let Some(texts) = whole.filter(|texts| texts.len() <= MOST_TEXTS) {
            return Self::whole(texts);
        }
        let parts: Option<Vec<Vec<String>>> = needs.into_iter().map(Self::best).collect();
        Self {
            whole: None,
            part: parts.map(|texts| texts.concat()).filter(|texts| texts.len() <= MOST_TEXTS),
        }
    }

    /// The most telling texts, one of which is needed.
    fn best(self) -> Option<Vec<String>> {
        better(self.part, self.whole)
    }
}

/// The characters of a small class, without the case of letters.
fn of_class(class: &Class) -> Option<Vec<String>> {
    let mut folded = Vec::new();
    let ranges: Vec<(u32, u32)> = match class {
        Class::Unicode(class) => {
            class.ranges().iter().map(|range| (u32::from(range.start()), u32::from(range.end()))).collect()
        }
        Class::Bytes(class) => {
            class.ranges().iter().map(|range| (u32::from(range.start()), u32::from(range.end()))).collect()
        }
    };
    for number in ranges.into_iter().flat_map(|(start, end)| start..=end).take(1 + 2 * WIDEST_CLASS) {
        // Other characters stand in no ASCII value: the Kelvin sign, which is a K of another case.
        if let Some(c) = char::from_u32(number).filter(char::is_ascii) {
            folded.push(c.to_ascii_lowercase().to_string());
        }
    }
    folded.sort_unstable();
    folded.dedup();
    (1..=WIDEST_CLASS).contains(&folded.len()).then_some(folded)
}

/// Every text with every other behind it, where they are few.
fn join(texts: &[String], others: &[String]) -> Option<Vec<String>> {
    let are_few = texts.len() * others.len() <= MOST_TEXTS;
    let are_short = texts.iter().all(|text| text.len() < LONGEST_TEXT);
    (are_few && are_short).then(|| {
        texts.iter().flat_map(|text| others.iter().map(move |other| format!("{text}{other}"))).collect()
    })
}

fn shortest(texts: &[String]) -> usize {
    texts.iter().map(String::len).min().unwrap_or_default()
}

/// The texts that stand in fewer values: the longer ones, of equally long ones the fewer.
fn better(a: Option<Vec<String>>, b: Option<Vec<String>>) -> Option<Vec<String>> {
    let worth = |texts: &Vec<String>| (shortest(texts), usize::MAX - texts.len());
    match (a, b) {
        (Some(a), Some(b)) => Some(if worth(&b) > worth(&a) { b } else { a }),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_text_that_must_stand_there_is_found() {
        for (pattern, texts) in [
            ("^AXIS_([0-9A-F]{12})$", &["axis_"][..]),
            ("(?i)^Cisco IOS Software, .* Version ([^ ]+)", &["cisco ios software, "]),
            ("^(?:HP|Xerox) Printer", &["hp printer", "xerox printer"]),
            ("^(?:[0-9]+ )?Zebra", &["zebra"]),
            ("a?bcd", &["abcd", "bcd"]),
            ("^(?:lighttpd|Apache.*)$", &["lighttpd", "apache"]),
            (".*", &[]),
            ("^[0-9.]+$", &[]),
            ("(?:foo)?.*", &[]),
            ("x|.*", &[]),
            ("(?:ab)+", &["ab"]),
        ] {
            let mut found = required(pattern);
            found.sort_unstable();
            let mut wanted: Vec<_> = texts.iter().map(ToString::to_string).collect();
            wanted.sort_unstable();
            assert_eq!(found, wanted, "{pattern}");
        }
    }
}
