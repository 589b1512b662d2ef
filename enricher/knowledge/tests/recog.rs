//! Recog's databases: every pattern is compiled and held to its own examples.

#![allow(clippy::print_stdout, reason = "what was taken and what was left is for whoever looks")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use wardwatch_knowledge::Knowledge;
use wardwatch_knowledge::recog::Database;
use wardwatch_proto::command::LARGEST_PACK;

/// The folder with Recog's databases, if it is there.
fn folder() -> Option<PathBuf> {
    let data = std::env::var_os("WARDWATCH_TEST_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    Some(data.join("feeds/recog")).filter(|folder| folder.is_dir())
}

fn databases() -> Option<Vec<(String, Database)>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder()?)
        .expect("a readable folder")
        .map(|item| item.expect("an item").path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "xml"));
    paths.sort();
    let read = |path: &PathBuf| {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = fs::read_to_string(path).expect("a readable file");
        let database = Database::parse(&name, &text).expect("a database");
        (name, database)
    };
    Some(paths.iter().map(read).collect())
}

#[test]
fn every_example_gives_what_recog_says() {
    let Some(databases) = databases() else {
        return wardwatch_skip::skip!("every_example_gives_what_recog_says", "needs Recog's databases");
    };
    let (mut all, mut failed, mut refused) = (0, BTreeMap::new(), Vec::new());
    for (name, database) in &databases {
        all += database.examples();
        refused.extend(database.refused.iter().map(|refused| format!("{name}: {refused}")));
        for vector in database.check() {
            if let Some(problem) = vector.problem {
                failed.insert((name, vector.line), format!("{}: {problem}", vector.description));
            }
        }
    }
    for text in &refused {
        println!("refused {text}");
    }
    for ((name, line), problem) in &failed {
        println!("{name}.xml:{line}: {problem}");
    }
    let passed = all
        - failed.len()
        - databases.iter().flat_map(|(_, d)| &d.refused).map(|r| r.examples).sum::<usize>();
    println!("{passed} of {all} vectors");
    assert!(all > 7000, "{all} examples");
    assert!(passed * 100 >= all * 99, "{passed} of {all}");
}

#[test]
fn what_sensors_state_becomes_signatures_that_can_be_loaded_and_say_the_same() {
    const NAME: &str = "what_sensors_state_becomes_signatures_that_can_be_loaded_and_say_the_same";
    let Some(databases) = databases() else {
        return wardwatch_skip::skip!(NAME, "needs Recog's databases");
    };
    let mut knowledge = Knowledge::builtin().expect("the built-in pack");
    let before = knowledge.signatures();
    let mut taken = 0;
    for (name, database) in &databases {
        let converted = database.convert(name, "1", &knowledge);
        let left: usize = converted.left.values().sum();
        assert_eq!(converted.taken + left, database.fingerprints.len() + database.refused.len(), "{name}");
        println!("{name}: {} of {} {:?}", converted.taken, converted.taken + left, converted.left);
        taken += converted.taken;
        for (pack, text) in &converted.packs {
            assert!(text.len() <= LARGEST_PACK, "{pack} has {} octets", text.len());
            knowledge = knowledge.over(pack, text).expect("a pack that can be used");
        }
    }
    println!("{taken} taken");
    assert_eq!(knowledge.signatures(), before + taken);
    assert!(taken > 1000, "{taken}");
}
