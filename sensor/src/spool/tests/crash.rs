//! What was kept is there after `kill -9`. The test program runs itself as the one that is killed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use super::*;

/// Not a test of its own: keeps batches for ever, says what is kept, and acknowledges some.
#[tokio::test(flavor = "multi_thread")]
async fn the_victim() {
    let Some(directory) = std::env::var_os("VICTIM_DIRECTORY") else { return };
    let bench = open(roomy(Path::new(&directory)));
    let epoch = bench.epoch();
    for sequence in 1.. {
        bench.keep(sequence, 5000 + (sequence as usize * 977) % 60_000);
        bench.kept(sequence).await;
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "kept {epoch} {sequence}").expect("said");
        if sequence.is_multiple_of(3) {
            while let Some(batch) = bench.spool.take_live() {
                if batch.sequence.is_multiple_of(2) {
                    bench.spool.settle_live(batch.sequence);
                    writeln!(stdout, "settled {epoch} {}", batch.sequence).expect("said");
                }
            }
        }
    }
}

/// A process that is killed when it is dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_is_there_after_a_kill() {
    let directory = tempfile::tempdir().expect("a directory");
    let (mut kept, mut settled) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let victim = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "spool::tests::crash::the_victim", "--nocapture", "--quiet"])
            .env("VICTIM_DIRECTORY", directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let mut victim = Killed(victim);
        let lines = BufReader::new(victim.0.stdout.take().expect("piped")).lines().map_while(Result::ok);
        let mut count = 0;
        for line in lines {
            let words: Vec<_> = line.split(' ').collect();
            let ["kept" | "settled", epoch, sequence] = words[..] else { continue };
            let batch: (u64, u64) = (epoch.parse().expect("a number"), sequence.parse().expect("a number"));
            if words[0] == "kept" { &mut kept } else { &mut settled }.push(batch);
            count += 1;
            if count == 60 {
                break;
            }
        }
        assert_eq!(count, 60, "the victim ended by itself");
    }
    let bench = open(roomy(directory.path()));
    let mut found = Vec::new();
    while let Some(epoch) = bench.spool.backlog_epoch() {
        let sequences = bench.drain_backlog(epoch).await;
        assert!(sequences.is_sorted(), "an epoch is in its order");
        found.extend(sequences.into_iter().map(|sequence| (epoch, sequence)));
    }
    assert_eq!(kept.iter().map(|(epoch, _)| *epoch).collect::<std::collections::BTreeSet<_>>().len(), 3);
    for batch in kept.iter().filter(|batch| !settled.contains(batch)) {
        assert!(found.contains(batch), "{batch:?} was kept and is gone");
    }
}
