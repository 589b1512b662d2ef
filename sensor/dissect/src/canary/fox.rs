//! Niagara Fox whose hellos and log-in carry canaries: a key that is not listed, the user's name, and the building's data.

use std::fmt::Write as _;

use wardwatch_proto::v1::Attribute;

use super::{BREAKERS, CanaryStream, Mint, Transport, from_initiator, from_responder};

/// Listed keys: control value, attribute.
const LISTED: &[(&str, &str, Attribute)] = &[
    ("hostName", "plant-2", Attribute::HostName),
    ("app.name", "Station", Attribute::SoftwareName),
    ("app.version", "3.5.41.1", Attribute::SoftwareVersion),
    ("os.name", "QNX", Attribute::OperatingSystem),
    ("os.version", "6.3.2", Attribute::OperatingSystemVersion),
    ("vm.name", "J9 2.3", Attribute::NiagaraVm),
    ("station.name", "Plant_Room_2", Attribute::NiagaraStation),
    ("hostId", "Qnx-NPM6-0000-1490-C30C", Attribute::NiagaraHostId),
    ("brandId", "vykon", Attribute::SoftwareVendor),
];

const OTHERS: [&str; 7] = ["id", "lang", "timeZone", "vmUuid", "userName", "user.name", "hostname"];

pub(super) fn streams() -> Vec<CanaryStream> {
    let mut streams = vec![conversation(None)];
    for (key, ..) in LISTED {
        streams.extend(BREAKERS.into_iter().map(|shape| conversation(Some((key, shape)))));
    }
    streams
}

fn conversation(broken: Option<(&str, &str)>) -> CanaryStream {
    let mut mint = Mint::default();
    let mut expected = vec![(Attribute::Role, "fox-server".to_owned())];
    let mut lines = String::new();
    for (key, control, of) in LISTED {
        let value = match broken {
            Some((of, shape)) if of == *key => mint.broken(shape),
            _ => {
                expected.push((*of, (*control).to_owned()));
                (*control).to_owned()
            }
        };
        let _ = writeln!(lines, "{key}=s:{value}");
    }
    for key in OTHERS {
        let _ = writeln!(lines, "{key}=s:{}", mint.token());
    }
    // A value of several lines.
    let token = mint.token();
    let length = 2 * token.len() + 21;
    let _ = writeln!(lines, "sysInfo=o:bog {length}[<p v=\"{token}\"/>\n<p v=\"{token}\"/>\n]");
    let station = format!("fox a 0 -1 fox hello\n{{\n{lines}}};;\n");
    let workbench = format!("fox a 1 -1 fox hello\n{{\nlang=s:{}\n}};;\n", mint.token());
    let login =
        format!("fox a 2 1 fox login\n{{\nuser=s:{}\nhostName=s:{}\n}};;\n", mint.token(), mint.token());
    let data = format!("fox a 3 -1 stn point\n{{\nstation.name=s:{}\n}};;\n", mint.token());
    let turns = vec![
        from_initiator(workbench.into_bytes()),
        from_responder(station.into_bytes()),
        from_initiator(login.into_bytes()),
        from_responder(data.into_bytes()),
    ];
    let name = broken.map_or("everything".to_owned(), |(key, shape)| format!("{key} broken, {shape}"));
    let name = format!("fox {name}");
    CanaryStream { name, transport: Transport::Tcp, port: 1911, turns, canaries: mint.canaries, expected }
}
