//! A process of its own that captures: this test program, started again for the one test that does nothing else. For what
//! cannot be tried within a process: being killed, being somebody else.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::fs::{StatVfsMountFlags, statvfs};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use wardwatch_capture::{AfXdp, AfXdpOptions, Source};
use wardwatch_skip::{skip, without_programs};

use crate::namespace::{Cable, SENSOR_INTERFACE, SENSOR_IP, cable_or_skip};

/// Says what the child is to do: with how many MiB, and whether in the driver.
const MEBIBYTES: &str = "WARDWATCH_TEST_MEBIBYTES";
const IN_DRIVER: &str = "WARDWATCH_TEST_IN_DRIVER";

/// The limit on locked memory that most systems have, in bytes.
const USUAL_LIMIT: u64 = 8 << 20;

struct Captor {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Captor {
    /// Starts a child in the namespace, `by` another program where one is given.
    fn start(cable: &Cable, by: &[&str], mebibytes: u32, in_driver: bool) -> Self {
        Self::start_file(&std::env::current_exe().unwrap(), cable, by, mebibytes, in_driver)
    }

    /// The same, from a copy of this program.
    fn start_file(file: &Path, cable: &Cable, by: &[&str], mebibytes: u32, in_driver: bool) -> Self {
        let mut child = Command::new("ip")
            .args(["netns", "exec", cable.sensor()])
            .args(by)
            .arg(file)
            .args(["--ignored", "--exact", "child::captures_until_it_is_killed", "--nocapture"])
            .env(MEBIBYTES, mebibytes.to_string())
            .env(IN_DRIVER, in_driver.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    /// The line that the child begins with this word.
    fn says(&mut self, word: &str) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "the child ended and did not say {word}");
            if let Some(said) = line.trim_end().split(' ').position(|before| before.ends_with(word)) {
                return line.trim_end().split(' ').skip(said + 1).collect::<Vec<_>>().join(" ");
            }
        }
    }

    /// `kill -9`.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Captor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the child does.
#[test]
#[ignore = "is what other tests start"]
#[expect(clippy::print_stdout, reason = "whoever started it reads that")]
fn captures_until_it_is_killed() {
    let (Ok(mebibytes), Ok(in_driver)) = (std::env::var(MEBIBYTES), std::env::var(IN_DRIVER)) else {
        return;
    };
    // Root may raise it, others may not, and then it is no higher than that.
    let maximum = getrlimit(Resource::Memlock).maximum;
    setrlimit(Resource::Memlock, Rlimit { current: Some(USUAL_LIMIT), maximum }).unwrap();
    let opened = AfXdp::open(AfXdpOptions {
        ring_mebibytes: mebibytes.parse().unwrap(),
        in_driver: in_driver.parse().unwrap(),
        ..AfXdpOptions::new(SENSOR_INTERFACE)
    });
    match opened {
        Ok(mut source) => {
            println!("CAPTURING {}", source.describe());
            loop {
                source.next().unwrap();
            }
        }
        Err(error) => println!("REFUSED {error}"),
    }
}

#[test]
fn a_killed_process_leaves_the_interface_as_it_was() {
    let cable = cable_or_skip!("child::a_killed_process_leaves_the_interface_as_it_was");
    let shown = || cable.sensor_ip(&format!("-details link show {SENSOR_INTERFACE}")).unwrap();
    let shows = |text: &str| shown().contains(text);
    for in_driver in [true, false] {
        for _ in 0..2 {
            let mut captor = Captor::start(&cable, &[], 2, in_driver);
            captor.says("CAPTURING");
            assert!(shows("xdp") && shows("promiscuity 1"), "{}", shown());
            captor.kill();
            // The kernel takes down what a process held in its own time, a moment later.
            for _ in 0..100 {
                if !shows("xdp") && !shows("promiscuity 1") {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            assert!(!shows("xdp") && !shows("promiscuity 1"), "{}", shown());
        }
    }
    // And the host has its traffic again.
    cable.sender_ip("-s link show v0").unwrap();
    let host = cable.at_sensor(|| std::net::UdpSocket::bind((SENSOR_IP, 4243)).unwrap());
    host.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
    let sender = cable.at_sender(|| std::net::UdpSocket::bind("0.0.0.0:0").unwrap());
    sender.send_to(b"host", (SENSOR_IP, 4243)).unwrap();
    let mut bytes = [0; 16];
    assert_eq!(host.recv(&mut bytes).unwrap(), 4);
}

/// As a user who is nobody, with just these capabilities, and none to be gained.
fn nobody_with(capabilities: &str) -> Vec<String> {
    let sets = ["inh-caps", "ambient-caps", "bounding-set"].map(|set| format!("--{set}={capabilities}"));
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"];
    nobody.map(str::to_owned).into_iter().chain(sets).collect()
}

#[test]
fn three_capabilities_are_enough_and_each_is_needed() {
    let test = "child::three_capabilities_are_enough_and_each_is_needed";
    let cable = cable_or_skip!("child::three_capabilities_are_enough_and_each_is_needed");
    let this = std::env::current_exe().unwrap();
    let by = nobody_with("-all");
    let runs = Command::new(&by[0]).args(&by[1..]).arg(this).arg("--list").output();
    if !runs.is_ok_and(|output| output.status.success()) {
        return skip!(test, "no setpriv(1), or a target folder that nobody may read");
    }
    let start = |capabilities: &str, mebibytes| {
        let by = nobody_with(capabilities);
        let by: Vec<_> = by.iter().map(String::as_str).collect();
        Captor::start(&cable, &by, mebibytes, true)
    };
    start("-all,+net_raw,+bpf,+net_admin", 4).says("CAPTURING");
    for (held, missing) in [
        ("-all,+bpf,+net_admin", "CAP_NET_RAW"),
        ("-all,+net_raw,+net_admin", "CAP_BPF"),
        ("-all,+net_raw,+bpf", "CAP_NET_ADMIN"),
        ("-all", "CAP_NET_RAW, CAP_BPF, CAP_NET_ADMIN"),
    ] {
        let said = start(held, 4).says("REFUSED");
        assert!(said.contains(&format!("needs the capability {missing}, which")), "{held}: {said}");
    }
    let said = start("-all,+net_raw,+bpf,+net_admin", 64).says("REFUSED");
    assert_eq!(
        said,
        "interface v1: 64 MiB of memory for packets are more than this process may lock (RLIMIT_MEMLOCK: 8192 KiB); raise the limit, grant CAP_IPC_LOCK, or ask for less"
    );
    start("-all,+net_raw,+bpf,+net_admin,+ipc_lock", 64).says("CAPTURING");
}

/// As `setcap` grants them to an installed program: whoever starts it has them, and it alone.
#[test]
fn the_same_three_are_enough_as_capabilities_of_the_file() {
    let test = "child::the_same_three_are_enough_as_capabilities_of_the_file";
    let cable = cable_or_skip!("child::the_same_three_are_enough_as_capabilities_of_the_file");
    if let Some(reason) = without_programs(&["setcap", "setpriv"]) {
        return skip!(test, reason);
    }
    let folder = tempfile::tempdir().unwrap();
    if statvfs(folder.path()).unwrap().f_flag.contains(StatVfsMountFlags::NOSUID) {
        return skip!(
            test,
            "the folder of temporary files is mounted nosuid, where a file's capabilities grant nothing"
        );
    }
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let file = folder.path().join("captor");
    fs::copy(std::env::current_exe().unwrap(), &file).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"];
    for (granted, missing) in [
        ("cap_net_raw,cap_bpf,cap_net_admin=ep", None),
        ("cap_net_raw,cap_net_admin=ep", Some("CAP_BPF")),
        ("cap_net_raw,cap_bpf=ep", Some("CAP_NET_ADMIN")),
    ] {
        let set = Command::new("setcap").arg(granted).arg(&file).output().unwrap();
        if !set.status.success() {
            let reason = String::from_utf8_lossy(&set.stderr);
            return skip!(test, format!("files here cannot have capabilities: {}", reason.trim()));
        }
        let mut captor = Captor::start_file(&file, &cable, &nobody, 4, true);
        match missing {
            None => {
                captor.says("CAPTURING");
            }
            Some(missing) => {
                let said = captor.says("REFUSED");
                assert!(
                    said.contains(&format!("needs the capability {missing}, which")),
                    "{granted}: {said}"
                );
            }
        }
    }
}
