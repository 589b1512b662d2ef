//! The process that the tests hit: it passes some points, and says at its end which guards are switched off.

#![forbid(unsafe_code)]

use wardwatch_faults::{Guard, is_off, point, point_blocking, point_of};

fn main() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    for _ in 0..5 {
        runtime.block_on(point("collector.before-enqueue"));
        point_blocking("sensor.spool-before-sync");
        runtime.block_on(point_of(["enricher", ".insert-before:", "flows"]));
    }
    let off: Vec<_> = Guard::ALL.into_iter().filter(|guard| is_off(*guard)).map(Guard::name).collect();
    std::fs::write(std::env::var_os("REACHED_THE_END").unwrap_or_default(), off.join(" "))
}
