//! The names, texts and tiers of a device, and the files that Muster writes.

use insta::assert_snapshot;
use muster_domain::{
    Description, DeviceName, DeviceNameProblem, FriendlyName, GroupName, ModelName, ModelNameProblem, NewDevice,
    PricingTier, SecurityToken, TextProblem, errors_csv, spreadsheet_would_change, tokens_csv,
};
use uuid::Uuid;

#[test]
fn device_names() {
    let check = |text: &str, expected: Option<DeviceNameProblem>| {
        assert_eq!(DeviceName::parse(text).err(), expected, "{text}");
    };
    check("a", None);
    check("7", None);
    check("AutoRegister41", None);
    check("urn:dev:ops:32473-Refrigerator_5002.7", None);
    check(&"a".repeat(128), None);
    check(&"a".repeat(129), Some(DeviceNameProblem::TooLong { chars: 129 }));
    check("", Some(DeviceNameProblem::Empty));
    check("-a", Some(DeviceNameProblem::Start { first: '-' }));
    check(".", Some(DeviceNameProblem::Start { first: '.' }));
    check(" a", Some(DeviceNameProblem::Character { character: ' ' }));
    check("a\n", Some(DeviceNameProblem::Character { character: '\n' }));
    check("é", Some(DeviceNameProblem::Character { character: 'é' }));
    check("a,b", Some(DeviceNameProblem::Character { character: ',' }));
}

#[test]
fn group_names() {
    // What a new group is called, and what finds a group that exists.
    let check = |text: &str, new: Option<&str>, existing: Option<&str>| {
        let name = |name: Option<GroupName>| name.map(|name| name.to_string());
        assert_eq!(name(GroupName::parse(text).ok()).as_deref(), new, "{text:?}");
        assert_eq!(name(GroupName::existing(text).ok()).as_deref(), existing, "{text:?}");
        let json = serde_json::from_value::<GroupName>(text.into()).ok();
        assert_eq!(name(json).as_deref(), existing, "what arrives may be a group that exists: {text:?}");
    };
    let same = |text: &str, expected: Option<&str>| check(text, expected, expected);
    same(" Berlin, 2nd floor ", Some("Berlin, 2nd floor"));
    same(&"é".repeat(128), Some(&"é".repeat(128)));
    same(&"é".repeat(129), None);
    same("", None);
    same("  ", None);
    same("a\nb", None);
    same("a\0b", None);
    same("Café", Some("Café"));
    check("Cafe\u{301}", Some("Café"), Some("Cafe\u{301}"));
    check("Ber\u{200b}lin\u{200f}", Some("Berlin"), Some("Ber\u{200b}lin\u{200f}"));
    check("Berlin \u{feff}", Some("Berlin"), Some("Berlin \u{feff}"));
    check(&"e\u{301}".repeat(65), Some(&"é".repeat(65)), None);
    for blank in ["\u{200b}", "\u{2060}", "\u{ad}", "\u{3164}", "\u{2800}", "\u{fe0f}", "\u{e0041}", "\u{115f}"] {
        let ten = blank.repeat(10);
        check(&ten, None, Some(&ten));
        check(&format!("{blank} {blank}"), None, Some(&format!("{blank} {blank}")));
    }
    let problem = GroupName::parse("\u{200b}").expect_err("nothing to see");
    assert_eq!(problem.to_string(), "A device group's name is 1 to 128 characters, without line breaks.");
}

#[test]
fn model_names() {
    let check = |text: &str, expected: Option<ModelNameProblem>| {
        assert_eq!(ModelName::parse(text).err(), expected, "{text}");
    };
    check("Contoso.Aircraft.AircraftModel", None);
    check("M", None);
    check("_", None);
    check("_a1.B_2", None);
    check(&"M".repeat(256), None);
    check(&"M".repeat(257), Some(ModelNameProblem::TooLong { chars: 257 }));
    check("", Some(ModelNameProblem::Empty));
    check(".", Some(ModelNameProblem::EmptyPart));
    check("A.", Some(ModelNameProblem::EmptyPart));
    check("A..B", Some(ModelNameProblem::EmptyPart));
    check("1A", Some(ModelNameProblem::Start { first: '1' }));
    check("A.2", Some(ModelNameProblem::Start { first: '2' }));
    check("A-B", Some(ModelNameProblem::Character { character: '-' }));
    check("Ä", Some(ModelNameProblem::Character { character: 'Ä' }));
}

#[test]
fn texts() {
    let name = |text: &str| FriendlyName::parse(text).map(|name| name.as_str().to_owned());
    assert_eq!(name(" Jet No. 9\n"), Ok("Jet No. 9".to_owned()));
    assert_eq!(name("日本の飛行機"), Ok("日本の飛行機".to_owned()));
    // What looks the same is the same: composed, and without what cannot be seen.
    assert_eq!(name("Zu\u{308}rich"), name("Zürich"));
    assert_eq!(name("\u{feff}Jet\u{200b} \u{ad}1\u{200e} \u{2060}"), Ok("Jet 1".to_owned()));
    assert_eq!(name("\u{200b}\u{ad}"), Err(TextProblem::Empty));
    assert_eq!(name(&"u\u{308}".repeat(256)), Ok("ü".repeat(256)));
    assert_eq!(name(" \t"), Err(TextProblem::Empty));
    assert_eq!(name("a\tb"), Err(TextProblem::Control { character: '\t' }));
    assert_eq!(name("a\u{85}b"), Err(TextProblem::Control { character: '\u{85}' }));
    assert_eq!(name(&"é".repeat(257)), Err(TextProblem::TooLong { chars: 257, max: 256 }));
    assert!(name(&"é".repeat(256)).is_ok());
    assert!(Description::parse(&"é".repeat(1024)).is_ok());
    assert_eq!(Description::parse(&"é".repeat(1025)).err(), Some(TextProblem::TooLong { chars: 1025, max: 1024 }));
}

#[test]
fn tiers() {
    for tier in PricingTier::ALL {
        assert_eq!(PricingTier::parse(tier.as_str()), Ok(tier));
        assert_eq!(serde_json::to_value(tier).ok(), Some(tier.as_str().into()));
    }
    let check = |text: &str, expected: Option<PricingTier>| {
        assert!(PricingTier::parse(text).is_err(), "{text}");
        assert_eq!(PricingTier::nearest(text), expected, "{text}");
    };
    check("small", Some(PricingTier::Small));
    check("LARGE", Some(PricingTier::Large));
    check("extra small", Some(PricingTier::ExtraSmall));
    check("Extra_Small", Some(PricingTier::ExtraSmall));
    check("Lagre", Some(PricingTier::Large));
    check("Mediun", Some(PricingTier::Medium));
    check("Gold", None);
    check("S", None);
    check("", None);
}

#[test]
fn what_comes_from_outside_is_checked() {
    let device = r#"{"name":"a","model":"M","friendly_name":"Jet","description":null,"tier":"Small"}"#;
    let device: NewDevice = serde_json::from_str(device).expect("a device");
    assert_eq!(device.fields(), ["a", "M", "Jet", "", "Small"]);
    let wrong = [
        r#"{"name":"a b","model":"M"}"#,
        r#"{"name":"a","model":"M."}"#,
        r#"{"name":"a","model":"M","friendly_name":""}"#,
        r#"{"name":"a","model":"M","description":"\u0000"}"#,
        r#"{"name":"a","model":"M","tier":"small"}"#,
    ];
    let told: Vec<String> =
        wrong.map(|json| serde_json::from_str::<NewDevice>(json).expect_err(json).to_string()).into();
    assert_snapshot!(told.join("\n"), @"
    rejected: A device name cannot contain a space. The letters A-Z and a-z, digits, and . _ : - are allowed at line 1 column 13
    rejected: A model name has exactly one dot between its parts, and none at its ends at line 1 column 25
    rejected: The text is empty. Leave it out instead at line 1 column 43
    rejected: The text cannot contain the invisible character U+0000 at line 1 column 47
    unknown variant `small`, expected one of `ExtraSmall`, `Small`, `Medium`, `Large` at line 1 column 38
    ");
}

#[test]
fn tokens_csv_is_written_like_this() {
    let name = DeviceName::parse("AutoRegister41").expect("a name");
    let token = SecurityToken::new(Uuid::nil(), [0; 32]);
    let mut out = tokens_csv::HEADER.as_bytes().to_vec();
    tokens_csv::push_row(&mut out, &name, &token);
    assert_eq!(
        String::from_utf8_lossy(&out),
        format!("Device name,Security token\nAutoRegister41,{}\n", token.reveal())
    );
}

#[test]
fn errors_csv_is_written_like_this() {
    let mut out = errors_csv::HEADER.as_bytes().to_vec();
    errors_csv::push_row(&mut out, ["=cmd|' /C calc'!A0", "M", "a \"b\", c", "'-'", ""], 7, "-1, \"no\"\nmore");
    errors_csv::push_row(&mut out, ["@a", "+M", "\tJet", "\rJet", "''=1"], 1_000_000, "");
    let device = r#"{"name":"a","model":"M","description":"- a jet","tier":"Large"}"#;
    let device: NewDevice = serde_json::from_str(device).expect("a device");
    errors_csv::push_device(&mut out, &device, 9, "A device failed");
    assert_snapshot!(String::from_utf8_lossy(&out).escape_debug().to_string().replace("\\r\\n", "\n"), @r#"
    \u{feff}Device name,Model name,Device friendly name,Description,Pricing tier,Line,Error
    \'=cmd|\' /C calc\'!A0,M,\"a \"\"b\"\", c\",\'\'-\',,7,\"\'-1, \"\"no\"\"\nmore\"
    \'@a,\'+M,\"\'\tJet\",\"\'\rJet\",\'\'\'=1,1000000,
    a,M,,\'- a jet,Large,9,A device failed
    "#);
}

#[test]
fn names_that_a_spreadsheet_would_change() {
    for name in [
        "0012345",
        "00",
        "891E3",
        "1e5",
        "1.5E10",
        "12E-3",
        "359881234567890",
        "123456789012",
        "2-3",
        "1.10",
        "12:30",
        "1:2:3",
        "2026-05-01",
        "2-MAR",
        "mar-2",
        "May-5",
        "true",
        "FALSE",
    ] {
        assert!(spreadsheet_would_change(name), "{name}");
    }
    for name in [
        "12345",
        "0",
        "7",
        "12345678901",
        "AR-101",
        "Pump-2",
        "70:B3:D5:49:95:85",
        "70B3D5499585",
        "393435377E377E15",
        "E5",
        "1E",
        "192.168.0.1",
        "a",
        "10A",
        "mar",
        "March",
        "1-2-3-4",
        "urn:dev:1",
        "A1E5",
    ] {
        assert!(!spreadsheet_would_change(name), "{name}");
    }
}
