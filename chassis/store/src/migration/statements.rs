//! A file of SQL statements, split at the semicolons that end statements.

/// The statements of a text, without the comments outside them, in order.
///
/// Semicolons inside `'text'`, `"identifiers"`, `` `identifiers` `` and comments (`-- ...`, `/* ... */`) do not end a
/// statement. A quotation mark is escaped by a backslash or by doubling it, as ClickHouse reads it.
///
/// # Errors
/// Says what does not end before the text does.
pub(super) fn split(text: &str) -> Result<Vec<String>, String> {
    let mut statements = Vec::new();
    let mut statement = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("--") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            let end = comment.find("*/").ok_or("a /* comment does not end")?;
            statement.push(' ');
            rest = &comment[end + 2..];
        } else if matches!(c, '\'' | '"' | '`') {
            let length = quoted_length(rest, c).ok_or_else(|| format!("a quotation in {c} does not end"))?;
            let (quoted, after) = rest.split_at(length);
            statement.push_str(quoted);
            rest = after;
        } else {
            rest = &rest[c.len_utf8()..];
            if c == ';' {
                finish(&mut statement, &mut statements);
            } else {
                statement.push(c);
            }
        }
    }
    finish(&mut statement, &mut statements);
    Ok(statements)
}

fn finish(statement: &mut String, statements: &mut Vec<String>) {
    let text = statement.trim();
    if !text.is_empty() {
        statements.push(text.to_owned());
    }
    statement.clear();
}

/// The length of the quotation at the start of the text, both marks included. A doubled mark ends one quotation and
/// begins the next, which comes to the same.
fn quoted_length(text: &str, mark: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == mark {
            return Some(at + c.len_utf8());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_statement_ends_at_a_semicolon_that_is_not_quoted() {
        let text = r"
            -- first; not a statement
            SELECT 'a;b', 'it''s; \'quoted\';' ; /* and; another */
            SELECT `x;y`, ';' -- tail;
            ;;
            SELECT 3";
        let statements = split(text).expect("a readable text");
        assert_eq!(statements.len(), 3);
        assert_eq!(statements[0], r"SELECT 'a;b', 'it''s; \'quoted\';'");
        assert_eq!(statements[1], "SELECT `x;y`, ';'");
        assert_eq!(statements[2], "SELECT 3");
    }

    #[test]
    fn what_does_not_end_is_an_error() {
        assert!(split("SELECT 'open").expect_err("unreadable").contains("quotation in '"));
        assert!(split("SELECT 1 /* open").expect_err("unreadable").contains("comment"));
    }
}
