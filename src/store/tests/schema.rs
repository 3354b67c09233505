//! The schema is what docs/schema.sql says, and keeps the rules for tables.

use rusqlite::Connection;
use tempfile::TempDir;

use super::{folder, tables};
use crate::store::Store;

/// What a database is made of: kind, name and text, without comments and spacing.
fn parts(db: &Connection) -> Vec<(String, String, String)> {
    db.prepare(
        "SELECT type, name, sql FROM sqlite_schema
         WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' AND name <> 'refinery_schema_history'
         ORDER BY type, name",
    )
    .unwrap()
    .query_map([], |row| {
        Ok((row.get(0)?, row.get(1)?, plain(&row.get::<_, String>(2)?)))
    })
    .unwrap()
    .collect::<rusqlite::Result<_>>()
    .unwrap()
}

fn plain(sql: &str) -> String {
    let lines = sql
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default());
    let words: Vec<String> = lines
        .flat_map(str::split_whitespace)
        .map(str::to_owned)
        .collect();
    words
        .join(" ")
        .replace("( ", "(")
        .replace(" )", ")")
        .replace(" ,", ",")
}

fn migrated() -> (TempDir, Connection) {
    let (folder, path) = folder();
    drop(Store::open(&path).unwrap());
    (folder, Connection::open(&path).unwrap())
}

#[test]
fn the_documented_schema_is_the_one_that_the_migrations_make() {
    let documented = Connection::open_in_memory().unwrap();
    documented
        .execute_batch(include_str!("../../../docs/schema.sql"))
        .unwrap();
    let (_folder, db) = migrated();
    let (documented, made) = (parts(&documented), parts(&db));
    for part in &made {
        assert!(
            documented.contains(part),
            "docs/schema.sql lacks this {} or has it otherwise: {}",
            part.0,
            part.2
        );
    }
    for part in &documented {
        assert!(
            made.contains(part),
            "no migration makes this {} of docs/schema.sql: {}",
            part.0,
            part.2
        );
    }
}

#[test]
fn every_table_is_strict() {
    let (_folder, db) = migrated();
    for (kind, name, sql) in parts(&db) {
        assert!(
            kind != "table" || sql.contains(") STRICT") || name.contains("_search"),
            "{name} is not STRICT"
        );
    }
}

#[test]
fn every_foreign_key_can_be_followed_back_by_an_index() {
    let (_folder, db) = migrated();
    for table in tables(&db) {
        let keys: Vec<String> = db
            .prepare("SELECT \"from\" FROM pragma_foreign_key_list(?1)")
            .unwrap()
            .query_map([&table], |row| row.get(0))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        for column in keys {
            let is_indexed: bool = db
                .query_row(
                    "SELECT EXISTS (SELECT 1 FROM pragma_index_list(?1) l, pragma_index_info(l.name) i
                        WHERE i.seqno = 0 AND i.name = ?2 AND l.partial = 0)
                     OR EXISTS (SELECT 1 FROM pragma_table_info(?1) WHERE pk = 1 AND name = ?2)",
                    [&table, &column],
                    |row| row.get(0),
                )
                .unwrap();
            // Parents of these two are never deleted while they have children: RESTRICT refuses.
            let is_refused = matches!(
                (table.as_str(), column.as_str()),
                ("deliveries", "mailbox_id")
            );
            assert!(
                is_indexed || is_refused,
                "deleting a parent of {table}.{column} reads the whole table: add an index"
            );
        }
    }
}
