//! Forms of both editions, written by another library in the layout that they have.

use crate::form::{form_of_2013, form_of_2019, workbook};
use wardwatch_documents::Error;
use wardwatch_documents::mds2::{Mds2, read};

fn lines(form: &Mds2) -> Vec<String> {
    let each = |answer: &wardwatch_documents::mds2::Answer| {
        [&answer.section, &answer.question, &answer.text, &answer.answer, &answer.note]
            .map(String::as_str)
            .join("|")
    };
    form.answers.iter().map(each).collect()
}

#[test]
fn a_form_of_2019_is_read_with_its_notes() {
    let form = read(&form_of_2019()).expect("a form");
    assert_eq!(form.edition, "2019");
    let head = [&form.manufacturer, &form.model, &form.document, &form.date];
    assert_eq!(head, ["Larkfield Monitors", "LM-200", "LM-0042 rev B", "2024-05-31"]);
    assert_eq!(
        lines(&form)[4..],
        [
            "MPII|MPII-1|Can this device display, transmit, store, or modify personally identifiable information?|Yes|Of the patient being monitored",
            "MPII|MPII-1.1|Does the device maintain personally identifiable information?|See Note|Until the bed is discharged",
            "ALOF|ALOF-1|Can the device be configured to force reauthorization of logged-in users?|N/A|",
            "SBOM|SBOM-1|Is the SBoM for this product available?|Yes|",
            "CNFS|CNFS-1|Can the device be reconfigured?||",
        ]
    );
    let losses: Vec<_> =
        form.losses.listed.iter().map(|loss| format!("{}: {}", loss.place, loss.reason)).collect();
    assert_eq!(
        losses,
        [
            "sheet \"MDS2\", row 16: the question stands above already",
            "sheet \"MDS2\", row 17: it has an id and no question",
        ]
    );
}

#[test]
fn a_form_of_2013_is_read_with_its_head_and_sections() {
    let form = read(&form_of_2013()).expect("a form");
    assert_eq!(form.edition, "2013");
    let head = [&form.manufacturer, &form.model, &form.document, &form.date, &form.software];
    assert_eq!(head, ["Larkfield Monitors", "LM-100", "LM-0017", "2015-02-03", "2.9"]);
    assert_eq!(
        lines(&form),
        [
            "MPD|A|Can this device display, transmit, or maintain private data?|Yes|",
            "MPD|B.1|Demographic?|Yes|Name and bed only",
            "ALOF|1-1|Can the device be configured to force reauthorization?|No|",
            "ALOF|1-1.1|Is the length of inactivity time adjustable?|N/A|",
            "AUDT|2-1|Can the medical device create an audit trail?|See Note|On request",
        ]
    );
    assert_eq!(form.losses.count, 0);
}

#[test]
fn what_is_no_form_is_refused_with_a_reason() {
    let refused = |bytes: &[u8]| read(bytes).expect_err("no form").to_string();
    assert!(refused(b"").contains("spreadsheet (.xlsx)"));
    assert!(refused(b"PK\x03\x04 and nothing").contains("no spreadsheet"));
    let empty = workbook(&[&["Name", "Price"], &["Bolts", "3"]]);
    assert_eq!(read(&empty), Err(Error::Empty("question of MDS2 2013 or 2019")));
    let many: Vec<[String; 3]> =
        (0..2001).map(|number| [format!("AUDT-{number}"), "Question?".into(), "Yes".into()]).collect();
    let rows: Vec<Vec<&str>> = many.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
    let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
    assert_eq!(read(&workbook(&rows)), Err(Error::TooMany { what: "questions", most: 2000 }));
}

#[test]
fn a_long_answer_is_cut_and_control_characters_do_not_come_through() {
    let long = "word ".repeat(3000);
    let form = read(&workbook(&[&["AUDT-1", "Why\u{7f}?", &long]])).expect("a form");
    let answer = &form.answers[0];
    assert_eq!(answer.text, "Why ?");
    assert!(answer.answer.len() <= wardwatch_documents::mds2::LONGEST_TEXT && answer.answer.ends_with('…'));
}

#[test]
fn a_spreadsheet_that_unpacks_to_too_much_is_refused_before_it_is_read() {
    let bomb = crate::form::bomb();
    assert!(bomb.len() < 1024 * 1024, "{}", bomb.len());
    let error = read(&bomb).expect_err("too much").to_string();
    assert!(error.contains("unpacks to more than"), "{error}");
}
