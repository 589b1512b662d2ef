//! What the form of a message tells of the system that wrote it: makers of network equipment each have one of their own.
//!
//! Read are fixed words and the unit's number, where it stands in a field of its own; never what the message says.
//! Cisco: "System Message Guide", `%FACILITY-SEVERITY-MNEMONIC:`; Fortinet: "FortiOS Log Message Reference", header fields;
//! Juniper: "ScreenOS Message Log Reference Guide".

use super::LONGEST_HEADER;

/// The system, and what stands of the device.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct System<'a> {
    pub(super) name: &'static str,
    pub(super) model: Option<&'a str>,
    pub(super) serial: Option<&'a str>,
}

/// The system that writes messages of this form.
pub(super) fn system(message: &[u8]) -> Option<System<'_>> {
    let start = message.get(..LONGEST_HEADER).unwrap_or(message);
    let (_, text) = start.utf8_chunks().next()?.valid().split_once('>')?;
    forti_os(text).or_else(|| screen_os(text)).or_else(|| cisco(text))
}

/// `date=2019-05-10 time=11:50:48 devname="edge" devid="FGT61E4Q16000000" logid=...`. A unit's number begins with its model
/// in six characters.
fn forti_os(text: &str) -> Option<System<'_>> {
    let is_header = text.starts_with("date=") || text.starts_with("logver=");
    let (_, rest) = text.split_once(" devid=").filter(|_| is_header)?;
    let serial = rest.trim_start_matches('"').split(['"', ' ']).next()?;
    let is_serial = serial.len() == 16 && serial.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let serial = Some(serial).filter(|_| is_serial)?;
    let is_gate = serial.starts_with("FG") || serial.starts_with("FW");
    is_gate.then(|| System { name: "FortiOS", model: serial.get(..6), serial: Some(serial) })
}

/// `edge: NetScreen device_id=0185082008001541  [Root]system-notification-00257(traffic): ...`. Where a name was given to
/// the device it stands in place of its number.
fn screen_os(text: &str) -> Option<System<'_>> {
    let (_, rest) = text.split_once("NetScreen device_id=")?;
    let id = rest.split(' ').next()?;
    let is_serial = id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_digit());
    Some(System { name: "ScreenOS", model: None, serial: Some(id).filter(|_| is_serial) })
}

/// `%ASA-6-302013:`, perhaps behind a time; IOS numbers its messages before: `72: Mar  3 19:57:17.371: %LINK-5-CHANGED:`.
fn cisco(text: &str) -> Option<System<'_>> {
    let at = text.find('%')?;
    let (before, behind) = text.split_at_checked(at)?;
    let (code, _) = behind.strip_prefix('%')?.split_once(':')?;
    let mut parts = code.rsplitn(3, '-');
    let (mnemonic, severity, facility) = (parts.next()?, parts.next()?, parts.next()?);
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"_-".contains(&byte))
    };
    if !is_word(mnemonic) || !is_word(facility) || !matches!(severity.as_bytes(), [b'0'..=b'7']) {
        return None;
    }
    let number = before.split(':').next().unwrap_or_default();
    let is_numbered = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    match facility {
        "PIX" => Some(System { name: "Cisco PIX", model: Some("PIX"), serial: None }),
        "ASA" => Some(System { name: "Cisco ASA", model: None, serial: None }),
        _ if is_numbered && before.contains(": ") => {
            Some(System { name: "Cisco IOS", model: None, serial: None })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(text: &str) -> Option<(&'static str, Option<&str>, Option<&str>)> {
        system(text.as_bytes()).map(|system| (system.name, system.model, system.serial))
    }

    #[test]
    fn systems_are_known_by_the_form_of_their_messages() {
        assert_eq!(
            told(
                "<189>date=2019-05-10 time=11:50:48 devname=\"edge\" devid=\"FGT61E4Q16000000\" logid=\"1\""
            ),
            Some(("FortiOS", Some("FGT61E"), Some("FGT61E4Q16000000")))
        );
        assert_eq!(
            told(
                "<133>ssg: NetScreen device_id=0185082008001541  [Root]system-notification-00257(traffic): x"
            ),
            Some(("ScreenOS", None, Some("0185082008001541")))
        );
        assert_eq!(
            told("<133>ssg: NetScreen device_id=ward-7  [Root]system-notification-00257: x"),
            Some(("ScreenOS", None, None))
        );
        assert_eq!(told("<166>%PIX-6-305011: Built"), Some(("Cisco PIX", Some("PIX"), None)));
        assert_eq!(told("<166>Jul 01 2020 10:11:12: %ASA-6-302013: Built"), Some(("Cisco ASA", None, None)));
        assert_eq!(
            told("<189>72: Mar  3 19:57:17.371: %LINK-5-CHANGED: up"),
            Some(("Cisco IOS", None, None))
        );
        assert_eq!(
            told("<189>39: R1: *Sep 22 13:39:12.252: %LINEPROTO-5-UPDOWN: up"),
            Some(("Cisco IOS", None, None))
        );
    }

    #[test]
    fn messages_that_are_only_alike_tell_nothing() {
        for text in [
            "<34>Oct 11 22:14:15 pump-7 sshd[42]: devid=\"FGT61E4Q16000000\"",
            "<189>date=2019-05-10 time=11:50:48 devid=\"Jane Doe\"",
            "<34>Oct 11 22:14:15 pump-7 app: 100% done: %A-9-B: x",
            "<34>load 97%-3-high: x",
            "<34>%CPU-3-HIGH: not numbered",
            "",
        ] {
            assert_eq!(told(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_message_is_read_without_a_panic(bytes in any::<Vec<u8>>(), text in "<[0-9]{1,3}>[ -~]{0,80}") {
            let _ = system(&bytes);
            let _ = system(text.as_bytes());
        }
    }
}
