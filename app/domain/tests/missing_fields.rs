//! Which fields a file says nothing about, since it has no column for them.

use muster_domain::{Check, Field};

fn check(file: &str, expected: &[Field]) {
    let mut check = Check::new();
    check.push(file.as_bytes());
    assert_eq!(check.finish().missing_fields, expected, "{file:?}");
}

use Field::{Description, FriendlyName, PricingTier};

#[test]
fn a_header_names_the_fields_there_are() {
    check("Device name,Model name\na,M\n", &[FriendlyName, Description, PricingTier]);
    check("Device name,Model name,Description\na,M,x\n", &[FriendlyName, PricingTier]);
    check("Model name;Pricing tier;Device name\nM;Small;a\n", &[FriendlyName, Description]);
    // A blank cell in a column that the file has is a value.
    check("Device name,Model name,Device friendly name,Description,Pricing tier\na,M,,,\n", &[]);
}

#[test]
fn without_a_header_a_file_has_the_fields_up_to_the_last_with_a_value_in_any_row() {
    check("a,M\nb,M\n", &[FriendlyName, Description, PricingTier]);
    check("a,M\nb,M,Name\nc,M\n", &[Description, PricingTier]);
    check("a,M,,Note\n", &[PricingTier]);
    check("a,M,,,Small\n", &[]);
    check("a\tM\nb\tM\t\tNote\n", &[PricingTier]);
    // A spreadsheet pads rows with empty cells.
    check("a,M,,,\nb,M,,,\n", &[FriendlyName, Description, PricingTier]);
    check("a,M,Name,,\nb,M,,,\n", &[Description, PricingTier]);
}
