//! Forms for the tests, in the layout of the editions.

use std::io::Write as _;

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet};

fn fill(sheet: &mut Worksheet, first: u32, rows: &[&[&str]]) {
    for (row, cells) in (first..).zip(rows) {
        for (column, text) in (0..).zip(*cells) {
            if !text.is_empty() {
                sheet.write_string(row, column, *text).expect("a cell");
            }
        }
    }
}

/// One sheet with these texts.
pub(crate) fn workbook(rows: &[&[&str]]) -> Vec<u8> {
    let mut book = Workbook::new();
    fill(book.add_worksheet(), 0, rows);
    book.save_to_buffer().expect("a workbook")
}

/// The edition of 2019: an id in each row, the answer without a heading, mappings to standards on the right.
pub(crate) fn form_of_2019() -> Vec<u8> {
    let mut book = Workbook::new();
    fill(book.add_worksheet().set_name("Instructions").expect("a name"), 0, &[&["How to fill in this form"]]);
    let sheet = book.add_worksheet().set_name("MDS2").expect("a name");
    fill(
        sheet,
        0,
        &[
            &["Manufacturer Disclosure Statement for Medical Device Security -- MDS2"],
            &["", "", "", ""],
            &["Question ID", "Question", "", "See note"],
            &["DOC-1", "Manufacturer Name", "Larkfield Monitors", "__"],
            &["DOC-3", "Device Model", "LM-200", "__"],
            &["DOC-4", "Document ID", "LM-0042 rev B", "__"],
            &["DOC-7", "Document Release Date", "", "__"],
            &["", "MANAGEMENT OF PERSONALLY IDENTIFIABLE INFORMATION"],
            &[
                "Question ID",
                "Question",
                "",
                "See note",
                "",
                "IEC TR 80001-2-2:2012",
                "NIST SP 800-53 Rev. 4",
                "ISO 27002:2013",
            ],
            &[
                "MPII-1",
                "Can this device display, transmit, store, or modify personally identifiable information?",
                "Yes",
                "Note 1",
                "",
                "",
                "AR-2",
                "A.15.1.4",
            ],
            &[
                "MPII-1.1",
                "Does the device maintain personally identifiable information?",
                "See Notes",
                "2",
                "",
                "",
                "AR-2",
            ],
            &["", "AUTOMATIC LOGOFF (ALOF)"],
            &[
                "ALOF-1",
                "Can the device be configured to force reauthorization of logged-in users?",
                "n/a",
                "__",
                "",
                "Section 5.1, ALOF",
                "AC-12",
                "None",
            ],
            &["SBOM-1", "Is the SBoM for this product available?", "YES", "__"],
            &["CNFS-1", "Can the device be reconfigured?", "", "__", "", "Section 5.4, CNFS"],
            &["ALOF-1", "Can the device be configured to force reauthorization of logged-in users?", "No"],
            &["ALOF-2"],
            &["Note 1", "Of the patient being monitored"],
            &["Note 2: Until the bed is discharged"],
        ],
    );
    let day = ExcelDateTime::from_ymd(2024, 5, 31).expect("a day");
    sheet.write_datetime_with_format(6, 2, day, &Format::new().set_num_format("d mmm yyyy")).expect("a date");
    book.save_to_buffer().expect("a workbook")
}

/// The edition of 2013: the head is a table with its headings above, sections have numbers.
pub(crate) fn form_of_2013() -> Vec<u8> {
    workbook(&[
        &["", "Manufacturer Disclosure Statement for Medical Device Security – MDS2"],
        &["", "DEVICE DESCRIPTION"],
        &["", "Device Category", "Manufacturer", "Document ID", "Document Release Date"],
        &["", "Monitor", "Larkfield Monitors", "LM-0017", "2015-02-03"],
        &["", "Device Model", "Software Revision", "", "Software Release Date"],
        &["", "LM-100", "2.9", "", "2014-12-01"],
        &["", "MANAGEMENT OF PRIVATE DATA", "", "", "Yes, No, N/A, or See Note", "Note #"],
        &["A", "Can this device display, transmit, or maintain private data?", "", "", "Yes", ""],
        &["B.1", "Demographic?", "", "", "Yes", "1"],
        &["", "SECURITY CAPABILITIES"],
        &["1", "AUTOMATIC LOGOFF (ALOF)", "", "", "Yes, No, N/A, or See Note", "Note #"],
        &["1-1", "Can the device be configured to force reauthorization?", "", "", "No", ""],
        &["1-1.1", "Is the length of inactivity time adjustable?", "", "", "N/A", ""],
        &["2", "AUDIT CONTROLS (AUDT)", "", "", "Yes, No, N/A, or See Note", "Note #"],
        &["2-1", "Can the medical device create an audit trail?", "", "", "See Note", "2"],
        &["", "Note 1", "Name and bed only"],
        &["", "Note 2", "On request"],
    ])
}

/// A file of less than a hundred kilobytes that unpacks to 65 MiB.
pub(crate) fn bomb() -> Vec<u8> {
    let mut file = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    file.start_file("xl/workbook.xml", options).expect("a file");
    let nothing = vec![b' '; 1024 * 1024];
    for _ in 0..65 {
        file.write_all(&nothing).expect("written");
    }
    file.finish().expect("a zip").into_inner()
}
