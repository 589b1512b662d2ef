//! What is brought in from elsewhere: `import`. A file is read here, and what it says goes to the collector like any other
//! decision.

mod mds2;
mod product;
mod sbom;

use clap::{Args, Subcommand};

use crate::decide::{self, Tables};

/// Bring in what others know: tables of other systems about devices, and what manufacturers say of their products.
#[derive(Args, Debug)]
pub(crate) struct Import {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Sbom(sbom::Sbom),
    Mds2(mds2::Mds2),
    #[command(flatten)]
    Table(Tables),
}

/// Runs the command.
pub(crate) async fn import(arguments: &Import) -> anyhow::Result<()> {
    match &arguments.what {
        What::Sbom(sbom) => sbom::run(sbom).await,
        What::Mds2(form) => mds2::run(form).await,
        What::Table(tables) => decide::import(tables).await,
    }
}
