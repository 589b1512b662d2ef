//! `behaviour`: how well devices are told by what they do when they come up, the MAC address withheld; and the model that
//! was learned, as an entry of a knowledge pack.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};
use clap::Args;
use wardwatch_knowledge::{Features, Knowledge, Names};
use wardwatch_tests::behaviour::answers::Answers;
use wardwatch_tests::behaviour::archive::{self, Labelled};
use wardwatch_tests::behaviour::trial::{ALIKE, Alike, SAME, Same, Trial};

use crate::report::{Figure, Format, Report, quantile, say};

/// Mistakes that are listed.
const MOST_MISTAKES: usize = 20;

/// What others report of the whole data set, with splits and features of their own: accuracy and macro F1 of IoT Sentinel's
/// features and of IoTDevID, and where near-identical kinds are merged.
const PUBLISHED: &str = "published: 72 / 67 and 79 / 84";
const PUBLISHED_MERGED: &str = "published: 97 / 97";

/// Which captures are learned from, and what becomes of the model.
#[derive(Args, Debug)]
pub(crate) struct Behaviour {
    /// Archive of captures with labels.tsv (kind of device, MAC address, file, with tabs between)
    #[arg(long, default_value = "../shared/captures/iot/iot_sentinel_dev.tar.zst")]
    archive: PathBuf,
    /// Labels that are devices of one kind, as KIND=LABEL,LABEL
    #[arg(long, default_values = SAME)]
    same: Vec<Same>,
    /// Kinds that are near-identical, as KIND,KIND: figures are also given with each group merged
    #[arg(long, default_values = ALIKE)]
    alike: Vec<Alike>,
    /// Folder that the models of all captures are written to, one file each, to be laid over the knowledge pack
    #[arg(long)]
    write: Option<PathBuf>,
    /// What the models are called in the pack
    #[arg(long, default_value = "behaviour")]
    name: String,
    /// The version that the written packs say of themselves
    #[arg(long, default_value = "1")]
    pack_version: String,
    /// How the figures are printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Runs the command.
pub(crate) fn run(arguments: &Behaviour) -> Result<()> {
    let Behaviour { archive, same, alike, write, name, pack_version, format } = arguments;
    say(&format!("reading {}", archive.display()));
    let begun = Instant::now();
    let captures = archive::read(archive)?;
    let read = begun.elapsed().as_secs_f64();
    let mut report = Report::new(format!("cargo xtask bench behaviour --archive {}", archive.display()));
    report.add("the captures", sizes(&captures, read));
    for (title, names, suffix) in
        [("behaviour alone", Names::Withheld, "alone"), ("behaviour and names", Names::Used, "named")]
    {
        say(&format!("learning from {title}"));
        let trial = Trial::new(&captures, names, same, alike);
        examine(&trial, title, &mut report)?;
        let model = format!("{name}-{suffix}");
        let text = learn(&trial, &model, archive, &captures, pack_version, &mut report)?;
        if let Some(folder) = write {
            // What cannot be loaded is not written.
            Knowledge::builtin()?.over(&model, &text)?;
            fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
            let path = folder.join(format!("{model}.toml"));
            fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
            say(&format!("wrote {}", path.display()));
        }
    }
    report.print(*format)
}

/// The model of all captures as a pack, and what it takes.
fn learn(
    trial: &Trial,
    name: &str,
    archive: &Path,
    captures: &[Labelled],
    version: &str,
    report: &mut Report,
) -> Result<String> {
    let begun = Instant::now();
    let from = archive.file_name().unwrap_or_default().to_string_lossy();
    let from = format!("{from}: {} captures of {} kinds", trial.captures(), trial.kinds().len());
    let model = trial.model(name, &from)?;
    let learned = begun.elapsed().as_secs_f64();
    let text = model.to_pack(version);
    let begun = Instant::now();
    let known = captures
        .iter()
        .filter(|capture| model.classify(&Features::of(&capture.habits, model.names())).is_some())
        .count();
    let each = begun.elapsed().as_secs_f64() * 1e6 / captures.len().max(1) as f64;
    report.add(
        format!("{name}: the model of all captures"),
        vec![
            Figure::once("features", "features", model.features() as f64),
            Figure::once("as a pack", "octets", text.len() as f64),
            Figure::once("to learn it", "seconds", learned).noting("threshold and held-out parts included"),
            Figure::once("to tell a device", "microseconds", each)
                .noting(format!("its features included; {known} of {} known", captures.len())),
            percent("threshold", model.threshold()),
        ],
    );
    Ok(text)
}

/// How much there is, and what it takes.
fn sizes(captures: &[Labelled], seconds: f64) -> Vec<Figure> {
    let octets: Vec<f64> = captures.iter().map(|capture| capture.habits.octets() as f64).collect();
    let (mut late, mut beyond) = (0, 0);
    for ignored in captures.iter().map(|capture| capture.habits.ignored()) {
        late += ignored.late;
        beyond += ignored.flows + ignored.values;
    }
    vec![
        Figure::once("labelled captures", "captures", captures.len() as f64),
        Figure::once("to read them", "seconds", seconds).noting("unpacking and the whole sensor included"),
        Figure::once("memory of a device's habits", "octets", quantile(&octets, 0.5)).noting(format!(
            "the median; the largest {:.0}; beyond the bounds {beyond}, after the window {late} flows",
            quantile(&octets, 1.0)
        )),
    ]
}

/// All figures of one sort of features.
fn examine(trial: &Trial, title: &str, report: &mut Report) -> Result<()> {
    let (split, folds) = (trial.split()?, trial.folds()?);
    let mut told = Vec::new();
    for (what, answers) in
        [("each fifth capture held out", &split), ("five parts, each held out once", &folds)]
    {
        told.extend(figures(what, answers, PUBLISHED));
        told.extend(figures(&format!("{what}, merged"), &answers.merged(trial.groups()), PUBLISHED_MERGED));
    }
    told.extend(figures("the later three tenths held out", &trial.later()?, ""));
    let others = trial.other_devices()?;
    told.extend(figures("another device of a known kind", &others, ""));
    told.push(percent("of these called unknown", others.unknown()));
    told.push(percent("of these accepted, accuracy", others.known().accuracy()));
    report.add(format!("{title}: telling kinds"), told);
    report.add(format!("{title}: unknown devices"), strangers(trial, &folds)?);
    report.add(format!("{title}: by kind, five parts"), by_kind(&folds));
    let mistakes = folds.mistakes().into_iter().take(MOST_MISTAKES).map(|(is, called, count)| {
        Figure::once(format!("{is} taken for {called}"), "captures", count as f64)
    });
    report.add(format!("{title}: mistakes, five parts"), mistakes.collect());
    Ok(())
}

/// A share as a percentage, so that a table shows a tenth of one.
fn percent(name: impl Into<String>, share: f64) -> Figure {
    Figure::once(name, "%", share * 100.0)
}

fn figures(what: &str, answers: &Answers, note: &str) -> [Figure; 2] {
    let count = answers.0.len();
    let note = if note.is_empty() { String::new() } else { format!("; {note}") };
    [
        percent(format!("accuracy, {what}"), answers.accuracy()).noting(format!("{count} captures{note}")),
        percent(format!("macro F1, {what}"), answers.macro_f1()),
    ]
}

fn strangers(trial: &Trial, folds: &Answers) -> Result<Vec<Figure>> {
    let (kinds, groups) = (trial.strange_kinds()?, trial.strange_groups()?);
    let known = folds.known();
    Ok(vec![
        percent("known devices called unknown", folds.unknown())
            .noting("five parts; the thresholds are of the learned captures alone"),
        percent("accuracy of the others", known.accuracy()),
        percent("accuracy of the others, merged", known.merged(trial.groups()).accuracy()),
        percent("strangers called unknown, each kind left out", kinds.unknown()).noting(accepted(&kinds)),
        percent("strangers called unknown, near-identical kinds left out together", groups.unknown())
            .noting(accepted(&groups)),
    ])
}

/// Which strangers were taken for known.
fn accepted(answers: &Answers) -> String {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for answer in answers.0.iter().filter(|answer| !answer.is_unknown) {
        *counts.entry(&answer.is).or_default() += 1;
    }
    let counts: Vec<String> = counts.into_iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    if counts.is_empty() {
        "none was taken for known".to_owned()
    } else {
        format!("taken for known: {}", counts.join(", "))
    }
}

fn by_kind(folds: &Answers) -> Vec<Figure> {
    let figure = |(kind, rates): (&str, wardwatch_tests::behaviour::answers::Rates)| {
        percent(format!("F1 of {kind}"), rates.f1).noting(format!(
            "precision {:.1}, recall {:.1}, {} captures",
            rates.precision * 100.0,
            rates.recall * 100.0,
            rates.captures
        ))
    };
    folds.rates().into_iter().map(figure).collect()
}
