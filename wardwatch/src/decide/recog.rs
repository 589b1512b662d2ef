//! `wardwatch knowledge import-recog`: packs of signatures out of Recog's fingerprints.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use wardwatch_knowledge::Knowledge;
use wardwatch_knowledge::recog::{Database, LARGEST_DATABASE};

use super::knowledge::check_size;
use crate::table::print;

/// Databases that are read at once.
const MOST_DATABASES: usize = 1000;

/// What to read and where to write.
#[derive(Args, Debug)]
pub(super) struct ImportRecog {
    /// Recog's databases, or folders with them
    #[arg(value_name = "FILE_OR_FOLDER", required = true)]
    from: Vec<PathBuf>,
    /// The folder that the packs are written into
    #[arg(long, value_name = "FOLDER")]
    output: PathBuf,
    /// The version that the packs say of themselves: that of Recog
    #[arg(long, value_name = "VERSION", default_value = "1")]
    pack_version: String,
    /// Say of each fingerprint whose pattern or example is not sound what is wrong with it
    #[arg(long)]
    verbose: bool,
}

/// Turns each database into packs, as many as the bound of a pack asks for, and says what became of it.
pub(super) fn import(arguments: &ImportRecog) -> anyhow::Result<()> {
    let knowledge = Knowledge::builtin()?;
    fs::create_dir_all(&arguments.output)
        .with_context(|| format!("cannot make the folder {}", arguments.output.display()))?;
    let (mut taken, mut all, mut packs) = (0, 0, 0);
    let mut lines = Vec::new();
    let mut names = BTreeSet::new();
    for path in databases(&arguments.from)? {
        let (name, database) = read(&path)?;
        anyhow::ensure!(names.insert(name.clone()), "{}: another file is called {name}", path.display());
        let examples = database.examples();
        let problems: Vec<String> = database
            .check()
            .filter_map(|vector| {
                Some(format!("  line {}: {}: {}", vector.line, vector.description, vector.problem?))
            })
            .collect();
        let of_refused: usize = database.refused.iter().map(|refused| refused.examples).sum();
        let held = examples - problems.len() - of_refused;
        let converted = database.convert(&name, &arguments.pack_version, &knowledge);
        let count = database.fingerprints.len() + database.refused.len();
        lines.push(format!(
            "{name}: {} of {count} fingerprints taken; {held} of {examples} examples hold",
            converted.taken
        ));
        lines.extend(converted.left.iter().map(|(reason, left)| format!("  {left} left: {reason}")));
        if arguments.verbose {
            lines.extend(database.refused.iter().map(|refused| format!("  {refused}")));
            lines.extend(problems);
        }
        for (pack, text) in &converted.packs {
            let path = arguments.output.join(format!("{pack}.toml"));
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
            lines.push(format!("  {}: {} octets", path.display(), text.len()));
        }
        (taken, all, packs) = (taken + converted.taken, all + count, packs + converted.packs.len());
    }
    lines.push(format!(
        "{taken} of {all} fingerprints taken into {packs} packs in {}",
        arguments.output.display()
    ));
    print(&lines.join("\n"))
}

fn read(path: &Path) -> anyhow::Result<(String, Database)> {
    check_size(path, LARGEST_DATABASE)?;
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-' || c == '.';
    anyhow::ensure!(
        !name.is_empty() && name.chars().all(is_plain),
        "{}: the name must have ASCII letters, digits, - and _ only",
        path.display()
    );
    let database = Database::parse(&name, &text)?;
    Ok((name, database))
}

/// The files themselves, and the `.xml` files of the folders in the order of their names.
fn databases(from: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in from {
        if !path.is_dir() {
            found.push(path.clone());
            continue;
        }
        let problem = || format!("cannot read {}", path.display());
        let mut of_folder = Vec::new();
        for item in fs::read_dir(path).with_context(problem)? {
            let item = item.with_context(problem)?.path();
            if item.extension().is_some_and(|ending| ending == "xml") {
                of_folder.push(item);
            }
        }
        of_folder.sort();
        anyhow::ensure!(!of_folder.is_empty(), "{} has no .xml files", path.display());
        found.extend(of_folder);
    }
    anyhow::ensure!(found.len() <= MOST_DATABASES, "there are more than {MOST_DATABASES} databases");
    Ok(found)
}
