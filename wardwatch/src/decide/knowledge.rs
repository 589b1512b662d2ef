//! `wardwatch knowledge`: what identifies a device, as a hospital knows it, laid over what is built in.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use wardwatch_knowledge::Knowledge as Pack;
use wardwatch_proto::command::{LARGEST_PACK, digest};
use wardwatch_proto::v1::LoadKnowledgePack;
use wardwatch_proto::v1::command::Action;

use super::Deciding;
use super::fda::ImportFda;
use super::recog::ImportRecog;
use super::session::with_session;
use crate::table::print;

/// Load a pack of your own knowledge: makers, device types, the rules that tell them, the factors of the score.
///
/// A pack is one TOML file with a version, laid over the built-in knowledge; what has the same id or name replaces what is
/// there. Every device is concluded anew with it at once, and says so in `knowledge`.
#[derive(Args, Debug)]
pub(crate) struct Knowledge {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Lay a pack over the built-in knowledge, in place of an earlier one of the same name
    Load {
        /// The pack
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The pack's name [default: the file's, without its ending]
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        deciding: Deciding,
    },
    /// Withdraw a pack
    Unload {
        /// The pack's name
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        deciding: Deciding,
    },
    /// Say whether a pack can be used, and what is wrong with it; nothing is sent
    Check {
        /// The pack
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Turn Recog's fingerprints into packs of signatures, one or more for each of its databases; nothing is sent
    ///
    /// Taken is what is about something that sensors state. Load the packs one by one, or lay the folder over the
    /// built-in knowledge of the enricher.
    ImportRecog(ImportRecog),
    /// Turn the FDA's product classification into a pack: class and regulation of each product code; nothing is sent
    ///
    /// Its classes go before those that are built in with types and models, and a product code that a person gave a device
    /// gets its class by it. Load the pack to renew them.
    ImportFda(ImportFda),
}

/// Runs the command.
pub(crate) async fn knowledge(arguments: &Knowledge) -> anyhow::Result<()> {
    match &arguments.what {
        What::Check { file } => {
            let pack = read(file, None)?;
            print(&format!("{} {}: it can be used", pack.name, pack.version))
        }
        What::ImportFda(arguments) => super::fda::import(arguments),
        What::ImportRecog(arguments) => super::recog::import(arguments),
        What::Load { file, name, deciding } => {
            let pack = read(file, name.as_deref())?;
            let said = format!("{} {} is loaded{}", pack.name, pack.version, whither(deciding));
            send(deciding, pack, &said).await
        }
        What::Unload { name, deciding } => {
            let said = format!("{name} is withdrawn{}", whither(deciding));
            send(deciding, LoadKnowledgePack { name: name.clone(), ..LoadKnowledgePack::default() }, &said)
                .await
        }
    }
}

fn whither(deciding: &Deciding) -> String {
    deciding
        .sending
        .site
        .as_ref()
        .map_or_else(|| " for all sites".to_owned(), |site| format!(" for site {site}"))
}

async fn send(deciding: &Deciding, pack: LoadKnowledgePack, said: &str) -> anyhow::Result<()> {
    let site = deciding.sending.site.clone().unwrap_or_default();
    let wanted = Action::LoadKnowledgePack(LoadKnowledgePack { note: deciding.note.clone(), ..pack });
    with_session(&deciding.sending, async |session| session.submit(&site, wanted, said).await).await
}

/// Refuses a file with more octets than are read of one.
pub(super) fn check_size(path: &Path, most: usize) -> anyhow::Result<()> {
    let size = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?.len();
    anyhow::ensure!(size <= most as u64, "{} has {size} octets; at most {most} are read", path.display());
    Ok(())
}

/// A pack that can be used, without a note.
fn read(file: &Path, name: Option<&str>) -> anyhow::Result<LoadKnowledgePack> {
    let content = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    anyhow::ensure!(
        content.len() <= LARGEST_PACK,
        "{} has {} octets; a pack has at most {LARGEST_PACK}",
        file.display(),
        content.len()
    );
    let text = std::str::from_utf8(&content).with_context(|| format!("{} is no text", file.display()))?;
    let of_file = || file.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.map_or_else(of_file, ToOwned::to_owned);
    let problem = || format!("the pack {} cannot be used", file.display());
    let version = Pack::version_of(&name, text).with_context(problem)?;
    Pack::builtin().and_then(|builtin| builtin.over(&name, text)).with_context(problem)?;
    Ok(LoadKnowledgePack { name, version, sha256: digest(&content), content, note: String::new() })
}
