//! What the SOP classes of an association say about its two ends (PS3.4, PS3.6 annex A).

/// The service that a SOP class belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Storage,
    Worklist,
    PerformedStep,
    Commitment,
    Query,
    Print,
    /// Verification, and whatever is not told apart here.
    Other,
}

const STORAGE: &str = "1.2.840.10008.5.1.4.1.1.";
const QUERY: &str = "1.2.840.10008.5.1.4.1.2.";

/// The service of a SOP class.
pub(super) fn service(sop_class: &str) -> Service {
    match sop_class {
        "1.2.840.10008.5.1.4.31" => Service::Worklist,
        "1.2.840.10008.3.1.2.3.3" => Service::PerformedStep,
        "1.2.840.10008.1.20.1" => Service::Commitment,
        // Basic grayscale and basic colour print management.
        "1.2.840.10008.5.1.1.9" | "1.2.840.10008.5.1.1.18" => Service::Print,
        _ if sop_class.starts_with(STORAGE) => Service::Storage,
        _ if sop_class.starts_with(QUERY) => Service::Query,
        _ => Service::Other,
    }
}

impl Service {
    /// The role word of the end that uses the service.
    pub(super) const fn user(self) -> &'static str {
        match self {
            Self::Storage => "dicom-storage-scu",
            Self::Worklist => "dicom-worklist-scu",
            Self::PerformedStep => "dicom-mpps-scu",
            Self::Commitment => "dicom-commitment-scu",
            Self::Query => "dicom-query-scu",
            Self::Print => "dicom-print-scu",
            Self::Other => "dicom-scu",
        }
    }

    /// The role word of the end that provides the service.
    pub(super) const fn provider(self) -> &'static str {
        match self {
            Self::Storage => "dicom-storage-scp",
            Self::Worklist => "dicom-worklist-scp",
            Self::PerformedStep => "dicom-mpps-scp",
            Self::Commitment => "dicom-commitment-scp",
            Self::Query => "dicom-query-scp",
            Self::Print => "dicom-print-scp",
            Self::Other => "dicom-scp",
        }
    }
}

/// The kind of equipment that makes objects of a storage class, by the class's first arc: a scanner uses the classes
/// of one or two kinds, an archive or router those of many. `None` for what any of them makes beside its images
/// (secondary captures, reports, presentation states, encapsulated documents, raw data), and for other services.
pub(super) fn image_kind(sop_class: &str) -> Option<u16> {
    let arc: u16 = sop_class.strip_prefix(STORAGE)?.split('.').next()?.parse().ok()?;
    match arc {
        7 | 8 | 10 | 11 | 66 | 67 | 68 | 88 | 90 | 104 => None,
        // Retired classes and siblings count with those that the same equipment uses now.
        3 => Some(6),
        5 => Some(20),
        13 => Some(1),
        130 => Some(128),
        _ => Some(arc),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_told_by_whole_arcs() {
        assert_eq!(service("1.2.840.10008.5.1.4.31"), Service::Worklist);
        assert_eq!(service("1.2.840.10008.5.1.4.1.1.6.1"), Service::Storage);
        assert_eq!(service("1.2.840.10008.5.1.4.1.2.2.1"), Service::Query);
        assert_eq!(service("1.2.840.10008.1.1"), Service::Other);
        assert_eq!(service("1.2.840.10008.5.1.4.311"), Service::Other);
    }

    #[test]
    fn an_ultrasound_unit_stays_one_kind_with_its_retired_class_and_its_reports() {
        let kinds: Vec<_> = [".6.1", ".3.1", ".7", ".88.33", ".6.2"]
            .iter()
            .filter_map(|tail| image_kind(&format!("1.2.840.10008.5.1.4.1.1{tail}")))
            .collect();
        assert_eq!(kinds, [6, 6, 6]);
        assert_eq!(image_kind("1.2.840.10008.1.1"), None);
    }
}
