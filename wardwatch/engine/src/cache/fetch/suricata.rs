//! Suricata, an oracle of the tests, with `apt-get` and `dpkg-deb`: unpacked into the cache and not installed.
//!
//! Debian keeps it among the backports of its older releases, which few systems have among their sources. So a list of
//! sources is made for this fetch alone, of the mirror that the system uses; and installed, it would watch an interface.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Fetched, run};
use crate::cache::Cache;
use crate::error::{Attempted, Error, Result};

const WHAT: &str = "Suricata";
/// Whom Debian's lists of packages are signed by.
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// Where sources, lists and packages are kept while it is fetched.
const APT: &str = "apt";

impl Cache {
    /// Fetches Suricata and the libraries that this system lacks (7 MB, and 14 MB of lists) from the system's mirror of
    /// Debian. `progress` gets lines for people.
    ///
    /// # Errors
    /// [`Error::Fetch`] and [`Error::Io`]. Nothing half-fetched is left where it would be taken for whole.
    pub fn fetch_suricata(&self, progress: &mut dyn FnMut(&str)) -> Result<Fetched> {
        self.fill(&self.suricata_folder(), WHAT, progress, |draft, progress| {
            let folder = draft.join(APT);
            let release = write_sources(draft, &folder, progress)?;
            run(apt_get(&folder, &["update"]), WHAT, draft, progress)?;
            let download = ["install", "--download-only", "--yes", "--no-install-recommends"];
            let mut download = apt_get(&folder, &download);
            download.arg(format!("--target-release={release}-backports")).arg("suricata");
            run(download, WHAT, draft, progress)?;
            let packages = folder.join("cache/archives");
            for entry in fs::read_dir(&packages).attempted(|| format!("read {}", packages.display()))? {
                let package = entry.attempted(|| format!("read {}", packages.display()))?.path();
                if package.extension().is_some_and(|extension| extension == "deb") {
                    let mut unpack = Command::new("dpkg-deb");
                    unpack.arg("--extract").arg(&package).arg(draft);
                    run(unpack, WHAT, draft, progress)?;
                }
            }
            fs::remove_dir_all(&folder).attempted(|| format!("remove {}", folder.display()))
        })
    }
}

/// Writes the list of sources, and makes the folders that apt expects; returns the name of the release.
fn write_sources(draft: &Path, folder: &Path, progress: &mut dyn FnMut(&str)) -> Result<String> {
    let mut ask = Command::new("apt-get");
    ask.args(["indextargets", "--format", "$(COMPONENT) $(RELEASE) $(REPO_URI)", "Created-By: Packages"]);
    let targets = run(ask, WHAT, draft, progress)?;
    let (release, mirror) = mirror(&targets).ok_or_else(|| Error::Fetch {
        what: WHAT.to_owned(),
        reason: "none of the system's sources of packages is a mirror of Debian".to_owned(),
    })?;
    let source = |suite: &str| format!("deb [signed-by={KEYS}] {mirror} {suite} main\n");
    let sources = source(release) + &source(&format!("{release}-backports"));
    for part in ["parts", "lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(folder.join(part))
            .attempted(|| format!("make folders in {}", folder.display()))?;
    }
    fs::write(folder.join("sources.list"), sources)
        .attempted(|| format!("write a list in {}", folder.display()))?;
    Ok(release.to_owned())
}

/// A release and where its packages are, of lines such as `main bookworm http://mirror.example/debian/`.
fn mirror(targets: &str) -> Option<(&str, &str)> {
    targets.lines().find_map(|line| {
        let (component, rest) = line.split_once(' ')?;
        let (release, mirror) = rest.split_once(' ')?;
        // Updates and backports have a dash in their names, and security has a mirror of its own.
        let is_release = !release.contains(['-', '/']) && mirror.trim_end_matches('/').ends_with("/debian");
        (component == "main" && is_release).then_some((release, mirror))
    })
}

/// `apt-get` with sources, lists and packages in a folder of its own. What is installed is read and not changed, so
/// that its lock is not needed.
fn apt_get(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.args(["--quiet", "-o", "Debug::NoLocking=true", "-o", "APT::Sandbox::User=root"]);
    for (option, part) in [
        ("Dir::Etc::sourcelist", "sources.list"),
        ("Dir::Etc::sourceparts", "parts"),
        ("Dir::State::lists", "lists"),
        ("Dir::Cache", "cache"),
    ] {
        command.arg("-o").arg(format!("{option}={}", folder.join(part).display()));
    }
    command.args(arguments);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_that_of_the_release_itself() {
        let targets = "main nodistro https://node.example/\n\
                       main bookworm-updates http://mirror.example/debian/\n\
                       main bookworm-security http://mirror.example/debian-security/\n\
                       contrib bookworm http://other.example/debian/\n\
                       main bookworm http://mirror.example/debian/\n";
        assert_eq!(mirror(targets), Some(("bookworm", "http://mirror.example/debian/")));
        assert_eq!(mirror("main noble http://mirror.example/ubuntu/\n"), None);
    }
}
