//! Files as they come from spreadsheets, exports and other portals: `cases/` has them byte by byte.

mod common;

use common::{report, summary, told};

fn case(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name);
    std::fs::read(path).expect(name)
}

#[test]
fn each_case_is_understood() {
    for (name, expected) in [
        ("01-trailing-separator-header.csv", "2 of 2"),
        ("02a-padded-rows.csv", "2 of 2"),
        ("02c-blank-rows-only.csv", "2 of 2"),
        ("03a-header-name-model.csv", "0 of 0; 1:1 header-words"),
        ("03c-header-german.csv", "0 of 0; 1:1 header-words"),
        ("04-vendor-columns.csv", "2 of 2; 1:1 unknown-columns"),
        ("05a-row-in-quotes.csv", "0 of 0; 1:1 rows-in-quotes"),
        ("06-commented-rows.csv", "1 of 4; 1:1 commented-row; 2:1 commented-row; 4:1 commented-row"),
        ("07a-scientific.csv", "0 of 3; 1:1 scientific-notation; 2:1 scientific-notation; 3:1 scientific-notation"),
        ("08-leading-zeros.csv", "5 of 5"),
        ("09a-equals-quoted.csv", "2 of 2"),
        ("10a-header-nbsp.csv", "1 of 1"),
        ("10d-bom-inside.csv", "2 of 2"),
        ("11b-zero-width-in-texts.csv", "1 of 1"),
        ("11d-cyrillic-lookalike.csv", "0 of 2; 1:1 device-name; 2:8 model-name"),
        ("12b-curly-quotes-comma.csv", "0 of 2; 1:39 typographic-quotes; 2:39 typographic-quotes"),
        ("13-macroman-cr.csv", "0 of 0; 1:44 not-utf-8"),
        ("14b-double-encoded.csv", "1 of 1; warning 1:39 encoded-twice; warning 1:51 encoded-twice"),
        ("14c-replacement-characters.csv", "1 of 1; warning 1:39 lost-characters; warning 1:50 lost-characters"),
        ("17-ctrl-z.csv", "2 of 2"),
        ("18b-inch-in-quotes.csv", "0 of 3; 1:44 text-after-quote; 2:44 text-after-quote; 3:56 pricing-tier"),
        ("19a-backslash-quote.csv", "0 of 2; 1:50 text-after-quote; 2:50 text-after-quote"),
        ("20-mac-notations.csv", "5 of 6; 4:1 device-name; warning 6:1 case-only"),
        ("21-case-only.csv", "2 of 2; warning 2:1 case-only"),
        ("22a-pipes.csv", "0 of 0; 1:1 other-separator"),
        ("23a-title-above-header.csv", "0 of 0; 1:1 header-below"),
        ("25-more-cells-than-header.csv", "0 of 2; 2:39 more-than-header; 3:39 more-than-header"),
        ("28-formula-behind-semicolon.csv", "2 of 2"),
        ("29a-nfc.csv", "1 of 1"),
        ("29b-nfd.csv", "1 of 1"),
        ("31-group-column.csv", "1 of 1; 1:24 group-column"),
        ("32b-names-and-model.csv", "3 of 3"),
    ] {
        assert_eq!(summary(&report(case(name))), expected, "{name}");
    }
}

#[test]
fn each_case_is_explained() {
    for (name, sentence) in [
        ("03c-header-german.csv", "`Gerätename`, `Modell`, `Bezeichnung`, `Beschreibung` and `Tarif`."),
        ("04-vendor-columns.csv", "`No.`, `Serial`, `Batch` and `Delivered` are not known columns."),
        ("05a-row-in-quotes.csv", "Each row is quoted as a whole"),
        ("06-commented-rows.csv", "do not comment out a row. Delete the row"),
        ("07a-scientific.csv", "`8.96529E+19` is a number that a spreadsheet rounded. Its last digits are lost."),
        ("11d-cyrillic-lookalike.csv", "Cyrillic capital letter A (U+0410), which looks like `A`"),
        ("11d-cyrillic-lookalike.csv", "Cyrillic capital letter ES (U+0421), which looks like `C`"),
        ("12b-curly-quotes-comma.csv", "Typographic quotes such as “ and ” do not quote a field."),
        ("13-macroman-cr.csv", "The file is not UTF-8: the byte 9F is not valid here."),
        ("14b-double-encoded.csv", "looks like text that was encoded twice"),
        ("14c-replacement-characters.csv", "has lost characters"),
        (
            "18b-inch-in-quotes.csv",
            "There is text after the closing quote of a field. Write a quote inside a quoted field twice",
        ),
        (
            "19a-backslash-quote.csv",
            "does not escape a quote: the field ends here. Write a quote inside a quoted field twice",
        ),
        ("21-case-only.csv", "differs from the device name in line 1 only in letter case"),
        ("22a-pipes.csv", "The fields are separated by `|`."),
        ("23a-title-above-header.csv", "The header is in line 3. Remove the rows above it."),
        ("25-more-cells-than-header.csv", "The row has 3 fields, but the header names only 2 columns."),
        ("31-group-column.csv", "choose the group in the Device group field of the Register devices dialog"),
    ] {
        let report = report(case(name));
        let sentences: Vec<String> =
            report.problems.iter().chain(&report.warnings).map(|found| found.sentence()).collect();
        assert!(sentences.iter().any(|it| it.contains(sentence)), "{name}: {sentences:?}");
    }
    for (name, groups) in [("06-commented-rows.csv", 1), ("07a-scientific.csv", 1), ("12b-curly-quotes-comma.csv", 1)] {
        assert_eq!(report(case(name)).problem_groups.len(), groups, "{name}");
    }
}

const M: &str = "Contoso.Aircraft.AircraftModel";

/// Files that are right. None of them may get a problem or a warning.
#[test]
fn right_files_raise_no_alarm() {
    for (file, devices) in [
        // Names that look like something else.
        (format!("name-1,{M}\nname-2,{M}\n"), 2),
        (format!("Serial-7,{M}\n"), 1),
        (format!("A1,{M}\nDeviceName,{M}\ndevice_name,{M},x\nModelName,{M}\nA2,{M}\n"), 5),
        (format!("A1,{M}\nA2,ModelName\nA3,{M}\n"), 3),
        (format!("Serial,{M}\nModel,{M}\n"), 2),
        (format!("Line,{M},Line 1\nError,{M},Line 2\n"), 2),
        ("Line,Pump\nDescription,Pump\n".to_owned(), 2),
        ("Pump-1,Type.Model\nPump-2,Type.Model\n".to_owned(), 2),
        ("Device,Type.Model,Name,Description\n".to_owned(), 1),
        ("Pump-1,Type\nPump-2,Type\n".to_owned(), 2),
        ("Sensor,Model\nSensor2,Model\n".to_owned(), 2),
        ("Gateway,Meter\n".to_owned(), 1),
        (format!("1E5,{M}\n891E3,{M}\n393435377E377E15,{M}\n1.5E10,{M}\n"), 4),
        (format!("70:B3:D5:49:95:85,{M}\n70-B3-D5-49-95-86,{M}\n70B3.D549.9587,{M}\n70B3D5499588,{M}\n"), 4),
        (format!("89490200001234567890,{M},SIM 1\n359881234567890,{M},IMEI\n0012345,{M},zeros\n"), 3),
        (format!("urn:dev:ops:32473-Refrigerator_5002.7,{M}\nsensor.example.com,{M}\n192.168.0.1,{M}\n"), 3),
        ("Contoso.Pump,Contoso.Pump\nTRUE,Null\n2-3,M\n".to_owned(), 3),
        // Texts with characters that mean something elsewhere.
        (format!("A1,{M},Pump #3,# not a comment\nA2,{M},#4,//5\n"), 2),
        (format!("A1,{M},\"12\"\" valve\",\"a \"\"big\"\" one, left\"\nA2,{M},12\" valve,5' 11\"\n"), 2),
        (format!("A1,{M},O'Brien's pump,'quoted'\nA2,{M},Rock 'n' Roll;'tis,l'avion d'eau\n"), 2),
        (format!("A1,{M},« Le Grand »,“Jet 1”\nA2,{M},„Halle“,»Dansk«\nA3,{M},the pilot’s ‘jet’,it’s 5’\n"), 3),
        (format!("A1,{M},“Big” pump,the “old” one\nA2,{M},là\u{a0}»,“IRMÃ”\n"), 2),
        (format!("A1,{M},C:\\temp,\"C:\\\"\nA2,{M},a|b|c,x = y; z > 1\n"), 2),
        (format!("A1,{M},-5 °C,+49 30 123\nA2,{M},@home,=1+1\nA3,{M},'=1+1,'-5\n"), 3),
        (format!("A1,{M},8.96529E+19,1E+5\nA2,{M},1/2,50 %\n"), 2),
        (format!("A1,{M},,\nA2,{M},Only a friendly name\nA3,{M}\nA4,{M},,Only a description\nA5,{M},,,Small\n"), 5),
        (format!("A1,{M},name,description\nA2,{M},Model,Type\n"), 2),
        (format!("A1,{M},a:b c d|e^f,~\nA2,{M},https://example.com/?a=1&b=2,C#\n"), 2),
        // Other scripts. Joiners are removed, and not worth a word.
        (format!("A1,{M},Zürich Straße Łódź Ångström,SÃO JOSÉ\nA2,{M},Привет,Ελλάδα\n"), 2),
        (
            format!(
                "A1,{M},東京の飛行機,한국어\nA2,{M},مرحبا بالعالم,می\u{200c}خواهم\nA3,{M},שלום\u{200f},हिन्\u{200d}दी\n"
            ),
            3,
        ),
        (format!("A1,{M},👩\u{200d}🔧 team 🚀,❤\u{fe0f} 🏴󠁧󠁢󠁥󠁮󠁧󠁿\n"), 1),
        (format!("A1,{M},Zu\u{308}rich,5 µm ½ × 3² ≠ ±\n"), 1),
        // Layouts.
        (format!("\u{feff}sep=;\r\nA1;{M};a, b;1,5\r\n;;;;\r\nA2;{M}\r\n\u{1a}"), 2),
        (format!("A1\t{M}\tJet, 1; big\t\t\nA2\t{M}\t\t\tSmall\t\t\t\n"), 2),
        (format!("\"A1\",\"{M}\",\"\",\"\",\"\"\n\"\",\"\",\"\"\n\"A2\",\"{M}\" , \"\"\n").replace(" , \"\"", " "), 2),
        (format!("Device name,Model name\n\"Line\",{M}\n"), 1),
        (format!("device_name;MODEL NAME;Friendly-Name;;\nname;{M};;;\n"), 1),
        (format!("Line,Error,Model name,Device name\n3,\"not found; =x\",{M},A1\n"), 1),
        (format!("A1,{M}\r\rA2,{M}\r"), 2),
        (format!("{}A1,{M},x\n", "\n".repeat(50)), 1),
        (format!("A1,{M},\"Jet, 1\",12\"\nA2,{M},\"Jet\",x\"\n"), 2),
    ] {
        let report = report(&file);
        let clean = format!("{devices} of {devices}");
        assert_eq!(summary(&report), clean, "{file}\n{}", told(&file));
        assert_eq!(report.mapping, None, "{file}");
    }
}

/// Other files of the same kinds as `cases/`.
#[test]
fn other_files_of_these_kinds_are_understood() {
    let check = |file: &str, expected: &str| {
        let file = file.replace('§', M);
        assert_eq!(summary(&report(&file)), expected, "{file}\n{}", told(&file));
    };
    // Padding.
    check("A1;§;;;;;;;;\r\n;;;\r\n\"\";\"\";\"\"\r\nA2;§\r\n", "2 of 2");
    check("A1\t§\tx\t\t\t\t\n\t\t\t\n", "1 of 1");
    check("\"A1\",\"§\",\"\",\"\",\"\",\"\",\"\"\n", "1 of 1");
    check("Device name,Model name,,,\nA1,§,,,\n", "1 of 1");
    check("A1,§,,,,,x\nA2,§,,,,,\n", "1 of 2; 1:39 too-many-fields");
    check("A1,§,,,,\" \",\u{a0}\n", "1 of 1");
    check("=\"\",=\"\"\nA1,§\n", "1 of 1");
    // Headers in other words, which are never devices.
    for header in [
        "name,model,serial",
        "Serial,Type",
        "Serial;Type",
        "Type,Serial",
        "Nom,Modèle",
        "Nom;Modèle;Libellé",
        "Gerätename;Modell",
        "Gera\u{308}tename\tTyp\tStandort",
        "GERAETENAME,MODELL",
        "Seriennummer;Typ;Bezeichnung",
        "Nombre,Modelo,Descripción",
        "Número de serie;Tipo;Etiqueta",
        "Nom de l'appareil,Type d'appareil",
        "deviceId,deviceType,displayName",
        "device_id,device_model",
        "ID,Type,Location,Batch,Notes",
        "IMEI,Model",
        "Ser.Nr;Typ",
        "S/N,Product",
        "\"name\",\"model\"",
        "hostname,model",
        "\u{200b}name,model\u{a0}",
        "Device,Model",
        "cust,name,type",
        "Kennz;Modell",
        "Name,Baureihe",
        "fw,asset tag,model,site",
        "Label,Name,Model",
    ] {
        let separator = [";", "\t", ","].into_iter().find(|it| header.contains(it)).unwrap_or(",");
        let width = header.split(separator).count().max(2);
        let rows: String = (1..4)
            .map(|number| {
                let cells: Vec<String> = (0..width)
                    .map(|column| match column {
                        0 => format!("AR-{number}"),
                        1 => M.to_owned(),
                        _ => format!("x {column}"),
                    })
                    .collect();
                format!("{}\n", cells.join(separator))
            })
            .collect();
        check(&format!("{header}\n{rows}"), "0 of 0; 1:1 header-words");
    }
    check("Serial,Type\n", "0 of 0; 1:1 header-words");
    check("# export\nname,model\nA1,§\n", "0 of 0; 2:1 header-words");
    // Unknown columns, and a group.
    check(
        "Device name,Model name,Device friendly name,Serial,Gruppe\nA1,§,x,7,g\n",
        "1 of 1; 1:45 unknown-columns; 1:52 group-column",
    );
    check("Device name;Model name;Groups\nA1;§;g\n", "1 of 1; 1:24 group-column");
    check("#,Device name,Model name\n1,A1,§\n", "1 of 1; 1:1 unknown-columns");
    // Rows in quotes.
    check("\"Device name,Model name\"\n\"A1,§\"\n", "0 of 0; 1:1 rows-in-quotes");
    check("\"A1;§;\"\"Jet; 1\"\"\"\n\"A2;§\"\n", "0 of 0; 1:1 rows-in-quotes");
    check("\"A1,§,Jet\";;;;\n\"A2,§,Jet\";;;;\n", "0 of 0; 1:1 rows-in-quotes");
    check("A1,§\n\"A2,§,Jet\"\nA3,§\n", "2 of 3; 2:1 row-in-quotes");
    // Comments.
    check(
        "A1,§\n#A2,§\n # note\n// A3,§\n\"#A4\",§\n",
        "1 of 5; 2:1 commented-row; 3:1 commented-row; 4:1 commented-row; 5:1 commented-row",
    );
    check("A1;§\n#A2;§\n", "1 of 2; 2:1 commented-row");
    // Spreadsheets.
    check(
        "8,96529E+19;§\n1E+5;§\n3.6e+14;§\n-1E5;§\n",
        "0 of 4; 1:1 scientific-notation; 2:1 scientific-notation; 3:1 scientific-notation; 4:1 scientific-notation",
    );
    check("\"8,96529E+19\",§\n", "0 of 1; 1:1 scientific-notation");
    check("8,96529E+19,§,SIM 1\n3,59881E+14,§,,,Small\n", "0 of 2; 1:1 scientific-notation; 2:1 scientific-notation");
    check("\"=\"\"0012345\"\"\",§,\"=\"\"Jet, \"\"\"\"1\"\"\"\"\"\"\"\n", "1 of 1");
    check("A1,§,=\"Jet, 1\"\n", "0 of 1; 1:35 equals-before-quote");
    // Byte order marks and the end of the file.
    check("\u{feff}\u{feff}Device name,Model name\n\u{feff}\"A1\",§\n\u{feff}\n\u{feff}A2,§", "2 of 2");
    check("A1,§,,,Small\u{1a}", "1 of 1");
    check("A1,§\n\u{1a}\u{1a}\u{1a}", "1 of 1");
    check("A1,§\r\n\u{1a}\r\n", "1 of 1");
    check("A1,§,a\u{1a}b\n", "0 of 1; 1:35 friendly-name");
    // Quotes.
    check(
        "A1,§,“Jet 1, big”,x\nA2,§,«a; b, c»\nA3,§,‘Jet, 1’\n",
        "0 of 3; 1:35 typographic-quotes; 2:35 typographic-quotes; 3:35 typographic-quotes",
    );
    check("“A1”,“§”\n", "0 of 1; 1:1 typographic-quotes; 1:6 typographic-quotes");
    check("A1,§,\"a\"b\nA2,§,\"a\" \nA3,\"§\"x,\n", "1 of 3; 1:38 text-after-quote; 3:36 text-after-quote");
    check("A1;§;\"12\" valve\"\nA2;§;x\n", "1 of 2; 1:40 text-after-quote");
    // Look-alikes.
    check(
        "A\u{2011}1,§\nA1\u{200b},§\nＡ1,§\nΑ1,§\nA1\u{ad},§\n",
        "0 of 5; 1:1 device-name; 2:1 device-name; 3:1 device-name; 4:1 device-name; 5:1 device-name",
    );
    // Encodings.
    check(
        "A1,§,MÃ¼nchen,caf\u{fffd}\nA2,§,ÐŸÑ€Ð¸Ð²ÐµÑ‚,5 â‚¬\n",
        "2 of 2; warning 1:35 encoded-twice; warning 1:44 lost-characters; warning 2:35 encoded-twice; warning 2:48 encoded-twice",
    );
    // In half of the characters that were encoded twice is one that is taken out of texts: `í` is `Ã` and a soft hyphen.
    check("A1,§,MartÃ\u{ad}nez,x\n", "1 of 1; warning 1:35 encoded-twice");
    // Letter case.
    check(
        "Pump-1,§\npump-1,§\nPUMP-1,§\npump-1,§\n",
        "3 of 4; 4:1 duplicate; warning 2:1 case-only; warning 3:1 case-only",
    );
    // Other separators.
    for separator in ["|", "^", "~", ":", " ", "  ", "/", "，", "；", "\u{1f}", "¦"] {
        let file = format!("A1{separator}§{separator}Jet{separator}big\nA2{separator}§{separator}Jet\n");
        check(&file, "0 of 0; 1:1 other-separator");
    }
    check("| name | model |\n|---|---|\n| A1 | § |\n| A2 | § |\n", "0 of 0; 1:1 other-separator");
    check("Device name|Model name\nA1|Pump\n", "0 of 0; 1:1 other-separator");
    check("70:B3:D5:49:95:85\n70:B3:D5:49:95:86\n", "0 of 2; 1:18 model-name; 2:18 model-name");
    // Titles.
    check("Fleet\n\nExported by X;;\nDevice name;Model name\nA1;§\n", "0 of 0; 1:1 header-below");
    check("Fleet,Berlin\nDevice name,Model name\nA1,§\n", "0 of 0; 1:1 header-below");
    check("A1,Pump\nDevice name,Model name\nA2,Pump\n", "2 of 3; 2:1 header-again");
    check("Lieferung 4711\nGerätename,Modell\nA1,§\n", "0 of 0; 1:1 header-below");
    check("A1,§\nDevice name,Model name\nA2,§\n", "2 of 3; 2:1 header-again");
    check("my pump,§\nA1,§\nDevice name,Model name\nA2,§\n", "2 of 4; 1:1 device-name; 3:1 header-again");
    // Two exports joined, also where both cells of the header are valid names, and far from the end of the file.
    let rows = "A1,§\nB1,§\nC1,§\nD1,§\n";
    for header in
        ["DeviceName,ModelName", "device_name,model_name", "Device-Name,MODELNAME,,,", "\"DeviceName\",ModelName"]
    {
        check(
            &format!("{header}\nA0,§\n{header}\n{rows}{header}\nE1,§\n"),
            "6 of 8; 3:1 header-again; 8:1 header-again",
        );
        check(&format!("A0,§\n{header}\n{rows}"), "5 of 6; 2:1 header-again");
    }
    check("ModelName,DeviceName\n§,A0\nModelName,DeviceName\n§,A1\n", "2 of 3; 3:1 header-again");
    // More than the header names.
    check("Device name,Model name\nA1,§,,\nA2,§,,x\n", "1 of 2; 3:36 more-than-header");
}
