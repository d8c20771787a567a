//! What a person may choose about reading a file: a mapping of its columns, and unknown columns ignored.

mod common;

use common::{Found, summary};
use insta::assert_snapshot;
use muster_domain::{Check, CheckReport, Field, Mapping, MappingOffer, ReadOptions, Reader};

fn check_with(file: &str, options: &ReadOptions) -> CheckReport {
    let mut check = Check::with_options(options.clone());
    file.as_bytes().chunks(7).for_each(|piece| check.push(piece));
    check.finish()
}

fn offer(file: &str) -> Option<MappingOffer> {
    check_with(file, &ReadOptions::default()).mapping
}

/// The mapping that an offer proposes.
fn proposed(offer: &MappingOffer) -> Mapping {
    let columns = offer.columns.iter().map(|column| column.proposal).collect();
    Mapping::new(columns, offer.first_row_is_header).expect("the proposal is complete")
}

/// An offer as one line: `header: name=DeviceName(AR-1) …`.
fn shown(offer: &Option<MappingOffer>) -> String {
    let Some(offer) = offer else {
        return "none".to_owned();
    };
    let columns: Vec<String> = offer
        .columns
        .iter()
        .map(|it| {
            let proposal = it.proposal.map_or(String::from("-"), |field| format!("{field:?}"));
            format!("{}={proposal}({})", it.name, it.samples.join("|"))
        })
        .collect();
    format!("{}{}", if offer.first_row_is_header { "header: " } else { "rows: " }, columns.join(" "))
}

#[test]
fn columns_are_offered_for_mapping() {
    assert_snapshot!(shown(&offer("name,model,label,notes\nAR-1,A.B,Jet 1,x\nAR-2,A.B,,y\n")),
        @"header: name=DeviceName(AR-1|AR-2) model=ModelName(A.B|A.B) label=FriendlyName(Jet 1) notes=Description(x|y)");
    assert_snapshot!(shown(&offer("Gerätename;Modell;Bezeichnung;Beschreibung;Tarif\nAR-1;A.B;Jet;x;Small\n")),
        @"header: Gerätename=DeviceName(AR-1) Modell=ModelName(A.B) Bezeichnung=FriendlyName(Jet) Beschreibung=Description(x) Tarif=PricingTier(Small)");
    assert_snapshot!(shown(&offer("No.;Serial;Name;Type;Site\n1;S-1;Jet 1;A.B;Hall 1\n2;S-2;Jet 2;A.B;Hall 1\n")),
        @"header: No.=-(1|2) Serial=DeviceName(S-1|S-2) Name=FriendlyName(Jet 1|Jet 2) Type=ModelName(A.B|A.B) Site=-(Hall 1|Hall 1)");
    assert_snapshot!(shown(&offer("No.,Device name,Serial,Model name\n1,AR-1,7,A.B\n")),
        @"header: No.=-(1) Device name=DeviceName(AR-1) Serial=-(7) Model name=ModelName(A.B)");
    assert_snapshot!(shown(&offer("Device name,Modell\nAR-1,A.B\n")), @"header: Device name=DeviceName(AR-1) Modell=ModelName(A.B)");
    // Without a header, in another order.
    assert_snapshot!(shown(&offer("A.B,AR-1,Jet 1,Small\nA.B,AR-2,Jet 2,Large\n")),
        @"rows: A.B=ModelName(A.B|A.B) AR-1=DeviceName(AR-1|AR-2) Jet 1=-(Jet 1|Jet 2) Small=PricingTier(Small|Large)");
    // Nothing to ask.
    assert_snapshot!(shown(&offer("AR-1,A.B,Jet 1\nAR-2,A.B,Jet 2,x,small\n")), @"none");
    assert_snapshot!(shown(&offer("Device name,Model name,Line\nAR-1,A.B,1\n")), @"none");
    assert_snapshot!(shown(&offer("AR 1\nAR 2\n")), @"none");
    assert_snapshot!(shown(&offer("")), @"none");
}

#[test]
fn a_mapped_file_is_read_by_its_mapping() {
    for (file, expected) in [
        ("name,model,label,notes\nAR-1,A.B,Jet 1,x\n", "AR-1|A.B|Jet 1|x|"),
        ("No.;Serial;Name;Type;Site\n1;S-1;Jet 1;A.B;Hall 1;;\n", "S-1|A.B|Jet 1||"),
        ("A.B,AR-1,Jet 1,Small\nA.B,AR-2,,Large\n", "AR-1|A.B|||Small"),
        ("Device name,Modell,x\nAR-1,A.B,y\n", "AR-1|A.B|||"),
        ("\u{feff}sep=;\r\nTyp;Kennung\r\nA.B;=\"007\"\r\n", "007|A.B|||"),
    ] {
        let offered = offer(file).expect(file);
        let options = ReadOptions { mapping: Some(proposed(&offered)), ignore_unknown_columns: false };
        let report = check_with(file, &options);
        assert!(report.is_clean(), "{file}: {}", summary(&report));
        assert_eq!(report.mapping, Some(offered), "{file}");
        // The layout alone tells the server how to read a part.
        let part = report.parts[0];
        let mut found = Found::default();
        let json = serde_json::to_string(&report.layout).expect("a layout is JSON");
        let layout = serde_json::from_str(&json).expect("and back");
        let bytes = &file.as_bytes()[part.start as usize..part.end as usize];
        Reader::read_part(layout, part.first_line, bytes, &mut found);
        assert_eq!(found.rows.len() as u64, report.devices, "{file}");
        assert_eq!(found.rows[0].1.join("|"), expected, "{file}");
    }
}

#[test]
fn the_first_row_is_the_header_or_a_device_as_the_person_says() {
    let columns = vec![Some(Field::DeviceName), Some(Field::ModelName)];
    let check = |file: &str, first_row_is_header, expected: &str| {
        let mapping = Mapping::new(columns.clone(), first_row_is_header).expect("a mapping");
        let report = check_with(file, &ReadOptions { mapping: Some(mapping), ignore_unknown_columns: false });
        assert_eq!(summary(&report), expected, "{file}");
    };
    check("Serial,Type\nA1,M\n", true, "1 of 1");
    check("Serial,Type\nA1,M\n", false, "2 of 2");
    check("A1,M\nA2,M\n", true, "1 of 1");
    // Columns that the header names and nobody mapped are ignored; without a header, there are none.
    check("Serial,Type,Site\nA1,M,Hall\n", true, "1 of 1");
    check("A1,M,Hall\n", false, "0 of 1; 1:6 too-many-fields");
    check("\n;;\n# x\nSerial;Type\nA1;M\n", true, "1 of 2; 3:1 commented-row");
    check("Serial,Type\n", true, "0 of 0; 1:1 no-devices");
    check("", true, "0 of 0; 1:1 empty");
}

#[test]
fn a_mapping_is_checked() {
    use Field::{DeviceName, ModelName};
    let check = |columns: Vec<Option<Field>>, expected: Option<&str>| {
        assert_eq!(Mapping::new(columns.clone(), true).err().map(|it| it.to_string()).as_deref(), expected);
        let json = serde_json::json!({ "columns": columns, "first_row_is_header": true });
        assert_eq!(serde_json::from_value::<Mapping>(json).is_ok(), expected.is_none());
    };
    check(vec![Some(ModelName), None, Some(DeviceName)], None);
    check(vec![Some(ModelName)], Some("a layout has a column for the device name and one for the model name"));
    check(
        vec![Some(ModelName), Some(DeviceName), Some(ModelName)],
        Some("two columns of the layout are the same field"),
    );
    check([vec![Some(ModelName), Some(DeviceName)], vec![None; 99]].concat(), Some("a layout has at most 100 columns"));
}

#[test]
fn unknown_columns_are_ignored_if_asked() {
    let file = "No.,Device name,Device group,Model name,\n1,A1,g,A.B,\n";
    let report = check_with(file, &ReadOptions::default());
    assert_eq!(summary(&report), "1 of 1; 1:1 unknown-columns; 1:17 group-column");
    assert_eq!(report.unknown_columns, ["No.", "Device group"]);
    let report = check_with(file, &ReadOptions { mapping: None, ignore_unknown_columns: true });
    assert_eq!(summary(&report), "1 of 1");
    assert_eq!(report.unknown_columns, ["No.", "Device group"]);
    // A required column is not unknown, but missing.
    let report = check_with("Device name,Modell\nA1,M\n", &ReadOptions { mapping: None, ignore_unknown_columns: true });
    assert_eq!(summary(&report), "0 of 0; 1:19 missing-column");
}

#[test]
fn numeric_names_are_listed_for_comparing() {
    let mut file = "12345,M\n0012345,M\n7,M\nA7,M\n7.5,M\n8,M,,,small\n".to_owned();
    let report = check_with(&file, &ReadOptions::default());
    assert_eq!((report.numeric_names.join(" "), report.numeric_name_count), ("12345 7".to_owned(), 2));
    for number in 0..2_000 {
        file += &format!("1{number:05},M\n");
    }
    let report = check_with(&file, &ReadOptions::default());
    assert_eq!((report.numeric_names.len(), report.numeric_name_count), (CheckReport::MAX_NUMERIC_NAMES, 2_002));
}
