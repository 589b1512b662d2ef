//! How a device is named in an event.

use wardwatch_proto::v1::{DeviceDetails, DeviceSummary, ProfileValue};

use crate::conclusion::DeviceRecord;

/// Enough to name a device in an alert.
pub(crate) fn summary(record: &DeviceRecord) -> DeviceSummary {
    DeviceSummary {
        id: record.id.clone(),
        name: record.name.clone(),
        category: record.category.clone(),
        r#type: record.device_type.clone(),
        manufacturer: record.manufacturer.clone(),
        model: record.model.clone(),
        serial_number: record.serial_number.clone(),
        macs: record.macs.clone(),
        ips: record.ips.clone(),
        score: record.score,
        details: None,
    }
}

/// Everything that another inventory keeps of a device.
pub(crate) fn full(record: &DeviceRecord) -> DeviceSummary {
    const OWN_PLACE: [&str; 2] = ["operating_system", "operating_system_version"];
    let rest = record.details.iter().filter(|detail| !OWN_PLACE.contains(&detail.field.as_str()));
    let details = DeviceDetails {
        subcategory: record.subcategory.clone(),
        host_names: record.host_names.clone(),
        hardware_version: record.hardware_version.clone(),
        firmware_version: record.firmware_version.clone(),
        software_name: record.software_name.clone(),
        software_version: record.software_version.clone(),
        operating_system: record.detail("operating_system").to_owned(),
        operating_system_version: record.detail("operating_system_version").to_owned(),
        udi_di: record.udi_di.clone(),
        mac_manufacturer: record.mac_manufacturer.clone(),
        vlans: record.vlans.clone(),
        protocols: record.protocols.clone(),
        sensors: record.sensors.clone(),
        parent: record.parent.clone(),
        first_seen: record.first_seen,
        last_seen: record.last_seen,
        confidence: record.confidence,
        visibility: record.visibility,
        location: record.location.clone(),
        department: record.department.clone(),
        institution: record.institution.clone(),
        profile: rest
            .map(|detail| ProfileValue { field: detail.field.clone(), value: detail.value.clone() })
            .collect(),
    };
    DeviceSummary { details: Some(details), ..summary(record) }
}
