//! Packages of the system: which are missing, and installing them where we may.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

/// A Debian package and how to see that it is there.
#[derive(Clone, Copy)]
pub(crate) struct Package {
    name: &'static str,
    there: Sign,
}

#[derive(Clone, Copy)]
enum Sign {
    /// A program on the `PATH`.
    Program(&'static str),
    /// A file.
    File(&'static str),
    /// The folder that every package has among the documentation.
    Documentation,
}

const fn program(name: &'static str, package: &'static str) -> Package {
    Package { name: package, there: Sign::Program(name) }
}

const fn documented(package: &'static str) -> Package {
    Package { name: package, there: Sign::Documentation }
}

const NODE: Package = program("node", "nodejs");
const NPM: Package = program("npm", "npm");
const VENV: Package = documented("python3-venv");

/// What compiling needs: librdkafka is built from source and links OpenSSL.
pub(crate) const BUILD: &[Package] = &[
    program("gcc", "gcc"),
    program("g++", "g++"),
    program("make", "make"),
    program("pkg-config", "pkg-config"),
    Package { name: "libssl-dev", there: Sign::File("/usr/include/openssl/ssl.h") },
];

/// What fetching ClickHouse's library needs.
pub(crate) const FETCH_CLICKHOUSE: &[Package] = &[NODE, NPM];

/// What tests use; without one of them, those that need it skip.
pub(crate) const TESTS: &[Package] = &[
    NODE,
    NPM,
    program("java", "default-jre-headless"),
    program("mvn", "maven"),
    program("ip", "iproute2"),
    program("ethtool", "ethtool"),
    program("tcpdump", "tcpdump"),
    program("tshark", "tshark"),
    program("setcap", "libcap2-bin"),
    VENV,
];

/// What the sensor is measured next to.
pub(crate) const PEERS: &[Package] = &[program("ndpiReader", "libndpi-bin")];

/// What the lab lets talk, and what it does that with.
pub(crate) const LAB: &[Package] = &[
    program("ip", "iproute2"),
    program("ethtool", "ethtool"),
    program("setpriv", "util-linux"),
    program("tcpdump", "tcpdump"),
    program("python3", "python3"),
    VENV,
    program("storescu", "dcmtk"),
    Package { name: "orthanc", there: Sign::File("/usr/sbin/Orthanc") },
    program("dnsmasq", "dnsmasq-base"),
    program("dhclient", "isc-dhcp-client"),
    program("udhcpc", "udhcpc"),
    program("snmpd", "snmpd"),
    program("snmpget", "snmp"),
    program("lldpd", "lldpd"),
    program("curl", "curl"),
    program("hostname", "hostname"),
];

/// What talks in hospitals other than the first.
pub(crate) const OTHER_HOSPITALS: &[Package] = &[
    program("smbd", "samba"),
    program("smbclient", "smbclient"),
    program("nmblookup", "samba-common-bin"),
    program("krb5kdc", "krb5-kdc"),
    program("kadmin.local", "krb5-admin-server"),
    program("kinit", "krb5-user"),
    program("slapd", "slapd"),
    program("ldapsearch", "ldap-utils"),
    program("dropbear", "dropbear-bin"),
    program("ssh-keyscan", "openssh-client"),
    program("vsftpd", "vsftpd"),
    program("chronyd", "chrony"),
    program("rsyslogd", "rsyslog"),
    program("freeradius", "freeradius"),
    program("radclient", "freeradius-utils"),
    program("mosquitto", "mosquitto"),
    program("mosquitto_pub", "mosquitto-clients"),
    program("ippeveprinter", "cups-ipp-utils"),
    program("dbus-daemon", "dbus"),
    program("avahi-daemon", "avahi-daemon"),
    program("sipp", "sip-tester"),
    program("minidlnad", "minidlna"),
    program("gssdp-discover", "gupnp-tools"),
    program("Xtigervnc", "tigervnc-standalone-server"),
    program("vncsnapshot", "vncsnapshot"),
    program("knxd", "knxd"),
    program("nghttpd", "nghttp2-server"),
    program("in.tftpd", "tftpd-hpa"),
    program("mariadbd", "mariadb-server-core"),
    program("mariadb", "mariadb-client-core"),
    documented("python3-gi"),
    documented("gir1.2-gst-rtsp-server-1.0"),
    documented("gstreamer1.0-plugins-base"),
    documented("gstreamer1.0-plugins-good"),
    program("gst-launch-1.0", "gstreamer1.0-tools"),
    program("nmap", "nmap"),
    program("llmnrd", "llmnrd"),
    program("inetutils-inetd", "inetutils-inetd"),
    program("telnetd", "inetutils-telnetd"),
    program("telnet", "inetutils-telnet"),
    program("xrdp", "xrdp"),
    program("xfreerdp", "freerdp2-x11"),
];

impl Package {
    fn is_there(self) -> bool {
        match self.there {
            Sign::Program(name) => {
                let path = env::var_os("PATH").unwrap_or_default();
                // Those for administrators are not on everybody's PATH.
                let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
                folders.into_iter().any(|folder| folder.join(name).is_file())
            }
            Sign::File(path) => Path::new(path).exists(),
            Sign::Documentation => Path::new("/usr/share/doc").join(self.name).exists(),
        }
    }
}

/// Sees that packages are there: installs missing ones as root, otherwise fails with the line that does.
pub(crate) fn ensure(packages: &[Package]) -> Result<()> {
    let missing = missing(packages);
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    if !rustix::process::geteuid().is_root() {
        bail!("missing system packages; install them with: sudo apt-get install -y {names}");
    }
    println!("installing {names}");
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        // Somebody else may be installing something: that is waited for, two minutes.
        command.args(["-qq", "-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=120"]).args(arguments);
        command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).stdout(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    // The lists may be old or not there at all; when they cannot be had, the installation says more.
    apt(&["update"]);
    let install: Vec<&str> =
        ["install", "-y", "--no-install-recommends"].into_iter().chain(missing.iter().copied()).collect();
    if !apt(&install) {
        bail!("could not install {names} with apt-get");
    }
    Ok(())
}

fn missing(packages: &[Package]) -> Vec<&'static str> {
    packages.iter().filter(|package| !package.is_there()).map(|package| package.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_by_its_package() {
        let packages = [
            program("sh", "dash"),
            program("no-such-program", "some-package"),
            Package { name: "some-headers", there: Sign::File("/no/such/header.h") },
        ];
        assert_eq!(missing(&packages), ["some-package", "some-headers"]);
    }
}
