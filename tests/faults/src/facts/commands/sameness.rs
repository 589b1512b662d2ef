//! What people rule about which devices are one, and what they do to devices that are part of others: rulings against the
//! evidence, against each other, and withdrawn.

use anyhow::Result;
use wardwatch_proto::v1::command::Action;
use wardwatch_proto::v1::rule_sameness::Verdict;
use wardwatch_proto::v1::{AddNote, RuleSameness};

use super::{Hand, NOBODY, override_attribute};
use crate::facts::generated::{TWINS, Told};

pub(super) fn decide(hand: &mut Hand<'_>, told: &Told) -> Result<()> {
    let [one, part, first, second, third, other] = [5, 6, 17, 18, 19, 20].map(|device| told.device(device));
    let (one, part) = (&one?, &part?);
    // One is part of the other for two rounds. What is decided and noted of it meanwhile is the other's.
    hand.decides(50, rule(one, part, Verdict::Same));
    hand.decides(60, override_attribute(part, "department", "Imaging"));
    hand.decides(64, note(part, "on the trolley\nfor now"));
    hand.decides(66, note(NOBODY, "nobody"));
    hand.decides(120, rule(part, one, Verdict::Unspecified));
    hand.decides(124, note(part, "in its room"));
    hand.decides(126, override_attribute(one, "department", ""));
    // Those that say they are one are two, until nobody rules so any more.
    let [twin, its_twin] = TWINS.map(|device| told.device(device));
    let (twin, its_twin) = (&twin?, &its_twin?);
    hand.decides(85, rule(twin, its_twin, Verdict::Apart));
    hand.decides(165, rule(twin, its_twin, Verdict::Unspecified));
    // Three in a row, of whom somebody else says that the ends are two; then they hang together by a fourth.
    let (first, second, third, other) = (&first?, &second?, &third?, &other?);
    hand.decides(70, rule(first, second, Verdict::Same));
    hand.decides(72, rule(second, third, Verdict::Same));
    hand.decides(115, rule(first, third, Verdict::Apart));
    hand.decides(140, rule(second, third, Verdict::Apart));
    hand.decides(150, rule(third, other, Verdict::Same));
    hand.decides(155, rule(second, other, Verdict::Same));
    hand.decides(185, rule(first, second, Verdict::Unspecified));
    // Of nobody, of one, and of two about whom nothing was ruled.
    hand.decides(75, rule(one, NOBODY, Verdict::Same));
    hand.decides(76, rule(one, one, Verdict::Same));
    hand.decides(77, rule(one, other, Verdict::Unspecified));
    Ok(())
}

fn rule(device: &str, other: &str, verdict: Verdict) -> Action {
    Action::RuleSameness(RuleSameness {
        device: device.to_owned(),
        other: other.to_owned(),
        verdict: verdict.into(),
        note: "seen in the room".to_owned(),
    })
}

fn note(device: &str, text: &str) -> Action {
    Action::AddNote(AddNote { device: device.to_owned(), text: text.to_owned() })
}
