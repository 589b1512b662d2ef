//! Fetching into the cache with the ordinary clients of registries: `npm`, `mvn` and `apt-get`.
//!
//! Each product has a folder with its version in the name. It is filled under another name and then renamed, so
//! that a folder that is there is whole, and two fetches at once end with one of them.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{CLICKHOUSE_PACKAGE, CLICKHOUSE_VERSION, Cache, KAFKA_VERSION};
use crate::error::{Attempted, Error, Result};
use crate::process::Owned;

mod suricata;

/// What the package's file must hash to: npm computes it, and this pins it.
const CLICKHOUSE_INTEGRITY: &str =
    "sha512-XP97mMqnc5tZpKQywR8N7cLTsHNiTmHr30pC5mzo3jWmukjKn2IBa60c2B/gWUNcuFjOMjWoorQICCqBVj5wpw==";
/// The plugin that copies the jars.
const MAVEN_DEPENDENCY_PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:2.8";
/// How long one step may take: a slow line needs minutes for 180 MB.
const STEP: Duration = Duration::from_mins(30);
/// How often a step that takes its time says so.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Where a step's output is kept while it runs.
const OUT: &str = ".out";
/// Where a step's errors are kept while it runs.
const ERRORS: &str = ".errors";
/// How much of a failed step's output goes into the error.
const OUTPUT_TAIL: usize = 1500;

/// What a fetch did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetched {
    /// It was there already.
    AlreadyThere,
    /// It has been fetched.
    Now,
}

impl Cache {
    /// Fetches ClickHouse's library (178 MB to fetch, 570 MB on disk) with `npm`. `progress` gets lines for people.
    ///
    /// # Errors
    /// [`Error::Fetch`] and [`Error::Io`]. Nothing half-fetched is left where it would be taken for whole.
    pub fn fetch_clickhouse(&self, progress: &mut dyn FnMut(&str)) -> Result<Fetched> {
        let what = format!("ClickHouse {CLICKHOUSE_VERSION}");
        if !cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
            let reason = "the library is published for x86-64 Linux with glibc; install a `clickhouse` program instead";
            return Err(Error::Fetch { what, reason: reason.to_owned() });
        }
        self.fill(&self.clickhouse_folder(), &what, progress, |draft, progress| {
            let package = format!("{CLICKHOUSE_PACKAGE}@{CLICKHOUSE_VERSION}");
            let mut pack = Command::new("npm");
            pack.args(["pack", "--json", "--loglevel=error", "--pack-destination"]).arg(draft).arg(&package);
            let packed = run(pack, &what, draft, progress)?;
            let file = packed_file(&packed).map_err(|reason| Error::Fetch { what: what.clone(), reason })?;
            progress(&format!("{what}: unpacking"));
            let mut unpack = Command::new("tar");
            unpack.args(["--extract", "--gzip", "--strip-components=1", "--file"]).arg(draft.join(&file));
            unpack.arg("--directory").arg(draft).arg("package/libchdb.so");
            run(unpack, &what, draft, progress)?;
            fs::remove_file(draft.join(&file)).attempted(|| format!("remove {file}"))
        })
    }

    /// Fetches Apache Kafka's jars (45 MB) with `mvn`. `progress` gets lines for people.
    ///
    /// # Errors
    /// [`Error::Fetch`] and [`Error::Io`]. Nothing half-fetched is left where it would be taken for whole.
    pub fn fetch_kafka(&self, progress: &mut dyn FnMut(&str)) -> Result<Fetched> {
        let what = format!("Apache Kafka {KAFKA_VERSION}");
        self.fill(&self.kafka_folder(), &what, progress, |draft, progress| {
            let pom = draft.join("pom.xml");
            fs::write(&pom, kafka_pom()).attempted(|| format!("write {}", pom.display()))?;
            let mut copy = Command::new("mvn");
            copy.args(["--batch-mode", "--quiet", "--strict-checksums", "--file"]).arg(&pom);
            copy.arg(format!("{MAVEN_DEPENDENCY_PLUGIN}:copy-dependencies"));
            copy.args(["-DincludeScope=runtime", "-DoutputDirectory=libs"]);
            run(copy, &what, draft, progress).map(drop)
        })
    }

    /// Fills a folder under another name, then gives it its own.
    fn fill(
        &self,
        folder: &Path,
        what: &str,
        progress: &mut dyn FnMut(&str),
        fill: impl FnOnce(&Path, &mut dyn FnMut(&str)) -> Result<()>,
    ) -> Result<Fetched> {
        if folder.is_dir() {
            return Ok(Fetched::AlreadyThere);
        }
        progress(&format!("{what}: fetching into {}", folder.display()));
        let draft = Draft::new(self.folder())
            .attempted(|| format!("make a folder in {}", self.folder().display()))?;
        fill(draft.path(), progress)?;
        match fs::rename(draft.path(), folder) {
            // Somebody else was faster.
            Err(_) if folder.is_dir() => Ok(Fetched::AlreadyThere),
            renamed => {
                renamed.attempted(|| format!("name {}", folder.display()))?;
                progress(&format!("{what}: there"));
                Ok(Fetched::Now)
            }
        }
    }
}

/// A folder that is removed again unless it has been renamed.
struct Draft(PathBuf);

impl Draft {
    fn new(parent: &Path) -> io::Result<Self> {
        let folder = parent.join(format!(".fetching-{}", uuid::Uuid::new_v4()));
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // It is gone when it has been renamed; what cannot be removed is no worse than before.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs one step, with a line of progress every few seconds, and returns what it printed.
fn run(mut command: Command, what: &str, folder: &Path, progress: &mut dyn FnMut(&str)) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |reason: String| Error::Fetch { what: what.to_owned(), reason };
    let output = |name: &str| {
        let path = folder.join(name);
        File::options().read(true).write(true).create(true).truncate(true).open(&path)
    };
    let (mut out, mut errors) = output(OUT)
        .and_then(|out| Ok((out, output(ERRORS)?)))
        .attempted(|| format!("make files in {}", folder.display()))?;
    let stdout = out.try_clone().attempted(|| format!("run {program}"))?;
    let stderr = errors.try_clone().attempted(|| format!("run {program}"))?;
    command.current_dir(folder).stdin(Stdio::null()).stdout(stdout).stderr(stderr);
    let mut child = Owned::spawn(command).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => failed(format!("`{program}` is not installed")),
        _ => failed(format!("run {program}: {error}")),
    })?;
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.wait(HEARTBEAT).attempted(|| format!("wait for {program}"))? {
            break status;
        }
        let elapsed = started.elapsed();
        if elapsed > STEP {
            return Err(failed(format!("{program} did not end within {} minutes", STEP.as_secs() / 60)));
        }
        progress(&format!("{what}: {program} is at work ({} s)", elapsed.as_secs()));
    };
    let read = |file: &mut File| {
        let mut text = Vec::new();
        file.rewind()
            .and_then(|()| file.read_to_end(&mut text))
            .attempted(|| format!("read what {program} printed"))?;
        Ok::<_, Error>(String::from_utf8_lossy(&text).into_owned())
    };
    let (out, errors) = (read(&mut out)?, read(&mut errors)?);
    for name in [OUT, ERRORS] {
        fs::remove_file(folder.join(name)).attempted(|| format!("remove {name} in {}", folder.display()))?;
    }
    if status.success() {
        return Ok(out);
    }
    let said = format!("{}\n{}", errors.trim(), out.trim());
    let tail: String = said.chars().rev().take(OUTPUT_TAIL).collect::<Vec<_>>().into_iter().rev().collect();
    Err(failed(format!("{program} failed ({status}): {}", tail.trim())))
}

/// The name of the file that `npm pack --json` made, once its hash is the pinned one.
fn packed_file(output: &str) -> Result<String, String> {
    #[derive(serde::Deserialize)]
    struct Packed {
        filename: String,
        integrity: String,
    }
    let packed: Vec<Packed> = serde_json::from_str(output)
        .map_err(|error| format!("what `npm pack` printed cannot be read: {error}"))?;
    let [packed] =
        <[Packed; 1]>::try_from(packed).map_err(|all| format!("`npm pack` made {} files", all.len()))?;
    if packed.integrity != CLICKHOUSE_INTEGRITY {
        return Err(format!(
            "{} has hash {}, expected {CLICKHOUSE_INTEGRITY}",
            packed.filename, packed.integrity
        ));
    }
    // Older versions of npm print a scoped package's name where they make a file without the slash.
    Ok(packed.filename.trim_start_matches('@').replace('/', "-"))
}

/// A project without code whose dependencies are a Kafka broker and something that writes its log.
fn kafka_pom() -> String {
    let dependency = |group: &str, artifact: &str, version: &str| {
        format!(
            "    <dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version></dependency>\n"
        )
    };
    format!(
        "<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>wardwatch</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
{}{}  </dependencies>
</project>
",
        dependency("org.apache.kafka", "kafka_2.13", KAFKA_VERSION),
        dependency("org.apache.logging.log4j", "log4j-slf4j-impl", "2.25.4"),
    )
}
