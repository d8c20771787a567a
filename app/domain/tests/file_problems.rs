//! Every problem a registration file can have: where it is said to be, and the sentence.

mod common;

use common::{report, told};
use insta::assert_snapshot;
use muster_domain::{Check, ReadOptions};

#[test]
fn nothing_in_it() {
    assert_snapshot!(told(""), @"
    0 of 0 rows
    1:1 empty
    The file is empty. It should have a row for each device: its name, a comma, its model.
    ");
    assert_snapshot!(told("\u{feff}\r\n \n"), @"
    0 of 0 rows
    1:1 empty
    The file is empty. It should have a row for each device: its name, a comma, its model.
    ");
    assert_snapshot!(told("Device name,Model name\n\n"), @"
    0 of 0 rows
    1:1 no-devices
    The file has a header, but no devices. Add a row for each device below the header.
    ");
}

#[test]
fn not_a_text_file() {
    assert_snapshot!(told(b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0"), @"
    0 of 0 rows
    1:1 excel-workbook
    This is a spreadsheet workbook, not a text file. In Excel, choose File, Save As, and the type “CSV UTF-8 (Comma delimited)”, then use the saved file.
    ");
    assert_snapshot!(told(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0"), @"
    0 of 0 rows
    1:1 excel-workbook
    This is a spreadsheet workbook, not a text file. In Excel, choose File, Save As, and the type “CSV UTF-8 (Comma delimited)”, then use the saved file.
    ");
    assert_eq!(told(b"a\0,M\n").lines().nth(1), Some("1:2 nul"));
    assert_snapshot!(told(b"a,M\nb,M,a\0b,c\n!,M\n"), @"
    1 of 1 rows
    2:6 nul
    There is a NUL byte here, so this is not a text file, or it was damaged. Export it again from the original system.
    ");
}

#[test]
fn utf_16() {
    let text = "a,Contoso.M\r\nb,Contoso.M\r\n";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_snapshot!(told(&little), @"
    0 of 0 rows
    1:1 utf-16
    The file is text in UTF-16 (which Excel calls “Unicode Text”). Save it again as UTF-8: in Excel as the type “CSV UTF-8 (Comma delimited)”, in an editor with the encoding UTF-8.
    ");
    assert_eq!(told(&little), told(&big));
    assert_eq!(told(&little), told([b"\xff\xfe", little.as_slice()].concat()));
    assert_eq!(told(&little), told([b"\xfe\xff", big.as_slice()].concat()));
}

#[test]
fn another_encoding() {
    assert_snapshot!(told(b"a,M\nb,M,Z\xfcrich 5,x\n!,M\n"), @"
    1 of 1 rows
    2:6 not-utf-8
    The file is not UTF-8. It looks like Windows-1252 (Latin-1), in which this character is `ü`. Save it again as UTF-8: in Excel as the type “CSV UTF-8 (Comma delimited)”, in an editor with the encoding UTF-8.
    ");
    assert_snapshot!(told(b"b,M,the pilot\x92s jet\n"), @"
    0 of 0 rows
    1:14 not-utf-8
    The file is not UTF-8. It looks like Windows-1252 (Latin-1), in which this character is `’`. Save it again as UTF-8: in Excel as the type “CSV UTF-8 (Comma delimited)”, in an editor with the encoding UTF-8.
    ");
    assert_snapshot!(told(b"a,M,caf\xe9\nb,M\n").lines().last().unwrap_or_default(), @"The file is not UTF-8. It looks like Windows-1252 (Latin-1), in which this character is `é`. Save it again as UTF-8: in Excel as the type “CSV UTF-8 (Comma delimited)”, in an editor with the encoding UTF-8.");
    // Cyrillic in Windows-1251, and Japanese in Shift-JIS.
    assert_snapshot!(told(b"b,M,\xcd\xe0\xf1\xee\xf1\n"), @"
    0 of 0 rows
    1:5 not-utf-8
    The file is not UTF-8: the byte CD is not valid here. Save it again as UTF-8: in Excel as the type “CSV UTF-8 (Comma delimited)”, in an editor with the encoding UTF-8.
    ");
    assert_snapshot!(told(b"b,M,\x83\x7c\x83\x93\x83\x76\n"), @"
    0 of 0 rows
    1:5 not-utf-8
    The file is not UTF-8: the byte 83 is not valid here. Save it again as UTF-8: in Excel as the type “CSV UTF-8 (Comma delimited)”, in an editor with the encoding UTF-8.
    ");
    assert_snapshot!(told(b"a,M\nb,M,caf\xc3"), @"
    1 of 1 rows
    2:8 not-utf-8
    The file ends in the middle of a character: its end is missing, or it is not UTF-8. Export the whole file again from the original system. Save it again as UTF-8: in Excel as the type “CSV UTF-8 (Comma delimited)”, in an editor with the encoding UTF-8.
    ");
}

#[test]
fn device_names() {
    assert_snapshot!(told(",M\n-a,M\nmy pump,M\n'q',M\n=cmd|' /C calc'!A0,M\n😀,M\na\u{a0}b,M\na/b,M"), @"
    0 of 8 rows
    1:1 device-name
    2:1 device-name
    3:1 device-name
    4:1 device-name
    5:1 device-name
    6:1 device-name
    7:1 device-name
    8:1 device-name
    The device name is missing. Every device needs one.
    `-a` isn't a valid device name. A device name begins with a letter or a digit, not with `-`.
    `my pump` isn't a valid device name. A device name cannot contain a space. The letters A-Z and a-z, digits, and . _ : - are allowed.
    `'q'` isn't a valid device name. A device name cannot contain an apostrophe. The letters A-Z and a-z, digits, and . _ : - are allowed.
    `=cmd|' /C calc'!A0` isn't a valid device name. A device name cannot contain `=`. The letters A-Z and a-z, digits, and . _ : - are allowed.
    `😀` isn't a valid device name. A device name cannot contain `😀` (U+1F600). The letters A-Z and a-z, digits, and . _ : - are allowed.
    `a b` isn't a valid device name. A device name cannot contain the character no-break space (U+00A0), which looks like a space. The letters A-Z and a-z, digits, and . _ : - are allowed.
    `a/b` isn't a valid device name. A device name cannot contain `/`. The letters A-Z and a-z, digits, and . _ : - are allowed.
    ");
    assert_snapshot!(told(format!("{},M\n{},M", "a".repeat(128), "a".repeat(129))), @"
    1 of 2 rows
    2:1 device-name
    `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…` isn't a valid device name. A device name has at most 128 characters, and this one has 129.
    ");
}

#[test]
fn model_names() {
    assert_snapshot!(told("a\nb,\nc,My model\nd,A..B\ne,.A\nf,A.\ng,A.1\nh,A-B\ni,_a._1.b2"), @"
    1 of 9 rows
    1:2 model-name
    2:3 model-name
    3:3 model-name
    4:3 model-name
    5:3 model-name
    6:3 model-name
    7:3 model-name
    8:3 model-name
    The model name is missing. Every device needs one.
    The model name is missing. Every device needs one.
    `My model` isn't a valid model name. A model name cannot contain a space. The letters A-Z and a-z, digits and _ are allowed, in parts joined by dots.
    `A..B` isn't a valid model name. A model name has exactly one dot between its parts, and none at its ends.
    `.A` isn't a valid model name. A model name has exactly one dot between its parts, and none at its ends.
    `A.` isn't a valid model name. A model name has exactly one dot between its parts, and none at its ends.
    `A.1` isn't a valid model name. Each part of a model name begins with a letter or _, not with `1`.
    `A-B` isn't a valid model name. A model name cannot contain `-`. The letters A-Z and a-z, digits and _ are allowed, in parts joined by dots.
    ");
    assert_snapshot!(told(format!("a,{},x\nb,{},x", "M".repeat(256), "M".repeat(257))), @"
    1 of 2 rows
    2:3 model-name
    `MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM…` isn't a valid model name. A model name has at most 256 characters, and this one has 257.
    ");
}

#[test]
fn texts() {
    let (long, longer) = ("é".repeat(256), "é".repeat(257));
    assert_snapshot!(told(format!("a,M,{long}\nb,M,{longer}\nc,M,\"two\nlines\"\nd,M,tab\there\ne,M,\u{9f}.\n")), @"
    1 of 5 rows
    2:5 friendly-name
    3:5 friendly-name
    5:5 friendly-name
    6:5 friendly-name
    The friendly name has 257 characters. At most 256 are allowed.
    A friendly name cannot contain a line break. If it should have ended on its line, its closing quote is missing.
    A friendly name cannot contain a tab. Remove it.
    A friendly name cannot contain the invisible character U+009F. Remove it.
    ");
    let (long, longer) = ("é".repeat(1024), "é".repeat(1025));
    assert_snapshot!(told(format!("a,M,,{long}\nb,M,,{longer}\nc,M,,\"\u{1b}[31m\"\nd,M,,\"one\r\n\r\ntwo\",small\n")), @"
    1 of 4 rows
    2:6 description
    3:6 description
    4:6 description
    6:6 pricing-tier
    The description has 1,025 characters. At most 1,024 are allowed.
    A description cannot contain the invisible character U+001B. Remove it.
    A description cannot contain a line break. If it should have ended on its line, its closing quote is missing.
    `small` is not a pricing tier. Did you mean Small? Use exactly ExtraSmall, Small, Medium or Large, or leave it blank for the default tier.
    ");
}

#[test]
fn pricing_tiers() {
    assert_snapshot!(told("a,M,,,small\nb,M,,,Extra Small\nc,M,,,Meduim\nd,M,,,gold\ne,M,,,S\n"), @"
    0 of 5 rows
    1:7 pricing-tier
    2:7 pricing-tier
    3:7 pricing-tier
    4:7 pricing-tier
    5:7 pricing-tier
    `small` is not a pricing tier. Did you mean Small? Use exactly ExtraSmall, Small, Medium or Large, or leave it blank for the default tier.
    `Extra Small` is not a pricing tier. Did you mean ExtraSmall? Use exactly ExtraSmall, Small, Medium or Large, or leave it blank for the default tier.
    `Meduim` is not a pricing tier. Did you mean Medium? Use exactly ExtraSmall, Small, Medium or Large, or leave it blank for the default tier.
    `gold` is not a pricing tier. Use exactly ExtraSmall, Small, Medium or Large, or leave it blank for the default tier.
    `S` is not a pricing tier. Use exactly ExtraSmall, Small, Medium or Large, or leave it blank for the default tier.
    ");
}

#[test]
fn too_many_fields() {
    assert_snapshot!(told("a,M,Jet, the first,A jet,Small\nb,M,,,,\n!,M,1,2,3,4"), @"
    1 of 3 rows
    1:26 too-many-fields
    3:1 device-name
    3:11 too-many-fields
    The row has 6 fields, and at most 5 are allowed. If a field contains the separator, put double quotes around that field.
    `!` isn't a valid device name. A device name cannot contain `!`. The letters A-Z and a-z, digits, and . _ : - are allowed.
    The row has 6 fields, and at most 5 are allowed. If a field contains the separator, put double quotes around that field.
    ");
    assert_snapshot!(told("Device name,Model name\na,M,x\n"), @"
    0 of 1 rows
    2:5 more-than-header
    The row has 3 fields, but the header names only 2 columns. Name the other columns in the header, or put double quotes around a field that contains the separator.
    ");
}

#[test]
fn a_name_twice() {
    assert_snapshot!(told("a,M\nb,M\n\n  a,M\nA,M\na,M,,,small\n"), @"
    3 of 5 rows
    4:3 duplicate
    6:1 duplicate
    6:7 pricing-tier
    `a` is already used in line 1. Rename this device or remove one of the two rows.
    `a` is already used in line 1. Rename this device or remove one of the two rows.
    `small` is not a pricing tier. Did you mean Small? Use exactly ExtraSmall, Small, Medium or Large, or leave it blank for the default tier.
    5:1 warning case-only: `A` differs from the device name in line 1 only in letter case. If both are one device, remove one of the rows.
    ");
    assert_snapshot!(told("Model name,Device name\nM,a\nM,a\n"), @"
    1 of 2 rows
    3:3 duplicate
    `a` is already used in line 2. Rename this device or remove one of the two rows.
    ");
    // A row that is wrong otherwise has its name all the same.
    assert_snapshot!(told("a,M,,,small\na,M\n"), @"
    0 of 2 rows
    1:7 pricing-tier
    2:1 duplicate
    `small` is not a pricing tier. Did you mean Small? Use exactly ExtraSmall, Small, Medium or Large, or leave it blank for the default tier.
    `a` is already used in line 1. Rename this device or remove one of the two rows.
    ");
}

#[test]
fn headers() {
    assert_snapshot!(told("Device name,Model name,Pricing,,Colour,\na,M,x,y\n!,M"), @"
    1 of 2 rows
    1:24 unknown-columns
    3:1 device-name
    `Pricing`, a column without a name and `Colour` are not known columns. The columns are Device name, Model name, Device friendly name, Description, Pricing tier; Line and Error are ignored. Rename or remove these columns, or ignore them.
    `!` isn't a valid device name. A device name cannot contain `!`. The letters A-Z and a-z, digits, and . _ : - are allowed.
    ");
    assert_snapshot!(told("Device name,Model name,device_name\na,M,b\n"), @"
    1 of 1 rows
    1:24 repeated-column
    The header has the column `Device name` more than once. Remove all but one.
    ");
    assert_snapshot!(told("Device,Model,Friendly name,Description\na,M,x,y\n!,M"), @"
    0 of 0 rows
    1:1 unknown-columns
    1:39 missing-column
    1:39 missing-column
    `Device` and `Model` are not known columns. The columns are Device name, Model name, Device friendly name, Description, Pricing tier; Line and Error are ignored. Rename or remove these columns, or ignore them.
    The header has no column `Device name`, which is required. Add it, or remove the header row.
    The header has no column `Model name`, which is required. Add it, or remove the header row.
    ");
    assert_snapshot!(told("Device name;Modell name\na;M\n"), @"
    0 of 0 rows
    1:13 unknown-columns
    1:24 missing-column
    `Modell name` is not a known column. Did you mean `Model name` instead of `Modell name`? The columns are Device name, Model name, Device friendly name, Description, Pricing tier; Line and Error are ignored. Rename or remove these columns, or ignore them.
    The header has no column `Model name`, which is required. Add it, or remove the header row.
    ");
    assert_snapshot!(told(format!("Device name,Model name{}\na,M\n", ",x".repeat(99))), @"
    0 of 0 rows
    1:220 too-many-columns
    The header has 101 columns. Keep only these: Device name, Model name, Device friendly name, Description, Pricing tier; Line and Error are ignored.
    ");
}

#[test]
fn spaces_before_quotes() {
    assert_snapshot!(told("a,M, \"Jet, the first\",x\nb, \"M\"\nc,M,\"5\"\" pipe\", 5\" pipe\n"), @"
    1 of 3 rows
    1:6 space-before-quote
    2:4 space-before-quote
    There is a space between the separator and the quote. Remove the space.
    There is a space between the separator and the quote. Remove the space.
    ");
}

#[test]
fn unclosed_quotes() {
    assert_snapshot!(told("a,M\nb,M,\"Jet\nc,M\n!,M\nd,M,Jet,x,small"), @"
    2 of 5 rows
    2:5 unclosed-quote
    4:1 device-name
    5:11 pricing-tier
    This quote is never closed. Add a closing quote at the end of the field, or remove this one.
    `!` isn't a valid device name. A device name cannot contain `!`. The letters A-Z and a-z, digits, and . _ : - are allowed.
    `small` is not a pricing tier. Did you mean Small? Use exactly ExtraSmall, Small, Medium or Large, or leave it blank for the default tier.
    ");
    assert_snapshot!(told("a,M,\"one\ntwo\",\"three\nb,M\n"), @"
    1 of 2 rows
    2:6 unclosed-quote
    This quote is never closed. Add a closing quote at the end of the field, or remove this one.
    ");
    assert_snapshot!(told("a,M,\""), @"
    0 of 1 rows
    1:5 unclosed-quote
    This quote is never closed. Add a closing quote at the end of the field, or remove this one.
    ");
    assert_snapshot!(told("a,M,\"\r\n\"b,M"), @"
    0 of 1 rows
    2:2 text-after-quote
    There is text after the closing quote of a field. Write a quote inside a quoted field twice: `\"\"`.
    ");
}

#[test]
fn positions_count_characters() {
    assert_snapshot!(told("a,M,Zürich 日本,\"é, é\",small"), @"
    0 of 1 rows
    1:22 pricing-tier
    `small` is not a pricing tier. Did you mean Small? Use exactly ExtraSmall, Small, Medium or Large, or leave it blank for the default tier.
    ");
    assert_snapshot!(told("a,M,,\"one\rtwo\r\nthree\nfour\", small\n!,M"), @"
    0 of 2 rows
    1:6 description
    4:8 pricing-tier
    5:1 device-name
    A description cannot contain a line break. If it should have ended on its line, its closing quote is missing.
    `small` is not a pricing tier. Did you mean Small? Use exactly ExtraSmall, Small, Medium or Large, or leave it blank for the default tier.
    `!` isn't a valid device name. A device name cannot contain `!`. The letters A-Z and a-z, digits, and . _ : - are allowed.
    ");
}

#[test]
fn values_in_sentences_are_short_and_harmless() {
    assert_snapshot!(told(format!("a,M,,,{}\nb,M,,,\u{1b}[2J\u{202e}x", "tier".repeat(50))), @"
    0 of 2 rows
    1:7 pricing-tier
    2:7 pricing-tier
    `tiertiertiertiertiertiertiertiertiertiertiertiertiertiertier…` is not a pricing tier. Use exactly ExtraSmall, Small, Medium or Large, or leave it blank for the default tier.
    `␛[2J�x` is not a pricing tier. Use exactly ExtraSmall, Small, Medium or Large, or leave it blank for the default tier.
    ");
}

#[test]
fn many_rows_with_one_mistake_read_as_one_thing_to_mend() {
    let mut file = String::new();
    for number in 0..1000 {
        let (name, tier) =
            (if number % 10 == 3 { "my pump" } else { "pump" }, if number % 2 == 0 { "small" } else { "Small" });
        file += &format!("{name}{number},M,,,{tier}\n");
    }
    file += "pump1,M\n";
    let report = report(file);
    let mut out = format!("{} problems", report.problem_count);
    for group in &report.problem_groups {
        let lines: Vec<u64> = group.examples.iter().map(|problem| problem.line).collect();
        out += &format!("\n{} {}: {}\n  {lines:?}", group.count, group.kind, group.heading);
    }
    assert_snapshot!(out, @"
    601 problems
    500 pricing-tier: `small` is not a pricing tier. Did you mean Small? Use exactly ExtraSmall, Small, Medium or Large, or leave it blank for the default tier.
      [1, 3, 5, 7, 9, 11, 13, 15, 17, 19]
    100 device-name: A device name cannot contain a space. The letters A-Z and a-z, digits, and . _ : - are allowed.
      [4, 14, 24, 34, 44, 54, 64, 74, 84, 94]
    1 duplicate: Duplicate device name. Give each device its own name.
      [1001]
    ");
}

#[test]
fn all_problems_are_listed_with_their_devices() {
    let list = |file: &str| {
        let mut check = Check::listing_problems(ReadOptions::default());
        file.as_bytes().chunks(7).for_each(|piece| check.push(piece));
        let (report, csv) = check.finish_with_problems();
        let mut plain = Check::new();
        plain.push(file.as_bytes());
        assert_eq!(report, plain.finish(), "{file}");
        assert_eq!(csv.is_empty(), report.is_clean(), "{file}");
        std::str::from_utf8(&csv)
            .expect("it is UTF-8")
            .split_terminator("\r\n")
            .skip(1)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(list("A1,M\nA2,M\n"), [""; 0]);
    let rows = list("A1,M,,,small\nA 2,,Pump,,big\nA1,M\n=3,M\n");
    let starts: Vec<_> = rows.iter().map(|row| row.split(',').take(4).collect::<Vec<_>>().join(",")).collect();
    assert_eq!(starts, ["1,8,A1,small", "2,1,A 2,A 2", "2,5,A 2,", "2,12,A 2,big", "4,1,'=3,'=3", "3,1,A1,A1"]);
    assert_eq!(rows[5], "3,1,A1,A1,`A1` is already used in line 1. Rename this device or remove one of the two rows.");
    // Text that is no row has no device.
    let many = "x,M,,,tiny\n".repeat(5_000);
    assert_eq!(list(&many).len(), 9_999);
    assert_eq!(list("A1,M\n\"A2,M\n").len(), 1);
}
