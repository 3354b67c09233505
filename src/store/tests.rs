//! The store's promises: the schema is as documented, an upgrade loses nothing, and no page's query
//! reads or sorts a whole table.

mod plans;
mod rows;
mod schema;
mod upgrade;

use std::path::PathBuf;

use rusqlite::Connection;
use tempfile::TempDir;

/// A folder of its own and where the database would be in it.
fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mailhatch.db");
    (folder, path)
}

/// The names of our tables.
fn tables(db: &Connection) -> Vec<String> {
    db.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table'
            AND name NOT LIKE 'sqlite_%' AND name <> 'refinery_schema_history'
            -- What FTS5 keeps its index in.
            AND name NOT GLOB '*_search_*' ORDER BY name",
    )
    .unwrap()
    .query_map([], |row| row.get(0))
    .unwrap()
    .collect::<rusqlite::Result<_>>()
    .unwrap()
}

/// How many rows a table holds.
fn count(db: &Connection, table: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM {table}");
    db.query_row(&sql, [], |row| row.get(0)).unwrap()
}
