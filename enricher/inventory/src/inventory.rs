//! Everything known about one site.

use std::collections::BTreeSet;
use std::sync::Arc;

use hashbrown::HashMap;
use wardwatch_knowledge::Knowledge;
use wardwatch_proto::v1::fact::Fact as Stated;
use wardwatch_proto::v1::{Fact, Flow, ImportTable, OverrideAttribute, RuleSameness};

use crate::conclude::Concluding;
use crate::conclusion::{Conclusions, EnrichedFlow, LogMoment};
use crate::counters::Counters;
use crate::decision::Undecided;
use crate::device::{Described, Device};
use crate::dossier::EvidenceCopy;
use crate::identity::{self, EndpointId};
use crate::imported::NotImported;
use crate::intake::{End, Intake, Pending, has_sent};
use crate::register::{Batch, Register};
use crate::scope::{Scope, Scopes};
use crate::settings::Settings;
use crate::state::{self, StateEntry, StateError};

/// Everything known about one site.
#[derive(Debug)]
pub struct Inventory {
    site: String,
    knowledge: Arc<Knowledge>,
    register: Register,
    /// State was restored that has not been put together yet.
    is_unsettled: bool,
    changed_dossiers: BTreeSet<u32>,
    changed_devices: BTreeSet<u32>,
}

impl Inventory {
    /// An empty inventory.
    pub fn new(site: &str, knowledge: Arc<Knowledge>, settings: Settings) -> Self {
        Self {
            site: site.to_owned(),
            register: Register::new(identity::site_namespace(site), Arc::clone(&knowledge), settings),
            knowledge,
            is_unsettled: false,
            changed_dossiers: BTreeSet::new(),
            changed_devices: BTreeSet::new(),
        }
    }

    /// Takes in the newest state entry of one key; the order of keys does not matter. To be called before any facts
    /// are applied.
    pub fn restore(&mut self, key: &str, value: &[u8]) -> Result<(), StateError> {
        self.is_unsettled = true;
        state::restore(&mut self.register, key, value)
    }

    /// Facts in, conclusions out. The same facts in the same order after the same state give the same conclusions.
    pub fn apply(
        &mut self,
        sensor: &str,
        facts: impl IntoIterator<Item = Fact>,
        at: LogMoment,
    ) -> Conclusions {
        self.apply_in("", sensor, facts, at)
    }

    /// The same of a sensor that stands in a network scope, whose addresses mean something there alone.
    pub fn apply_in(
        &mut self,
        scope: &str,
        sensor: &str,
        facts: impl IntoIterator<Item = Fact>,
        at: LogMoment,
    ) -> Conclusions {
        self.settle();
        let mut scopes = Scopes::new(scope, &mut self.register);
        let heard_by = self.register.sensors.of(sensor);
        let mut intake = Intake {
            register: &mut self.register,
            knowledge: &self.knowledge,
            sensor: heard_by,
            scope: scopes.of(""),
            log_time: at.log_time,
            newest: 0,
            findings: Vec::new(),
        };
        let mut flows: Vec<Flow> = Vec::new();
        for fact in facts {
            match fact.fact {
                Some(Stated::Flow(flow)) => {
                    intake.scope = scopes.enter(&flow.network, intake.register);
                    intake.flow(&flow);
                    flows.push(flow);
                }
                Some(Stated::Observation(observation)) => {
                    intake.scope = scopes.enter(&observation.network, intake.register);
                    intake.observation(&observation);
                }
                None => intake.register.counters.empty += 1,
            }
        }
        let Intake { newest, findings, .. } = intake;
        self.register.settle_routers();
        self.register.settle_joints();
        let batch = self.register.take_batch();
        self.changed_dossiers.extend(&batch.touched);
        let mut concluding = concluding(&mut self.register, &self.knowledge, &self.site, at, newest);
        concluding.sensor = sensor;
        self.changed_devices.extend(concluding.devices(&batch));
        concluding.rows(&batch);
        let by_id: HashMap<u64, &Flow> = if findings.is_empty() {
            HashMap::new()
        } else {
            flows.iter().map(|flow| (flow.id, flow)).collect()
        };
        concluding.findings(findings, |register, pending| peer(register, &scopes, pending, &by_id));
        drop(by_id);
        let mut conclusions = concluding.conclusions;
        conclusions.flows =
            flows.into_iter().map(|flow| self.enrich(scopes.of(&flow.network), flow)).collect();
        conclusions
    }

    /// A person overrides what the evidence says of a device, or withdraws that. The value wins over every evidence until
    /// it is withdrawn, and goes with the device when it turns out to be part of another.
    ///
    /// # Errors
    /// Why nothing came of it; everything is as it was then.
    pub fn decide(
        &mut self,
        command: &OverrideAttribute,
        author: &str,
        made_at: u64,
        at: LogMoment,
    ) -> Result<Conclusions, Undecided> {
        self.settle();
        let changed = self.register.decide(command, author, made_at, at)?;
        let mut concluding = concluding(&mut self.register, &self.knowledge, &self.site, at, made_at);
        if let Some(device) = changed.first() {
            concluding.decided(*device);
        }
        concluding.rows(&Batch::default());
        let conclusions = concluding.conclusions;
        self.changed_devices.extend(changed);
        Ok(conclusions)
    }

    /// A person rules that two devices are one, or are two, or withdraws that.
    ///
    /// # Errors
    /// Why nothing came of it; everything is as it was then.
    pub fn rule(
        &mut self,
        command: &RuleSameness,
        author: &str,
        made_at: u64,
        at: LogMoment,
    ) -> Result<Conclusions, Undecided> {
        self.settle();
        self.register.rule(command, author, made_at)?;
        Ok(self.conclude(made_at, at, None))
    }

    /// The id of the device that this one stands for now: itself, or the one that it turned out to be part of.
    ///
    /// # Errors
    /// The site has no device of this id.
    pub fn whole(&mut self, device: &str) -> Result<String, Undecided> {
        self.settle();
        let whole = self.register.named(device).and_then(|at| self.register.devices.get(at as usize));
        whole.map(|whole| whole.id.to_string()).ok_or(Undecided::UnknownDevice)
    }

    /// A part of another system's table. When all parts are there, its rows stand in place of those of the earlier table of
    /// that name: what they say belongs to the devices that they are about.
    ///
    /// # Errors
    /// Why nothing came of it; everything is as it was then, but for an older table of the name that was kept beside the one
    /// that stands.
    pub fn import(
        &mut self,
        table: &ImportTable,
        author: &str,
        made_at: u64,
        at: LogMoment,
    ) -> Result<Conclusions, NotImported> {
        self.settle();
        self.register.import(table, author, made_at, at)?;
        Ok(self.conclude(made_at, at, None))
    }

    /// The newest table of a name is taken back, and the one before it stands again.
    ///
    /// # Errors
    /// Why nothing came of it.
    pub fn withdraw_import(
        &mut self,
        name: &str,
        made_at: u64,
        at: LogMoment,
    ) -> Result<Conclusions, NotImported> {
        self.settle();
        self.register.withdraw_import(name)?;
        Ok(self.conclude(made_at, at, None))
    }

    /// Whether there is a table of another system, or a part of one.
    pub fn has_tables(&self) -> bool {
        self.register.imports.has_tables()
    }

    /// Every device is concluded anew with another knowledge, in the order of ids. What was heard before stays under the
    /// endpoints that it was heard of, and findings are not looked for in it.
    pub fn learn(&mut self, knowledge: Arc<Knowledge>, learned_at: u64, at: LogMoment) -> Conclusions {
        self.settle();
        let before = std::mem::replace(&mut self.knowledge, knowledge);
        self.register.learn(&self.knowledge);
        self.register.claim_anew();
        self.conclude(learned_at, at, Some(&before))
    }

    /// What is different after something else than facts came: of the devices that it concerns, or of all where the knowledge
    /// is another than before.
    fn conclude(&mut self, made_at: u64, at: LogMoment, before: Option<&Knowledge>) -> Conclusions {
        self.register.settle_joints();
        let batch = self.register.take_batch();
        self.changed_dossiers.extend(&batch.touched);
        let mut concluding = concluding(&mut self.register, &self.knowledge, &self.site, at, made_at);
        let changed = match before {
            Some(before) => concluding.all(&batch, before),
            None => concluding.devices(&batch),
        };
        concluding.rows(&batch);
        let conclusions = concluding.conclusions;
        self.changed_devices.extend(changed);
        conclusions
    }

    /// Goes on with this knowledge, which the restored state was concluded with already. To be called before any facts
    /// are applied.
    pub fn adopt(&mut self, knowledge: Arc<Knowledge>) {
        self.knowledge = knowledge;
        self.register.learn(&self.knowledge);
    }

    /// The version of the knowledge that devices are concluded with.
    pub fn knowledge(&self) -> &str {
        self.knowledge.version()
    }

    /// The entries that changed since the last call, in the order of their keys.
    pub fn take_changed_state(&mut self) -> Vec<StateEntry> {
        self.settle();
        let dossiers = std::mem::take(&mut self.changed_dossiers);
        let devices = std::mem::take(&mut self.changed_devices);
        let dossiers = dossiers.into_iter().filter(|at| !self.register.is_row(*at));
        let dossiers = dossiers.filter_map(|at| self.register.dossier(at)).map(state::of_dossier);
        let devices = devices.into_iter().filter_map(|at| self.register.devices.get(at as usize));
        let devices = devices.filter(|device| device.has_appeared()).map(state::of_device);
        let mut entries: Vec<StateEntry> = dossiers.chain(devices).collect();
        entries.extend(state::of_new_scopes(&mut self.register));
        let rulings = self.register.rulings.take_changed().into_iter();
        entries.extend(rulings.map(|(key, value)| StateEntry { key, value }));
        entries.extend(self.register.imports.take_changed());
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        entries
    }

    /// Every device that stands for itself, in the order of ids; of what was restored, once it is settled.
    pub fn devices(&self) -> impl Iterator<Item = Described<'_>> {
        let (register, knowledge) = (&self.register, &*self.knowledge);
        let all = (0_u32..).zip(&register.devices).filter(|(_, device)| device.stands_for_itself());
        let mut devices: Vec<Described<'_>> =
            all.map(|(at, device)| Described { register, knowledge, at, device }).collect();
        devices.sort_by_key(|described| described.device.id);
        devices.into_iter()
    }

    /// A copy of all evidence, by which benchmarks tell how much of the memory that is.
    pub fn evidence(&self) -> EvidenceCopy {
        let mut copy = Vec::with_capacity(self.register.dossiers.len());
        copy.extend(self.register.dossiers.iter().cloned());
        EvidenceCopy(copy)
    }

    /// What was taken in and what was not, since the start of the process.
    pub fn counters(&self) -> Counters {
        self.register.counters
    }

    /// Puts together what was restored. The next facts do so as well; until then devices cannot be described.
    pub fn settle(&mut self) {
        if !std::mem::take(&mut self.is_unsettled) {
            return;
        }
        self.register.settle_all();
        // Putting together what was known is no news, and what the rows of tables say was said before.
        for at in self.register.take_batch().touched {
            if let Some(dossier) = self.register.dossier_mut(at) {
                dossier.statements.take_touched();
            }
        }
        for link in self.register.links.iter_mut() {
            link.has_news = false;
        }
        let standing = self.register.devices.iter().filter(|device| device.stands_for_itself());
        let lost = standing.filter(|device| !self.register.is_real(device));
        self.register.counters.orphans += lost.count() as u64;
    }

    fn enrich(&self, scope: Scope, flow: Flow) -> EnrichedFlow {
        let device = |end: End, answered: bool| {
            let device = self.register.device_at(end.mac, end.ip, flow.start, answered);
            let device = device.and_then(|device| self.register.devices.get(device as usize));
            device.map(Device::name).unwrap_or_default()
        };
        let initiator = End::of(scope, flow.initiator.as_ref());
        let responder = End::of(scope, flow.responder.as_ref());
        EnrichedFlow {
            initiator_device: device(initiator, has_sent(flow.from_initiator.as_ref())),
            responder_device: device(responder, has_sent(flow.from_responder.as_ref())),
            flow,
        }
    }
}

fn concluding<'a>(
    register: &'a mut Register,
    knowledge: &'a Knowledge,
    site: &'a str,
    at: LogMoment,
    newest: u64,
) -> Concluding<'a> {
    Concluding {
        register,
        knowledge,
        site,
        sensor: "",
        at,
        newest,
        conclusions: Conclusions::default(),
        rows: BTreeSet::new(),
    }
}

/// The other end of the flow that a finding was read from, where the flow stands in the same message.
fn peer(
    register: &Register,
    scopes: &Scopes<'_>,
    pending: &Pending,
    flows: &HashMap<u64, &Flow>,
) -> Option<End> {
    let flow = flows.get(&pending.flow)?;
    let scope = scopes.of(&flow.network);
    let own = match register.dossier(pending.dossier)?.id {
        EndpointId::Interface(mac) => End { mac: Some(mac), ip: None },
        EndpointId::Address(mac, ip) => End { mac, ip: Some(ip) },
        EndpointId::Third(..) | EndpointId::Row(..) => return None,
    };
    let is_own = |end: &End| if own.ip.is_some() { end.ip == own.ip } else { end.mac == own.mac };
    let (initiator, responder) =
        (End::of(scope, flow.initiator.as_ref()), End::of(scope, flow.responder.as_ref()));
    if is_own(&initiator) { Some(responder) } else { is_own(&responder).then_some(initiator) }
}
