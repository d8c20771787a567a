//! What holds for every registration file.

mod common;

use common::{Found, read};
use muster_domain::{Check, CheckReport, Layout, ReadOptions, Reader, Separator, Sink, errors_csv};
use proptest::prelude::*;

/// Bytes that look like a registration file, and go wrong in all the ways that matter.
fn file_like() -> impl Strategy<Value = Vec<u8>> {
    file_like_with(&["Small"])
}

/// The same, also with what spreadsheets and people do, and `csv` has no word for.
fn field_file_like() -> impl Strategy<Value = Vec<u8>> {
    file_like_with(&[
        "#",
        "\u{1a}",
        "\u{feff}",
        "\n\u{feff}",
        "“",
        "”",
        "name",
        "Type",
        "=\"",
        "\"a,M\"\n",
        "1E+5",
        ",,",
        "Ã¼",
        "DEV1",
    ])
}

fn file_like_with(others: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => Just("dev1".to_owned()),
        4 => "[a-z]{1,3}",
        8 => Just("Contoso.M".to_owned()),
        16 => Just(",".to_owned()),
        8 => Just("\n".to_owned()),
        2 => prop_oneof!["\r", "\r\n", ";", "\t"],
        4 => Just("\"".to_owned()),
        1 => prop_oneof![" ", "'", "=", "\u{a0}", "é", "日本", "\u{feff}", "\u{85}", "\0", "\u{1b}"],
        1 => prop_oneof!["Small", "small", "Device name", "model_name", "Line", "sep=;", "description"],
        1 => Just("Contoso.M,Jet,A jet,Large".to_owned()),
        3 => prop::sample::select(others).prop_map(str::to_owned),
    ];
    let text = prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat().into_bytes());
    let odd = prop_oneof![9 => Just(None), 1 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(Some)];
    (text, odd).prop_map(|(mut text, odd)| {
        if let Some((index, byte)) = odd {
            text.insert(index.index(text.len() + 1), byte);
        }
        text
    })
}

/// Rows as the fast path accepts them, or nearly: fields at their limits, one byte of the wrong kind, any line end.
fn nearly_plain() -> impl Strategy<Value = Vec<u8>> {
    let long = |most: usize| prop_oneof![8 => 1..20usize, 1 => most - 1..=most + 1].prop_map(|len| "x".repeat(len));
    let text = |most| prop_oneof![4 => long(most), 2 => Just(String::new()), 2 => "[ -~]{0,20}"];
    let name = prop_oneof![8 => "[A-Za-z0-9][A-Za-z0-9._:-]{0,24}", 2 => long(128), 1 => Just(String::new())];
    let model = prop_oneof![
        8 => Just("Contoso.Aircraft.AircraftModel".to_owned()),
        2 => "[A-Za-z0-9_.]{1,12}",
        1 => long(256),
        1 => Just(String::new()),
    ];
    let tier = prop::sample::select(vec!["", "ExtraSmall", "Small", "Medium", "Large", "small", "Largo"]);
    let cells = (name, model, text(256), text(1_024), tier, 0..8usize).prop_map(
        |(name, model, friendly, text, tier, cells)| {
            [&name, &model, &friendly, &text, tier, "", "x"][..cells.min(7)].join(",")
        },
    );
    let odd = prop_oneof![8 => Just(None), 1 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(Some)];
    let line_end = prop::sample::select(vec!["\n", "\n", "\n", "\r\n", "\r", "\n\r"]);
    let row = (cells, odd, line_end).prop_map(|(cells, odd, line_end)| {
        let mut row = cells.into_bytes();
        if let Some((index, byte)) = odd.filter(|_| !row.is_empty()) {
            let at = index.index(row.len());
            row[at] = byte;
        }
        row.extend_from_slice(line_end.as_bytes());
        row
    });
    prop::collection::vec(row, 0..12).prop_map(|rows| rows.concat())
}

/// The same, and now and then with a row over the limit in it, in quotes or not.
fn long_file_like() -> impl Strategy<Value = Vec<u8>> {
    let filler = prop_oneof!["x", "\n", "é\n", ",", "\"\"", "x,M\n", "x\",\"\n"];
    (file_like(), filler, 60_000..70_000usize, file_like()).prop_map(|(before, filler, len, after)| {
        let filler = filler.repeat(len / filler.len() + 1);
        [before, filler.into_bytes(), after].concat()
    })
}

fn check_in_pieces(bytes: &[u8], cuts: &[prop::sample::Index]) -> CheckReport {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.sort_unstable();
    let mut check = Check::new();
    let mut start = 0;
    for end in cuts.into_iter().chain([bytes.len()]) {
        check.push(&bytes[start..end]);
        start = end;
    }
    check.finish()
}

/// Rows as the `csv` crate reads them; then, as here, each cell as it is meant, and without rows in which nothing is.
fn as_csv_reads(bytes: &[u8], separator: Separator) -> Vec<Vec<String>> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator.byte()).from_reader(bytes);
    let mut record = csv::StringRecord::new();
    let mut rows = Vec::new();
    while reader.read_record(&mut record).expect("the text is UTF-8") {
        let row: Vec<String> = record.iter().map(meant).collect();
        // A row of nothing but Ctrl-Z, with which DOS ends files, is blank, too.
        if row.iter().any(|cell| !cell.trim_matches('\u{1a}').is_empty()) {
            rows.push(row);
        }
    }
    rows
}

/// What a cell means: `="…"` is its text, and an apostrophe before what a spreadsheet would run is none of it.
fn meant(cell: &str) -> String {
    let cell = cell.trim();
    if let Some(text) = cell.strip_prefix("=\"").and_then(|it| it.strip_suffix('"'))
        && !text.replace("\"\"", "").contains('"')
    {
        return text.replace("\"\"", "\"").trim().to_owned();
    }
    let pieces = cell.split_inclusive([';', '\t', '\n', '\r']).scan(0, |end, piece| {
        let rest = &cell[*end..];
        *end += piece.len();
        let is_formula = rest.trim_start_matches(['\'', '"']).starts_with(['=', '+', '-', '@', '\t', '\r']);
        Some(if is_formula { piece.strip_prefix('\'').unwrap_or(piece) } else { piece })
    });
    pieces.collect::<String>().trim().to_owned()
}

/// The texts for people are also without what cannot be seen.
fn normalized(index: usize, value: &str) -> String {
    if matches!(index, 2 | 3) { value.replace('\u{feff}', "").trim().to_owned() } else { value.to_owned() }
}

/// Problems that make the cells of a row say nothing.
const FAULTS: &[&str] =
    &["space-before-quote", "equals-before-quote", "text-after-quote", "row-in-quotes", "header-again"];

/// A byte order mark at the start of a row is none of it, for which `csv` has no word.
fn has_marks(bytes: &[u8]) -> bool {
    String::from_utf8_lossy(bytes).split(['\n', '\r']).any(|row| row.starts_with('\u{feff}'))
}

/// What a reader of a known layout finds.
fn read_by(layout: Layout, pieces: &[&[u8]]) -> Found {
    struct Fields(Found);
    impl Sink for Fields {
        fn row(&mut self, row: &muster_domain::Row<'_>) {
            self.0.row(row);
            assert_eq!(row.to_device().is_some(), row.is_valid());
            if let Some(device) = row.to_device() {
                assert_eq!(device.fields(), row.fields());
            }
        }
        fn problem(&mut self, problem: muster_domain::Problem) {
            self.0.problem(problem);
        }
        fn warning(&mut self, warning: muster_domain::Problem) {
            self.0.warning(warning);
        }
    }
    let mut found = Fields(Found::default());
    let mut reader = Reader::resume(layout, 1);
    pieces.iter().for_each(|piece| reader.push(piece, &mut found));
    reader.finish(&mut found);
    found.0
}

fn is_of_kind(found: &Found, kinds: &[&str]) -> bool {
    found.problems.iter().any(|problem| kinds.contains(&problem.cause.kind()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, max_global_rejects: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_give_a_report(bytes in prop::collection::vec(any::<u8>(), 0..300), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4)) {
        prop_assert_eq!(check_in_pieces(&bytes, &cuts), check_in_pieces(&bytes, &[]));
    }

    #[test]
    fn cutting_a_file_changes_nothing(bytes in field_file_like(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8)) {
        prop_assert_eq!(check_in_pieces(&bytes, &cuts), check_in_pieces(&bytes, &[]));
    }

    #[test]
    fn a_byte_at_a_time_is_as_good(bytes in field_file_like()) {
        let mut check = Check::new();
        bytes.iter().for_each(|byte| check.push(&[*byte]));
        prop_assert_eq!(check.finish(), check_in_pieces(&bytes, &[]));
    }

    /// Bar what csv has no word for: quotes left open, NUL, and text that is not UTF-8.
    #[test]
    fn rows_are_what_the_csv_crate_reads(bytes in file_like(), separator in prop::sample::select(&Separator::ALL[..])) {
        let found = read_by(Layout::positional(separator), &[&bytes]);
        prop_assume!(!is_of_kind(&found, &["unclosed-quote", "nul", "not-utf-8", "empty"]));
        prop_assume!(!has_marks(&bytes));
        let expected = as_csv_reads(&bytes, separator);
        let fields: Vec<Vec<String>> = found.rows.iter().map(|(_, fields)| fields.to_vec()).collect();
        let expected_fields: Vec<Vec<String>> = expected.iter().map(|row| {
            (0..5).map(|index| normalized(index, row.get(index).map_or("", String::as_str))).collect()
        }).collect();
        prop_assert_eq!(fields, expected_fields);
        // And what csv reads as more than five fields is reported, unless the row says nothing.
        let too_many = expected.iter().filter(|row| row.iter().skip(5).any(|cell| !cell.is_empty())).count();
        let reported = found.problems.iter().filter(|it| it.cause.kind() == "too-many-fields").count();
        prop_assert!(reported == too_many || is_of_kind(&found, FAULTS));
    }

    /// The header is the one row that is not there.
    #[test]
    fn whole_files_are_what_the_csv_crate_reads(bytes in file_like()) {
        let found = read(&bytes);
        let mut check = Check::new();
        check.push(&bytes);
        let report = check.finish();
        prop_assume!(report.ended_by.is_none() && !is_of_kind(&found, &["unclosed-quote"]));
        prop_assume!(!has_marks(&bytes[bytes.len().min(1)..]));
        let without_mark = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
        prop_assume!(!without_mark.to_ascii_lowercase().starts_with(b"sep="));
        let expected = as_csv_reads(without_mark, report.layout.separator());
        prop_assert_eq!(found.rows.len() + usize::from(report.layout.header()), expected.len());
        prop_assert_eq!(report.rows, found.rows.len() as u64);
    }

    /// The fast path takes only rows that come in whole, with some bytes behind them; so a byte at a time, the same
    /// rows go the long way. Both for what is hardly ever plain, and for what nearly always is.
    #[test]
    fn the_quick_lane_and_the_long_way_agree(bytes in prop_oneof![file_like(), nearly_plain()], separator in prop::sample::select(&Separator::ALL[..])) {
        let layout = Layout::positional(separator);
        let bytes: Vec<u8> = bytes.iter().map(|&byte| if byte == b',' { separator.byte() } else { byte }).collect();
        let padded = [bytes.as_slice(), &[b'\n'; 64]].concat();
        let singly: Vec<&[u8]> = padded.chunks(1).collect();
        prop_assert_eq!(read_by(layout.clone(), &[&padded]), read_by(layout, &singly));
    }

    /// Where the rows lie, and so how the file is cut for uploading, is the same, too.
    #[test]
    fn a_report_of_the_quick_lane_is_that_of_the_long_way(bytes in nearly_plain(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4)) {
        let padded = [bytes.as_slice(), &[b'\n'; 64]].concat();
        let mut check = Check::new();
        padded.iter().for_each(|byte| check.push(&[*byte]));
        prop_assert_eq!(check.finish(), check_in_pieces(&padded, &cuts));
    }

    /// What the server reads of the parts is what the browser checked.
    #[test]
    fn parts_have_the_rows_of_the_whole_file(bytes in field_file_like(), ignore_unknown_columns: bool) {
        let mut check = Check::with_options(ReadOptions { mapping: None, ignore_unknown_columns });
        check.push(&bytes);
        let report = check.finish();
        // A commented row above the header is a row, and so the header would be in a part. Such a file is not uploaded.
        prop_assume!(!report.problems.iter().any(|it| it.cause.kind() == "commented-row"));
        let mut parts = Found::default();
        for part in &report.parts {
            let bytes = &bytes[part.start as usize..part.end as usize];
            Reader::read_part(report.layout.clone(), part.first_line, bytes, &mut parts);
        }
        let whole = read(&bytes);
        prop_assert_eq!(parts.rows, whole.rows);
        prop_assert_eq!(parts.warnings, whole.warnings);
    }

    #[test]
    fn errors_csv_gives_the_same_rows_back(bytes in field_file_like(), error in "[^\0]{0,40}") {
        let found = read(&bytes);
        prop_assume!(!found.rows.is_empty());
        let mut written = errors_csv::HEADER.as_bytes().to_vec();
        for (line, fields) in &found.rows {
            errors_csv::push_row(&mut written, fields.each_ref().map(String::as_str), *line, &error);
        }
        let again = read(&written);
        let fields = |found: &Found| found.rows.iter().map(|(_, fields)| fields.clone()).collect::<Vec<_>>();
        prop_assert_eq!(fields(&again), fields(&found));
    }

    /// Every value that a row can have comes back, and no spreadsheet would run it, whatever it separates fields by and
    /// whether it knows quotes.
    #[test]
    fn any_value_goes_there_and_back(values in prop::array::uniform4("['=+@\\-\t\r\n; \"a,é\u{ff1d}\u{200b}]{0,8}"), name in "[=a;'\"\u{feff}#]{1,4}") {
        // As a row's values are: without white space at their ends, texts without what cannot be seen.
        let [model, friendly, tier, error] = values.each_ref().map(|value| value.trim().to_owned());
        let friendly = friendly.replace('\u{200b}', "").trim().to_owned();
        let row = [name.as_str(), &model, &friendly, "", &tier];
        let mut written = errors_csv::HEADER.as_bytes().to_vec();
        errors_csv::push_row(&mut written, row, 7, &format!("{error} is wrong"));
        for cell in cells_of_spreadsheets(&written) {
            prop_assert!(!cell.starts_with(FORMULA), "{:?} of {:?}", cell, String::from_utf8_lossy(&written));
        }
        let again = read(&written);
        prop_assert_eq!(&again.rows[0].1, &row.map(str::to_owned));
    }
}

/// What a spreadsheet takes a cell for a formula by.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// The cells that a spreadsheet makes of a file: with each separator, and with and without regard to quotes. One that
/// separates by commas knows quotes, or it could not read any file that has them.
fn cells_of_spreadsheets(file: &[u8]) -> Vec<String> {
    let mut cells = Vec::new();
    for separator in Separator::ALL {
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator.byte()).from_reader(file);
        for record in reader.records() {
            cells.extend(record.expect("the file is UTF-8").iter().map(str::to_owned));
        }
        if separator != Separator::Comma {
            let text = String::from_utf8_lossy(file);
            cells.extend(
                text.split(['\n', '\r']).flat_map(|line| line.split(char::from(separator.byte()))).map(str::to_owned),
            );
        }
    }
    cells
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cutting_a_file_with_long_rows_changes_nothing(bytes in long_file_like(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8)) {
        let whole = check_in_pieces(&bytes, &[]);
        prop_assert_eq!(check_in_pieces(&bytes, &cuts), whole.clone());
        let mut check = Check::new();
        bytes.chunks(997).for_each(|piece| check.push(piece));
        prop_assert_eq!(check.finish(), whole);
    }
}
