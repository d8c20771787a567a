//! The limit that registering is measured beside: the devices of a database once more, and their texts, into the same
//! tables and indexes, in the fastest plain way there is. On SQLite, one `INSERT … SELECT` from another file in one
//! transaction; on PostgreSQL, one `COPY`. Prints the milliseconds it took; on SQLite, then those of as many transactions
//! as a file has parts. The database is not fit for use afterwards.
//!
//! `plain_load sqlite://FILE` or `plain_load postgres://…`
#![expect(clippy::print_stdout, reason = "it is what it is for")]

use muster_registry::{Registry, SystemWorld};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row, SqliteConnection};
use std::{error::Error, sync::Arc, time::Instant};

/// Rows of a part of a file, as the page cuts it. Each part is a transaction.
const PART_ROWS: i64 = 10_000;

/// What a device refers to.
const PARENTS: [&str; 2] = ["accounts", "models"];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).ok_or("plain_load: say which database")?;
    match url.strip_prefix("sqlite://") {
        Some(file) => {
            println!("{}", sqlite(file, "plain", i64::MAX).await?);
            println!("{}", sqlite(file, "parts", PART_ROWS).await?);
        }
        None => println!("{}", postgres(&url).await?),
    }
    Ok(())
}

/// Into another file, so many rows in a transaction.
async fn sqlite(file: &str, other: &str, rows_at_once: i64) -> Result<u128, Box<dyn Error>> {
    let other = format!("{file}.{other}");
    let url = format!("sqlite://{other}");
    drop(Registry::open(&url, Arc::new(SystemWorld)).await?);
    let mut connection = SqliteConnection::connect(&url).await?;
    connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -131072; PRAGMA wal_autocheckpoint = 65536").await?;
    connection.execute(AssertSqlSafe(format!("ATTACH '{file}' AS full"))).await?;
    for table in PARENTS {
        connection.execute(AssertSqlSafe(format!("INSERT INTO {table} SELECT * FROM full.{table}"))).await?;
    }
    // All but those that the database computes.
    let columns = connection.fetch_all("SELECT name FROM pragma_table_xinfo('devices') WHERE hidden = 0").await?;
    let columns: Vec<String> = columns.iter().map(|row| row.get(0)).collect();
    let columns = columns.join(", ");
    let begun = Instant::now();
    let last: i64 = sqlx::query_scalar("SELECT MAX(row) FROM full.devices").fetch_one(&mut connection).await?;
    let mut from = 0;
    while from < last {
        let to = from.saturating_add(rows_at_once).min(last);
        connection
            .execute(AssertSqlSafe(format!(
                "INSERT INTO devices ({columns}) SELECT {columns} FROM full.devices WHERE row > {from} AND row <= {to} ORDER BY row"
            )))
            .await?;
        from = to;
    }
    connection.execute("INSERT INTO text_blocks SELECT * FROM full.text_blocks").await?;
    let ms = begun.elapsed().as_millis();
    connection.close().await?;
    Ok(ms)
}

async fn postgres(url: &str) -> Result<u128, Box<dyn Error>> {
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
