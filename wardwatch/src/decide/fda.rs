//! `wardwatch knowledge import-fda`: a pack out of the FDA's product classification.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use wardwatch_knowledge::Knowledge;
use wardwatch_knowledge::fda::table::{LARGEST_TABLE, Table};
use wardwatch_proto::command::LARGEST_PACK;

use super::knowledge::check_size;
use crate::table::print;

/// Refused lines and differences that are printed, of each so many.
const MOST_SHOWN: usize = 50;

/// What to read and where to write.
#[derive(Args, Debug)]
pub(super) struct ImportFda {
    /// The FDA's table: foiclass.txt, unpacked
    #[arg(value_name = "FILE")]
    from: PathBuf,
    /// The pack that is written
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// The version that the pack says of itself: the day of the table
    #[arg(long, value_name = "VERSION", default_value = "1")]
    pack_version: String,
}

/// Turns the table into a pack, and says where it differs from what is built in about types and models.
pub(super) fn import(arguments: &ImportFda) -> anyhow::Result<()> {
    let from = arguments.from.display();
    check_size(&arguments.from, LARGEST_TABLE)?;
    let octets = fs::read(&arguments.from).with_context(|| format!("cannot read {from}"))?;
    let table = Table::read(&octets).with_context(|| format!("{from} cannot be used"))?;
    let pack = table.pack(&arguments.pack_version);
    anyhow::ensure!(
        pack.len() <= LARGEST_PACK,
        "the pack would have {} octets; a pack has at most {LARGEST_PACK}",
        pack.len()
    );
    let knowledge = Knowledge::builtin()?;
    knowledge.over("fda", &pack).context("the pack cannot be used")?;
    fs::write(&arguments.output, &pack)
        .with_context(|| format!("cannot write {}", arguments.output.display()))?;
    let mut lines = vec![format!(
        "{} product codes taken, {} lines refused; {}: {} octets",
        table.products.len(),
        table.refused.len(),
        arguments.output.display(),
        pack.len()
    )];
    lines.extend(shown(&table.refused));
    let differences = differences(&knowledge, &table);
    lines.push(format!("{} types and families of models have another class by it", differences.len()));
    lines.extend(shown(&differences));
    lines.push("`wardwatch knowledge load` lays it over what is built in".to_owned());
    print(&lines.join("\n"))
}

/// Where the table says otherwise of a type or a family of models than what is built in, or nothing.
fn differences(knowledge: &Knowledge, table: &Table) -> Vec<String> {
    let types = knowledge.types().into_iter().map(|(name, facts)| (name, facts.product.as_ref()));
    let models = knowledge.model_families().iter();
    let models = models.map(|family| (family.family.as_str(), family.product.as_ref()));
    let stated = types.chain(models).filter_map(|(name, product)| Some((name, product?)));
    let differs = stated.filter_map(|(name, (code, class))| match table.products.get(code) {
        None => Some(format!("{name}: product code {code} is not in the table, and stays as it is built in")),
        Some(product) if product.class != *class => {
            let (now, before) = (product.class.name(), class.name());
            Some(format!("{name}: product code {code} is of class {now}, and {before} is built in"))
        }
        Some(_) => None,
    });
    differs.collect()
}

fn shown(lines: &[String]) -> Vec<String> {
    let more = lines.len().saturating_sub(MOST_SHOWN);
    let first = lines.iter().take(MOST_SHOWN).map(|line| format!("  {line}"));
    first.chain((more > 0).then(|| format!("  and {more} more"))).collect()
}
