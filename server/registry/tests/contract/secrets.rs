//! A plain token, session key or password is nowhere in the database.

use crate::fixture::{Fixture, PASSWORD, device_names, named, new_job, office, part, password, renewing};
use muster_domain::OldTokens;
use muster_registry::Password;
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

pub(crate) async fn no_plain_secret_is_stored(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let registry = &fixture.registry;
    let (key, actor) = registry.sign_in(&tenant.email, office(), &password(PASSWORD)).await.unwrap();
    registry.set_password(&tenant.actor, &tenant.email, &password("another long password")).await.unwrap();
    // People type their password into the wrong box.
    let _ = registry.sign_in("my-secret@password", office(), &Password::given("wrong-guess-here".to_owned())).await;
    let id = tenant.begin().await;
    let mut made = tenant.part(id, part(0, 1, &["a", "b"])).await.tokens;
    made.extend(tenant.part(id, part(0, 2, &["a", "b"])).await.tokens);
    let again = tenant.begin().await;
    made.extend(tenant.part(again, renewing(part(0, 1, &["a", "b"]))).await.tokens);
    made.extend(
        registry
            .generate_tokens(&tenant.actor, &named(&device_names(&["a"])), OldTokens::KeepUntilNewIsUsed, new_job())
            .await
            .unwrap()
            .0,
    );
    for (_, token) in &made {
        let _ = fixture.works(token).await;
    }

    // The whole credential, and the part of it that is secret: all behind the prefix and the id's 22 letters.
    let mut secrets: Vec<Vec<u8>> = Vec::new();
    let texts: Vec<String> = made.iter().map(|(_, token)| token.reveal()).chain([key.reveal()]).collect();
    for text in &texts {
        secrets.push(text.as_bytes().to_vec());
        secrets.push(text.as_bytes()[26..70].to_vec());
    }
    for text in [PASSWORD, "another long password", "my-secret@password", "wrong-guess-here"] {
        secrets.push(text.as_bytes().to_vec());
    }
    // The raw bytes: every secret is one of the blocks that the test's world gave.
    secrets.extend((0..200_u64).map(|drawn| Sha256::digest(drawn.to_be_bytes()).to_vec()));

    let kept = everything(fixture).await;
    let holds = |needle: &[u8]| kept.windows(needle.len()).any(|window| window == needle);
    assert!(holds(actor.name().as_bytes()), "this looks at the right bytes");
    for (at, secret) in secrets.iter().enumerate() {
        assert!(!holds(secret), "secret {at}: {}", String::from_utf8_lossy(secret));
    }
    let printed = format!("{registry:?} {made:?} {key:?} {:?} {actor:?}", password(PASSWORD));
    for secret in &texts {
        assert!(!printed.contains(secret.as_str()) && !printed.contains(PASSWORD), "{printed}");
    }
}

/// Every byte in the files of the database, or in its tables if it has no files here.
async fn everything(fixture: &Fixture) -> Vec<u8> {
    let mut kept = Vec::new();
    if let Some(folder) = &fixture.folder {
        let folder = folder.join("made/on/the/way");
        for entry in std::fs::read_dir(folder).unwrap() {
            kept.extend(std::fs::read(entry.unwrap().path()).unwrap());
        }
        return kept;
    }
    let mut connection = PgConnection::connect(&fixture.url).await.unwrap();
    let columns: Vec<(String, String, String)> =
        sqlx::query_as("SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns WHERE table_schema = 'public'")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    for (table, column, data_type) in columns {
        let bytes = match data_type.as_str() {
            "bytea" => column,
            _ => format!("convert_to({column}::text, 'UTF8')"),
        };
        let values: Vec<Option<Vec<u8>>> = sqlx::query_scalar(AssertSqlSafe(format!("SELECT {bytes} FROM {table}")))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        for value in values.into_iter().flatten() {
            kept.extend(value);
            kept.push(b'\n');
        }
    }
    kept
}
