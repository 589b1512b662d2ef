//! The interface that is watched, as people are told of it: in the log, as a check and as a gauge.

use wardwatch_capture::{CaptureMode, Change};
use wardwatch_service::health::Check;

use crate::telling::Telling;

/// What is known of the interface.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    interface: String,
    check: Check,
    telling: Telling,
}

impl Port {
    pub(crate) fn new(interface: &str, check: Check, telling: Telling) -> Self {
        Self { interface: interface.to_owned(), check, telling }
    }

    /// Tells what became of it.
    pub(crate) fn tell(&self, changes: Vec<Change>) {
        for change in changes {
            self.tell_one(change);
        }
    }

    fn tell_one(&self, change: Change) {
        let interface = self.interface.as_str();
        match change {
            Change::Opened { mode, description } => {
                tracing::info!(source = description, mode = mode.name(), "watching");
                self.telling.capturing(Some(mode));
                self.check.ready();
            }
            Change::FellBack { reason } => {
                tracing::warn!(
                    interface,
                    reason,
                    "capturing by {} instead of {}",
                    CaptureMode::PacketSocket.name(),
                    CaptureMode::AfXdp.name()
                );
            }
            Change::Lost { reason } => {
                let reason = format!("{:#}", anyhow::Error::from(reason));
                tracing::warn!(
                    interface,
                    reason,
                    "capturing is interrupted until the interface can be opened"
                );
                self.telling.capturing(None);
                self.check.not_ready(reason);
            }
            Change::LinkDown => {
                tracing::warn!(interface, "the link is down");
                self.check.not_ready(format!("the link of interface {interface} is down"));
            }
            Change::LinkUp => {
                tracing::info!(interface, "the link is up again");
                self.check.ready();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use wardwatch_capture::CaptureError;
    use wardwatch_service::Counters;
    use wardwatch_service::health::Health;

    use super::*;

    #[test]
    fn the_check_and_the_gauge_say_what_becomes_of_an_interface() {
        let (health, counters) = (Health::default(), Counters::default());
        let port = Port::new("eth1", health.check("capture"), Telling::new(&counters));
        let by = |mode: CaptureMode| counters.gauge("sensor_capture_mode", &[("mode", mode.name())]).value();
        let state = || {
            let state = health.states()["capture"].clone();
            (state.ready, state.detail, by(CaptureMode::PacketSocket), by(CaptureMode::AfXdp))
        };
        let opened = |mode| Change::Opened { mode, description: "interface eth1".to_owned() };
        port.tell(vec![opened(CaptureMode::AfXdp)]);
        assert_eq!(state(), (true, String::new(), 0, 1));
        let reason = CaptureError::InterfaceDown { interface: "eth1".to_owned() };
        let words = reason.to_string();
        port.tell(vec![Change::Lost { reason }]);
        assert_eq!(state(), (false, words, 0, 0));
        let reason = "another XDP program is attached".to_owned();
        port.tell(vec![Change::FellBack { reason }, opened(CaptureMode::PacketSocket), Change::LinkDown]);
        assert_eq!(state(), (false, "the link of interface eth1 is down".to_owned(), 1, 0));
        port.tell(vec![Change::LinkUp]);
        assert_eq!(state(), (true, String::new(), 1, 0));
    }
}
