//! Header and patient records (LIS02-A2, 6 and 7): `H|\^&|||sender|...`, with the delimiters that the header declares.
//!
//! The sender's name, field 5, is a list of components that every maker fills in its own order, and in which the
//! first may be the name of the hospital. So a component counts by its shape beside the others, never by its position
//! alone.

use wardwatch_proto::v1::Attribute;

/// The delimiters of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    field: u8,
    component: u8,
    escape: u8,
}

/// Field numbers of LIS02-A2, 6; the first is the record type itself.
const PASSWORD: usize = 4;
const SENDER: usize = 5;

/// Fields of a patient record that are not about the patient: type and sequence number.
const BEFORE_PATIENT: usize = 2;

impl Header {
    /// The octet behind `H` separates fields, and the next field lists the delimiters of repetitions, components and
    /// escapes. One that is written twice counts once.
    pub(super) fn read(record: &[u8]) -> Option<Self> {
        let (field, rest) = record.strip_prefix(b"H")?.split_first()?;
        let listed = rest.split(|byte| byte == field).next()?;
        let mut delimiters = Vec::with_capacity(4);
        for byte in listed.get(..listed.len().min(5))? {
            if !delimiters.contains(byte) {
                delimiters.push(*byte);
            }
        }
        let is_closed = rest.len() > listed.len() && listed.len() <= 4;
        let are_delimiters = field.is_ascii_punctuation() && delimiters.iter().all(u8::is_ascii_punctuation);
        let component = delimiters.get(1).copied().filter(|_| is_closed && are_delimiters)?;
        let escape = delimiters.get(2).copied().unwrap_or(b'&');
        Some(Self { field: *field, component, escape })
    }

    fn field(self, record: &[u8], number: usize) -> &[u8] {
        record.split(|byte| *byte == self.field).nth(number - 1).unwrap_or_default()
    }

    /// Field 4, when there is one.
    pub(super) fn password(self, record: &[u8]) -> Option<&[u8]> {
        Some(self.field(record, PASSWORD).trim_ascii()).filter(|password| !password.is_empty())
    }

    /// What field 5 says of the sender.
    pub(super) fn sender(self, record: &[u8]) -> Vec<(Attribute, String)> {
        let field = String::from_utf8_lossy(self.field(record, SENDER));
        let parts: Vec<String> =
            field.split(char::from(self.component)).take(8).map(|part| self.unescaped(part)).collect();
        let parts: Vec<&str> = parts.iter().map(|part| part.trim()).collect();
        named(&parts).into_iter().map(|(attribute, value)| (attribute, value.to_owned())).collect()
    }

    /// Delimiters that stand for themselves (LIS02-A2, 5.4.6).
    fn unescaped(self, part: &str) -> String {
        let [field, component, escape] = [self.field, self.component, self.escape].map(char::from);
        [('F', field), ('S', component), ('E', escape)].iter().fold(
            part.to_owned(),
            |text, (name, delimiter)| {
                text.replace(&format!("{escape}{name}{escape}"), &delimiter.to_string())
            },
        )
    }
}

/// Whether a header record begins here: recognition is as strict as reading.
pub(super) fn is_header(record: &[u8]) -> bool {
    Header::read(record).is_some()
}

/// Whether a patient record holds more than its number. Without a header the octet behind the type delimits fields.
pub(super) fn has_patient(record: &[u8], header: Option<&Header>) -> bool {
    let Some(field) = header.map(|header| header.field).or_else(|| record.get(1).copied()) else {
        return false;
    };
    let mut fields = record.split(|byte| *byte == field);
    let is_numbered = fields.next() == Some(b"P")
        && fields.next().is_some_and(|number| number.trim_ascii().iter().all(u8::is_ascii_digit));
    is_numbered
        && record
            .split(|byte| *byte == field)
            .skip(BEFORE_PATIENT)
            .any(|content| content.iter().any(u8::is_ascii_alphanumeric))
}

/// Names of haematology analysers of one maker, who puts the serial number behind the version in one series and
/// behind three empty components in the other, and an instrument code last.
const SYSMEX: [&str; 10] = ["XN-", "XP-", "XS-", "XT-", "XE-", "KX-", "CA-", "CS-", "UF-", "pocH-"];

/// The shapes that analysers send.
fn named<'a>(parts: &[&'a str]) -> Vec<(Attribute, &'a str)> {
    use Attribute::{EquipmentId, Manufacturer, Model, SerialNumber, SoftwareVersion};
    let mut told = match *parts {
        // host^Roche^c111^4.2.2.1730^1^13147
        [_, maker @ "Roche", model, version, _, serial, ..] => {
            vec![(Manufacturer, maker), (Model, model), (SoftwareVersion, version), (SerialNumber, serial)]
        }
        // c311^1
        [model, "1"] if is_cobas(model) => vec![(Model, model)],
        // XN-550^00-24^22723^^^^BD634545, XP-100^00-13^^^^A7869^BS649542
        [model, version, near, _, _, far, code, ..] if SYSMEX.iter().any(|name| model.starts_with(name)) => {
            let serial = if near.is_empty() { far } else { near };
            vec![(Model, model), (SoftwareVersion, version), (SerialNumber, serial), (EquipmentId, code)]
        }
        // site^GeneXpert^4.8: the first is the hospital.
        [_, model @ "GeneXpert", version, ..] => vec![(Model, model), (SoftwareVersion, version)],
        // DCA VANTAGE^04.04.00.00^S067337
        [model, version, serial] if is_version(version) && is_serial(serial) => {
            vec![(Model, model), (SoftwareVersion, version), (SerialNumber, serial)]
        }
        // H500^910YOXH02826^2.2.2.2b
        [model, serial, version] if is_serial(serial) && is_version(version) => {
            vec![(Model, model), (SerialNumber, serial), (SoftwareVersion, version)]
        }
        // Afinion 2 Analyzer^^AF20052397
        [model, "", serial] if is_serial(serial) => vec![(Model, model), (SerialNumber, serial)],
        // XYZ-9^Acme^2.1^SN0042
        [model, maker, version, serial] if is_version(version) && is_serial(serial) => {
            vec![(Model, model), (Manufacturer, maker), (SoftwareVersion, version), (SerialNumber, serial)]
        }
        // Horiba's older analysers.
        [maker @ "ABX"] => vec![(Manufacturer, maker)],
        _ => Vec::new(),
    };
    told.retain(|(_, value)| !value.is_empty());
    told
}

/// `c311`, `e411`: how one maker's modules are called.
fn is_cobas(name: &str) -> bool {
    name.len() == 4 && name.starts_with(['c', 'e']) && name.bytes().skip(1).all(|byte| byte.is_ascii_digit())
}

/// Numbers joined by dots, the last with a letter at most.
fn is_version(text: &str) -> bool {
    let numbers = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
    text.len() <= numbers.len() + 1
        && numbers.contains('.')
        && numbers
            .split('.')
            .all(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Letters and digits without a blank, four digits at least.
fn is_serial(text: &str) -> bool {
    (5..=20).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && text.bytes().filter(u8::is_ascii_digit).count() >= 4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(record: &str) -> Vec<String> {
        let header = Header::read(record.as_bytes()).expect("a header");
        header.sender(record.as_bytes()).into_iter().map(|(of, value)| format!("{of:?} {value}")).collect()
    }

    #[test]
    fn analysers_are_read_in_the_order_of_their_makers() {
        for (record, expected) in [
            (
                r"H|\^&|||host^Roche^c111^4.2.2.1^1^10001|",
                "Manufacturer Roche, Model c111, SoftwareVersion 4.2.2.1, SerialNumber 10001",
            ),
            (r"H|\^&|||c311^1|||||host", "Model c311"),
            (
                r"H|\^&|||    XN-550^00-24^22001^^^^BD100001||||||||E1394-97",
                "Model XN-550, SoftwareVersion 00-24, SerialNumber 22001, EquipmentId BD100001",
            ),
            (
                r"H|\^&|||XP-100^00-13^^^^A1001^BS100001||||||||E1394-97",
                "Model XP-100, SoftwareVersion 00-13, SerialNumber A1001, EquipmentId BS100001",
            ),
            (
                r"H|\^&|||DCA VANTAGE^04.04.00.00^S000001|||||||P|",
                "Model DCA VANTAGE, SoftwareVersion 04.04.00.00, SerialNumber S000001",
            ),
            (
                r"H|\^&|||Afinion 2 Analyzer^^AF20000001|||||||P|1|",
                "Model Afinion 2 Analyzer, SerialNumber AF20000001",
            ),
            (
                r"H|@^\|URM-01||700001 Happy Hospital^GeneXpert^4.8|||||LIS||P|1394-97|",
                "Model GeneXpert, SoftwareVersion 4.8",
            ),
            (
                r"H|\^&|||H500^910YOXH00001^2.2.2.2b|||||||Q|LIS2-A2|",
                "Model H500, SerialNumber 910YOXH00001, SoftwareVersion 2.2.2.2b",
            ),
            (r"H|\^&|||ABX|||||||P|E1394-97|", "Manufacturer ABX"),
            (
                r"H|\^&|||XYZ-9^Acme^2.1^SN0042|||||||P|1394-97|",
                "Model XYZ-9, Manufacturer Acme, SoftwareVersion 2.1, SerialNumber SN0042",
            ),
        ] {
            assert_eq!(sender(record).join(", "), expected, "{record}");
        }
    }

    #[test]
    fn a_name_that_stands_alone_may_be_a_hospital_or_a_person() {
        for record in
            [r"H|\^&|||LIS|", r"H|\^&|||Jane Doe^Lab 7|", r"H|\^&|||Doe^Jane^19700101|", r"H|\^&||||"]
        {
            assert_eq!(sender(record), [""; 0], "{record}");
        }
    }

    #[test]
    fn delimiters_are_those_of_the_header() {
        assert_eq!(Header::read(br"H|@^\|x"), Some(Header { field: b'|', component: b'^', escape: b'\\' }));
        assert_eq!(Header::read(br"H!\$&!"), Some(Header { field: b'!', component: b'$', escape: b'&' }));
        // One that is written twice.
        assert_eq!(Header::read(br"H|\\^&|"), Some(Header { field: b'|', component: b'^', escape: b'&' }));
        for other in [&b"H|"[..], b"H|\\^&", b"Hello|wo|", b"H||||", b"HTTP/1.1", b"H|abc|", b"P|\\^&|"] {
            assert_eq!(Header::read(other), None, "{}", other.escape_ascii());
        }
    }

    #[test]
    fn an_empty_patient_record_betrays_nobody() {
        let header = Header::read(br"H|\^&|");
        assert!(!has_patient(b"P|1", header.as_ref()));
        assert!(!has_patient(b"P|1||^^|||", header.as_ref()));
        assert!(has_patient(b"P|1|||4711", header.as_ref()));
        assert!(has_patient(b"P!1!!!4711", None));
        assert!(!has_patient(b"POST / HTTP/1.1", None));
    }
}
