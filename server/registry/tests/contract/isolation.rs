//! Nothing is ever visible, or changed, across accounts: every use case that takes an actor, tried by the user of another
//! account.

use crate::fixture::{
    Fixture, MODEL, PASSWORD, Tenant, all, definition, device_name, device_names, model_name, named, new_job, office,
    part, part_of, password, renewing, row, row_of,
};
use muster_domain::{Change, DeviceFilter, FieldSet, GroupName, ModelOutcome, OldTokens, PricingTier, RegistrationId};
use muster_registry::{Actor, DeleteModelError, GroupError, NewRegistration, RegisterError, Registry, UserError};
use std::{collections::BTreeSet, fs, path::Path};

/// Calls each use case as this actor, compares the result with the pattern, and gives the names of the use cases.
macro_rules! check {
    ($registry:expr, $actor:expr; $($use_case:ident($($argument:expr),*) => $expected:pat $(if $guard:expr)?,)*) => {{
        $(
            let result = $registry.$use_case($actor, $($argument),*).await;
            assert!(
                matches!(&result, $expected $(if $guard)?),
                "{} by {}: {result:?}", stringify!($use_case), $actor.name()
            );
        )*
        [$(stringify!($use_case)),*]
    }};
}

/// What the first account has: devices `a`, `b` and `007` of a registration with an error, and a model of its own.
struct Mine {
    tenant: Tenant,
    registration: RegistrationId,
}

/// The use cases that read, each with what its own account sees, or what any other account sees.
async fn check_reads(registry: &Registry, actor: &Actor, mine: &Mine, is_own: bool) -> Vec<&'static str> {
    let berlin = GroupName::parse("Berlin").unwrap();
    let in_group = DeviceFilter { groups: vec![berlin], search: Some("007".to_owned()), ..DeviceFilter::default() };
    let names = device_names(&["a", "b"]);
    let id = mine.registration;
    let mut tried = Vec::new();
    tried.extend(check! { registry, actor;
        devices(&all()) => Ok(page) if (page.total, page.items.len()) == if is_own { (3, 3) } else { (0, 0) },
        count_devices(&DeviceFilter::default()) => Ok(count) if *count == if is_own { 3 } else { 0 },
        count_devices(&in_group) => Ok(count) if *count == u64::from(is_own),
        device(&names[0]) => Ok(device) if device.is_some() == is_own,
        dry_run(&[(1, row("a"))], FieldSet::default()) => Ok(dry_run)
            if (dry_run.new, dry_run.already) == if is_own { (0, 1) } else { (1, 0) },
        registered_with_leading_zeros(&device_names(&["7"])) => Ok(found) if found.is_empty() != is_own,
        export(&named(&names)) => Ok((devices, None)) if devices.len() == if is_own { 2 } else { 0 },
        groups() => Ok(groups) if groups.is_empty() != is_own,
        models() => Ok(models) if models.iter().map(|model| model.devices).eq(if is_own { vec![3, 0] } else { vec![0] }),
        model_names() => Ok(models) if models.len() == if is_own { 2 } else { 1 } && models[0] == MODEL,
        model(&model_name("Mine.Only")) => Ok(model) if model.is_some() == is_own,
        example_report(&model_name("Mine.Only")) => Ok(example) if example.is_some() == is_own,
        unknown_models(&["Mine.Only", "Mine.Onyl"].map(model_name)) => Ok(unknown)
            if unknown.len() == if is_own { 1 } else { 2 }
                && unknown.iter().all(|model| model.nearest.is_some() == is_own),
        registrations(None, 100) => Ok(registrations) if registrations.is_empty() != is_own,
        registrations(Some(RegistrationId::from(uuid::Uuid::max())), 100) => Ok(found) if found.is_empty() != is_own,
        registration_errors(id, None) => Ok(page) if page.as_ref().is_some_and(|page| !page.rows.is_empty()) == is_own,
        default_tier() => Ok(tier) if (*tier == PricingTier::Medium) == is_own,
    });
    tried
}

/// The use cases that write, each aimed at what the first account has. Some succeed, in the account of the actor.
async fn check_writes(registry: &Registry, actor: &Actor, mine: &Mine) -> Vec<&'static str> {
    let (berlin, paris) = (GroupName::parse("Berlin").unwrap(), GroupName::parse("Paris").unwrap());
    let targets = named(&device_names(&["a", "b"]));
    let id = mine.registration;
    let new = NewRegistration { file_name: "x".to_owned(), devices: 1, parts: 1, group: None, idempotency_key: None };
    let other_definition = definition("Mine.Only", r#""other": {"type": "string"}"#);
    let mut tried = Vec::new();
    tried.extend(check! { registry, actor;
        change_devices(&targets, &Change::Disable) => Ok(outcome) if outcome.devices == 0,
        change_devices(&targets, &Change::Enable) => Ok(outcome) if outcome.devices == 0,
        change_devices(&targets, &Change::Delete) => Ok(outcome) if outcome.devices == 0,
        change_devices(&targets, &Change::Tier(PricingTier::Large)) => Ok(outcome) if outcome.devices == 0,
        change_devices(&targets, &Change::RemoveFromGroup(berlin.clone())) => Err(GroupError::NotFound),
        change_devices(&targets, &Change::AddToGroup(berlin.clone())) => Ok(outcome) if outcome.devices == 0,
        generate_tokens(&targets, OldTokens::KeepUntilNewIsUsed, new_job()) => Ok((tokens, None)) if tokens.is_empty(),
        generate_tokens(&targets, OldTokens::RevokeNow, new_job()) => Ok((tokens, None)) if tokens.is_empty(),
        undo_registration(id, None) => Ok(outcome) if outcome.devices == 0,
        register_part(id, part(1, 1, &["a"])) => Err(RegisterError::UnknownRegistration),
        register_part(id, part(0, 2, &["a"])) => Err(RegisterError::UnknownRegistration),
        register_part(id, renewing(part(0, 1, &["a"]))) => Err(RegisterError::UnknownRegistration),
        finish_registration(id) => Err(RegisterError::UnknownRegistration),
        begin_registration(new) => Ok(begun) if *begun != id,
        rename_group(&berlin, &paris) => Err(GroupError::NotFound),
        delete_group(&berlin) => Err(GroupError::NotFound),
        create_group(&berlin) => Ok(()),
        delete_group(&berlin) => Ok(()),
        delete_model(&model_name("Mine.Only")) => Err(DeleteModelError::NotFound),
        put_model(other_definition.as_bytes()) => Ok(put) if put.outcome == ModelOutcome::Added,
        delete_model(&model_name("Mine.Only")) => Ok(()),
        set_default_tier(PricingTier::Large) => Ok(()),
        set_password(&mine.tenant.email, &password("another long password")) => Err(UserError::Unknown),
        add_user(&mine.tenant.email, &password(PASSWORD)) => Err(UserError::Taken),
        add_user(&format!("new-{}", mine.tenant.email), &password(PASSWORD)) => Ok(user) if *user != mine.tenant.user,
    });
    tried
}

pub(crate) async fn no_use_case_crosses_accounts(fixture: &Fixture) {
    check_use_cases(fixture, ["mine", "other"]).await;
}

/// Tries every use case in new accounts of these names.
pub(crate) async fn check_use_cases(fixture: &Fixture, [own, others]: [&str; 2]) {
    let registry = &fixture.registry;
    let (tenant, other) = (fixture.tenant(own).await, fixture.tenant(others).await);
    tenant.put_model("Mine.Only").await;
    registry.set_default_tier(&tenant.actor, PricingTier::Medium).await.unwrap();
    let registration = tenant.begin_with(2, Some("Berlin")).await;
    let rows = ["a", "b", "007"].map(|name| row_of([name, MODEL, "", "", ""]));
    let unknown = row_of(["c", "Nobody.Has", "", "", ""]);
    let outcome = tenant.part(registration, part_of(0, 1, rows.into_iter().chain([unknown]).collect())).await;
    let token = &outcome.tokens[0].1;
    let mine = Mine { tenant, registration };
    let owner = &mine.tenant.actor;
    let state = async || {
        (
            registry.devices(owner, &all()).await.unwrap(),
            registry.device(owner, &device_name("a")).await.unwrap(),
            registry.groups(owner).await.unwrap(),
            registry.models(owner).await.unwrap(),
            registry.model(owner, &model_name("Mine.Only")).await.unwrap(),
            registry.registrations(owner, None, 100).await.unwrap(),
            registry.default_tier(owner).await.unwrap(),
        )
    };
    let before = state().await;

    check_reads(registry, owner, &mine, true).await;
    let operator = registry.command_line_for_user(&other.email).await.unwrap().unwrap();
    check_reads(registry, &operator, &mine, false).await;
    let mut tried = check_reads(registry, &other.actor, &mine, false).await;
    tried.extend(check_writes(registry, &other.actor, &mine).await);
    assert_eq!(tried.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), use_cases(), "every use case is tried");
    assert_eq!(state().await, before);
    assert!(fixture.works(token).await);
    registry.sign_in(&mine.tenant.email, office(), &password(PASSWORD)).await.unwrap();

    // The same names again: they are the other's own.
    let names = device_names(&["a", "b"]);
    let theirs = other.register(&["a", "b"]).await;
    other.put_model("Mine.Only").await;
    registry.change_devices(&other.actor, &named(&names), &Change::Tier(PricingTier::ExtraSmall)).await.unwrap();
    registry.generate_tokens(&other.actor, &named(&names), OldTokens::RevokeNow, new_job()).await.unwrap();
    let others_id = other.begin_with(1, Some("Berlin")).await;
    other.part(others_id, part(0, 1, &["a", "c"])).await;
    registry.change_devices(&other.actor, &named(&names), &Change::Delete).await.unwrap();
    registry.delete_model(&other.actor, &model_name("Mine.Only")).await.unwrap();
    assert_eq!(state().await, before);
    assert!(fixture.works(token).await && !fixture.works(&theirs[0]).await);
    let device = fixture.connect(token).await;
    assert_eq!((device.account(), device.account_name()), (owner.account(), own));
}

/// The use cases that take an actor, from the source: one that is new is missed above.
fn use_cases() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(path).unwrap();
            let heads = text.split("pub async fn ").skip(1).filter_map(|rest| rest.split_once('{'));
            let heads = heads.map(|(head, _)| head).filter(|head| head.contains("actor: &Actor"));
            found.extend(heads.filter_map(|head| Some(head.split_once('(')?.0.to_owned())));
        }
    }
    found
}
