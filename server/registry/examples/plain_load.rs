//! The limit that registering is measured beside: the devices of a database once more, and their texts, into the same
//! tables and indexes, in the fastest plain way there is. Prints the milliseconds it took. On SQLite, that is one
//! prepared `INSERT` in one transaction; a second line is for one `INSERT … SELECT` from another file, which no program
//! with rows of its own could use. On PostgreSQL, it is one `COPY`. The database is not fit for use afterwards.
//!
//! `plain_load sqlite://FILE` or `plain_load postgres://…`
#![expect(clippy::print_stdout, reason = "it is what it is for")]

use muster_registry::{Registry, SystemWorld};
use rusqlite::{Connection as Database, params_from_iter, types::Value};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};
use std::{error::Error, sync::Arc, time::Instant};

/// What a device refers to.
const PARENTS: [&str; 2] = ["accounts", "models"];

type Loaded = Result<u128, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).ok_or("plain_load: say which database")?;
    match url.strip_prefix("sqlite://") {
        Some(file) => {
            println!("{}", sqlite(file, "inserted", insert_each).await?);
            println!("{}", sqlite(file, "selected", insert_all).await?);
        }
        None => println!("{}", postgres(&url).await?),
    }
    Ok(())
}

/// Into another file, whose writer is set up as that of a registry. It has the full one beside it.
async fn sqlite(file: &str, other: &str, load: fn(&Database) -> Loaded) -> Loaded {
    let other = format!("{file}.{other}");
    drop(Registry::open(&format!("sqlite://{other}"), Arc::new(SystemWorld)).await?);
    let database = Database::open(other)?;
    database.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -131072; PRAGMA wal_autocheckpoint = 65536",
    )?;
    database.execute("ATTACH $1 AS full", [file])?;
    for table in PARENTS {
        database.execute_batch(&format!("INSERT INTO {table} SELECT * FROM full.{table}"))?;
    }
    load(&database)
}

fn insert_each(database: &Database) -> Loaded {
    let tables = [("devices", columns(database, "devices")?), ("text_blocks", columns(database, "text_blocks")?)];
    let mut rows = Vec::new();
    for (table, columns) in &tables {
        let mut statement = database.prepare(&format!("SELECT {} FROM full.{table} ORDER BY 1", columns.join(", ")))?;
        let row = |row: &rusqlite::Row<'_>| (0..columns.len()).map(|at| row.get::<_, Value>(at)).collect();
        rows.push(statement.query_map([], row)?.collect::<Result<Vec<Vec<Value>>, _>>()?);
    }
    let begun = Instant::now();
    let transaction = database.unchecked_transaction()?;
    for ((table, columns), rows) in tables.iter().zip(&rows) {
        let values = vec!["?"; columns.len()].join(", ");
        let mut insert =
            database.prepare(&format!("INSERT INTO {table} ({}) VALUES ({values})", columns.join(", ")))?;
        for row in rows {
            insert.execute(params_from_iter(row))?;
        }
    }
    transaction.commit()?;
    Ok(begun.elapsed().as_millis())
}

fn insert_all(database: &Database) -> Loaded {
    let devices = columns(database, "devices")?.join(", ");
    let begun = Instant::now();
    database.execute_batch(&format!(
        "BEGIN; INSERT INTO devices ({devices}) SELECT {devices} FROM full.devices ORDER BY row;
         INSERT INTO text_blocks SELECT * FROM full.text_blocks; COMMIT"
    ))?;
    Ok(begun.elapsed().as_millis())
}

/// All but those that the database computes.
fn columns(database: &Database, table: &str) -> Result<Vec<String>, rusqlite::Error> {
    let mut statement = database.prepare("SELECT name FROM pragma_table_xinfo($1) WHERE hidden = 0")?;
    statement.query_map([table], |row| row.get(0))?.collect()
}

async fn postgres(url: &str) -> Loaded {
    use futures_util::TryStreamExt;

    let mut connection = PgConnection::connect(url).await?;
    let mut loads = Vec::new();
    for table in ["devices", "text_blocks"] {
        let columns = connection
            .fetch_all(AssertSqlSafe(format!(
                "SELECT column_name FROM information_schema.columns
                 WHERE table_name = '{table}' AND table_schema = current_schema() AND is_generated = 'NEVER' ORDER BY ordinal_position"
            )))
            .await?;
        let columns: Vec<String> = columns.iter().map(|row| row.get(0)).collect();
        let columns = columns.join(", ");
        let rows = format!("COPY (SELECT {columns} FROM {table} ORDER BY id) TO STDOUT (FORMAT binary)");
        let rows: Vec<_> = connection.copy_out_raw(&rows).await?.try_collect().await?;
        loads.push((format!("COPY {table} ({columns}) FROM STDIN (FORMAT binary)"), rows));
    }
    connection.execute("TRUNCATE devices, text_blocks CASCADE").await?;
    let begun = Instant::now();
    for (statement, rows) in loads {
        let mut copy = connection.copy_in_raw(&statement).await?;
        for some in rows {
            copy.send(some).await?;
        }
        copy.finish().await?;
    }
    Ok(begun.elapsed().as_millis())
}
