//! Texts of a document, within their bounds; what is left out is told.

/// How much of what was left out is listed; the rest is counted.
const MOST_LISTED: usize = 100;

/// Something that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Where it stands: `components[17].version`, `line 40`, `row 12`.
    pub place: String,
    /// Why it cannot be used.
    pub reason: &'static str,
}

/// What was left out of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// How many fields and entries, all together.
    pub count: usize,
    /// The first of them.
    pub listed: Vec<LeftOut>,
}

impl Losses {
    /// Counts one more.
    pub(crate) fn add(&mut self, place: impl FnOnce() -> String, reason: &'static str) {
        self.count += 1;
        if self.listed.len() < MOST_LISTED {
            self.listed.push(LeftOut { place: place(), reason });
        }
    }

    /// A text of one line without blanks around it, if it can be used; empty where it cannot, which is counted.
    pub(crate) fn line(&mut self, text: &str, longest: usize, place: impl FnOnce() -> String) -> String {
        match line(text, longest) {
            Ok(text) => text.to_owned(),
            Err(reason) => {
                self.add(place, reason);
                String::new()
            }
        }
    }
}

/// A text of one line without blanks around it, or why it cannot be used.
pub(crate) fn line(text: &str, longest: usize) -> Result<&str, &'static str> {
    let text = text.trim();
    if text.len() > longest {
        return Err("it is too long");
    }
    if text.contains(char::is_control) {
        return Err("it holds control characters");
    }
    Ok(text)
}

/// A text of several lines on one line, without control characters, cut at a bound in octets. What was cut off is replaced by
/// an ellipsis.
pub(crate) fn paragraph(text: &str, longest: usize) -> String {
    let mut line = String::new();
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    for word in words {
        let blank = usize::from(!line.is_empty());
        if line.len() + blank + word.len() + '…'.len_utf8() > longest {
            line.push('…');
            break;
        }
        if blank == 1 {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_shown_is_left_out_and_counted() {
        let mut losses = Losses::default();
        assert_eq!(losses.line(" openssl ", 10, String::new), "openssl");
        assert_eq!(losses.line("a\u{1b}[2J", 10, || "a".into()), "");
        assert_eq!(losses.line("12345678901", 10, || "b".into()), "");
        for _ in 0..200 {
            losses.add(String::new, "of many");
        }
        assert_eq!((losses.count, losses.listed.len()), (202, MOST_LISTED));
        assert_eq!(losses.listed[1], LeftOut { place: "b".into(), reason: "it is too long" });
    }

    #[test]
    fn a_paragraph_is_one_line_within_its_bound() {
        assert_eq!(paragraph("one\n two\u{7}three ", 100), "one two three");
        assert_eq!(paragraph("one two three", 10), "one two…");
        assert!(paragraph(&"x".repeat(50), 10).len() <= 10);
    }
}
