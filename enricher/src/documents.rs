//! Rows of documents that are attached to products, as they stand in ClickHouse: `documents`, `components`, `mds2_answers`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clickhouse::Row;
use serde::{Deserialize, Serialize};
use wardwatch_inventory::LogMoment;
use wardwatch_proto::v1::command::Action;
use wardwatch_proto::v1::{Answer, AttachDocument, Command, Component};
use wardwatch_store::version;

use crate::memory::{Attached, Told};
use crate::rows::nanoseconds;

/// What a run of messages tells of documents.
#[derive(Debug, Default)]
pub(crate) struct DocumentRows {
    /// The newest state of each, by site and id.
    pub(crate) documents: BTreeMap<(String, String), DocumentRow>,
    /// In the order of the log; of equal keys the later replaces the earlier in the table.
    pub(crate) components: Vec<ComponentRow>,
    /// In the order of the log; of equal keys the later replaces the earlier in the table.
    pub(crate) answers: Vec<AnswerRow>,
}

impl DocumentRows {
    /// The most rows of one kind.
    pub(crate) fn most(&self) -> usize {
        self.documents.len().max(self.components.len()).max(self.answers.len())
    }

    /// What a command says, and what is known of its document then.
    pub(crate) fn tell(&mut self, command: &Command, told: Told, at: LogMoment) {
        if let Some(Action::AttachDocument(part)) = &command.action {
            self.enter(&command.site, part, at);
        }
        let key = (command.site.clone(), told.document.clone());
        self.documents.insert(key, DocumentRow::new(&command.site, told, at));
    }

    fn enter(&mut self, site: &str, part: &AttachDocument, at: LogMoment) {
        let number = |index: usize| part.first.saturating_add(index as u32).saturating_add(1);
        for (index, component) in part.components.iter().enumerate() {
            let row = ComponentRow::new(site, &part.document, number(index), component, at);
            self.components.push(row);
        }
        for (index, answer) in part.answers.iter().enumerate() {
            self.answers.push(AnswerRow::new(site, &part.document, number(index), answer, at));
        }
    }
}

/// A row of `documents`.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
pub(crate) struct DocumentRow {
    site: String,
    document: String,
    kind: String,
    format: String,
    manufacturer: String,
    manufacturer_stated: String,
    model: String,
    model_version: String,
    title: String,
    date: String,
    sha256: String,
    entries: u32,
    left_out: u32,
    parts: u32,
    parts_held: u32,
    author: String,
    at: i64,
    note: String,
    withdrawn: bool,
    source_incarnation: u32,
    source_partition: u32,
    source_offset: u64,
    version: u64,
}

impl DocumentRow {
    fn new(site: &str, told: Told, at: LogMoment) -> Self {
        let Told { document, attached, is_withdrawn } = told;
        let parts_held = attached.parts_held();
        let Attached {
            kind,
            format,
            manufacturer,
            manufacturer_stated,
            model,
            model_version,
            title,
            date,
            ..
        } = attached;
        let sha256 = attached.sha256.iter().fold(String::with_capacity(64), |mut text, octet| {
            let _ = write!(text, "{octet:02x}");
            text
        });
        Self {
            site: site.to_owned(),
            document,
            kind,
            format,
            manufacturer,
            manufacturer_stated,
            model,
            model_version,
            title,
            date,
            sha256,
            entries: attached.entries,
            left_out: attached.left_out,
            parts: attached.parts,
            parts_held,
            author: attached.author,
            at: nanoseconds(attached.at),
            note: attached.note,
            withdrawn: is_withdrawn,
            source_incarnation: at.incarnation,
            source_partition: at.partition,
            source_offset: at.offset,
            version: version(at.incarnation, at.offset),
        }
    }
}

/// A row of `components`.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
pub(crate) struct ComponentRow {
    site: String,
    document: String,
    entry: u32,
    kind: String,
    name: String,
    release: String,
    supplier: String,
    purl: String,
    cpe: String,
    licence: String,
    hashes: Vec<String>,
    parent: u32,
    depth: u8,
    source_incarnation: u32,
    source_partition: u32,
    source_offset: u64,
    version: u64,
}

impl ComponentRow {
    fn new(site: &str, document: &str, entry: u32, of: &Component, at: LogMoment) -> Self {
        Self {
            site: site.to_owned(),
            document: document.to_owned(),
            entry,
            kind: of.kind.clone(),
            name: of.name.clone(),
            release: of.version.clone(),
            supplier: of.supplier.clone(),
            purl: of.purl.clone(),
            cpe: of.cpe.clone(),
            licence: of.licence.clone(),
            hashes: of.hashes.clone(),
            parent: of.parent,
            depth: u8::try_from(of.depth).unwrap_or(u8::MAX),
            source_incarnation: at.incarnation,
            source_partition: at.partition,
            source_offset: at.offset,
            version: version(at.incarnation, at.offset),
        }
    }
}

/// A row of `mds2_answers`.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
pub(crate) struct AnswerRow {
    site: String,
    document: String,
    entry: u32,
    section: String,
    question: String,
    text: String,
    answer: String,
    note: String,
    source_incarnation: u32,
    source_partition: u32,
    source_offset: u64,
    version: u64,
}

impl AnswerRow {
    fn new(site: &str, document: &str, entry: u32, of: &Answer, at: LogMoment) -> Self {
        Self {
            site: site.to_owned(),
            document: document.to_owned(),
            entry,
            section: of.section.clone(),
            question: of.question.clone(),
            text: of.text.clone(),
            answer: of.answer.clone(),
            note: of.note.clone(),
            source_incarnation: at.incarnation,
            source_partition: at.partition,
            source_offset: at.offset,
            version: version(at.incarnation, at.offset),
        }
    }
}
