//! Scopes that say what a device is and where it stands: `sdc.ctxt.loc` (ISO/IEEE 11073-20701, 9.4), `sdc.cdc.type`,
//! and those of ONVIF cameras (ONVIF Core Specification, 7.3.2.2).

use wardwatch_proto::v1::Attribute;

use crate::medical::address::mac;

/// The parts of a location, from the large to the small: the keys of the query, in the order of the path.
const PARTS: [&str; 6] = ["fac", "bldng", "flr", "poc", "rm", "bed"];
const FACILITY: usize = 0;
const POINT_OF_CARE: usize = 3;

/// The nomenclature IEEE 11073-10101 as an object identifier.
const NOMENCLATURE: &str = "urn:oid:1.2.840.10004.1.1.1.0.0.1";

/// What one scope says.
pub(super) fn read(scope: &str) -> Vec<(Attribute, String)> {
    let (kind, rest) = scope.split_once(':').unwrap_or_default();
    match kind.to_ascii_lowercase().as_str() {
        // Nothing of a list whose separators were damaged: a patient's context would be read as the end of a place.
        _ if rest.contains("sdc.ctxt.pat") => Vec::new(),
        "sdc.ctxt.loc" => location(rest),
        "sdc.cdc.type" => device_type(rest),
        "onvif" => onvif(rest),
        _ => Vec::new(),
    }
}

/// `/sdc.ctxt.loc.detail/HOSP%2F%2F%2FICU2%2F%2FB7?fac=HOSP&poc=ICU2&bed=B7`: the query, or the path without one.
fn location(rest: &str) -> Vec<(Attribute, String)> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut parts: [String; 6] = Default::default();
    if query.is_empty() {
        let detail = path.rsplit('/').next().and_then(decoded).unwrap_or_default();
        for (part, text) in parts.iter_mut().zip(detail.split('/')) {
            text.clone_into(part);
        }
    } else {
        for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            let place = PARTS.iter().zip(&mut parts).find(|(name, _)| **name == key);
            if let (Some((_, part)), Some(value)) = (place, decoded(value)) {
                *part = value;
            }
        }
    }
    let place: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    let of = |part: usize| parts.get(part).cloned().unwrap_or_default();
    let told = [
        (Attribute::Institution, of(FACILITY)),
        (Attribute::Department, of(POINT_OF_CARE)),
        (Attribute::Location, place.join("/")),
    ];
    told.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

/// `/urn%3Aoid%3A1.2.840.10004.1.1.1.0.0.1//130535`: system, version, code. A code without a system is of the
/// nomenclature.
fn device_type(rest: &str) -> Vec<(Attribute, String)> {
    let mut parts = rest.split('/').skip(1).filter_map(decoded);
    let (system, _version, code) = (parts.next(), parts.next(), parts.next());
    let is_nomenclature = system.is_some_and(|system| system.is_empty() || system == NOMENCLATURE);
    code.filter(|_| is_nomenclature).map(|code| (Attribute::DeviceTypeCode, code)).into_iter().collect()
}

/// `//www.onvif.org/hardware/IPC-122`: a category and what it says.
fn onvif(rest: &str) -> Vec<(Attribute, String)> {
    let path = rest.trim_start_matches('/').split_once('/').map(|(_, path)| path);
    let Some((category, value)) = path.and_then(|path| path.split_once('/')) else { return Vec::new() };
    let Some(value) = decoded(value) else { return Vec::new() };
    let value = match category.to_ascii_lowercase().as_str() {
        "hardware" => Some((Attribute::Model, value)),
        "location" => Some((Attribute::Location, value)),
        "name" => Some((Attribute::Description, value)),
        "mac" => mac(&value).map(|address| (Attribute::MacAddress, address)),
        _ => None,
    };
    value.into_iter().collect()
}

/// Percent-encoding taken off (RFC 3986, 2.1).
fn decoded(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first == b'%' {
            let (digits, behind) = behind.split_at_checked(2)?;
            octets.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = behind;
        } else {
            octets.push(*first);
        }
    }
    String::from_utf8(octets).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(scope: &str) -> String {
        let told: Vec<_> = read(scope).into_iter().map(|(of, value)| format!("{of:?} {value}")).collect();
        told.join(", ")
    }

    #[test]
    fn what_runs_on_into_a_patients_context_is_not_read() {
        assert_eq!(said("sdc.ctxt.loc:/sdc.ctxt.loc.detail/x?fac=HOSP&bed=B7-sdc.ctxt.pat:/1.2.3/4711"), "");
    }

    #[test]
    fn a_location_is_read_from_its_query_and_else_from_its_path() {
        let all = "Institution HOSP, Department ICU 2, Location HOSP/ICU 2/B7";
        assert_eq!(said("sdc.ctxt.loc:/sdc.ctxt.loc.detail/x?fac=HOSP&poc=ICU%202&bed=B7"), all);
        assert_eq!(said("sdc.ctxt.loc:/sdc.ctxt.loc.detail/HOSP%2F%2F%2FICU%202%2F%2FB7"), all);
        assert_eq!(said("sdc.ctxt.loc:/sdc.ctxt.loc.detail/"), "");
    }

    #[test]
    fn a_type_counts_in_the_nomenclature_only() {
        assert_eq!(
            said("sdc.cdc.type:/urn%3Aoid%3A1.2.840.10004.1.1.1.0.0.1//130535"),
            "DeviceTypeCode 130535"
        );
        assert_eq!(said("sdc.cdc.type:///69965"), "DeviceTypeCode 69965");
        assert_eq!(said("sdc.cdc.type:/urn%3Aoid%3A2.16.840//130535"), "");
    }

    #[test]
    fn cameras_tell_hardware_name_place_and_address() {
        assert_eq!(said("onvif://www.onvif.org/hardware/IPC-122"), "Model IPC-122");
        assert_eq!(said("onvif://www.onvif.org/name/Acme%20Dome"), "Description Acme Dome");
        assert_eq!(said("onvif://www.onvif.org/location/country/china"), "Location country/china");
        assert_eq!(said("onvif://www.onvif.org/MAC/44:19:b6:00:00:01"), "MacAddress 44:19:b6:00:00:01");
        assert_eq!(said("onvif://www.onvif.org/Profile/Streaming"), "");
    }

    #[test]
    fn scopes_of_people_and_broken_ones_are_not_read() {
        for scope in [
            "sdc.ctxt.pat:/1.2.3/4711?name=DOE",
            "sdc.ctxt.opr:/1.2.3/doe",
            "sdc.ctxt.wfl:/1.2.3/x",
            "sdc.ctxt.loc:/a/%2",
            "sdc.ctxt.loc:/a/%zz",
            "onvif://www.onvif.org",
            "",
        ] {
            assert_eq!(said(scope), "", "{scope}");
        }
    }
}
