//! The limits of a registration file, and what goes wrong with very large or very long ones.

mod common;

use common::{Found, report, told};
use insta::assert_snapshot;
use muster_domain::{
    Cause, Check, CheckReport, Layout, MAX_DEVICES, MAX_FILE_BYTES, MAX_ROW_BYTES, PART_BYTES, PART_ROWS, Reader,
    Separator,
};

fn devices(count: u64) -> Vec<u8> {
    (0..count).flat_map(|number| format!("device{number},Contoso.Pump\n").into_bytes()).collect()
}

#[test]
fn a_million_devices_and_not_one_more() {
    let mut file = devices(MAX_DEVICES);
    let full = report(&file);
    assert!(full.is_clean());
    assert_eq!((full.devices, full.parts.len()), (MAX_DEVICES, 100));
    file.extend_from_slice(b"\n\n!,M\n!,M\n");
    assert_snapshot!(told(&file), @"
    1000000 of 1000000 rows
    1000003:1 too-many-devices
    The file has more than 1,000,000 rows. Split it into several files and register them one after another.
    ");
    assert_eq!(report(&file).ended_by.map(|it| it.cause), Some(Cause::TooManyDevices));
}

/// A file of so many bytes, most of them in one line.
fn check_of_size(bytes: u64) -> Check {
    let mut check = Check::new();
    check.push(b"a,M\n");
    let piece = vec![b'x'; 1 << 20];
    while check.bytes_read() + piece.len() as u64 <= bytes {
        check.push(&piece);
    }
    check.push(&piece[..(bytes - check.bytes_read()) as usize]);
    check
}

#[test]
fn a_file_that_is_too_large() {
    let mut check = check_of_size(MAX_FILE_BYTES);
    assert!(!check.has_ended());
    check.push(b"xx");
    assert!(check.has_ended());
    check.push(b"\nb,M");
    let report = check.finish();
    assert_eq!((report.bytes, report.devices), (MAX_FILE_BYTES, 1));
    let ended_by = report.ended_by.expect("the file is too large");
    assert_snapshot!(ended_by.sentence(), @"The file is larger than 256 MiB. Split it into several files and register them one after another.");
}

#[test]
fn a_file_of_exactly_the_most_bytes() {
    let report = check_of_size(MAX_FILE_BYTES).finish();
    assert_eq!(report.ended_by, None);
    assert_eq!(report.problems.iter().map(|it| it.cause.kind()).collect::<Vec<_>>(), ["row-too-long"]);
}

/// The longest row that is read, and one byte more.
#[test]
fn a_row_that_is_too_long() {
    let row = |len: usize| format!("a,M,{}", "x".repeat(len - 4));
    assert_snapshot!(told(format!("{}\nb,M", row(MAX_ROW_BYTES))), @"
    1 of 2 rows
    1:5 friendly-name
    The friendly name has 65,532 characters. At most 256 are allowed.
    ");
    assert_snapshot!(told(format!("{}\n!,M", row(MAX_ROW_BYTES + 1))), @"
    0 of 2 rows
    1:1 row-too-long
    2:1 device-name
    The row is longer than 64 KiB. Probably its line ends were lost: each device needs its own line.
    `!` isn't a valid device name. A device name cannot contain `!`. The letters A-Z and a-z, digits, and . _ : - are allowed.
    ");
    assert_snapshot!(told(format!("c,M\r{}\r\n\nb,M", row(MAX_ROW_BYTES * 3))), @"
    2 of 3 rows
    2:1 row-too-long
    The row is longer than 64 KiB. Probably its line ends were lost: each device needs its own line.
    ");
    assert_snapshot!(told(format!("c,M\n{}", row(MAX_ROW_BYTES + 1))), @"
    1 of 2 rows
    2:1 row-too-long
    The row is longer than 64 KiB. Probably its line ends were lost: each device needs its own line.
    ");
}

#[test]
fn one_line_of_200_mb() {
    let piece = vec![b'x'; 1 << 20];
    let mut check = Check::new();
    check.push(b"a,M\n");
    for _ in 0..200 {
        check.push(&piece);
    }
    check.push(b"\nb,M\n!,M\n");
    let report = check.finish();
    let told: Vec<_> = report.problems.iter().map(|it| (it.line, it.column, it.cause.kind())).collect();
    assert_eq!(told, [(2, 1, "row-too-long"), (4, 1, "device-name")]);
    assert_eq!(report.devices, 2);
}

/// The rest of the file is read as if the quote were not there.
#[test]
fn an_unclosed_quote_in_10_mb() {
    let mut file = b"a,M\nb,M,\"Jet\n".to_vec();
    file.extend_from_slice(&devices(450_000));
    file.extend_from_slice(b"!,M\n");
    assert!(file.len() > 10_000_000);
    assert_snapshot!(told(&file), @"
    450001 of 450003 rows
    2:5 unclosed-quote
    450003:1 device-name
    This quote is never closed. Add a closing quote at the end of the field, or remove this one.
    `!` isn't a valid device name. A device name cannot contain `!`. The letters A-Z and a-z, digits, and . _ : - are allowed.
    ");

    let mut file = devices(450_000);
    file.extend_from_slice(b"b,M,\"Jet\n");
    assert_snapshot!(told(&file), @"
    450000 of 450001 rows
    450001:5 unclosed-quote
    This quote is never closed. Add a closing quote at the end of the field, or remove this one.
    ");
}

/// Whatever is in a file, its report goes from a worker to a page in one message.
#[test]
fn a_report_is_bounded() {
    let mut file = String::new();
    for number in 0..200_000 {
        file += &format!("pump{},Model{number}{},,,{number}{}\n", number / 2, "x".repeat(200), "é".repeat(60));
        file += &format!(
            "pump{number}{},Model{number}{}\n",
            char::from_u32(0x4e00 + number).unwrap_or('?'),
            "x".repeat(200)
        );
    }
    let report = report(file);
    assert_eq!(report.problems.len(), CheckReport::MAX_PROBLEMS);
    assert_eq!(report.models.len() + report.problem_groups.len(), CheckReport::MAX_GROUPS + 3);
    assert_eq!(report.problem_groups.iter().map(|it| it.count).sum::<u64>(), report.problem_count);
    let json = serde_json::to_string(&report).expect("a report is JSON");
    assert!(json.len() < 1_000_000, "{}", json.len());
    assert_eq!(serde_json::from_str::<CheckReport>(&json).expect("and back"), report);

    let many: String = (0..3_000).map(|number| format!("pump{number},Model{number}\n")).collect();
    let report = common::report(many);
    assert_eq!((report.models.len(), report.other_model_devices), (CheckReport::MAX_MODELS, 2_000));

    // A repeated name is taken back from where it was counted, also from the others.
    let many: String = (0..3_000).map(|number| format!("pump{},Model{number}\n", number / 2)).collect();
    let report = common::report(many);
    assert_eq!((report.models.len(), report.other_model_devices), (CheckReport::MAX_MODELS / 2, 1_000));
}

/// Each part is read by itself, and together they are the file.
#[test]
fn parts() {
    let mut file = "\u{feff}sep=;\r\nDevice name;Model name;Description\r\n\r\n".to_owned();
    for number in 0..25_000 {
        file += &format!("device{number};M;\"{}\"\r\n", if number < 3_000 { "é".repeat(600) } else { String::new() });
        if number % 1_000 == 0 {
            file += "\r\n;;\r\n";
        }
    }
    let whole = common::read(file.as_bytes());
    let report = report(&file);
    assert!(report.is_clean());
    let mut rows = Vec::new();
    for part in &report.parts {
        assert!(part.rows <= PART_ROWS && part.end - part.start <= PART_BYTES, "{part:?}");
        let mut found = Found::default();
        let bytes = &file.as_bytes()[part.start as usize..part.end as usize];
        Reader::read_part(report.layout.clone(), part.first_line, bytes, &mut found);
        assert_eq!((found.rows.len(), found.problems.len()), (part.rows as usize, 0));
        rows.append(&mut found.rows);
    }
    assert_eq!(rows, whole.rows);
    assert_eq!(report.parts.iter().map(|part| part.rows).collect::<Vec<_>>(), [1_724, 10_000, 10_000, 3_276]);
}

/// A layout comes back from browsers.
#[test]
fn a_layout_is_checked_when_it_is_deserialized() {
    let check = |json: &str, expected: Option<&str>| {
        let layout = serde_json::from_str::<Layout>(json).map_err(|error| error.to_string());
        assert_eq!(layout.err().as_deref(), expected, "{json}");
    };
    let json = serde_json::to_string(&Layout::positional(Separator::Tab)).expect("a layout is JSON");
    assert_snapshot!(json, @r#"{"separator":"Tab","columns":["DeviceName","ModelName","FriendlyName","Description","PricingTier"],"header":false}"#);
    check(&json, None);
    check(r#"{"separator":"Comma","columns":["ModelName",null,"DeviceName"],"header":true}"#, None);
    check(
        r#"{"separator":"Comma","columns":["DeviceName"],"header":false}"#,
        Some("a layout has a column for the device name and one for the model name"),
    );
    check(
        r#"{"separator":"Comma","columns":["DeviceName","ModelName","DeviceName"],"header":false}"#,
        Some("two columns of the layout are the same field"),
    );
    let many =
        format!(r#"{{"separator":"Comma","columns":["DeviceName","ModelName"{}],"header":true}}"#, ",null".repeat(99));
    check(&many, Some("a layout has at most 100 columns"));
}
