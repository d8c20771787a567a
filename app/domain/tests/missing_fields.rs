//! Which fields a file says nothing about.

use muster_domain::{Check, Field, FieldSet, errors_csv};

fn check(file: &str, expected: &[Field]) {
    let mut check = Check::new();
    check.push(file.as_bytes());
    assert_eq!(check.finish().missing_fields, expected.iter().copied().collect(), "{file:?}");
}

use Field::{Description, DeviceName, FriendlyName, ModelName, PricingTier};

#[test]
fn field_without_a_column_is_missing() {
    check("Device name,Model name\na,M\n", &[FriendlyName, Description, PricingTier]);
    check("Device name,Model name,Description\na,M,x\n", &[FriendlyName, PricingTier]);
    check("Model name;Pricing tier;Device name\nM;Small;a\n", &[FriendlyName, Description]);
    check("a,M\nb,M\n", &[FriendlyName, Description, PricingTier]);
    check("a,M\nb,M,Name\nc,M\n", &[Description, PricingTier]);
}

#[test]
fn field_without_a_value_in_any_row_is_missing() {
    let header = "Device name,Model name,Device friendly name,Description,Pricing tier";
    check(&format!("{header}\na,M,,,\n"), &[FriendlyName, Description, PricingTier]);
    check(&format!("{header}\na,M,,,\nb,M,Name,,\n"), &[Description, PricingTier]);
    check(&format!("{header}\na,M,,Note,Small\nb,M,,,\n"), &[FriendlyName]);
    check(&format!("{header}\na,M,Name,Note,Small\nb,M,,,\n"), &[]);
    check("a,M,,Note\n", &[FriendlyName, PricingTier]);
    check("a,M,,,Small\n", &[FriendlyName, Description]);
    check("a\tM\nb\tM\t\tNote\n", &[FriendlyName, PricingTier]);
    // A spreadsheet pads rows with empty cells.
    check("a,M,,,\nb,M,,,\n", &[FriendlyName, Description, PricingTier]);
    check("a,M,Name,,\nb,M,,,\n", &[Description, PricingTier]);
}

/// It has all columns, whatever the file had.
#[test]
fn errors_csv_of_names_and_models_misses_the_other_fields() {
    let mut errors = errors_csv::HEADER.as_bytes().to_vec();
    errors_csv::push_row(&mut errors, ["a", "M", "", "", ""], 1, "x");
    check(&String::from_utf8_lossy(&errors), &[FriendlyName, Description, PricingTier]);
}

#[test]
fn set_of_fields_is_one_byte() {
    let set: FieldSet = [Description, PricingTier].into_iter().collect();
    assert_eq!(serde_json::to_string(&set).expect("a set is JSON"), "24");
    let check = |json: &str, expected: Option<&[Field]>| {
        let set = serde_json::from_str::<FieldSet>(json).ok();
        assert_eq!(set, expected.map(|fields| fields.iter().copied().collect()), "{json}");
    };
    check("0", Some(&[]));
    check("1", Some(&[DeviceName]));
    check("30", Some(&[PricingTier, ModelName, FriendlyName, Description]));
    check("31", Some(&Field::ALL));
    check("32", None);
    check("255", None);
    check("[24]", None);
    for field in Field::ALL {
        assert_eq!((set.contains(field), set.complement().contains(field)), (field.index() > 2, field.index() <= 2));
    }
}
