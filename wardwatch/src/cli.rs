//! The command line.

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::decide::{
    self, Acknowledge, Assign, Join, Knowledge, Label, Note, Override, Reopen, Retire, Separate,
};
use crate::demo::{self, Demo};
use crate::doctor::{self, Doctor};
use crate::import::{self, Import};
use crate::migrate::{self, Migrate};
use crate::read::{self, Alerts, Commands, Components, Device, Devices, Documents, Imports, Mds2, Query};
use crate::up::{self, Up};

/// Wardwatch sees every device on a hospital's network: what it is and why we believe it, how it talks, how risky it
/// is, and when something is wrong.
#[derive(Debug, Parser)]
#[command(name = "wardwatch", version, about)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(Demo),
    Up(Up),
    Devices(Devices),
    Device(Device),
    Alerts(Alerts),
    Acknowledge(Acknowledge),
    Reopen(Reopen),
    Override(Override),
    Join(Join),
    Separate(Separate),
    Label(Label),
    Assign(Assign),
    Note(Note),
    Retire(Retire),
    Knowledge(Knowledge),
    Import(Import),
    Imports(Imports),
    Documents(Documents),
    Components(Components),
    Mds2(Mds2),
    Commands(Commands),
    Query(Query),
    Doctor(Doctor),
    Migrate(Migrate),
}

impl Arguments {
    /// Does what was asked for.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .thread_name("wardwatch")
            .build()
            .context("cannot start the runtime")?;
        let outcome = runtime.block_on(async {
            match self.command {
                Command::Demo(demo) => demo::run(demo).await,
                Command::Up(up) => up::run(up).await,
                Command::Devices(devices) => read::devices(&devices).await,
                Command::Device(device) => read::device(&device).await,
                Command::Alerts(alerts) => read::alerts(&alerts).await,
                Command::Acknowledge(acknowledge) => decide::acknowledge(&acknowledge).await,
                Command::Reopen(reopen) => decide::reopen(&reopen).await,
                Command::Override(wanted) => decide::override_attribute(&wanted).await,
                Command::Join(join) => decide::join(&join).await,
                Command::Separate(separate) => decide::separate(&separate).await,
                Command::Label(labels) => decide::label(&labels).await,
                Command::Assign(assign) => decide::assign(&assign).await,
                Command::Note(note) => decide::note(&note).await,
                Command::Retire(wanted) => decide::retire(&wanted).await,
                Command::Knowledge(knowledge) => decide::knowledge(&knowledge).await,
                Command::Import(import) => import::import(&import).await,
                Command::Imports(imports) => read::imports(&imports).await,
                Command::Documents(documents) => read::documents(&documents).await,
                Command::Components(components) => read::components(&components).await,
                Command::Mds2(mds2) => read::mds2(&mds2).await,
                Command::Commands(commands) => read::commands(&commands).await,
                Command::Query(query) => read::query(&query).await,
                Command::Doctor(doctor) => doctor::run(doctor).await,
                Command::Migrate(migrate) => migrate::run(migrate).await,
            }
        });
        // A blocking call that hangs (a dead disk) must not hold up the end.
        runtime.shutdown_timeout(std::time::Duration::from_secs(2));
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
