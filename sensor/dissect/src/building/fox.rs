//! Niagara Fox, the protocol of Tridium's Niagara Framework between stations (controllers, supervisors) and workbenches; on
//! TCP, in clear or within TLS. Tridium publishes no specification; what is read here is what both sides of real
//! conversations send.
//!
//! Each side begins with a message `hello`: lines of `key=type:value` that tell the host, its addresses and systems, the
//! program and the licensed host's number, whose beginning is the kind of controller. Nothing more is read: what
//! follows is the log-in with the user's name, and then the building.

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress, scope};

/// Niagara Fox on any TCP port.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::NiagaraFox, probe, start: || Box::<Fox>::default() };

/// What every message begins with.
const MARK: &[u8] = b"fox ";

/// The longest head: the mark, a letter, two numbers, a channel, a command.
const LONGEST_HEAD: usize = 96;

/// A hello takes some hundred octets.
const LONGEST_HELLO: usize = 16 * 1024;

/// Ends a message.
const END: &[u8] = b"\n};;";

/// The head of a message.
#[derive(Debug, PartialEq, Eq)]
enum Head {
    /// `fox a 1 -1 fox hello` and a brace.
    Hello,
    /// Any other command.
    Other,
}

/// What the bytes begin with: a head, or what may become one, or something else.
fn head(bytes: &[u8]) -> Result<Head, Probe> {
    let line = bytes.get(..LONGEST_HEAD).unwrap_or(bytes);
    let is_short = line.len() == bytes.len();
    let Some(end) = line.windows(2).position(|pair| pair == b"\n{") else {
        let may_become =
            is_short && line.iter().zip(MARK).all(|(byte, wanted)| byte == wanted) && is_text(line);
        return Err(if may_become { Probe::Unsure } else { Probe::NotForUs });
    };
    let words = line.get(..end).and_then(|line| str::from_utf8(line).ok()).unwrap_or_default();
    let mut words = words.split(' ');
    let is_number = |word: Option<&str>| word.is_some_and(|word| word.parse::<i64>().is_ok());
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_headed = words.next() == Some("fox")
        && words.next().is_some_and(|word| word.len() == 1 && is_word(word))
        && is_number(words.next())
        && is_number(words.next());
    match (words.next(), words.next(), words.next()) {
        (Some("fox"), Some("hello"), None) if is_headed => Ok(Head::Hello),
        (Some(channel), Some(command), None) if is_headed && is_word(channel) && is_word(command) => {
            Ok(Head::Other)
        }
        _ => Err(Probe::NotForUs),
    }
}

/// Letters, digits and what else a head may hold.
fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b" -\n".contains(byte))
}

fn probe(input: &Input<'_>) -> Probe {
    match head(input.bytes) {
        Ok(_) => Probe::Certain,
        Err(answer) => answer,
    }
}

/// One connection.
#[derive(Debug, Default)]
struct Fox {
    /// For each side, whether it has nothing more to tell.
    is_over: [bool; 2],
}

impl Dissector for Fox {
    fn protocol(&self) -> Protocol {
        Protocol::NiagaraFox
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let Some(is_over) = self.is_over.get_mut(input.direction.index()) else { return Progress::Done };
        if !*is_over {
            match head(input.bytes) {
                Ok(Head::Hello) => {
                    let Some(end) = input.bytes.windows(END.len()).position(|bytes| bytes == END) else {
                        if input.bytes.len() > LONGEST_HELLO {
                            return Progress::Broken("hello without an end");
                        }
                        return Progress::NeedMore;
                    };
                    hello(input.bytes.get(..end).unwrap_or_default(), facts);
                }
                Err(Probe::Unsure) => return Progress::NeedMore,
                // Joined in the middle, or behind a hole: this side has said its hello before.
                Ok(Head::Other) | Err(_) => {}
            }
            *is_over = true;
            let role = match input.direction {
                Direction::FromInitiator => "fox-client",
                Direction::FromResponder => "fox-server",
            };
            facts.of_sender(Attribute::Role, role);
        }
        if self.is_over == [true; 2] { Progress::Done } else { Progress::Consumed(input.bytes.len()) }
    }

    fn gap(&mut self, direction: Direction, _missing: u64) -> bool {
        if let Some(is_over) = self.is_over.get_mut(direction.index()) {
            *is_over = true;
        }
        self.is_over != [true; 2]
    }
}

/// Lines of `key=type:value`; values over several lines follow their count in brackets, and no key looks like theirs.
fn hello(bytes: &[u8], facts: &mut Facts<'_>) {
    let mut machine = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n').filter_map(|line| str::from_utf8(line).ok()) {
        let Some((key, value)) = line.split_once("=s:") else { continue };
        let value = value.trim_end_matches('\r');
        match key {
            // A host without a name gives its address.
            "hostName" if value.parse::<std::net::IpAddr>().is_err() => {
                facts.of_sender(Attribute::HostName, value);
            }
            "hostAddress" => {
                if let Ok(ip) = value.parse()
                    && scope::is_unicast(ip)
                {
                    facts.of_sender(Attribute::IpAddress, value);
                }
            }
            "app.name" => facts.of_sender(Attribute::SoftwareName, value),
            "app.version" => facts.of_sender(Attribute::SoftwareVersion, value),
            "os.name" => facts.of_sender(Attribute::OperatingSystem, value),
            "os.version" => facts.of_sender(Attribute::OperatingSystemVersion, value),
            "vm.name" | "vm.version" => machine.push(value),
            "station.name" => facts.of_sender(Attribute::NiagaraStation, value),
            "hostId" => facts.of_sender(Attribute::NiagaraHostId, value),
            "brandId" => facts.of_sender(Attribute::SoftwareVendor, value),
            _ => {}
        }
    }
    if !machine.is_empty() {
        facts.of_sender(Attribute::NiagaraVm, &machine.join(" "));
    }
}

#[cfg(test)]
mod tests;
