//! Answers and rows in ClickHouse's own formats: text for people and scripts, blocks that are moved as they are.

use bytes::Bytes;

use crate::{Error, Result, Store};

impl Store {
    /// The answer to a query in one of ClickHouse's text formats (`JSONEachRow`, `PrettyCompact`). The server refuses
    /// whatever would change data.
    pub async fn text(&self, query: &str, format: &str) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.bytes(query, format).await?).into_owned())
    }

    /// As [`Store::text`], in any format (`Native`, `RowBinary`).
    pub async fn bytes(&self, query: &str, format: &str) -> Result<Bytes> {
        let failed = |source| Error::Request { attempted: query.chars().take(120).collect(), source };
        self.reader().query_raw(query).fetch_bytes(format).map_err(failed)?.collect().await.map_err(failed)
    }

    /// Inserts rows that are already in one of ClickHouse's formats, without trying again.
    pub async fn insert_bytes(&self, table: &str, format: &str, rows: Bytes) -> Result<()> {
        let statement = format!("INSERT INTO {table} FORMAT {format}");
        let failed = |source| Error::Request { attempted: statement.clone(), source };
        let mut insert = self.writer().insert_formatted_with(statement.clone());
        insert.send(rows).await.map_err(failed)?;
        insert.end().await.map_err(failed)
    }
}
