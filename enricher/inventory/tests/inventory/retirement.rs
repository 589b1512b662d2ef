//! Devices that were taken out of service, by a person or by a table, and are seen again or not.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use wardwatch_inventory::{Conclusions, DeviceRecord, Inventory, Settings, StateEntry, Undecided};
use wardwatch_proto::v1::rule_sameness::Verdict;
use wardwatch_proto::v1::{Attribute, Fact, ImportTable, Protocol};

use crate::imports::{Row, table};
use crate::ward::{DAY, KNOWLEDGE, NEW_YEAR, SECOND, Site, events, flow_at, says};

const MINUTE: u64 = 60 * SECOND;
const END: &str = "a1@10.0.0.1";
const MAC: &str = "02:00:00:00:00:a1";

/// The device, in use at this time (`Site::decides` decides a day after the new year).
fn used(at: u64) -> Fact {
    flow_at(at, END, "a2@10.0.0.2", Protocol::Dicom)
}

/// Lifecycle, since when it is retired, and since when it was seen all the same.
fn shown(record: &DeviceRecord) -> [&str; 3] {
    ["lifecycle", "retired_since", "seen_after_retirement"].map(|field| record.detail(field))
}

fn lifecycle_events(conclusions: &Conclusions) -> Vec<String> {
    events(conclusions).into_iter().filter(|line| line.contains(" lifecycle: ")).collect()
}

fn state(word: &str) -> ImportTable {
    let row: Row<'_> = (2, &[(Attribute::MacAddress, MAC), (Attribute::MaintenanceState, word)]);
    table("v-1", &[row])
}

#[test]
fn a_retired_device_that_stays_away_is_retired_and_one_that_stays_away_is_not() {
    let mut site = Site::new();
    site.hears([used(NEW_YEAR)]);
    let (device, other) = (site.device("a1"), site.device("a2"));
    let said = site.decides(&device, "retired_since", "now").expect("a device of the site");
    assert_eq!(lifecycle_events(&said), [format!("changed {} lifecycle:  > retired", device.name)]);
    site.hears([flow_at(NEW_YEAR + 900 * DAY, "a3@10.0.0.3", "203.0.113.9", Protocol::Http)]);
    let record = site.device("a1");
    assert_eq!(shown(&record), ["retired", "2025-01-02T00:00:00Z", ""]);
    let why = record.why.iter().find(|why| why.field == "lifecycle").expect("a reason");
    assert_eq!(
        (why.statement.as_str(), why.evidence.as_str()),
        ("a person decided so", "j.doe, 2025-01-02T00:00:00Z: seen on site")
    );
    assert_eq!(shown(&site.device("a2")), ["", "", ""], "not seen for years, and nobody says why: {other:?}");
}

#[test]
fn seen_again_it_stays_retired_and_that_is_told_once_with_since_when() {
    let mut site = Site::new();
    site.hears([used(NEW_YEAR + DAY - MINUTE)]);
    let device = site.device("a1");
    site.decides(&device, "retired_since", "now").expect("a device of the site");
    let early = site.hears([used(NEW_YEAR + DAY / 2)]);
    assert!(lifecycle_events(&early).is_empty(), "that was before, and only became known later");
    let back = site.hears([used(NEW_YEAR + 3 * DAY + MINUTE)]);
    assert_eq!(
        lifecycle_events(&back),
        [format!("changed {} lifecycle: retired > retired-but-seen", device.name)]
    );
    let told = back.devices.iter().find(|record| record.id == device.id).expect("it is told of");
    assert_eq!(shown(told), ["retired-but-seen", "2025-01-02T00:00:00Z", "2025-01-04T00:01:00Z"]);
    let minutes_later = site.hears([used(NEW_YEAR + 3 * DAY + 20 * MINUTE)]);
    let days_later = site.hears([used(NEW_YEAR + 9 * DAY)]);
    assert!(lifecycle_events(&minutes_later).is_empty() && lifecycle_events(&days_later).is_empty());
    assert_eq!(site.device("a1").detail("seen_after_retirement"), "2025-01-04T00:01:00Z");
    site.hears([used(NEW_YEAR + 2 * DAY)]);
    assert_eq!(
        site.device("a1").detail("seen_after_retirement"),
        "2025-01-03T00:00:00Z",
        "what another sensor tells later may have been earlier"
    );
    let undone = site.decides(&device, "retired_since", "").expect("it was stated");
    assert_eq!(
        lifecycle_events(&undone),
        [format!("changed {} lifecycle: retired-but-seen > ", device.name)]
    );
    assert_eq!(shown(&site.device("a1")), ["", "", ""]);
}

#[test]
fn a_sighting_in_the_hour_of_the_decision_is_told_at_once() {
    let mut site = Site::new();
    site.hears([used(NEW_YEAR + DAY - 30 * SECOND), used(NEW_YEAR + DAY + 5 * SECOND)]);
    let device = site.device("a1");
    site.decides(&device, "retired_since", "now").expect("a device of the site");
    assert_eq!(site.device("a1").detail("lifecycle"), "retired", "the minute of the decision is no sign");
    let back = site.hears([used(NEW_YEAR + DAY + 2 * MINUTE)]);
    assert_eq!(lifecycle_events(&back).len(), 1);
}

#[test]
fn a_day_lasts_until_its_end_and_an_earlier_one_counts_what_is_known() {
    let mut site = Site::new();
    site.hears([used(NEW_YEAR + 23 * 60 * MINUTE)]);
    let device = site.device("a1");
    site.decides(&device, "retired_since", "2025-01-01").expect("a device of the site");
    assert_eq!(shown(&site.device("a1")), ["retired", "2025-01-01", ""], "used on its last day");
    site.decides(&device, "retired_since", "2024-12-24").expect("a device of the site");
    assert_eq!(shown(&site.device("a1")), ["retired-but-seen", "2024-12-24", "2025-01-01T23:00:00Z"]);
}

#[test]
fn what_means_no_moment_and_what_lies_ahead_is_refused() {
    let mut site = Site::new();
    site.hears([used(NEW_YEAR)]);
    let device = site.device("a1");
    assert_eq!(site.decides(&device, "retired_since", "soon"), Err(Undecided::NoMoment));
    assert_eq!(site.decides(&device, "retired_since", "2025-03-01"), Err(Undecided::InTheFuture));
    assert_eq!(site.decides(&device, "retired_since", ""), Err(Undecided::NotOverridden));
    assert_eq!(site.device("a1"), device);
}

#[test]
fn a_table_says_so_too_and_a_person_wins_over_it() {
    let mut site = Site::new();
    site.hears([used(NEW_YEAR)]);
    let before = site.device("a1");
    site.imports(&state("In service")).expect("a table");
    assert_eq!(shown(&site.device("a1")), ["", "", ""], "a table that says nothing of it proves nothing");
    site.withdraws_import("cmms").expect("a table");
    let said = site.imports(&state("Retired - sold")).expect("a table");
    assert_eq!(lifecycle_events(&said).len(), 1);
    let record = site.device("a1");
    assert_eq!(shown(&record), ["retired", "2025-01-02T00:00:00Z", ""]);
    let why = record.why.iter().find(|why| why.field == "lifecycle").expect("a reason");
    assert_eq!(
        (why.statement.as_str(), why.evidence.as_str()),
        ("the imported table \"cmms\" says so", "maintenance_state Retired - sold (cmms)")
    );
    site.hears([used(NEW_YEAR + 2 * DAY)]);
    assert_eq!(
        shown(&site.device("a1")),
        ["retired-but-seen", "2025-01-02T00:00:00Z", "2025-01-03T00:00:00Z"]
    );
    site.decides(&before, "retired_since", "never").expect("a device of the site");
    assert_eq!(shown(&site.device("a1")), ["in-service", "never", ""]);
    site.decides(&before, "retired_since", "").expect("it was stated");
    assert_eq!(site.device("a1").detail("lifecycle"), "retired-but-seen");
    site.withdraws_import("cmms").expect("a table");
    assert_eq!(shown(&site.device("a1")), ["", "", ""]);
}

#[test]
fn it_goes_with_the_device_when_that_turns_out_to_be_part_of_another() {
    let mut site = Site::new();
    site.hears([used(NEW_YEAR)]);
    let (one, two) = (site.device("a1"), site.device("a2"));
    site.decides(&two, "retired_since", "now").expect("a device of the site");
    site.rules(&one, &two, Verdict::Same).expect("two devices");
    assert_eq!(site.records().len(), 1);
    assert_eq!(site.device("a1").detail("lifecycle"), "retired");
    site.hears([flow_at(NEW_YEAR + 5 * DAY, END, "203.0.113.9", Protocol::Http)]);
    assert_eq!(site.device("a1").detail("lifecycle"), "retired-but-seen", "by either interface");
    site.rules(&one, &two, Verdict::Unspecified).expect("it was ruled");
    assert_eq!(site.device("a1").detail("lifecycle"), "", "only the other one was retired");
    assert_eq!(site.device("a2").detail("lifecycle"), "retired");
}

/// A time within ten days, a minute or an hour after others.
fn times() -> impl Strategy<Value = Vec<u64>> {
    vec(prop_oneof![0..10 * 24 * 60_u64, 1400..1500_u64], 1..20)
        .prop_map(|minutes| minutes.into_iter().map(|minute| NEW_YEAR + minute * MINUTE).collect())
}

fn restored(entries: &[StateEntry]) -> Inventory {
    let mut inventory = Inventory::new("north", Arc::clone(&KNOWLEDGE), Settings::default());
    for entry in entries.iter().rev() {
        inventory.restore(&entry.key, &entry.value).expect("what was written can be read");
    }
    inventory
}

proptest! {
    /// Whenever it was retired or imported among the sightings, and in whichever order these came, the same is shown.
    #[test]
    fn when_and_in_which_order_it_became_known_does_not_matter(
        times in times(),
        at in any::<prop::sample::Index>(),
        since in prop::sample::select(vec!["now", "2025-01-01", "2024-12-30T10:11:12Z", "never", ""]),
        word in prop::sample::select(vec!["Retired", "In service", ""]),
    ) {
        // Seen once before, so that it can be decided about, and once after, so that no hour is left to refresh.
        let (first, last) = (used(NEW_YEAR), flow_at(NEW_YEAR + 20 * DAY, END, "203.0.113.9", Protocol::Http));
        let mut worlds = [times.clone(), times.iter().rev().copied().collect()].map(|times| (Site::new(), times));
        let mut records = Vec::new();
        for (number, (site, times)) in worlds.iter_mut().enumerate() {
            site.hears([first.clone(), says(END, Attribute::Model, "X1", Protocol::Dicom)]);
            let device = site.device("a1");
            let place = if number == 0 { 0 } else { at.index(times.len()) };
            for (count, time) in times.iter().enumerate() {
                if count == place && !since.is_empty() {
                    site.decides(&device, "retired_since", since).expect("a device of the site");
                }
                if count == times.len() - 1 - place && !word.is_empty() {
                    site.imports(&state(word)).expect("a table");
                }
                site.hears([used(*time)]);
            }
            site.hears([last.clone()]);
            records.push(site.device("a1"));
        }
        prop_assert_eq!(&records[0], &records[1]);
        let seen = records[0].detail("lifecycle") == "retired-but-seen";
        let is_retired = since != "never" && (!since.is_empty() || word == "Retired");
        prop_assert_eq!(seen, is_retired, "the last sighting is after all of them: {:?}", shown(&records[0]));
    }

    #[test]
    fn a_restart_is_not_noticed_between_retirement_and_return(times in times(), cut in any::<prop::sample::Index>()) {
        let mut site = Site::new();
        site.hears([used(NEW_YEAR)]);
        let device = site.device("a1");
        site.decides(&device, "retired_since", "now").expect("a device of the site");
        let (before, after) = times.split_at(cut.index(times.len()));
        for time in before {
            site.hears([used(*time)]);
        }
        let mut twin = Site::new();
        twin.inventory = restored(&site.inventory.take_changed_state());
        for time in after {
            let (ours, theirs) = (site.hears([used(*time)]), twin.hears([used(*time)]));
            prop_assert_eq!(lifecycle_events(&ours), lifecycle_events(&theirs));
            prop_assert_eq!(ours.devices, theirs.devices);
        }
    }
}
