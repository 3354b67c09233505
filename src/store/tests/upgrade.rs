//! Upgrades: nothing is lost, nothing is half done, and there is a way back.

use std::collections::BTreeMap;
use std::path::Path;

use refinery::{Migration, Runner};
use rusqlite::Connection;

use super::{count, folder, rows, tables};
use crate::store::migrate::{found_version, known_version, migrate_with, runner};
use crate::store::{Error, Store};

/// A later migration that rebuilds a table others point to, as SQLite's manual has it ("Making Other
/// Kinds Of Table Schema Changes"). With foreign keys on it takes all that points there with it.
const REBUILD: &str = "
    CREATE TABLE agents_new (
        id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL COLLATE NOCASE UNIQUE, name TEXT NOT NULL,
        password_hash TEXT NOT NULL, role TEXT NOT NULL, created_at INTEGER NOT NULL, disabled_at INTEGER
    ) STRICT;
    INSERT INTO agents_new SELECT id, email, name, password_hash, role, created_at, disabled_at FROM agents;
    DROP TABLE agents;
    ALTER TABLE agents_new RENAME TO agents;";

/// The program's own migrations up to a version.
fn up_to(version: i64) -> Vec<Migration> {
    let all = runner();
    let wanted = all
        .get_migrations()
        .iter()
        .filter(|one| i64::from(one.version()) <= version);
    wanted.cloned().collect()
}

/// The program's own migrations and one more.
fn and_then(sql: &str) -> Runner {
    let mut all = up_to(known_version());
    let name = format!("V{:04}__later", known_version() + 1);
    all.push(Migration::unapplied(&name, sql).unwrap());
    Runner::new(&all)
}

/// A database of the newest schema with rows in every table.
fn filled(path: &Path) {
    for version in 1..=known_version() {
        migrate_with(path, Runner::new(&up_to(version))).unwrap();
        rows::insert(&Connection::open(path).unwrap(), version);
    }
}

fn counts(path: &Path) -> BTreeMap<String, i64> {
    let db = Connection::open(path).unwrap();
    tables(&db)
        .into_iter()
        .map(|table| (table.clone(), count(&db, &table)))
        .collect()
}

fn version(path: &Path) -> i64 {
    found_version(&Connection::open(path).unwrap()).unwrap()
}

#[test]
fn the_rows_for_these_tests_fill_every_table() {
    let (_folder, path) = folder();
    filled(&path);
    for (table, count) in counts(&path) {
        assert!(
            count > 0,
            "{table} is empty: give it a row in src/store/tests/rows.rs"
        );
    }
}

#[test]
fn no_migration_of_the_program_loses_a_row() {
    let (_folder, path) = folder();
    for version in 1..=known_version() {
        let before = counts(&path);
        migrate_with(&path, Runner::new(&up_to(version))).unwrap();
        let after = counts(&path);
        for (table, count) in before {
            assert_eq!(
                after.get(&table),
                Some(&count),
                "rows of {table} after migration {version}"
            );
        }
        rows::insert(&Connection::open(&path).unwrap(), version);
    }
}

#[test]
fn a_migration_that_rebuilds_a_table_keeps_every_row_that_points_to_it() {
    let (_folder, path) = folder();
    filled(&path);
    let before = counts(&path);
    migrate_with(&path, and_then(REBUILD)).unwrap();
    assert_eq!(counts(&path), before);
    assert_eq!(version(&path), known_version() + 1);
}

#[test]
fn the_same_migration_with_foreign_keys_on_would_lose_rows() {
    // What the one above is worth: this is what the library does by itself.
    let (_folder, path) = folder();
    filled(&path);
    let mut db = Connection::open(&path).unwrap();
    db.pragma_update(None, "foreign_keys", true).unwrap();
    and_then(REBUILD).run(&mut db).unwrap();
    assert_eq!(count(&db, "sessions"), 0);
}

#[test]
fn a_migration_that_leaves_a_row_pointing_nowhere_is_an_error() {
    let (_folder, path) = folder();
    filled(&path);
    let error = migrate_with(&path, and_then("DELETE FROM mailboxes;")).unwrap_err();
    assert!(error.to_string().contains("point nowhere"), "{error}");
}

#[test]
fn a_migration_that_fails_leaves_the_database_as_it_was() {
    let (_folder, path) = folder();
    filled(&path);
    let before = counts(&path);
    let half = "DELETE FROM events; INSERT INTO no_such_table VALUES (1);";
    let error = migrate_with(&path, and_then(half)).unwrap_err();
    assert!(matches!(error, Error::Migration(_)), "{error}");
    assert_eq!(counts(&path), before);
    assert_eq!(version(&path), known_version());
}

#[test]
fn a_copy_is_kept_before_an_existing_database_is_migrated() {
    let (folder, path) = folder();
    filled(&path);
    let before = counts(&path);
    migrate_with(&path, and_then("DELETE FROM events;")).unwrap();
    let copy = folder.path().join(format!(
        "mailhatch-before-migration-from-{}.db",
        known_version()
    ));
    assert_eq!(counts(&copy), before);
    assert_eq!(version(&copy), known_version());
}

#[test]
fn a_new_database_leaves_no_copy_behind() {
    let (folder, path) = folder();
    drop(Store::open(&path).unwrap());
    let names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with("mailhatch.db"))
        .collect();
    assert!(names.is_empty(), "{names:?}");
}

#[test]
fn a_database_of_a_newer_program_is_refused_and_not_touched() {
    let (_folder, path) = folder();
    filled(&path);
    migrate_with(&path, and_then(REBUILD)).unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = Store::open(&path).unwrap_err();
    let newer = known_version() + 1;
    assert!(
        matches!(error, Error::Newer { found, known } if found == newer && known == newer - 1),
        "{error}"
    );
    assert!(error.to_string().contains("newer version"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_released_migration_that_was_edited_is_refused() {
    let (_folder, path) = folder();
    filled(&path);
    let mut edited =
        vec![Migration::unapplied("V0001__initial", "CREATE TABLE other (id INTEGER);").unwrap()];
    edited.extend(up_to(known_version()).into_iter().skip(1));
    edited.push(
        Migration::unapplied(&format!("V{:04}__later", known_version() + 1), "SELECT 1;").unwrap(),
    );
    let error = migrate_with(&path, Runner::new(&edited)).unwrap_err();
    assert!(matches!(error, Error::Migration(_)), "{error}");
    assert_eq!(version(&path), known_version());
}
