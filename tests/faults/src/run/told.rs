//! What a process is told, in the environment's form.

use wardwatch_tests::pipeline::recorded;

use crate::detour::Detour;
use crate::facts::PARTITIONS;
use crate::plan::{Fault, Instance, Plan, Service};
use crate::stage::{Log, SENSORS, Stage, sensor};

/// Where everything is.
pub(super) struct Told<'a> {
    stage: &'a Stage,
    plan: &'a Plan,
    /// Where ClickHouse is reached.
    store: String,
}

impl<'a> Told<'a> {
    /// `detour` is another way to ClickHouse, for one who takes it.
    pub(super) fn new(stage: &'a Stage, plan: &'a Plan, detour: Option<&Detour>) -> Self {
        let store = detour.map_or_else(|| stage.settings().url.clone(), Detour::url);
        Self { stage, plan, store }
    }

    /// The variables for the process of an instance in this life, from 0.
    pub(super) fn to(&self, instance: &Instance, life: usize, faults: &[Fault]) -> Vec<(String, String)> {
        let mut settings = Settings(Vec::new());
        let faults: Vec<String> = faults.iter().map(Fault::to_string).collect();
        settings.0.push(("WARDWATCH_FAULTS".to_owned(), faults.join(";")));
        let without: Vec<&str> = self.plan.without.iter().map(String::as_str).collect();
        settings.0.push(("WARDWATCH_WITHOUT".to_owned(), without.join(",")));
        let name = instance.service.name().to_uppercase();
        settings.set(&name, "TELEMETRY__LOG", "info,wardwatch_processor=debug");
        settings.set(&name, "HEALTH__ADDRESS", "127.0.0.1:0");
        match instance.service {
            Service::Sensor => self.sensor(&mut settings, instance, life),
            Service::Collector => {
                self.bus(&mut settings, &name);
                self.collector(&mut settings, &name, instance);
            }
            Service::Enricher | Service::Alerter => {
                self.bus(&mut settings, &name);
                self.processor(&mut settings, &name, instance);
            }
            Service::Standalone => {
                self.bus(&mut settings, &name);
                self.collector(&mut settings, &format!("{name}__COLLECTOR"), instance);
                self.processor(&mut settings, &format!("{name}__ENRICHER"), instance);
                self.processor(&mut settings, &format!("{name}__ALERTER"), instance);
            }
        }
        settings.0
    }

    fn bus(&self, settings: &mut Settings, name: &str) {
        match self.stage.log() {
            Log::Kafka => {
                settings.set(name, "BUS__KAFKA__BROKERS", format!("[\"{}\"]", self.stage.bootstrap()));
                settings.set(name, "BUS__KAFKA__SESSION_TIMEOUT", "6s");
                settings.set(name, "BUS__KAFKA__LINGER", "5ms");
            }
            Log::Embedded => {
                settings.set(name, "BUS__KIND", "embedded");
                settings.set(name, "BUS__EMBEDDED__DIRECTORY", self.stage.journal().display().to_string());
            }
        }
    }

    fn processor(&self, settings: &mut Settings, name: &str, instance: &Instance) {
        settings.set(name, "STORE__URL", self.store.clone());
        settings.set(name, "STORE__DATABASE", self.stage.settings().database.clone());
        settings.set(name, "STORE__FSYNC", "false");
        settings.set(name, "COMMIT__ROWS", instance.rows.to_string());
        settings.set(name, "COMMIT__AGE", format!("{}ms", instance.age.as_millis()));
        // Small enough that memories are compacted in every run; alerters have much smaller ones.
        let compact_after = if name.ends_with("ALERTER") { "12" } else { "150" };
        settings.set(name, "COMMIT__COMPACT_AFTER", compact_after);
        settings.set(name, "INTAKE__LONGEST_PAUSE", "1s");
    }

    fn collector(&self, settings: &mut Settings, name: &str, instance: &Instance) {
        let known: Vec<String> = (1..=SENSORS.len())
            .map(sensor)
            .map(|(sensor, site)| {
                format!("{sensor} = {{ site = \"{site}\", token = \"token-of-{sensor}\" }}")
            })
            .collect();
        settings.set(name, "LISTEN", self.stage.collector(instance.number()));
        settings.set(name, "PARTITIONS", PARTITIONS.to_string());
        settings.set(name, "SENSORS", format!("{{ {} }}", known.join(", ")));
    }

    fn sensor(&self, settings: &mut Settings, instance: &Instance, life: usize) {
        let (sensor, site) = sensor(instance.number());
        let recorded = recorded();
        let captures = instance.plays.get(life).map_or(&[][..], Vec::as_slice).iter();
        let mut files: Vec<String> = captures
            .filter_map(|capture| recorded.get(*capture))
            .map(|path| path.display().to_string())
            .collect();
        if files.is_empty() {
            // It is started for what its spool holds alone.
            files.push(self.stage.empty_capture().display().to_string());
        }
        let collectors = self
            .plan
            .instances
            .iter()
            .filter(|other| matches!(other.service, Service::Collector | Service::Standalone));
        let collectors: Vec<String> =
            collectors.map(|other| format!("http://{}", self.stage.collector(other.number()))).collect();
        let name = "SENSOR";
        settings.set(name, "SITE", site);
        settings.set(name, "SENSOR", sensor);
        settings.set(name, "INPUT__FILES", list(&files));
        // Played within a second, and not at once, so that there are many batches and the disk is synced many times.
        settings.set(name, "INPUT__SPEED", "20");
        settings.set(name, "BATCH__AGE", "40ms");
        settings.set(name, "BATCH__FACTS", "8");
        settings.set(name, "SPOOL__DIRECTORY", self.stage.spool(&instance.name).display().to_string());
        settings.set(name, "UPLINK__COLLECTORS", list(&collectors));
        settings.set(name, "UPLINK__TOKEN", format!("token-of-{sensor}"));
        settings.set(name, "UPLINK__LONGEST_PAUSE", "300ms");
    }
}

struct Settings(Vec<(String, String)>);

impl Settings {
    fn set(&mut self, part: &str, key: &str, value: impl Into<String>) {
        self.0.push((format!("WARDWATCH_{part}__{key}"), value.into()));
    }
}

fn list(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| format!("\"{text}\"")).collect();
    format!("[{}]", quoted.join(", "))
}
