//! Child processes that never outlive this process, whichever thread started them.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How often a child is asked whether it has ended.
const POLL: Duration = Duration::from_millis(10);

/// A child process, killed when this is dropped.
///
/// The kernel's "signal me when my parent dies" means the parent *thread*: a child started from a thread that ends,
/// such as a test's or a runtime's worker, would be killed while it is needed. So each child is started from a
/// thread of its own that waits until the child is done with, and ends with the process at the latest. The child
/// itself has to ask for the signal (see [`die_with_parent`](crate::die_with_parent)).
#[derive(Debug)]
pub struct Owned {
    child: Child,
    /// Dropped after the child has been reaped; the starting thread ends then.
    _keeper: mpsc::Sender<()>,
}

impl Owned {
    /// Starts `command`.
    pub fn spawn(mut command: Command) -> io::Result<Self> {
        let (started, child) = mpsc::channel();
        let (keeper, released) = mpsc::channel::<()>();
        thread::Builder::new().name("engine-keeper".to_owned()).spawn(move || {
            // The receiver waits for exactly this message, so it is there.
            let _ = started.send(command.spawn());
            // Nothing is ever sent: this returns when the sender is dropped.
            let _ = released.recv();
        })?;
        let child = child.recv().map_err(|_| io::Error::other("the starting thread ended"))??;
        Ok(Self { child, _keeper: keeper })
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How the child ended, if it has.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Waits for the child to end; `None` when it has not within that time.
    pub fn wait(&mut self, within: Duration) -> io::Result<Option<ExitStatus>> {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            thread::sleep(POLL);
        }
    }

    /// Asks the child to end (SIGTERM).
    pub fn terminate(&mut self) -> io::Result<()> {
        // A child that has ended but was not waited for keeps its id, so that nobody else can be hit.
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        let pid =
            i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(kill_process(pid, Signal::TERM)?)
    }

    /// Kills the child (SIGKILL) and waits until it is gone.
    pub fn kill(&mut self) -> io::Result<ExitStatus> {
        self.child.kill()?;
        self.child.wait()
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards, and a drop has nobody to tell.
        let _ = self.kill();
    }
}

/// `N` different TCP ports of loopback that were free a moment ago.
///
/// Another process may take one before it is used: whoever starts a server on them tries again with others.
pub fn free_ports<const N: usize>() -> io::Result<[u16; N]> {
    let mut held = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_outlives_the_thread_that_asked_for_it_and_dies_with_its_owner() {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "sleep", "1000"]);
        let mut child = thread::spawn(|| Owned::spawn(command)).join().unwrap().unwrap();
        assert!(
            child.wait(Duration::from_millis(100)).unwrap().is_none(),
            "the asking thread's end killed it"
        );
        let process = format!("/proc/{}", child.id());
        drop(child);
        assert!(!std::path::Path::new(&process).exists());
    }

    #[test]
    fn ports_given_together_differ() {
        let mut ports = free_ports::<8>().unwrap().to_vec();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 8);
    }
}
