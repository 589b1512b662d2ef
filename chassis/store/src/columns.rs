//! What the columns of a table are, as the server says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use clickhouse::Row;
use serde::Deserialize;

use crate::{Error, Result, Store, quote};

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// Its type as the server writes it: `LowCardinality(String)`.
    pub(crate) kind: String,
}

/// The columns that the rows of one type fill.
#[derive(Debug)]
pub(crate) struct Columns {
    /// In the order of the row's fields.
    pub(crate) fields: Vec<Column>,
    /// Their names, as they stand in a statement.
    pub(crate) names: String,
    /// Names and types, as `input` wants them.
    pub(crate) structure: String,
}

/// Columns that were asked for already. A table's columns are only ever added to, so what was true stays true.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<HashMap<String, Arc<Columns>>>);

impl Store {
    /// The columns of these names.
    pub(crate) async fn columns(&self, table: &str, names: &[&str]) -> Result<Arc<Columns>> {
        let known = || self.known_columns().0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(columns) = known().get(table).filter(|columns| columns.are(names)) {
            return Ok(Arc::clone(columns));
        }
        let query = format!(
            "SELECT name, type AS kind FROM system.columns \
             WHERE database = currentDatabase() AND table = {}",
            quote(table)
        );
        let found: Vec<Column> = self.fetch(&query).await?;
        let columns = names.iter().map(|name| {
            let column = found.iter().find(|column| column.name == *name);
            column.cloned().ok_or_else(|| Error::Misfit {
                table: table.to_owned(),
                problem: format!("it has no column {name}"),
            })
        });
        let columns = Arc::new(Columns::new(columns.collect::<Result<_>>()?));
        known().insert(table.to_owned(), Arc::clone(&columns));
        Ok(columns)
    }
}

impl Columns {
    fn new(columns: Vec<Column>) -> Self {
        let each = |text: &dyn Fn(&Column) -> String| columns.iter().map(text).collect::<Vec<_>>().join(", ");
        let names = each(&|column| format!("`{}`", column.name));
        let structure = each(&|column| format!("`{}` {}", column.name, column.kind));
        Self { fields: columns, names, structure }
    }

    fn are(&self, names: &[&str]) -> bool {
        self.fields.iter().map(|column| column.name.as_str()).eq(names.iter().copied())
    }
}

/// The type that a value has on the wire: without what only says how it is stored.
pub(crate) fn plain_type(kind: &str) -> &str {
    let within = |prefix: &str| kind.strip_prefix(prefix)?.strip_suffix(')');
    if let Some(inner) = within("LowCardinality(") {
        return plain_type(inner);
    }
    match within("SimpleAggregateFunction(").and_then(|inner| inner.split_once(", ")) {
        Some((_, inner)) => plain_type(inner),
        None => kind,
    }
}
