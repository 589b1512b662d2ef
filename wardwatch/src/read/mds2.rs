//! `wardwatch mds2 compare`: how two models are protected, question by question.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use wardwatch_store::quote;

use super::{Reading, rows, with_database};
use crate::engine::Database;
use crate::table::{Column, ListFormat, Row, joined, plain_table, print, print_list, text};

/// Compare what manufacturers answer in MDS2 forms.
#[derive(Args, Debug)]
pub(crate) struct Mds2 {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Compare two models question by question
    Compare {
        /// A model, or the id of a form or the beginning of it
        #[arg(value_name = "MODEL-A")]
        one: String,
        /// Another
        #[arg(value_name = "MODEL-B")]
        other: String,
        /// Only questions that they answer differently
        #[arg(long)]
        differences: bool,
        #[command(flatten)]
        reading: Reading,
    },
}

/// What CSV has.
const COLUMNS: &[Column] = &[
    ("section", |row| text(row, "section")),
    ("question", |row| text(row, "question")),
    ("text", |row| text(row, "text")),
    ("answer a", |row| text(row, "answer_a")),
    ("note a", |row| text(row, "note_a")),
    ("answer b", |row| text(row, "answer_b")),
    ("note b", |row| text(row, "note_b")),
    ("said", |row| text(row, "said")),
];

/// Runs the command.
pub(crate) async fn mds2(arguments: &Mds2) -> anyhow::Result<()> {
    let What::Compare { one, other, differences, reading } = &arguments.what;
    with_database(&reading.folder, async |database| {
        let (one, other) = (form(database, one).await?, form(database, other).await?);
        let compared = compared(database, &one, &other, *differences).await?;
        match reading.format {
            ListFormat::Table => show(&one, &other, &compared),
            ListFormat::Json | ListFormat::Csv => print_list(COLUMNS, &compared, reading.format),
        }
    })
    .await
}

/// The form of a model: of several the one that was brought in last.
async fn form(database: &Database, wanted: &str) -> anyhow::Result<Row> {
    let name = quote(wanted);
    let sql = format!(
        "SELECT * FROM v_documents WHERE kind = 'mds2' AND is_whole AND (lowerUTF8(trim(model)) = lowerUTF8(trim({name})) \
         OR (length({name}) >= 4 AND startsWith(document, lower({name})))) \
         ORDER BY at DESC, document LIMIT 10"
    );
    let mut found = rows(database, &sql).await?;
    let makers: std::collections::BTreeSet<_> = found.iter().map(|row| text(row, "manufacturer")).collect();
    if makers.len() > 1 {
        let ids: Vec<_> =
            found.iter().map(|row| joined(row, &["document", "manufacturer", "model"])).collect();
        anyhow::bail!(
            "{wanted} names forms of several manufacturers: {}; name one by its id",
            ids.join(", ")
        );
    }
    if found.is_empty() {
        anyhow::bail!("no MDS2 form is there for {wanted}; `wardwatch documents` lists what is");
    }
    Ok(found.swap_remove(0))
}

async fn compared(
    database: &Database,
    one: &Row,
    other: &Row,
    only_differences: bool,
) -> anyhow::Result<Vec<Row>> {
    let of = |row: &Row| {
        let (site, document) = (quote(&text(row, "site")), quote(&text(row, "document")));
        format!("(SELECT * FROM v_mds2 WHERE site = {site} AND document = {document})")
    };
    // A question that one form alone has stands with the other's answer empty. `said` tells that from an empty answer.
    let sql = format!(
        "SELECT if(a.question != '', a.section, b.section) AS section,
            if(a.question != '', a.question, b.question) AS question,
            if(a.question != '', a.text, b.text) AS text,
            a.answer AS answer_a, a.note AS note_a, b.answer AS answer_b, b.note AS note_b,
            multiIf(b.question = '', 'only a', a.question = '', 'only b', a.answer = b.answer, 'same', 'different') AS said
        FROM {} AS a FULL OUTER JOIN {} AS b ON a.question = b.question
        ORDER BY if(a.question != '', a.entry, 100000 + b.entry), question",
        of(one),
        of(other)
    );
    let mut all = rows(database, &sql).await.context("cannot compare them")?;
    all.retain(|row| !only_differences || text(row, "said") != "same");
    Ok(all)
}

fn show(one: &Row, other: &Row, compared: &[Row]) -> anyhow::Result<()> {
    let [a, b] = [one, other].map(|form| joined(form, &["manufacturer", "model", "model_version"]));
    let [a_format, b_format] = [one, other].map(|form| text(form, "format"));
    if a_format != b_format {
        print(&format!(
            "{a} is {a_format}, {b} is {b_format}: the editions ask other questions under other ids"
        ))?;
    }
    let mut table = plain_table(["id", "question", a.as_str(), b.as_str()]);
    for row in compared {
        let (answer_a, answer_b) =
            (joined(row, &["answer_a", "note_a"]), joined(row, &["answer_b", "note_b"]));
        table.add_row([text(row, "question"), text(row, "text"), answer_a, answer_b]);
    }
    print(&table.to_string())?;
    let differ = compared.iter().filter(|row| text(row, "said") == "different").count();
    print(&format!("{differ} of {} are answered differently", compared.len()))
}
