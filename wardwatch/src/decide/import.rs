//! `wardwatch import`: what other systems know, laid beside what is observed.
//!
//! [`mapping`] says which column holds what, [`table`] reads the file row by row, [`cell`] brings one value into the form of
//! its attribute. What does not fit is told by line and reason; the rest is sent in parts under the message limit.

use std::fmt;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use prost::Message as _;
use serde_json::json;
use uuid::Uuid;
use wardwatch_proto::command::MOST_PARTS;
use wardwatch_proto::name::is_name;
use wardwatch_proto::v1::command::Action;
use wardwatch_proto::v1::{Command, ImportTable, ImportedRow, Protocol, WithdrawImport};

use super::Deciding;
use super::session::{Session, with_session};
use super::submit::outcome;
use crate::read;
use crate::table::{Format, plain_table, print, text};

mod cell;
mod mapping;
mod table;

use mapping::Mapping;
use table::{Problem, Read};

/// Octets of rows in one part: well below what a part may have.
const PART: usize = 384 * 1024;
/// Problems that are printed for people; all of them are in the JSON.
const MOST_SHOWN: usize = 50;

/// Imports of tables, by the system that they are of.
#[derive(Debug, Subcommand)]
pub(crate) enum Tables {
    /// Import a table of a CMMS or CMDB: maintenance management, configuration management
    Cmms(Import),
    /// Import a table of switches: what hangs at which port
    Switch(Import),
    /// Import a table of wireless controllers
    Wlc(Import),
    /// Import a table of a directory, such as Active Directory
    Directory(Import),
    /// Import a table of a management of mobile devices
    Mdm(Import),
    /// Import a table of endpoint detection and response
    Edr(Import),
    /// Import a table of network access control
    Nac(Import),
}

impl Tables {
    fn of(&self) -> (Kind, &Import) {
        match self {
            Self::Cmms(import) => (Kind::Cmms, import),
            Self::Switch(import) => (Kind::Switch, import),
            Self::Wlc(import) => (Kind::Wlc, import),
            Self::Directory(import) => (Kind::Directory, import),
            Self::Mdm(import) => (Kind::Mdm, import),
            Self::Edr(import) => (Kind::Edr, import),
            Self::Nac(import) => (Kind::Nac, import),
        }
    }
}

/// The system that a table is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Cmms,
    Switch,
    Wlc,
    Directory,
    Mdm,
    Edr,
    Nac,
}

impl Kind {
    fn source(self) -> Protocol {
        match self {
            Self::Cmms => Protocol::Cmms,
            Self::Switch => Protocol::SwitchTable,
            Self::Wlc => Protocol::WlanController,
            Self::Directory => Protocol::Directory,
            Self::Mdm => Protocol::Mdm,
            Self::Edr => Protocol::Edr,
            Self::Nac => Protocol::Nac,
        }
    }

    /// What a table is called that nobody names.
    fn name(self) -> &'static str {
        match self {
            Self::Cmms => "cmms",
            Self::Switch => "switch",
            Self::Wlc => "wlc",
            Self::Directory => "directory",
            Self::Mdm => "mdm",
            Self::Edr => "edr",
            Self::Nac => "nac",
        }
    }
}

/// Import the table of another system: a CMMS or CMDB, switches, wireless controllers, a directory, MDM, EDR, NAC.
///
/// Each row finds its device by MAC address, then serial number, then asset tag, whether the device was seen before or
/// will be seen later. What the row says is evidence like any other: it fills what the device does not tell, and where the
/// two differ `wardwatch imports differences` says so. A newer import of the same name replaces the earlier one, and
/// `wardwatch imports undo` takes it back.
///
/// The file is CSV with a line of headings. Usual headings are known; name others in a mapping:
///
///   dates = "dd.mm.yyyy"
///   [columns]
///   "Inventory no." = "asset_tag"
///   "Ward" = "location"
///   "Remarks" = ""
///
/// Rows that cannot be used are listed by line and reason, and the others go in. Exit code: 0 when every row and cell was
/// good, 3 when some were refused and the rest went in, 1 when nothing was sent.
///
/// Example: wardwatch import cmms assets.csv --mapping cmms.toml --dry-run
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct Import {
    /// The table
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Which column holds what, TOML
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// What the table is called, where there are several of one kind [default: the system]
    #[arg(long)]
    name: Option<String>,
    /// Keep a pseudonym of each device's last user; without it such columns are left out
    #[arg(long)]
    hash_users: bool,
    /// Only say what would be imported and what is wrong
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    deciding: Deciding,
}

/// Take the newest import of a name back; the one before it stands again.
#[derive(Args, Debug)]
pub(crate) struct Undo {
    /// What the table is called; `wardwatch imports` lists them
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    deciding: Deciding,
}

/// Some rows or cells were refused, and the rest was imported.
#[derive(Debug)]
pub(crate) struct PartlyRefused {
    problems: usize,
}

impl PartlyRefused {
    /// What the program exits with then.
    pub(crate) const CODE: u8 = 3;
}

impl fmt::Display for PartlyRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} problems: what is listed was left out, the rest is good", self.problems)
    }
}

impl std::error::Error for PartlyRefused {}

/// Runs the command.
pub(crate) async fn import(tables: &Tables) -> anyhow::Result<()> {
    let (kind, arguments) = tables.of();
    let name = arguments.name.clone().unwrap_or_else(|| kind.name().to_owned());
    anyhow::ensure!(is_name(&name), "--name: it has 1 to 128 octets and no control characters");
    let mapping = match &arguments.mapping {
        Some(path) => Mapping::read(path)?,
        None => Mapping::default(),
    };
    if arguments.dry_run {
        let site = arguments.deciding.sending.site.clone().unwrap_or_default();
        let read = table::read(kind, arguments, &mapping, &site)?;
        return tell(arguments, &name, &read, "would be imported", &[]);
    }
    with_session(&arguments.deciding.sending, async |session| {
        let site = session.only_site().await?;
        let read = table::read(kind, arguments, &mapping, &site)?;
        if read.rows.is_empty() && !read.problems.is_empty() {
            show(arguments.deciding.sending.format, &read.problems)?;
            anyhow::bail!("{}: no row can be used; nothing was sent", arguments.file.display());
        }
        let ids = send(session, (kind, arguments), &name, &site, &read.rows).await?;
        tell(arguments, &name, &read, "imported", &ids)
    })
    .await
}

/// Runs the command.
pub(crate) async fn undo(arguments: &Undo) -> anyhow::Result<()> {
    with_session(&arguments.deciding.sending, async |session| {
        let site = session.only_site().await?;
        let wanted = WithdrawImport { import: arguments.name.clone(), note: arguments.deciding.note.clone() };
        let said = format!("the newest import of {} is taken back", arguments.name);
        session.submit(&site, Action::WithdrawImport(wanted), &said).await
    })
    .await
}

/// Sends the rows in parts; the ids of the commands.
async fn send(
    session: &Session<'_>,
    (kind, arguments): (Kind, &Import),
    name: &str,
    site: &str,
    rows: &[ImportedRow],
) -> anyhow::Result<Vec<String>> {
    let parts = parts(rows);
    anyhow::ensure!(
        parts.len() <= MOST_PARTS as usize,
        "the table is too large for one import: give parts of it names of their own with --name"
    );
    let ids: Vec<String> = parts.iter().map(|_| Uuid::new_v4().to_string()).collect();
    let version = ids.first().cloned().unwrap_or_default();
    for ((part, rows), id) in (0_u32..).zip(&parts).zip(&ids) {
        let table = ImportTable {
            import: name.to_owned(),
            source: kind.source().into(),
            version: version.clone(),
            part,
            parts: parts.len() as u32,
            rows: rows.to_vec(),
            note: arguments.deciding.note.clone(),
        };
        let action = Some(Action::ImportTable(table));
        let command = Command { id: id.clone(), site: site.to_owned(), action, ..Command::default() };
        let receipt = session
            .sent(&command)
            .await
            .with_context(|| format!("part {} of {} was not taken", part + 1, parts.len()))?;
        if let (Some(database), true) = (&session.database, arguments.deciding.sending.wait) {
            let outcome = outcome(database, &receipt).await?;
            anyhow::ensure!(outcome.came_of_it != "ignored", "nothing came of it: {}", outcome.reason);
        }
    }
    Ok(ids)
}

/// Rows in parts under the message limit, at least one.
fn parts(rows: &[ImportedRow]) -> Vec<&[ImportedRow]> {
    let mut parts = Vec::new();
    let (mut start, mut octets) = (0, 0);
    for (at, row) in rows.iter().enumerate() {
        // With its tag and length.
        let size = row.encoded_len() + 8;
        if octets + size > PART && at > start {
            parts.push(rows.get(start..at).unwrap_or_default());
            (start, octets) = (at, 0);
        }
        octets += size;
    }
    parts.push(rows.get(start..).unwrap_or_default());
    parts
}

/// Says what was imported and what was not.
fn tell(arguments: &Import, name: &str, read: &Read, what: &str, ids: &[String]) -> anyhow::Result<()> {
    let format = arguments.deciding.sending.format;
    match format {
        Format::Json => {
            let said = json!({
                "import": name,
                "rows": read.rows.len(),
                "columns": read.columns,
                "left_out": read.left_out,
                "commands": ids,
                "problems": read.problems.iter().map(Problem::as_json).collect::<Vec<_>>(),
            });
            print(&said.to_string())?;
        }
        Format::Table => {
            show(format, &read.problems)?;
            let columns: Vec<String> =
                read.columns.iter().map(|(heading, field)| format!("{heading} = {field}")).collect();
            print(&format!("{name}: {} rows {what}\ncolumns: {}", read.rows.len(), columns.join(", ")))?;
            if !read.left_out.is_empty() {
                print(&format!("left out: {}", read.left_out.join(", ")))?;
            }
            if !ids.is_empty() {
                print("`wardwatch imports` tells which devices were found")?;
            }
        }
    }
    if read.problems.is_empty() {
        return Ok(());
    }
    Err(PartlyRefused { problems: read.problems.len() }.into())
}

fn show(format: Format, problems: &[Problem]) -> anyhow::Result<()> {
    if problems.is_empty() || format == Format::Json {
        return Ok(());
    }
    let mut table = plain_table(["line", "column", "left out", "reason"]);
    for problem in problems.iter().take(MOST_SHOWN) {
        table.add_row([
            problem.line.to_string(),
            problem.column.clone(),
            if problem.is_row { "row" } else { "cell" }.to_owned(),
            problem.reason.clone(),
        ]);
    }
    print(&table.to_string())?;
    match problems.len().saturating_sub(MOST_SHOWN) {
        0 => Ok(()),
        more => print(&format!("and {more} more; --format json lists all")),
    }
}

impl Session<'_> {
    /// The site that was named, else the only one there is.
    async fn only_site(&self) -> anyhow::Result<String> {
        if let Some(site) = &self.sending.site {
            return Ok(site.clone());
        }
        let Some(database) = &self.database else { anyhow::bail!("say which --site it is for") };
        let sites =
            read::rows(database, "SELECT DISTINCT site FROM v_devices ORDER BY site LIMIT 10").await?;
        let names: Vec<String> = sites.iter().map(|row| text(row, "site")).collect();
        match names.as_slice() {
            [only] => Ok(only.clone()),
            [] => anyhow::bail!("no site is known yet: say which --site it is for"),
            several => anyhow::bail!("say which --site it is for: {}", several.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wardwatch_proto::command::{LARGEST_PART, check};
    use wardwatch_proto::v1::{Attribute, ImportedValue};

    #[test]
    fn parts_stay_under_the_limit_and_hold_every_row_once() {
        let row = |line| ImportedRow {
            line,
            values: vec![ImportedValue {
                attribute: Attribute::SerialNumber.into(),
                value: format!("SN-{line}"),
            }],
        };
        let rows: Vec<ImportedRow> = (1..100_000).map(row).collect();
        let parts = parts(&rows);
        assert!(parts.len() > 1);
        assert_eq!(parts.concat(), rows);
        for (part, rows) in (0..).zip(&parts) {
            let table = ImportTable {
                import: "cmms".into(),
                source: Protocol::Cmms.into(),
                version: "v-1".into(),
                part,
                parts: parts.len() as u32,
                rows: rows.to_vec(),
                note: String::new(),
            };
            assert!(table.encoded_len() <= LARGEST_PART);
            let action = Some(Action::ImportTable(table));
            let command =
                Command { id: "c-1".into(), site: "north".into(), author: "j.doe".into(), at: 1, action };
            assert_eq!(check(&command), Ok(()));
        }
        assert_eq!(super::parts(&[]), [&[] as &[ImportedRow]], "an empty table is a table");
    }
}
