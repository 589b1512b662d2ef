//! The hospital's network: a namespace for each device of a scene, a bridge between them, and its mirror ports.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::namespace::{self, Namespace};
use super::{Device, Hospital, Means, Scene};

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
    sensors: Namespace,
    /// The bridge's ends of the mirror ports.
    spans: Vec<String>,
}

// Real checksums, and segments of the size that a wire would carry.
const OFFLOADS: [&str; 12] =
    ["tx", "off", "rx", "off", "sg", "off", "tso", "off", "gso", "off", "gro", "off"];

impl Network {
    /// Builds the network of a scene, with a mirror port for each of these means.
    pub(super) fn build(hospital: &Hospital, scene: &Scene, means: &[Means]) -> Result<Self> {
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
        let sensors = Namespace::new("sensors")?;
        let mut network = Self { hosts: BTreeMap::new(), mirror, sensors, spans: Vec::new() };
        for (index, means) in means.iter().enumerate() {
            let span = format!("span{index}");
            network.add_span(&span, means.name()).with_context(|| format!("add the mirror port {span}"))?;
            network.spans.push(span);
        }
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

    /// The namespace in which each mirror port ends, on an interface that is named as the [`Means`].
    pub(super) fn sensors(&self) -> &Namespace {
        &self.sensors
    }

    /// Adds a mirror port that nothing but copies comes out of.
    fn add_span(&self, span: &str, interface: &str) -> Result<()> {
        let inside = self.sensors.name();
        self.mirror
            .ip(&["link", "add", "name", span, "type", "veth", "peer", "name", interface, "netns", inside])?;
        self.mirror.run("ethtool", &[&["-K", span][..], &OFFLOADS].concat())?;
        self.sensors.run("ethtool", &[&["-K", interface][..], &OFFLOADS].concat())?;
        self.mirror.ip(&["link", "set", span, "up"])?;
        self.sensors.ip(&["link", "set", interface, "up"])
    }

    /// Has what comes in from a device copied to the mirror ports, as a switch does.
    fn copy_to_spans(&self, port: &str) -> Result<()> {
        if self.spans.is_empty() {
            return Ok(());
        }
        self.mirror.run("tc", &["qdisc", "add", "dev", port, "clsact"])?;
        let mut filter =
            vec!["filter", "add", "dev", port, "ingress", "protocol", "all", "u32", "match", "u32"];
        filter.extend(["0", "0"]);
        for span in &self.spans {
            filter.extend(["action", "mirred", "egress", "mirror", "dev", span]);
        }
        self.mirror.run("tc", &filter)
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
        self.mirror.run("ethtool", &[&["-K", port][..], &OFFLOADS].concat())?;
        host.run("ethtool", &[&["-K", INTERFACE][..], &OFFLOADS].concat())?;
        self.copy_to_spans(port)?;
        self.mirror.ip(&["link", "set", port, "master", BRIDGE, "up"])?;
        host.ip(&["link", "set", INTERFACE, "address", mac, "up"])?;
        if !scene.unaddressed.contains(&device.name) {
            let prefix = hospital.site.network.prefix_len();
            host.ip(&["address", "add", &format!("{ip}/{prefix}"), "broadcast", "+", "dev", INTERFACE])?;
            // Discovery by multicast and DHCP need a way out beyond the own network.
            host.ip(&["route", "add", "224.0.0.0/4", "dev", INTERFACE])?;
        }
        // A name server that is not in the scene would be waited for.
        let server = hospital.site.name_server.as_deref().filter(|server| scene.cast().contains(server));
        let server = server.and_then(|server| hospital.device(server)?.ip);
        host.resolve_by(server, &hospital.site.domain)?;
        Ok(host)
    }
}
