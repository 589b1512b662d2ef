//! Messages of one direction (PS3.7, 6.3; PS3.8, annex E): commands and datasets, put together from the fragments of
//! their presentation context.

use flate2::{Decompress, FlushDecompress, Status};

use super::association::Association;
use super::attribution::Attribution;
use super::command::Command;
use super::dataset::{Reader, Reading};
use super::equipment::Equipment;
use super::pdu::ValueHeader;
use super::transfer::Transfer;
use crate::{Direction, Facts};

/// Contexts of one direction that have an unfinished message. More than one is rare, and more than this no
/// implementation does.
const MOST_MESSAGES: usize = 4;

/// Octets that are inflated at a time.
const INFLATED_OCTETS: usize = 4096;

/// What the messages of both directions share.
#[derive(Debug, Default)]
pub(super) struct Session {
    pub(super) association: Association,
    pub(super) attribution: Attribution,
}

/// The unfinished messages of one direction.
#[derive(Debug, Default)]
pub(super) struct Messages {
    open: Vec<(u8, Stage)>,
}

#[derive(Debug)]
enum Stage {
    Command(Reader, Command),
    /// The command is whole, its dataset has not begun.
    Commanded(Command),
    Dataset(Box<Dataset>),
    /// What comes of this dataset is of no interest, or cannot be read.
    Skipped,
    /// What comes of this command cannot be read.
    Torn,
}

#[derive(Debug)]
struct Dataset {
    command: Command,
    equipment: Equipment,
    reader: Reader,
    inflate: Option<Decompress>,
}

impl Messages {
    /// Whether the content of this fragment is to be read. Not so for the pixels, for instance.
    pub(super) fn want(&self, fragment: ValueHeader) -> bool {
        match self.stage(fragment.context) {
            Some(Stage::Torn) => false,
            _ if fragment.is_command => true,
            Some(Stage::Commanded(command)) => command.has_dataset,
            Some(Stage::Dataset(_)) => true,
            Some(Stage::Command(..) | Stage::Skipped) | None => false,
        }
    }

    /// The next octets of a fragment.
    pub(super) fn feed(
        &mut self,
        fragment: ValueHeader,
        bytes: &[u8],
        direction: Direction,
        session: &mut Session,
        facts: &mut Facts<'_>,
    ) {
        let Some(stage) = self.begin(fragment, session) else { return };
        let is_over = match stage {
            Stage::Command(reader, command) => {
                if reader.feed(bytes, command) == Reading::Malformed {
                    *stage = Stage::Torn;
                }
                return;
            }
            Stage::Dataset(dataset) => match dataset.feed(bytes) {
                Reading::More => return,
                Reading::Over => {
                    dataset.state(direction, session, facts);
                    true
                }
                Reading::Malformed => true,
            },
            Stage::Commanded(_) | Stage::Skipped | Stage::Torn => false,
        };
        if is_over {
            *stage = Stage::Skipped;
        }
    }

    /// The fragment has been read, or skipped; if it was the last of its command or dataset, that is whole.
    pub(super) fn finish(
        &mut self,
        fragment: ValueHeader,
        direction: Direction,
        session: &mut Session,
        facts: &mut Facts<'_>,
    ) {
        let Some(index) = self.open.iter().position(|(context, _)| *context == fragment.context) else {
            return;
        };
        if !fragment.is_last {
            return;
        }
        let (context, stage) = self.open.swap_remove(index);
        match stage {
            Stage::Command(_, command) => {
                let association = &session.association;
                command.state(&association.calling, association.requestor.is_some(), facts);
                self.open.push((context, Stage::Commanded(command)));
            }
            Stage::Dataset(dataset) => dataset.state(direction, session, facts),
            Stage::Commanded(_) | Stage::Skipped | Stage::Torn => {}
        }
    }

    /// Bytes were lost, of this fragment among others: what is unfinished stays so.
    pub(super) fn lose(&mut self, torn: Option<ValueHeader>) {
        self.open.clear();
        if let Some(torn) = torn.filter(|torn| torn.is_command) {
            self.open.push((torn.context, Stage::Torn));
        }
    }

    fn stage(&self, context: u8) -> Option<&Stage> {
        self.open.iter().find(|(of, _)| *of == context).map(|(_, stage)| stage)
    }

    /// The stage that this fragment belongs to, begun where it is the first of its kind.
    fn begin(&mut self, fragment: ValueHeader, session: &Session) -> Option<&mut Stage> {
        let context = fragment.context;
        let index = self.open.iter().position(|(of, _)| *of == context);
        if fragment.is_command {
            let command = || Stage::Command(Reader::new(Transfer::ImplicitLittle), Command::default());
            match index {
                Some(index) => {
                    let (_, stage) = self.open.get_mut(index)?;
                    // A command behind a message that never ended begins the next one.
                    if !matches!(stage, Stage::Command(..) | Stage::Torn) {
                        *stage = command();
                    }
                }
                None if self.open.len() < MOST_MESSAGES => self.open.push((context, command())),
                None => {
                    // The oldest never ended.
                    self.open.remove(0);
                    self.open.push((context, command()));
                }
            }
        } else if let Some((_, stage)) = index.and_then(|index| self.open.get_mut(index))
            && let Stage::Commanded(command) = stage
        {
            *stage = Stage::Dataset(Box::new(Dataset::new(
                std::mem::take(command),
                session.association.transfer(context),
            )));
        }
        self.open.iter_mut().find(|(of, _)| *of == context).map(|(_, stage)| stage)
    }
}

impl Dataset {
    fn new(command: Command, transfer: Transfer) -> Self {
        let inflate = (transfer == Transfer::Deflated).then(|| Decompress::new(false));
        Self { command, equipment: Equipment::default(), reader: Reader::new(transfer), inflate }
    }

    fn feed(&mut self, mut bytes: &[u8]) -> Reading {
        let Some(inflate) = &mut self.inflate else { return self.reader.feed(bytes, &mut self.equipment) };
        let mut inflated = [0; INFLATED_OCTETS];
        // The reader bounds what comes out: it stops at its own limit.
        loop {
            let (taken, given) = (inflate.total_in(), inflate.total_out());
            let Ok(status) = inflate.decompress(bytes, &mut inflated, FlushDecompress::None) else {
                return Reading::Malformed;
            };
            let taken = usize::try_from(inflate.total_in() - taken).unwrap_or(usize::MAX);
            let given = usize::try_from(inflate.total_out() - given).unwrap_or(usize::MAX);
            bytes = bytes.get(taken..).unwrap_or_default();
            let reading = self.reader.feed(inflated.get(..given).unwrap_or_default(), &mut self.equipment);
            if reading != Reading::More {
                return reading;
            }
            if status == Status::StreamEnd
                || taken == 0 && given == 0
                || bytes.is_empty() && given < INFLATED_OCTETS
            {
                return Reading::More;
            }
        }
    }

    fn state(&self, direction: Direction, session: &mut Session, facts: &mut Facts<'_>) {
        let Session { association, attribution } = session;
        attribution.state(&self.equipment, &self.command, association, direction, facts);
    }
}
