//! Building statements.

use super::Database;
use sqlx::QueryBuilder;
use uuid::Uuid;

/// Rows in one statement. SQLite allows 32,766 values and PostgreSQL 65,535, and a row of devices has 12.
pub(super) const MAX_ROWS_PER_STATEMENT: usize = 2_000;

/// Begins to build a statement.
pub(super) fn sql(text: &'static str) -> QueryBuilder<Database> {
    QueryBuilder::new(text)
}

/// The names as a JSON array, for `NAMES`: so the text of a statement does not depend on their number.
pub(super) fn json_names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    serde_json::Value::from_iter(names).to_string()
}

/// Appends ids in brackets; `NULL` if there are none.
pub(super) fn push_ids(statement: &mut QueryBuilder<Database>, ids: &[Uuid]) {
    statement.push("(");
    let mut list = statement.separated(", ");
    if ids.is_empty() {
        list.push("NULL");
    }
    for id in ids {
        list.push_bind(*id);
    }
    statement.push(")");
}

/// Appends numbers in brackets, at least one.
pub(super) fn push_numbers(statement: &mut QueryBuilder<Database>, numbers: impl Iterator<Item = i64>) {
    statement.push("(");
    let mut list = statement.separated(", ");
    for number in numbers {
        list.push_bind(number);
    }
    statement.push(")");
}

/// Whether it failed because the row exists already.
pub(super) fn is_unique_violation(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}
