//! What a registration file may look like, and how it is understood.

mod common;

use common::{report, rows, told};
use insta::assert_snapshot;

#[test]
fn the_file_of_the_seed_page() {
    let file = "AutoRegister41,Contoso.Aircraft.AircraftModel,1st EM.Concorde Jet,The 1st Concorder Flight,Small\n\
                AutoRegister42,Contoso.Aircraft.AircraftModel,2nd EM.Concorde Jet,Jet No.009,ExtraSmall  \n";
    assert_snapshot!(rows(file), @"
    commas
    1: AutoRegister41|Contoso.Aircraft.AircraftModel|1st EM.Concorde Jet|The 1st Concorder Flight|Small
    2: AutoRegister42|Contoso.Aircraft.AircraftModel|2nd EM.Concorde Jet|Jet No.009|ExtraSmall
    ");
    assert_snapshot!(told(file), @"2 of 2 rows");
}

#[test]
fn line_ends() {
    assert_snapshot!(rows("a,M\nb,M\r\nc,M\rd,M\n\r\n\re,M"), @"
    commas
    1: a|M|||
    2: b|M|||
    3: c|M|||
    4: d|M|||
    7: e|M|||
    ");
    assert_snapshot!(rows("a,M\r\n\r\nb,M\r\n"), @"
    commas
    1: a|M|||
    3: b|M|||
    ");
}

#[test]
fn blank_lines_and_cleared_rows_are_passed_over() {
    assert_snapshot!(rows("\n\na,M\n  \n\t\n,,,,\n\"\",\" \"\nb,M\n,,,,,,,\n"), @"
    commas
    3: a|M|||
    8: b|M|||
    ");
}

#[test]
fn trailing_fields_may_be_missing() {
    assert_snapshot!(rows("a,M\nb,M,\nc,M,Jet\nd,M,Jet,A jet\ne,M,,,Large"), @"
    commas
    1: a|M|||
    2: b|M|||
    3: c|M|Jet||
    4: d|M|Jet|A jet|
    5: e|M|||Large
    ");
    assert_snapshot!(told("a,M\nb,M,\nc,M,Jet\nd,M,Jet,A jet\ne,M,,,Large"), @"5 of 5 rows");
}

#[test]
fn spaces_around_a_field_are_not_part_of_it() {
    assert_snapshot!(rows("  a , M\t,  My jet  ,\u{a0}A\u{a0}jet\u{a0}, Small \n\" b \",\"M \""), @"
    commas
    1: a|M|My jet|A jet|Small
    2: b|M|||
    ");
}

#[test]
fn quotes() {
    assert_snapshot!(rows(
        "\"a\",M,\"Jet, the \"\"first\"\"\",\"\",\"Small\"\n\
         b,M,5\" pipe,\"half\"quoted,\n\
         c,\"M\"\"\",\"\"\"\",\"two\r\nlines\",Small\n\
         d,M"
    ), @r#"
    commas
    1: a|M|Jet, the "first"||Small
    2: b|M|5" pipe|halfquoted|
    3: c|M"|"|two
    lines|Small
    5: d|M|||
    "#);
}

#[test]
fn byte_order_mark() {
    assert_snapshot!(rows("\u{feff}a,M\nb,M"), @"
    commas
    1: a|M|||
    2: b|M|||
    ");
    assert_snapshot!(rows("\u{feff}Device name,Model name\na,M"), @"
    commas, header
    2: a|M|||
    ");
    assert_snapshot!(told("\u{feff}!,M"), @"
    0 of 1 rows
    1:1 device-name
    `!` isn't a valid device name. A device name cannot contain `!`. The letters A-Z and a-z, digits, and . _ : - are allowed.
    ");
}

#[test]
fn separators() {
    assert_snapshot!(rows("a;M;Jet, the first;1,5 t;Small\nb;M"), @"
    semicolons
    1: a|M|Jet, the first|1,5 t|Small
    2: b|M|||
    ");
    assert_snapshot!(rows("a\tM\tJet, the first; big\nb\tM"), @"
    tabs
    1: a|M|Jet, the first; big||
    2: b|M|||
    ");
    assert_snapshot!(rows("a,M,Jet; the first;;;;\tbig\n"), @"
    commas
    1: a|M|Jet; the first;;;;	big||
    ");
    assert_snapshot!(rows("Device name;Model name;Description, or so\n"), @"semicolons, header");
    // What the quotes quote depends on the separator.
    assert_snapshot!(rows("a;M;\"Jet;\nthe first\"\nb;M"), @"
    semicolons
    1: a|M|Jet;
    the first||
    3: b|M|||
    ");
}

#[test]
fn the_separator_is_found_although_the_first_rows_are_wrong() {
    assert_snapshot!(rows("my pump;M;a,b,c,d\nb;M"), @"
    semicolons
    1: my pump|M|a,b,c,d||
    2: b|M|||
    ");
    assert_snapshot!(rows("my pump;my model;a, big one\n"), @"
    semicolons
    1: my pump|my model|a, big one||
    ");
    assert_snapshot!(rows("!;?\n!;?\nb;M\n"), @"
    semicolons
    1: !|?|||
    2: !|?|||
    3: b|M|||
    ");
    assert_snapshot!(rows("a\nb\n"), @"
    commas
    1: a||||
    2: b||||
    ");
}

#[test]
fn the_first_line_of_excel() {
    assert_snapshot!(rows("sep=;\r\na;M;Jet, the first\n"), @"
    semicolons
    2: a|M|Jet, the first||
    ");
    assert_snapshot!(rows("\u{feff}SEP=,\na,M\n"), @"
    commas
    2: a|M|||
    ");
    assert_snapshot!(rows("sep=\t\nDevice name\tModel name\na\tM\n"), @"
    tabs, header
    3: a|M|||
    ");
    assert_snapshot!(told("sep=|\na|M\n"), @"
    0 of 0 rows
    1:1 unknown-separator
    The first line sets `|` as the separator. Use commas, semicolons or tabs instead.
    ");
    assert_snapshot!(told("sep=;\n!;M\n"), @"
    0 of 1 rows
    2:1 device-name
    `!` isn't a valid device name. A device name cannot contain `!`. The letters A-Z and a-z, digits, and . _ : - are allowed.
    ");
}

#[test]
fn a_header_names_the_columns() {
    assert_snapshot!(rows("Device name,Model name,Device friendly name,Description,Pricing tier\na,M,Jet,A jet,Small"), @"
    commas, header
    2: a|M|Jet|A jet|Small
    ");
    assert_snapshot!(rows("PRICING_TIER,description,friendly_name,ModelName,device-name\nSmall,A jet,Jet,M,a\n,,,M,b"), @"
    commas, header
    2: a|M|Jet|A jet|Small
    3: b|M|||
    ");
    assert_snapshot!(rows("\"Device name\" ; Model name\na;M"), @"
    semicolons, header
    2: a|M|||
    ");
    assert_snapshot!(rows("Line,Error,Device name,Model name\n7,\"not found, sorry\",a,M\n8,?,b,M"), @"
    commas, header
    2: a|M|||
    3: b|M|||
    ");
}

#[test]
fn a_device_is_not_a_header() {
    assert_snapshot!(rows("Line,Pump\nDescription,Pump\n"), @"
    commas
    1: Line|Pump|||
    2: Description|Pump|||
    ");
}

#[test]
fn the_apostrophe_before_a_formula() {
    assert_snapshot!(rows("a,M,'=1+1,''-x\nb,M,'plain,'\nc,M,=1+1,'' =x\n"), @"
    commas
    1: a|M|=1+1|'-x|
    2: b|M|'plain|'|
    3: c|M|=1+1|'' =x|
    ");
}

#[test]
fn counts_by_model_and_tier() {
    let report = report("a,M\nb,N,,,Small\nc,N,,,Small\nd,N,,,Huge\ne,M,,,Large\nb,N\n");
    let models: Vec<_> = report.models.iter().map(|it| (it.name.as_str(), it.devices)).collect();
    let tiers: Vec<_> =
        report.tiers.iter().map(|it| (it.tier.map_or("default", |it| it.as_str()), it.devices)).collect();
    assert_eq!((report.devices, report.rows, report.problem_count), (4, 6, 2));
    assert_eq!(models, [("M", 2), ("N", 2)]);
    assert_eq!(tiers, [("default", 1), ("Small", 2), ("Large", 1)]);
    assert!(!report.is_clean());
}

#[test]
fn the_preview_is_of_the_first_rows() {
    let file: String = (1..=30).map(|number| format!("device{number},M,{}\n", "é".repeat(number * 20))).collect();
    let report = report(file);
    assert_eq!(report.preview.len(), 10);
    assert_eq!((report.preview[9].line, report.preview[9].fields[0].as_str()), (10, "device10"));
    assert_eq!(report.preview[9].fields[2], "é".repeat(200));
}
