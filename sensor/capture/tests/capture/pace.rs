//! Replay at the pace of the recording.

use wardwatch_capture::{CaptureError, CaptureFile, Frame, Pace, Source, Step};

use crate::bytes::{MICROSECONDS, Order, pcap_header, pcap_record};
use crate::reading::written;

fn an_hour_between_two_frames() -> Vec<u8> {
    let order = Order::Little;
    let records = [pcap_record(order, 1_000, 0, 1, b"a"), pcap_record(order, 4_600, 0, 1, b"b")].concat();
    [pcap_header(order, MICROSECONDS, 1), records].concat()
}

#[test]
fn a_caller_is_let_go_while_the_next_frame_is_far_away() {
    let path = written(&an_hour_between_two_frames());
    let mut file = CaptureFile::open(path.path(), Pace::Original { speed: 1.0 }).unwrap();
    assert!(
        matches!(file.next(), Ok(Step::Frames(frames)) if matches!(frames[..], [Frame { bytes: b"a", .. }])),
        "the first frame is due at once"
    );
    for _ in 0..3 {
        assert!(matches!(file.next(), Ok(Step::Idle)));
    }
    assert_eq!(file.statistics().frames, 1);
    assert!(file.describe().ends_with("at 1 times the original pace"), "{}", file.describe());
}

#[test]
fn a_speed_shortens_the_distances() {
    let path = written(&an_hour_between_two_frames());
    let mut file = CaptureFile::open(path.path(), Pace::Original { speed: 3_600_000.0 }).unwrap();
    let mut frames = Vec::new();
    loop {
        match file.next().unwrap() {
            Step::Frames(due) => frames.extend(due.iter().map(|frame| (frame.at, frame.bytes.to_vec()))),
            Step::Idle => {}
            Step::End => break,
        }
    }
    assert_eq!(frames, [(1_000_000_000_000, b"a".to_vec()), (4_600_000_000_000, b"b".to_vec())]);
}

#[test]
fn a_speed_is_a_positive_number() {
    let path = written(&an_hour_between_two_frames());
    for speed in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let opened = CaptureFile::open(path.path(), Pace::Original { speed });
        assert!(matches!(opened.err(), Some(CaptureError::Pace { .. })), "{speed}");
    }
}
