//! Recog's patterns are written for Ruby's engine (Onigmo); here they become what the `regex` crate reads.
//!
//! What differs: shorthands such as `\d` mean ASCII characters; `m` lets the dot match line breaks, and `^` and `$` stand
//! at every line without it; a brace that begins no repetition is a brace; `-` beside a shorthand in a class is a hyphen.
//! What that crate cannot do (looking around, back-references, groups that give nothing back) is refused.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

const DIGIT: &str = "0-9";
const WORD: &str = "0-9A-Za-z_";
const BLANK: &str = r"\t\n\x0B\f\r ";
const HEXADECIMAL: &str = "0-9A-Fa-f";

/// The pattern with its flags (`REG_ICASE,REG_DOT_NEWLINE`) in front, or why it cannot be had.
pub(super) fn translate(pattern: &str, flags: &str) -> Result<String, String> {
    // Lines begin and end wherever there are any.
    let mut text = "(?m".to_owned();
    for flag in flags.split([',', '|']).map(str::trim).filter(|flag| !flag.is_empty()) {
        match flag {
            "REG_ICASE" | "IGNORECASE" => text.push('i'),
            "REG_DOT_NEWLINE" | "REG_MULTILINE" => {
                if !text.contains('s') {
                    text.push('s');
                }
            }
            "REG_LINE_ANY_CRLF" => {}
            _ => return Err(format!("the flag {flag} is not known")),
        }
    }
    text.push(')');
    let mut translation = Translation { rest: pattern.chars().peekable(), text };
    translation.run()?;
    Ok(translation.text)
}

struct Translation<'a> {
    rest: Peekable<Chars<'a>>,
    text: String,
}

impl Translation<'_> {
    fn run(&mut self) -> Result<(), String> {
        while let Some(c) = self.rest.next() {
            match c {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => self.group()?,
                '{' => self.brace(),
                _ => self.text.push(c),
            }
        }
        Ok(())
    }

    /// An escape outside of classes.
    fn escape(&mut self) -> Result<(), String> {
        let c = self.rest.next().ok_or("it ends in a backslash")?;
        if let Some((is_other, members)) = shorthand(c) {
            let _ = write!(self.text, "[{}{members}]", if is_other { "^" } else { "" });
            return Ok(());
        }
        match c {
            'A' | 'z' => {
                self.text.push('\\');
                self.text.push(c);
            }
            'Z' => self.text.push_str(r"(?:\n?\z)"),
            'b' => self.text.push_str(r"(?-u:\b)"),
            'R' => self.text.push_str(r"(?:\r\n|[\n\x0B\f\r])"),
            'B' | 'G' | 'K' | 'X' | 'g' | 'k' => return Err(format!(r"\{c} is not supported")),
            '1'..='9' => return Err("back-references are not supported".to_owned()),
            _ => self.character(c)?,
        }
        Ok(())
    }

    /// An escape that stands for one character, in classes too.
    fn character(&mut self, c: char) -> Result<(), String> {
        match c {
            't' | 'n' | 'r' | 'f' => {
                self.text.push('\\');
                self.text.push(c);
            }
            'v' => self.text.push_str(r"\x0B"),
            'a' => self.text.push_str(r"\x07"),
            'e' => self.text.push_str(r"\x1B"),
            '0' => self.number(8, 2),
            'x' => self.number(16, 2),
            'u' => {
                let digits = self.digits(16, 4);
                let _ = write!(self.text, r"\u{{{digits}}}");
            }
            'p' | 'P' => return Err("classes of Unicode are not supported".to_owned()),
            _ if c.is_ascii_punctuation() && c != '<' && c != '>' => {
                self.text.push('\\');
                self.text.push(c);
            }
            _ => self.text.push(c),
        }
        Ok(())
    }

    fn number(&mut self, radix: u32, most: usize) {
        let digits = self.digits(radix, most);
        let number = u32::from_str_radix(&digits, radix).unwrap_or_default();
        let _ = write!(self.text, r"\x{number:02X}");
    }

    fn digits(&mut self, radix: u32, most: usize) -> String {
        let mut digits = String::new();
        while digits.len() < most
            && let Some(digit) = self.rest.next_if(|c| c.is_digit(radix))
        {
            digits.push(digit);
        }
        digits
    }

    /// A class, behind its first bracket.
    fn class(&mut self) -> Result<(), String> {
        self.text.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.text.push('^');
        }
        let (mut is_first, mut before_is_shorthand) = (true, false);
        while let Some(c) = self.rest.next() {
            let was_shorthand = std::mem::take(&mut before_is_shorthand);
            match c {
                ']' if !is_first => {
                    self.text.push(']');
                    return Ok(());
                }
                '\\' => before_is_shorthand = self.escape_in_class()?,
                '[' if self.rest.peek() == Some(&':') => {
                    self.text.push('[');
                    for c in self.rest.by_ref() {
                        self.text.push(c);
                        if c == ']' {
                            break;
                        }
                    }
                    before_is_shorthand = true;
                }
                '[' => self.class()?,
                '-' if was_shorthand || self.is_before_shorthand() => self.text.push_str(r"\-"),
                // Two of these in a row mean something else there.
                ']' | '~' | '-' if is_first || c == '~' || self.rest.peek() == Some(&'-') => {
                    self.text.push('\\');
                    self.text.push(c);
                }
                _ => self.text.push(c),
            }
            is_first = false;
        }
        Err("a class is not closed".to_owned())
    }

    fn is_before_shorthand(&mut self) -> bool {
        let mut ahead = self.rest.clone();
        ahead.next() == Some('\\') && ahead.next().is_some_and(|c| shorthand(c).is_some())
    }

    /// Whether it was a shorthand.
    fn escape_in_class(&mut self) -> Result<bool, String> {
        let c = self.rest.next().ok_or("it ends in a backslash")?;
        match shorthand(c) {
            Some((true, members)) => {
                let _ = write!(self.text, "[^{members}]");
                return Ok(true);
            }
            Some((false, members)) => {
                self.text.push_str(members);
                return Ok(true);
            }
            None if c == 'b' => self.text.push_str(r"\x08"),
            None => self.character(c)?,
        }
        Ok(false)
    }

    /// A group, behind its parenthesis.
    fn group(&mut self) -> Result<(), String> {
        self.text.push('(');
        if self.rest.next_if_eq(&'?').is_none() {
            return Ok(());
        }
        self.text.push('?');
        match self.rest.peek() {
            Some('=' | '!') => return Err("looking around is not supported".to_owned()),
            Some('>') => return Err("groups that give nothing back are not supported".to_owned()),
            Some('<') => {
                self.text.push('<');
                self.rest.next();
                if matches!(self.rest.peek(), Some('=' | '!')) {
                    return Err("looking around is not supported".to_owned());
                }
            }
            _ => {
                // Flags, up to the colon or the parenthesis.
                while let Some(c) = self.rest.next_if(char::is_ascii_alphabetic) {
                    self.text.push(if c == 'm' { 's' } else { c });
                }
            }
        }
        Ok(())
    }

    /// A brace that begins a repetition stays, any other means itself.
    fn brace(&mut self) {
        let ahead: String = self.rest.clone().take_while(|c| c.is_ascii_digit() || *c == ',').collect();
        let is_closed = self.rest.clone().nth(ahead.len()) == Some('}');
        let is_repetition =
            is_closed && ahead.contains(|c: char| c.is_ascii_digit()) && ahead.matches(',').count() <= 1;
        if !is_repetition {
            self.text.push_str(r"\{");
        } else if ahead.starts_with(',') {
            self.text.push_str("{0");
        } else {
            self.text.push('{');
        }
    }
}

/// Whether it means all others, and the members of the class.
fn shorthand(c: char) -> Option<(bool, &'static str)> {
    Some(match c {
        'd' => (false, DIGIT),
        'D' => (true, DIGIT),
        'w' => (false, WORD),
        'W' => (true, WORD),
        's' => (false, BLANK),
        'S' => (true, BLANK),
        'h' => (false, HEXADECIMAL),
        'H' => (true, HEXADECIMAL),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ruby_means_is_spelled_out() {
        for (pattern, flags, translated) in [
            (r"^\d+$", "", r"(?m)^[0-9]+$"),
            (r"(?im:a.b)\/", "REG_ICASE", r"(?mi)(?is:a.b)\/"),
            (r"[\w-.]", "", r"(?m)[0-9A-Za-z_\-.]"),
            (r"[.-\d]", "", r"(?m)[.\-0-9]"),
            (r"[^\S/]", "", r"(?m)[^[^\t\n\x0B\f\r ]/]"),
            (r"a{2}{b}\<", "REG_DOT_NEWLINE,REG_MULTILINE", r"(?ms)a{2}\{b}<"),
            (r"\x4\0", "", r"(?m)\x04\x00"),
            (r"a\Z", "", r"(?m)a(?:\n?\z)"),
            (r"[[:alpha:]-]", "", r"(?m)[[:alpha:]\-]"),
        ] {
            assert_eq!(translate(pattern, flags).as_deref(), Ok(translated), "{pattern}");
        }
        for refused in [r"(?=a)", r"(?<!a)b", r"(a)\1", "[a", "a\\", r"(?>a)"] {
            assert!(translate(refused, "").is_err(), "{refused}");
        }
        assert!(translate("a", "REG_NEW").is_err());
    }
}
