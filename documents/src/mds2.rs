//! Manufacturer Disclosure Statement for Medical Device Security, NEMA/MITA HN 1-2013 and HN 1-2019, as the spreadsheet that
//! manufacturers fill in.
//!
//! The forms differ from maker to maker in their margins, so nothing is at a fixed cell: a question is a row with a question's
//! id in it, and the columns are those under the headings above it.

use std::collections::HashMap;

use crate::field::paragraph;
use crate::spreadsheet::{Line, sheets};
use crate::{Error, Losses, bounded};

mod question;

use question::{Edition, QuestionId};

/// The most questions of one form; that of 2019 has about 250.
pub const MOST_QUESTIONS: usize = 2000;
/// The longest question, answer or note, in octets; longer ones are cut, with an ellipsis.
pub const LONGEST_TEXT: usize = 4096;
/// The longest field of the form's head, in octets.
const LONGEST_FIELD: usize = 256;
/// Columns between a question and its answer, and between that and its note, where no heading says.
const REACH: u32 = 6;

/// A form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mds2 {
    /// `2013` or `2019`.
    pub edition: &'static str,
    /// Who makes the device.
    pub manufacturer: String,
    /// Its model.
    pub model: String,
    /// The revision of its software that the form is of; of 2013 only.
    pub software: String,
    /// The manufacturer's id of the form.
    pub document: String,
    /// When it was released, as it says.
    pub date: String,
    /// In the order of the form.
    pub answers: Vec<Answer>,
    /// Rows that could not be used.
    pub losses: Losses,
}

/// What a form says to a question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The section's sign: `MPII`, `ALOF`; of the 2013 form's first section, which has none, `MPD`.
    pub section: String,
    /// As in the form: `MPII-1`, `AUDT-2.3`; 2013 `1-1`, `B.3`.
    pub question: String,
    /// The question itself.
    pub text: String,
    /// `Yes`, `No`, `N/A`, `See Note`, or in the maker's words; empty where nothing was filled in.
    pub answer: String,
    /// What the maker adds.
    pub note: String,
}

/// The columns under the headings.
#[derive(Clone, Copy, Debug, Default)]
struct Columns {
    question: Option<u32>,
    answer: Option<u32>,
    note: Option<u32>,
}

/// Reads a form.
///
/// # Errors
/// When it is no spreadsheet, breaks a bound, or holds no question of either edition.
pub fn read(bytes: &[u8]) -> Result<Mds2, Error> {
    bounded(bytes)?;
    if !bytes.starts_with(b"PK") {
        return Err(Error::UnknownFormat("MDS2 as a spreadsheet (.xlsx)"));
    }
    let sheets = sheets(bytes)?;
    let counted = |edition| sheets.iter().map(|(_, lines)| count(lines, edition)).sum::<usize>();
    let (older, newer) = (counted(Edition::Of2013), counted(Edition::Of2019));
    let edition = if newer >= older { Edition::Of2019 } else { Edition::Of2013 };
    let mut form = Mds2 { edition: edition.name(), ..Mds2::default() };
    let mut notes = HashMap::new();
    for (name, lines) in &sheets {
        take(&mut form, edition, name, lines, &mut notes)?;
    }
    if form.answers.is_empty() {
        return Err(Error::Empty("question of MDS2 2013 or 2019"));
    }
    for answer in &mut form.answers {
        if let Some(text) = note_number(&answer.note).and_then(|number| notes.get(&number)) {
            answer.note.clone_from(text);
        }
    }
    match edition {
        Edition::Of2019 => head_of_2019(&mut form),
        Edition::Of2013 => head_of_2013(&mut form, &sheets),
    }
    Ok(form)
}

/// How many rows have an id of this edition.
fn count(lines: &[Line], edition: Edition) -> usize {
    lines.iter().filter(|line| found(line, edition).is_some()).count()
}

/// The id of a question in this row, and the column where it stands: the first or second cell of the row.
fn found(line: &Line, edition: Edition) -> Option<(u32, QuestionId)> {
    line.cells.iter().take(2).find_map(|(column, text)| Some((*column, edition.id(text)?)))
}

fn take(
    form: &mut Mds2,
    edition: Edition,
    sheet: &str,
    lines: &[Line],
    notes: &mut HashMap<u32, String>,
) -> Result<(), Error> {
    let (mut columns, mut section) = (Columns::default(), String::new());
    for line in lines {
        if let Some((column, id)) = found(line, edition) {
            if form.answers.len() >= MOST_QUESTIONS {
                return Err(Error::TooMany { what: "questions", most: MOST_QUESTIONS });
            }
            let place = || format!("sheet {sheet:?}, row {}", line.number);
            if form.answers.iter().any(|answer| answer.question == id.text) {
                form.losses.add(place, "the question stands above already");
                continue;
            }
            let answer = answer(line, column, columns, edition.section(&id, &section), id.text);
            if answer.text.is_empty() {
                form.losses.add(place, "it has an id and no question");
            } else {
                form.answers.push(answer);
            }
        } else if let Some(new) = headings(line) {
            // A heading over one section may leave out what stands in the one above.
            columns = Columns {
                question: new.question.or(columns.question),
                answer: new.answer.or(columns.answer),
                note: new.note.or(columns.note),
            };
            section = question::sign(line).unwrap_or(section);
        } else if let Some((number, text)) = note(line) {
            notes.entry(number).or_insert_with(|| paragraph(&text, LONGEST_TEXT));
        } else if let Some(sign) = question::sign(line) {
            section = sign;
        }
    }
    Ok(())
}

fn answer(line: &Line, id: u32, columns: Columns, section: String, question: String) -> Answer {
    let after = |column: u32| {
        let mut cells = line.cells.iter();
        cells.find(|(at, _)| *at > column && *at <= column + REACH).map(|(at, _)| *at)
    };
    let asked = columns.question.filter(|at| !line.at(*at).is_empty()).or_else(|| after(id));
    // Where no heading says, the answer is what stands behind the question, before the note if there is one.
    let is_before_note = |at: &u32| columns.note.is_none_or(|note| *at < note);
    let answered = columns.answer.filter(|at| !line.at(*at).is_empty());
    let answered = answered.or_else(|| asked.and_then(after).filter(is_before_note));
    let noted = columns.note.or_else(|| answered.and_then(after));
    let said = |at: Option<u32>| at.map(|at| paragraph(line.at(at), LONGEST_TEXT)).unwrap_or_default();
    let note = said(noted);
    // What is left of an empty field of the form.
    let note = if note.chars().all(|c| c == '_') { String::new() } else { note };
    Answer { section, question, text: said(asked), answer: question::normal(&said(answered)), note }
}

/// The columns that a row of headings gives.
fn headings(line: &Line) -> Option<Columns> {
    let mut columns = Columns::default();
    for (at, text) in &line.cells {
        let word = text.to_lowercase();
        // "Yes, No, N/A, or See Note" is over the answers.
        if word.starts_with("yes") || word == "answer" || word == "response" {
            columns.answer = columns.answer.or(Some(*at));
        } else if word == "question" {
            columns.question = columns.question.or(Some(*at));
        } else if word.starts_with("see note")
            || word.starts_with("note #")
            || word == "note"
            || word == "notes"
        {
            columns.note = columns.note.or(Some(*at));
        }
    }
    let is_heading = columns.question.is_some() || columns.answer.is_some();
    (is_heading && line.cells.len() > 1).then_some(columns)
}

/// The number in `Note 3` or `3`.
fn note_number(text: &str) -> Option<u32> {
    let word = text.get(..4).filter(|word| word.eq_ignore_ascii_case("note"));
    let rest = word.and_then(|_| text.get(4..)).unwrap_or(text);
    rest.trim_matches(|c: char| c.is_whitespace() || "#.:".contains(c)).parse().ok()
}

/// A note at the end of the form: `Note 3` with its text in the next cell, or `Note 3: text` in one.
fn note(line: &Line) -> Option<(u32, String)> {
    let (_, first) = line.cells.first()?;
    let is_note = first.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("note"));
    if let (true, Some(number), Some((_, text))) = (is_note, note_number(first), line.cells.get(1)) {
        return Some((number, text.clone()));
    }
    let (label, text) = first.split_once(':').filter(|_| is_note)?;
    Some((note_number(label)?, text.trim().to_owned()))
}

/// The head of the 2019 form is made of questions.
fn head_of_2019(form: &mut Mds2) {
    let mut field = |id: &str| {
        let answer = form.answers.iter().find(|answer| answer.question == id);
        let said = answer.map(|answer| answer.answer.clone()).unwrap_or_default();
        form.losses.line(&said, LONGEST_FIELD, || id.to_owned())
    };
    let [manufacturer, model, document, date] = ["DOC-1", "DOC-3", "DOC-4", "DOC-7"].map(&mut field);
    *form = Mds2 { manufacturer, model, document, date, ..std::mem::take(form) };
}

/// The head of the 2013 form is a table: what a field is called stands over it, or to its left.
fn head_of_2013(form: &mut Mds2, sheets: &[(String, Vec<Line>)]) {
    const CALLED: [&str; 5] =
        ["manufacturer", "device model", "document id", "document release date", "software revision"];
    let is_name = |text: &str| {
        let text = text.trim_end_matches(':').to_lowercase();
        CALLED.contains(&text.as_str())
            || ["device category", "software release date"].contains(&text.as_str())
    };
    let mut field = |wanted: &str| {
        for (line, below) in sheets
            .iter()
            .flat_map(|(_, lines)| lines.iter().zip(lines.iter().skip(1).map(Some).chain([None])))
        {
            let name = line
                .cells
                .iter()
                .find(|(_, text)| is_name(text) && text.trim_end_matches(':').eq_ignore_ascii_case(wanted));
            let Some((column, _)) = name else { continue };
            let right = line.cells.iter().find(|(at, _)| at > column).map(|(_, text)| text.as_str());
            let under = below.map(|line| line.at(*column)).unwrap_or_default();
            let said = [under, right.unwrap_or_default()];
            let said = said.into_iter().find(|text| !text.is_empty() && !is_name(text));
            if let Some(said) = said {
                return form.losses.line(said, LONGEST_FIELD, || wanted.to_owned());
            }
        }
        String::new()
    };
    let [manufacturer, model, document, date, software] = CALLED.map(&mut field);
    *form = Mds2 { manufacturer, model, software, document, date, ..std::mem::take(form) };
}
