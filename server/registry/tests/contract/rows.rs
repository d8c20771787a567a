//! The outcome of each row of a registration file (design.md).

use crate::fixture::{
    Fixture, MODEL, all, device_name, errors, first_token, matching, numbers, part, part_of, renewing, row, row_of,
    tokens_of,
};
use muster_domain::{DeviceFilter, DryRun, ExpectedFailures, Field, FieldSet, PricingTier, RowFailure, Status};
use muster_registry::{ErrorsPage, PartRows, RefusedRow, RegisterError};

const NOT_FOUND: &str = "A request to add a device failed because the specified model was not found";
const DIFFERENT: &str = "A device with this name is already registered with a different ";

/// The two example entries of the specification.
pub(crate) async fn two_rows_are_registered(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let id = tenant.begin().await;
    let rows = vec![
        row_of(["AutoRegister42", MODEL, "2nd EM.Concorde Jet", "Jet No.009", "ExtraSmall"]),
        row_of(["AutoRegister41", MODEL, "1st EM.Concorde Jet", "The 1st Concorder Flight", ""]),
    ];
    let outcome = tenant.part(id, part_of(0, 1, rows)).await;
    assert_eq!(numbers(&outcome), [2, 0, 0, 0, 2]);
    assert!(outcome.errors_csv.is_empty());
    let names: Vec<_> = outcome.tokens.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["AutoRegister42", "AutoRegister41"], "tokens come in the order of the file");
    for (name, token) in &outcome.tokens {
        let device = fixture.connect(token).await;
        assert_eq!((device.name(), device.account()), (name, tenant.actor.account()));
    }
    let page = registry.devices(&tenant.actor, &all()).await.unwrap();
    assert_eq!(page.items.len(), 2);
    let first = &page.items[0];
    assert_eq!((first.name.as_str(), first.model.as_str()), ("AutoRegister41", MODEL));
    assert_eq!(first.friendly_name.as_deref(), Some("1st EM.Concorde Jet"));
    assert_eq!((first.tier, first.status, first.last_seen), (PricingTier::Small, Status::Registered, None));
    assert_eq!(page.items[1].tier, PricingTier::ExtraSmall);
}

pub(crate) async fn same_file_again_changes_nothing(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let rows = || vec![row_of(["a", MODEL, "é", "d", ""]), row_of(["b", MODEL, "", "", "Large"]), row("c")];
    let first = tenant.begin().await;
    let tokens = tokens_of(tenant.part(first, part_of(0, 1, rows())).await);
    fixture.connect(&tokens[2]).await;
    let before = fixture.registry.devices(&tenant.actor, &all()).await.unwrap();
    fixture.world.pass_ms(1_000);

    // The default tier changes: a blank one still agrees with what the device has.
    fixture.registry.set_default_tier(&tenant.actor, PricingTier::Medium).await.unwrap();
    let second = tenant.begin().await;
    let outcome = tenant.part(second, part_of(0, 1, rows())).await;
    assert_eq!(numbers(&outcome), [0, 3, 2, 0, 0]);
    assert_eq!(fixture.registry.devices(&tenant.actor, &all()).await.unwrap(), before);
    for token in &tokens {
        assert!(fixture.works(token).await);
    }
}

pub(crate) async fn different_field_fails(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    tenant.put_model("Contoso.Pump").await;
    let id = tenant.begin_with(100, None).await;
    let old = ["a", MODEL, "Name", "Note", "Small"];
    let token = first_token(tenant.part(id, part_of(0, 1, vec![row_of(old)])).await);
    let before = fixture.registry.devices(&tenant.actor, &all()).await.unwrap();
    let mut number = 0;
    let mut check = async |new: [&str; 5], expected: Option<&str>| {
        number += 1;
        let outcome = tenant.part(id, part_of(number, 1, vec![row_of(new)])).await;
        match expected {
            Some(field) => {
                assert_eq!((outcome.failed, errors(&outcome)), (1, vec![format!("{DIFFERENT}{field}")]), "{new:?}")
            }
            None => assert_eq!((outcome.already, outcome.failed), (1, 0), "{new:?}"),
        }
    };
    check(["a", MODEL, "Name", "Note", "Small"], None).await;
    check(["a", MODEL, "Name", "Note", ""], None).await;
    check(["a", "Contoso.Pump", "Name", "Note", "Small"], Some("model name")).await;
    check(["a", MODEL, "name", "Note", "Small"], Some("device friendly name")).await;
    check(["a", MODEL, "", "Note", "Small"], Some("device friendly name")).await;
    check(["a", MODEL, "Name", "Note.", ""], Some("description")).await;
    check(["a", MODEL, "Name", "", ""], Some("description")).await;
    check(["a", MODEL, "Name", "Note", "Large"], Some("pricing tier")).await;
    check(["a", "Contoso.Pump", "x", "y", "Large"], Some("model name")).await;
    assert_eq!(fixture.registry.devices(&tenant.actor, &all()).await.unwrap(), before);
    assert!(fixture.works(&token).await);
}

/// Most rows of a part are new; the outcome of the others is the same as alone.
pub(crate) async fn known_devices_among_new_ones(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let id = tenant.begin_with(2, None).await;
    let before = vec![row("d003"), row_of(["d004", MODEL, "Other", "", ""]), row("d090")];
    tenant.part(id, part_of(0, 1, before)).await;
    let rows = (0..100).map(|at| match at {
        5 => row_of(["d005", "Nobody.Has", "", "", ""]),
        90 => row_of(["d090", "Nobody.Has", "", "", ""]),
        _ => row(&format!("d{at:03}")),
    });
    let outcome = tenant.part(id, part_of(1, 1, rows.collect())).await;
    assert_eq!(numbers(&outcome), [96, 1, 1, 3, 96]);
    let expected = [format!("{DIFFERENT}device friendly name"), NOT_FOUND.to_owned(), format!("{DIFFERENT}model name")];
    assert_eq!(errors(&outcome), expected);
    assert_eq!(tenant.devices().await, 99);
    assert!(fixture.works(&first_token(outcome)).await);
    let query = matching(DeviceFilter { search: Some("d0".to_owned()), ..DeviceFilter::default() });
    assert_eq!(tenant.names(query).await.len(), 99);
}

pub(crate) async fn unknown_model_fails(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let id = tenant.begin().await;
    let rows =
        || vec![row_of(["a", "Nobody.Has", "", "", ""]), row("b"), row_of(["c", &MODEL.to_lowercase(), "", "", ""])];
    let outcome = tenant.part(id, part_of(0, 1, rows())).await;
    assert_eq!(numbers(&outcome), [1, 0, 0, 2, 1]);
    assert_eq!(errors(&outcome), [NOT_FOUND, NOT_FOUND]);
    assert_eq!(tenant.names(all()).await, ["b"]);
    // Once it is there, uploading the file again brings the rest.
    tenant.put_model("Nobody.Has").await;
    let again = tenant.begin().await;
    assert_eq!(numbers(&tenant.part(again, part_of(0, 1, rows())).await), [1, 1, 1, 1, 1]);
}

pub(crate) async fn errors_csv_is_in_the_order_of_the_file(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let id = tenant.begin().await;
    let refused = |line, name: &str, error: &str| RefusedRow {
        line,
        fields: [name, "m", "", "a,b", "small"].map(str::to_owned),
        error: error.to_owned(),
    };
    let rows = PartRows {
        devices: vec![(3, row("b")), (4, row_of(["c", "Nobody.Has", "=1+1", "", "Large"]))],
        refused: vec![refused(2, "a b", "first"), refused(7, "", "last")],
        ..part(0, 1, &[])
    };
    let outcome = tenant.part(id, rows).await;
    let expected = format!(
        "a b,m,,\"a,b\",small,2,first\r\nc,Nobody.Has,'=1+1,,Large,4,{NOT_FOUND}\r\n,m,,\"a,b\",small,7,last\r\n"
    );
    assert_eq!(std::str::from_utf8(&outcome.errors_csv).unwrap(), expected);
    assert_eq!(numbers(&outcome), [1, 0, 0, 3, 1]);

    let later = PartRows { refused: vec![refused(20_000, "z", "z")], ..part(2, 1, &[]) };
    tenant.part(id, later).await;
    let between = PartRows { refused: vec![refused(10_000, "y", "y")], ..part(1, 1, &[]) };
    tenant.part(id, between).await;
    let errors =
        async |id, after| fixture.registry.registration_errors(&tenant.actor, id, after).await.unwrap().unwrap();
    let later = "y,m,,\"a,b\",small,10000,y\r\nz,m,,\"a,b\",small,20000,z\r\n";
    let page = |rows: &str| ErrorsPage { rows: rows.as_bytes().to_vec(), next: None };
    assert_eq!(errors(id, None).await, page(&format!("{expected}{later}")));
    assert_eq!(errors(id, Some(0)).await, page(later));
    assert_eq!(errors(id, Some(2)).await, page(""));
    assert_eq!(errors(tenant.begin().await, None).await, page(""));
}

/// A page has as many parts as fit; a larger part is a page of its own.
pub(crate) async fn errors_csv_is_paged(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let id = tenant.begin_with(9, None).await;
    let megabyte = 1024 * 1024;
    for (number, bytes) in
        [(0, megabyte), (1, 0), (2, megabyte / 2), (3, megabyte), (4, 3 * megabyte), (6, 10), (8, 20)]
    {
        let error = "x".repeat(bytes);
        let fields = ["n", "m", "", "", ""].map(str::to_owned);
        let refused = RefusedRow { line: u64::from(number) + 1, fields, error };
        let rows = PartRows { refused: if bytes == 0 { vec![] } else { vec![refused] }, ..part(number, 1, &[]) };
        tenant.part(id, rows).await;
    }
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let page = fixture.registry.registration_errors(&tenant.actor, id, after).await.unwrap().unwrap();
        let text = String::from_utf8(page.rows).unwrap();
        pages.push(text.lines().map(|row| row.split(',').nth(5).unwrap().to_owned()).collect::<Vec<_>>().join(" "));
        let Some(next) = page.next else { break };
        after = Some(next);
    }
    assert_eq!(pages, ["1 3", "4", "5", "7 9"]);
}

pub(crate) async fn repeated_name_fails(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let id = tenant.begin().await;
    let twice = tenant.part(id, part(0, 1, &["a", "b", "a"])).await;
    assert_eq!(numbers(&twice), [2, 0, 0, 1, 2], "the check of the file says so before");
    // In another part of the same file, and in another letter case.
    assert_eq!(numbers(&tenant.part(id, part(1, 1, &["a", "A"])).await)[..2], [1, 1]);
    let differs = tenant.part(id, part_of(2, 1, vec![row_of(["a", MODEL, "x", "", ""])])).await;
    assert_eq!(errors(&differs), [format!("{DIFFERENT}device friendly name")]);
    assert_eq!(tenant.names(all()).await, ["A", "a", "b"]);
}

/// The file has only the names and models of devices with more fields: it does not contradict the other fields.
pub(crate) async fn missing_field_is_not_compared(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    tenant.put_model("Contoso.Pump").await;
    let id = tenant.begin_with(100, Some("Berlin")).await;
    let device = ["a", MODEL, "Name", "Note", "Large"];
    tenant.part(id, part_of(0, 1, vec![row_of(device)])).await;
    let mut number = 0;
    let mut check = async |missing_fields: &[Field], new: [&str; 5], expected: Option<&str>| {
        number += 1;
        let rows = PartRows {
            missing_fields: missing_fields.iter().copied().collect(),
            ..part_of(number, 1, vec![row_of(new)])
        };
        let outcome = tenant.part(id, rows).await;
        let expected: Vec<String> = expected.into_iter().map(|field| format!("{DIFFERENT}{field}")).collect();
        assert_eq!(errors(&outcome), expected, "{missing_fields:?} {new:?}");
        assert_eq!(outcome.already as usize, 1 - expected.len());
    };
    use Field::{Description, FriendlyName, PricingTier};
    let all_but_names = [FriendlyName, Description, PricingTier];
    check(&all_but_names, ["a", MODEL, "", "", ""], None).await;
    check(&all_but_names, ["a", "Contoso.Pump", "", "", ""], Some("model name")).await;
    check(&[Description], ["a", MODEL, "Name", "", ""], None).await;
    check(&[Description], ["a", MODEL, "", "", ""], Some("device friendly name")).await;
    check(&[FriendlyName, PricingTier], ["a", MODEL, "", "Note", ""], None).await;
    check(&[FriendlyName, PricingTier], ["a", MODEL, "", "", ""], Some("description")).await;
    check(&[], ["a", MODEL, "", "Note", ""], Some("device friendly name")).await;
    // What the check never sends: a value in a missing field.
    check(&all_but_names, ["a", MODEL, "Other", "", ""], Some("device friendly name")).await;
    let renewed =
        PartRows { missing_fields: all_but_names.into_iter().collect(), ..renewing(part_of(50, 1, vec![row("a")])) };
    assert_eq!(numbers(&tenant.part(id, renewed).await), [0, 1, 0, 0, 1]);
}

/// Texts that look the same are equal, even if an earlier version of Muster stored them unchanged.
pub(crate) async fn texts_that_look_the_same_are_equal(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let id = tenant.begin_with(100, None).await;
    let mut number = 0;
    let mut check = async |stored: [&str; 2], new: [&str; 2], expected: bool| {
        let name = format!("d{number}");
        tenant.part(id, part_of(number, 1, vec![row(&name)])).await;
        let [friendly_name, description] = stored;
        fixture
            .execute(&format!(
                "UPDATE devices SET friendly_name = '{friendly_name}', description = '{description}' WHERE name = '{name}'"
            ))
            .await;
        let again = vec![row_of([&name, MODEL, new[0], new[1], ""])];
        let outcome = tenant.part(id, part_of(number + 1, 1, again)).await;
        assert_eq!((outcome.already, outcome.failed), if expected { (1, 0) } else { (0, 1) }, "{stored:?} {new:?}");
        number += 2;
    };
    check(["Jet Zu\u{308}rich", "Halle Gene\u{300}ve"], ["Jet Z\u{fc}rich", "Halle Gen\u{e8}ve"], true).await;
    check(["Jet Z\u{fc}rich", "Halle Gen\u{e8}ve"], ["Jet Zu\u{308}rich", "Halle Gene\u{300}ve"], true).await;
    check(["Jet 1\u{200b}", "\u{feff}Hangar 1"], ["Jet 1", "Hangar 1"], true).await;
    check(["Jet 1", "Hangar 1"], ["J\u{ad}et 1", "Hangar\u{2060} 1"], true).await;
    check(["Jet 1 \u{200b}", "x"], ["Jet 1", "x"], true).await;
    check(["\u{1112}\u{1161}\u{11ab}", "x"], ["\u{d55c}", "x"], true).await;
    check(["Zurich", "x"], ["Z\u{fc}rich", "x"], false).await;
    check(["Jet 1", "x"], ["jet 1", "x"], false).await;
    check(["ﬁ", "x"], ["fi", "x"], false).await;
}

/// Fields of the maximum length, with all kinds of characters.
pub(crate) async fn longest_texts_are_stored(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let (name, friendly, note) = ("x".repeat(128), "é😀".repeat(128), "\"'%_\\;=Ωß日".repeat(93));
    let note: String = note.chars().take(1_024).collect();
    let id = tenant.begin().await;
    let rows = || vec![row_of([&name, MODEL, &friendly, &note, "Large"])];
    assert_eq!(numbers(&tenant.part(id, part_of(0, 1, rows())).await), [1, 0, 0, 0, 1]);
    assert_eq!(numbers(&tenant.part(id, part_of(1, 1, rows())).await)[..2], [0, 1]);
    let detail = fixture.registry.device(&tenant.actor, &device_name(&name)).await.unwrap().unwrap();
    assert_eq!((detail.item.friendly_name, detail.description), (Some(friendly), Some(note)));
}

pub(crate) async fn dry_run_foretells_the_outcome(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let id = tenant.begin().await;
    tenant.part(id, part_of(0, 1, vec![row_of(["a", MODEL, "Pump", "", "Small"]), row("b"), row("c")])).await;
    let rows = || {
        vec![
            row("b"),
            row_of(["a", MODEL, "Fan", "", ""]),
            row("new"),
            row_of(["c", "Other.Model", "", "", ""]),
            row_of(["also-new", "Nobody.Has", "", "", ""]),
            row_of(["c", MODEL, "", "", "Large"]),
            row("newer"),
        ]
    };
    let lines: Vec<_> = (10..).zip(rows()).collect();
    let before = fixture.registry.devices(&tenant.actor, &all()).await.unwrap();
    let dry_run = fixture.registry.dry_run(&tenant.actor, &lines, FieldSet::default()).await.unwrap();
    assert_eq!(fixture.registry.devices(&tenant.actor, &all()).await.unwrap(), before);
    assert_eq!((dry_run.new, dry_run.already, dry_run.failed()), (2, 1, 4));
    let expected = [
        (RowFailure::Differs(Field::FriendlyName), 11, "a"),
        (RowFailure::Differs(Field::ModelName), 13, "c"),
        (RowFailure::UnknownModel, 14, "also-new"),
        (RowFailure::Differs(Field::PricingTier), 15, "c"),
    ];
    let one = |(failure, line, name): (_, u64, &str)| ExpectedFailures {
        failure,
        rows: 1,
        first: vec![(line, device_name(name))],
    };
    assert_eq!(dry_run.failures, expected.map(one));
    let again = tenant.begin().await;
    let outcome = tenant.part(again, part_of(0, 1, rows())).await;
    assert_eq!(numbers(&outcome), [2, 1, 1, 4, 2]);

    // Fields without a value in the whole file are not compared.
    let blank = [(1, row("a"))];
    let missing = [Field::FriendlyName, Field::Description, Field::PricingTier].into_iter().collect();
    let compared = async |missing| fixture.registry.dry_run(&tenant.actor, &blank, missing).await.unwrap();
    assert_eq!(compared(missing).await, DryRun { already: 1, ..DryRun::default() });
    assert_eq!(compared(FieldSet::default()).await.failed(), 1);
    let too_many: Vec<_> = (0..10_001).map(|at| (at, row("a"))).collect();
    let refused = fixture.registry.dry_run(&tenant.actor, &too_many, FieldSet::default()).await;
    assert!(matches!(refused, Err(RegisterError::OverLimit(_))), "{refused:?}");
}
