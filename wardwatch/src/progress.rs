//! What people see while work goes on: one line that is kept up to date on a terminal, or a line now and then where
//! there is none.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use wardwatch_service::Counters;

/// How often the line on a terminal is renewed.
const RENEWAL: Duration = Duration::from_millis(150);

/// How often a line is written where there is no terminal.
const LINE: Duration = Duration::from_secs(2);

/// Shows how far the data has come, until it is dropped.
pub(crate) struct Progress {
    task: tokio::task::JoinHandle<()>,
    bar: ProgressBar,
}

impl Progress {
    /// Shows these counters under a title.
    pub(crate) fn of(title: &'static str, counters: Counters) -> Self {
        let bar =
            if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
            bar.set_style(style);
        }
        let shown = bar.clone();
        let task = tokio::spawn(async move {
            let mut told = (Instant::now(), String::new());
            loop {
                let line = format!("{title}: {}", figures(&counters));
                if shown.is_hidden() {
                    if told.0.elapsed() >= LINE && told.1 != line {
                        say(&line);
                        told = (Instant::now(), line);
                    }
                } else {
                    shown.set_message(line);
                    shown.tick();
                }
                tokio::time::sleep(RENEWAL).await;
            }
        });
        Self { task, bar }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.task.abort();
        self.bar.finish_and_clear();
    }
}

/// A step that has begun or is done, to standard error.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn figures(counters: &Counters) -> String {
    let count = |name: &str| HumanCount(counters.total(name));
    format!(
        "{} packets ({}) seen, {} flow records and {} observations stated, {} of {} batches in the log, {} flow rows stored",
        count("sensor_packets"),
        HumanBytes(counters.total("sensor_bytes")),
        count("sensor_flow_records"),
        count("sensor_observations"),
        count("collector_batches_published"),
        count("sensor_batches_cut"),
        HumanCount(counters.counter("enricher_rows_written", &[("table", "flows")]).value()),
    )
}
