//! What processes cost, as the kernel counts it, and how busy everybody else kept the machine meanwhile.

use std::time::Duration;

use anyhow::{Context as _, Result};
use procfs::CurrentSI as _;
use procfs::process::Process;
use rustix::time::{ClockId, clock_gettime};

/// CPU time and memory of a process.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// In user and kernel mode, exact to 10 ms.
    pub(crate) cpu: Duration,
    /// Resident memory, in bytes.
    pub(crate) resident: u64,
}

impl Cost {
    /// Of a process that runs.
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let of = || format!("read what process {pid} costs");
        let stat = Process::new(pid.cast_signed()).and_then(|process| process.stat()).with_context(of)?;
        let cpu = ticks(stat.utime + stat.stime);
        Ok(Self { cpu, resident: stat.rss * procfs::page_size() })
    }
}

/// CPU time of this process, in all its threads.
pub(crate) fn own() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec.cast_unsigned(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// CPU time of this thread.
pub(crate) fn of_thread() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.cast_unsigned(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// CPU time of this process since it had taken so much.
pub(crate) fn own_since(before: Duration) -> Duration {
    own().saturating_sub(before)
}

/// CPU time of the processes that this one has started and waited for, exact to 10 ms.
pub(crate) fn children() -> Result<Duration> {
    let stat = Process::myself().and_then(|process| process.stat()).context("read what was spent so far")?;
    Ok(ticks((stat.cutime + stat.cstime).cast_unsigned()))
}

/// CPU time that all processes of the machine have taken, and what a hypervisor has taken from it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Machine {
    busy: Duration,
    stolen: Duration,
}

impl Machine {
    /// As it is now.
    pub(crate) fn now() -> Result<Self> {
        let total = procfs::KernelStats::current().context("read /proc/stat")?.total;
        let stolen = ticks(total.steal.unwrap_or(0));
        let busy =
            total.user + total.nice + total.system + total.irq.unwrap_or(0) + total.softirq.unwrap_or(0);
        Ok(Self { busy: ticks(busy), stolen })
    }

    /// What was taken since then by others than those who took `ours`.
    pub(crate) fn others_since(&self, before: &Self, ours: Duration) -> Duration {
        (self.busy.saturating_sub(before.busy) + self.stolen.saturating_sub(before.stolen))
            .saturating_sub(ours)
    }
}

fn ticks(count: u64) -> Duration {
    Duration::from_secs_f64(count as f64 / procfs::ticks_per_second() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_costs_time() -> Result<()> {
        let (before, machine) = (own(), Machine::now()?);
        let mut sum = 0_u64;
        while own_since(before) < Duration::from_millis(60) {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        let cost = Cost::of(std::process::id())?;
        assert!(cost.cpu >= Duration::from_millis(50) && cost.resident > 1 << 20, "{cost:?}");
        let all = Machine::now()?.others_since(&machine, Duration::ZERO);
        assert!(all >= Duration::from_millis(40), "{all:?}");
        Ok(())
    }
}
