//! Reading columns: words, sealed texts and JSON, with an error that names what was wrong.

use rusqlite::types::Type;
use rusqlite::{Row, RowIndex};
use serde::de::DeserializeOwned;

use crate::model::Word;

/// A column that holds a word.
pub(super) fn word<T: Word, I: RowIndex + Copy>(row: &Row<'_>, column: I) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    T::from_word(&text).ok_or_else(|| unexpected(format!("unknown word {text:?}")))
}

/// A column that holds JSON.
pub(super) fn json<T: DeserializeOwned, I: RowIndex + Copy>(
    row: &Row<'_>,
    column: I,
) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| unexpected(error.to_string()))
}

/// A column that holds JSON or nothing.
pub(super) fn optional_json<T: DeserializeOwned, I: RowIndex + Copy>(
    row: &Row<'_>,
    column: I,
) -> rusqlite::Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| serde_json::from_str(&text).map_err(|error| unexpected(error.to_string())))
        .transpose()
}

/// A value as JSON text for a column.
pub(super) fn to_json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// A value as JSON text for a column that may be empty.
pub(super) fn to_optional_json<T: serde::Serialize>(value: Option<&T>) -> Option<String> {
    value.map(to_json)
}

fn unexpected(what: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, what.into())
}
