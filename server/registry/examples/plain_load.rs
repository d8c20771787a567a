//! The limits that the server is measured beside: what it did with the devices of a database, once more, to the same
//! tables and indexes, in the fastest plain way there is. Prints what was done, and the milliseconds it took:
//!
//! - `inserted`: the devices as they were registered, and their texts. On SQLite, that is one prepared `INSERT` in one
//!   transaction; on PostgreSQL, one `COPY`.
//! - `selected`, on SQLite only: one `INSERT … SELECT` from another file, which no program with rows of its own could use.
//! - `tokens`: the hash of another token for each of them, and the one before it kept. On SQLite, that is one prepared
//!   `UPDATE` in one transaction; on PostgreSQL, one `COPY` into a temporary table and one `UPDATE` from there.
//!
//! The database is not fit for use afterwards.
//!
//! `plain_load sqlite://FILE` or `plain_load postgres://…`
#![expect(clippy::print_stdout, reason = "it is what it is for")]

use muster_registry::{Registry, SystemWorld, World};
use rusqlite::{Connection as Database, params_from_iter, types::Value};
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};
use std::{error::Error, sync::Arc, time::Instant};
use uuid::Uuid;

/// What a device refers to.
const PARENTS: [&str; 2] = ["accounts", "models"];

/// What is read in place of what happened to devices since they were registered, so that a row is as it was stored then.
/// Which part of which registration made a token takes 21 bytes.
type AsRegistered = [(&'static str, &'static str); 5];
const ON_SQLITE: AsRegistered = [
    ("status", "0"),
    ("seen", "0"),
    ("first_used", "NULL"),
    ("old_token_hashes", "x''"),
    ("token_from", "zeroblob(21)"),
];
const ON_POSTGRES: AsRegistered = [
    ("status", "0::SMALLINT"),
    ("seen", "0::SMALLINT"),
    ("first_used", "NULL"),
    ("old_token_hashes", "''::BYTEA"),
    ("token_from", "decode(repeat('00', 21), 'hex')"),
];

/// Bytes in one message to PostgreSQL.
const SENT_AT_ONCE: usize = 1 << 20;

type Loaded = Result<u128, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).ok_or("plain_load: say which database")?;
    match url.strip_prefix("sqlite://") {
        Some(file) => {
            let database = empty(file, "inserted").await?;
            println!("inserted {}", insert_each(&database)?);
            println!("tokens {}", update_each(&database)?);
            drop(database);
            println!("selected {}", insert_all(&empty(file, "selected").await?)?);
        }
        None => {
            let mut connection = PgConnection::connect(&url).await?;
            println!("inserted {}", copy(&mut connection).await?);
            println!("tokens {}", copy_and_update(&mut connection).await?);
        }
    }
    Ok(())
}

/// Another file without devices, whose writer is set up as that of a registry. It has the full one beside it.
async fn empty(file: &str, other: &str) -> Result<Database, Box<dyn Error>> {
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
    Ok(database)
}

fn insert_each(database: &Database) -> Loaded {
    let tables = [("devices", columns(database, "devices")?), ("segments", columns(database, "segments")?)];
    let mut rows = Vec::new();
    for (table, columns) in &tables {
        let read = as_registered(columns, ON_SQLITE);
        let mut statement = database.prepare(&format!("SELECT {read} FROM full.{table} ORDER BY 1"))?;
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
    let columns = columns(database, "devices")?;
    let (devices, read) = (columns.join(", "), as_registered(&columns, ON_SQLITE));
    let begun = Instant::now();
    database.execute_batch(&format!(
        "BEGIN; INSERT INTO devices ({devices}) SELECT {read} FROM full.devices ORDER BY row;
         INSERT INTO segments SELECT * FROM full.segments; COMMIT"
    ))?;
    Ok(begun.elapsed().as_millis())
}

/// All columns that the database does not compute.
fn columns(database: &Database, table: &str) -> Result<Vec<String>, rusqlite::Error> {
    let mut statement = database.prepare("SELECT name FROM pragma_table_xinfo($1) WHERE hidden = 0")?;
    statement.query_map([table], |row| row.get(0))?.collect()
}

fn as_registered(columns: &[String], instead: AsRegistered) -> String {
    let read = |column: &String| {
        instead.iter().find(|(name, _)| name == column).map_or(&**column, |(_, value)| value).to_owned()
    };
    columns.iter().map(read).collect::<Vec<_>>().join(", ")
}

fn update_each(database: &Database) -> Loaded {
    let mut statement = database.prepare("SELECT id, token_hash FROM devices ORDER BY row")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
    let rows: Vec<_> =
        rows.map(|row| row.map(|(id, old)| (Sha256::digest(&old), old, id))).collect::<Result<_, _>>()?;
    let now = SystemWorld.now().as_ms();
    let begun = Instant::now();
    let transaction = database.unchecked_transaction()?;
    let mut update =
        database.prepare("UPDATE devices SET token_hash = ?, old_token_hashes = ?, token_made_at = ? WHERE id = ?")?;
    for (hash, old, id) in &rows {
        update.execute((hash.as_slice(), old, now, id))?;
    }
    drop(update);
    transaction.commit()?;
    Ok(begun.elapsed().as_millis())
}

async fn copy(connection: &mut PgConnection) -> Loaded {
    use futures_util::TryStreamExt;

    let mut loads = Vec::new();
    for table in ["devices", "segments"] {
        let columns = connection
            .fetch_all(AssertSqlSafe(format!(
                "SELECT column_name FROM information_schema.columns
                 WHERE table_name = '{table}' AND table_schema = current_schema() AND is_generated = 'NEVER' ORDER BY ordinal_position"
            )))
            .await?;
        let columns: Vec<String> = columns.iter().map(|row| row.get(0)).collect();
        let (read, columns) = (as_registered(&columns, ON_POSTGRES), columns.join(", "));
        let rows = format!("COPY (SELECT {read} FROM {table} ORDER BY id) TO STDOUT (FORMAT binary)");
        let rows: Vec<_> = connection.copy_out_raw(&rows).await?.try_collect().await?;
        loads.push((format!("COPY {table} ({columns}) FROM STDIN (FORMAT binary)"), rows));
    }
    connection.execute("TRUNCATE devices, segments CASCADE").await?;
    // What others left to be written is no matter of this one's.
    connection.execute("CHECKPOINT").await?;
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

async fn copy_and_update(connection: &mut PgConnection) -> Loaded {
    let rows: Vec<(Uuid, Vec<u8>)> =
        sqlx::query_as("SELECT id, token_hash FROM devices ORDER BY id").fetch_all(&mut *connection).await?;
    let mut bytes = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
    for (id, old) in &rows {
        bytes.extend(3_i16.to_be_bytes());
        for field in [id.as_bytes().as_slice(), Sha256::digest(old).as_slice(), old] {
            bytes.extend(i32::try_from(field.len())?.to_be_bytes());
            bytes.extend(field);
        }
    }
    bytes.extend((-1_i16).to_be_bytes());
    let now = SystemWorld.now().as_ms();
    connection.execute("CHECKPOINT").await?;
    let begun = Instant::now();
    let mut transaction = connection.begin().await?;
    transaction.execute("CREATE TEMP TABLE made (id UUID NOT NULL, hash BYTEA NOT NULL, old BYTEA NOT NULL)").await?;
    let mut copy = transaction.copy_in_raw("COPY made FROM STDIN (FORMAT binary)").await?;
    for some in bytes.chunks(SENT_AT_ONCE) {
        copy.send(some).await?;
    }
    copy.finish().await?;
    let update = "UPDATE devices SET token_hash = made.hash, old_token_hashes = made.old, token_made_at = $1
                  FROM made WHERE made.id = devices.id";
    let updated = sqlx::query(update).bind(now).execute(&mut *transaction).await?.rows_affected();
    transaction.commit().await?;
    assert_eq!(updated, rows.len() as u64, "each device once");
    Ok(begun.elapsed().as_millis())
}
