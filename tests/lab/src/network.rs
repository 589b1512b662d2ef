//! The hospital's network: a namespace for each device of a scene, and a bridge between them.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::namespace::{self, Namespace};
use super::{Device, Hospital, Scene};

/// The name of the bridge in its namespace.
pub(super) const BRIDGE: &str = "mirror";
/// The name of each device's interface.
const INTERFACE: &str = "eth0";

/// The namespaces of a scene.
#[derive(Debug)]
pub(super) struct Network {
    // Fields are dropped in this order: a device's end of a pair goes before the bridge's.
    hosts: BTreeMap<String, Namespace>,
    mirror: Namespace,
}

impl Network {
    /// Builds the network of a scene.
    pub(super) fn build(hospital: &Hospital, scene: &Scene) -> Result<Self> {
        namespace::sweep();
        let mirror = Namespace::new("mirror")?;
        // LLDP goes to an address that bridges keep to themselves unless told otherwise.
        mirror.ip(&[
            "link",
            "add",
            "name",
            BRIDGE,
            "type",
            "bridge",
            "mcast_snooping",
            "0",
            "group_fwd_mask",
            "0x4000",
        ])?;
        mirror.ip(&["link", "set", BRIDGE, "up"])?;
        let mut network = Self { hosts: BTreeMap::new(), mirror };
        for (index, name) in scene.cast().into_iter().enumerate() {
            let device = hospital.device(name).with_context(|| format!("no device {name}"))?;
            let host = network
                .attach(device, &format!("port{index}"), hospital, scene)
                .with_context(|| format!("attach {name} to the network"))?;
            network.hosts.insert(name.to_owned(), host);
        }
        Ok(network)
    }

    /// The namespace that sees everything, on the interface [`BRIDGE`].
    pub(super) fn mirror(&self) -> &Namespace {
        &self.mirror
    }

    /// The namespace of a device.
    pub(super) fn host(&self, name: &str) -> Result<&Namespace> {
        self.hosts.get(name).with_context(|| format!("{name} is not in this scene"))
    }

    fn attach(&self, device: &Device, port: &str, hospital: &Hospital, scene: &Scene) -> Result<Namespace> {
        let (Some(mac), Some(ip)) = (&device.mac, device.ip) else {
            anyhow::bail!("{} has no address of its own", device.name);
        };
        let host = Namespace::new(&device.name)?;
        self.mirror.ip(&[
            "link",
            "add",
            "name",
            port,
            "type",
            "veth",
            "peer",
            "name",
            INTERFACE,
            "netns",
            host.name(),
        ])?;
        // Real checksums, and segments of the size that a wire would carry.
        let offloads = ["tx", "off", "rx", "off", "sg", "off", "tso", "off", "gso", "off", "gro", "off"];
        self.mirror.run("ethtool", &[&["-K", port][..], &offloads].concat())?;
        host.run("ethtool", &[&["-K", INTERFACE][..], &offloads].concat())?;
        self.mirror.ip(&["link", "set", port, "master", BRIDGE, "up"])?;
        host.ip(&["link", "set", INTERFACE, "address", mac, "up"])?;
        if !scene.unaddressed.contains(&device.name) {
            let prefix = hospital.site.network.prefix_len();
            host.ip(&["address", "add", &format!("{ip}/{prefix}"), "broadcast", "+", "dev", INTERFACE])?;
            // Discovery by multicast and DHCP need a way out beyond the own network.
            host.ip(&["route", "add", "224.0.0.0/4", "dev", INTERFACE])?;
        }
        // A name server that is not in the scene would be waited for.
        let server = Some(hospital.site.name_server.as_str()).filter(|server| scene.cast().contains(server));
        let server = server.and_then(|server| hospital.device(server)?.ip);
        host.resolve_by(server, &hospital.site.domain)?;
        Ok(host)
    }
}
