//! A real ClickHouse server for one process: found, started and stopped.
