//! The facts on an interface, as they come.

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use wardwatch_capture::{CaptureMode, Change, Interface, InterfaceOptions, Source, Step};
use wardwatch_service::CancellationToken;

use super::{Format, Means, Whole, print, tell};
use crate::clock;
use crate::worker::{Limits, Worker};

/// How often what was stated is written out and the signals are looked at.
const UPKEEP: Duration = Duration::from_millis(100);
/// Steps with frames between two looks at the clock.
const STEPS_A_LOOK: u32 = 8;

/// Prints the facts on an interface until SIGINT or SIGTERM.
pub(super) fn interface(
    name: &str,
    means: Means,
    format: Format,
    out: &mut impl Write,
    whole: &mut Whole,
) -> anyhow::Result<()> {
    let stopped = until_signal()?;
    let mut source = Interface::open(InterfaceOptions { mode: means.mode(), ..InterfaceOptions::new(name) })?;
    let mut worker = Worker::new(&Limits::default());
    let watched = watch(&mut source, &mut worker, &stopped, format, out);
    let mut facts = Vec::new();
    worker.finish(&mut facts);
    let printed = print(&mut facts, format, out);
    whole.totals.add(&worker.totals());
    whole.dropped_by_kernel += source.statistics().dropped;
    watched.and(printed)
}

fn watch(
    source: &mut dyn Source,
    worker: &mut Worker,
    stopped: &CancellationToken,
    format: Format,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let mut facts = Vec::new();
    let mut steps: u32 = 0;
    let mut kept_at = Instant::now();
    loop {
        for change in source.changes() {
            tell(&in_words(&change));
        }
        let is_idle = match source.next()? {
            Step::Frames(frames) => {
                worker.frames(&frames, &mut facts);
                steps = steps.wrapping_add(1);
                false
            }
            Step::Idle => true,
            Step::End => return Ok(()),
        };
        if (is_idle || steps.is_multiple_of(STEPS_A_LOOK)) && kept_at.elapsed() >= UPKEEP {
            if stopped.is_cancelled() {
                return Ok(());
            }
            kept_at = Instant::now();
            if is_idle {
                // On a live interface the clock goes on without packets, and timers with it.
                worker.advance(clock::now(), &mut facts);
            }
            print(&mut facts, format, out)?;
            out.flush().context("cannot write to standard output")?;
        } else {
            print(&mut facts, format, out)?;
        }
    }
}

/// Cancelled at the first SIGINT or SIGTERM; a second one ends the process.
fn until_signal() -> anyhow::Result<CancellationToken> {
    let token = CancellationToken::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start the runtime")?;
    {
        let _inside = runtime.enter();
        wardwatch_service::shutdown::on_signals(token.clone()).context("cannot listen for signals")?;
    }
    // It lives as long as the process: the second signal is listened for, too.
    thread::Builder::new()
        .name("signals".into())
        .spawn(move || runtime.block_on(std::future::pending::<()>()))
        .context("cannot start a thread")?;
    Ok(token)
}

fn in_words(change: &Change) -> String {
    match change {
        Change::Opened { description, .. } => format!("watching {description}"),
        Change::FellBack { reason } => format!("AF_XDP is not used: {reason}"),
        Change::Lost { reason } => format!("nothing is captured: {reason}"),
        Change::LinkDown => "the link is down".to_owned(),
        Change::LinkUp => "the link is up".to_owned(),
    }
}

impl Means {
    fn mode(self) -> CaptureMode {
        match self {
            Self::PacketSocket => CaptureMode::PacketSocket,
            Self::AfXdp => CaptureMode::AfXdp,
            Self::Auto => CaptureMode::Auto,
        }
    }
}
