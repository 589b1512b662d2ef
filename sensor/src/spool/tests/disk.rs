//! A disk that lies, and one that is full.

use std::os::unix::fs::FileExt as _;
use std::process::Command;

use wardwatch_skip::{skip, without_programs, without_root};

use super::*;

const FILE: &str = "journal.redb";

/// More than the store holds in its own memory.
const COUNT: u64 = 2500;

/// The files in a directory.
fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("a directory");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Leaves batches of an earlier boot behind; gives its epoch.
async fn left_behind(directory: &Path, count: u64) -> u64 {
    let bench = open(roomy(directory));
    for sequence in 1..=count {
        bench.keep(sequence, 20_000);
    }
    bench.kept(count).await;
    let epoch = bench.epoch();
    let Bench { spool, intake, .. } = bench;
    drop(intake);
    spool.close(Duration::from_secs(30)).await;
    epoch
}

#[tokio::test]
async fn a_corrupt_record_is_skipped_and_counted() {
    let directory = tempfile::tempdir().expect("a directory");
    let epoch = left_behind(directory.path(), 10).await;
    let path = directory.path().join(FILE);
    let bytes = std::fs::read(&path).expect("read");
    let needle = &content(epoch, 4, 20_000)[9000..9100];
    let at = bytes.windows(needle.len()).position(|window| window == needle).expect("batch 4 is in there");
    let file = std::fs::OpenOptions::new().write(true).open(&path).expect("opened");
    file.write_all_at(b"another text", at as u64).expect("written");
    drop(file);

    let bench = open(roomy(directory.path()));
    assert_eq!(bench.drain_backlog(epoch).await, [1, 2, 3, 5, 6, 7, 8, 9, 10]);
    until("the loss is counted", || bench.dropped("corrupt") == 1).await;
    assert_eq!(bench.spool.backlog_epoch(), None);
    let left = bench.counters.gauge("sensor_spool_batches", &[]);
    until("all of it is removed", || left.value() == 0).await;
}

#[tokio::test]
async fn a_corrupt_file_is_set_aside_at_the_start_and_a_fresh_one_begun() {
    let directory = tempfile::tempdir().expect("a directory");
    for _ in 0..2 {
        left_behind(directory.path(), 10).await;
        let path = directory.path().join(FILE);
        let length = std::fs::metadata(&path).expect("there").len();
        let file = std::fs::OpenOptions::new().write(true).open(&path).expect("opened");
        // The store's own header.
        file.write_all_at(&vec![0x5a; 8192.min(length as usize)], 0).expect("written");
        drop(file);

        let bench = open(roomy(directory.path()));
        assert_eq!(bench.counters.total("sensor_spool_files_set_aside"), 1);
        let names = names(directory.path());
        assert_eq!(names.len(), 2, "one corrupt file is left, however often: {names:?}");
        assert!(names[1].starts_with("spool.corrupt-"), "{names:?}");
        bench.keep(1, 1000);
        bench.kept(1).await;
        assert_eq!(bench.drain_live(), [1]);
        let Bench { spool, intake, .. } = bench;
        drop(intake);
        spool.close(Duration::from_secs(30)).await;
    }
}

/// Whatever is overwritten while the spool is in use: what is in memory is kept anew, and what is gone is counted.
#[tokio::test]
async fn a_file_that_is_destroyed_under_a_running_spool_costs_what_was_on_the_disk_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut plan = roomy(directory.path());
    plan.memory = 200_000;
    let bench = open(plan);
    for sequence in 1..=COUNT {
        bench.keep(sequence, 20_000);
    }
    bench.kept(COUNT).await;
    let path = directory.path().join(FILE);
    let length = std::fs::metadata(&path).expect("there").len();
    let file = std::fs::OpenOptions::new().write(true).open(&path).expect("opened");
    file.write_all_at(&vec![0x5a; length as usize], 0).expect("written");
    drop(file);

    // Reading the backlog meets it.
    let mut next = 0;
    while next < u64::MAX {
        let Some(chunk) = bench.spool.read_backlog(bench.epoch(), next, 1 << 20).await else { break };
        next = chunk.next;
    }
    bench.keep(COUNT + 1, 20_000);
    until("the loss is told", || bench.dropped("corrupt") > 0).await;
    let mut live = Vec::new();
    until("the newest came through", || {
        live.extend(bench.drain_live());
        live.last() == Some(&(COUNT + 1))
    })
    .await;
    assert!(live.len() >= 5, "{live:?}");
    // What was read before is still in the page cache of the store, or is lost with the rest.
    live.extend(bench.drain_backlog(bench.epoch()).await);
    let settled = live.len() as u64;
    until("every batch is accounted for", || bench.dropped("corrupt") + settled == COUNT + 1).await;
}

/// Run by the test below on a small file system of its own.
#[tokio::test]
async fn on_a_small_disk() {
    let Some(directory) = std::env::var_os("SMALL_DISK") else { return };
    let directory = Path::new(&directory).join("spool");
    let mut plan = roomy(&directory);
    plan.memory = 1 << 20;
    let bench = open(plan);
    // 8 MiB is all there is.
    let mut sequence = 0;
    let mut keep = |count: u64| {
        for _ in 0..count {
            sequence += 1;
            bench.keep(sequence, 100_000);
        }
    };
    keep(200);
    until("it is told", || bench.trouble().contains("cannot be written")).await;
    assert!(bench.counters.total("sensor_spool_errors") > 0);
    keep(50);
    until("the oldest in memory give way, and are counted", || bench.dropped("disk") > 100).await;
    let in_memory = bench.counters.gauge("sensor_unacknowledged_bytes", &[]);
    assert!(in_memory.value() <= (1 << 20) + 200_000, "{}", in_memory.value());

    // What is in memory goes up all the same, and what had been kept is still there.
    let mut settled = bench.drain_live();
    assert!(settled.len() >= 5 && settled.last() == Some(&250), "{settled:?}");
    let mut backlog = Vec::new();
    for _ in 0..200 {
        let mut next = 0;
        while let Some(chunk) = bench.spool.read_backlog(bench.epoch(), next, 1 << 20).await {
            for batch in &chunk.batches {
                assert_eq!(batch.encoded, content(bench.epoch(), batch.sequence, 100_000));
                assert!(bench.spool.settle_backlog(bench.epoch(), batch.sequence, batch.facts));
                backlog.push(batch.sequence);
            }
            next = chunk.next;
            if next == u64::MAX {
                break;
            }
        }
        if bench.spool.backlog_epoch().is_none() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(backlog.len() > 20, "8 MiB hold more than {backlog:?}");
    settled.extend(backlog);
    until("the sums close", || settled.len() as u64 + bench.dropped("disk") == 250).await;

    // There is room again, and the next boot finds what this one keeps.
    keep(5);
    until("the disk is used again", || bench.trouble().is_empty()).await;
    bench.spool.shared.lock().lanes.stream_ended();
    let Bench { spool, intake, .. } = bench;
    drop(intake);
    spool.close(Duration::from_secs(30)).await;
    let next = open(roomy(&directory));
    assert_eq!(next.drain_backlog(next.epoch() - 1).await, (251..=255).collect::<Vec<_>>());
}

#[test]
fn a_full_disk_costs_room_and_not_the_sensor() {
    let test = "spool::tests::disk::a_full_disk_costs_room_and_not_the_sensor";
    let reason = without_root().or_else(|| without_programs(&["unshare", "mount", "sh"]));
    if let Some(reason) = reason {
        return skip!(test, reason);
    }
    let directory = tempfile::tempdir().expect("a directory");
    let script = r#"mount -t tmpfs -o size=8m tmpfs "$SMALL_DISK" && exec "$0" "$@""#;
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-c", script])
        .arg(std::env::current_exe().expect("this program"))
        .args(["--exact", "spool::tests::disk::on_a_small_disk", "--nocapture"])
        .env("SMALL_DISK", directory.path())
        .output()
        .expect("unshare runs");
    let said =
        [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
