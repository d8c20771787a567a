//! `muster check FILE`, as a script meets it: what goes to stdout and stderr, and the exit code.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects")]

use std::{fs, process::Command};

fn check(content: &[u8], code: i32, stdout: &str, stderr: &str) {
    check_with(&[], content, code, stdout, stderr);
}

fn check_with(flags: &[&str], content: &[u8], code: i32, stdout: &str, stderr: &str) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("fleet.csv"), content).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(["check", "fleet.csv"])
        .args(flags)
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), stdout);
    assert_eq!(String::from_utf8(output.stderr).unwrap(), stderr);
    assert_eq!(output.status.code(), Some(code));
}

#[test]
fn the_seed_pages_file() {
    check(
        b"AutoRegister41,Contoso.Aircraft.AircraftModel,1st EM.Concorde Jet,The 1st Concorder Flight,Small\n\
          AutoRegister42,Contoso.Aircraft.AircraftModel,2nd EM.Concorde Jet,Jet No.009,ExtraSmall  \n",
        0,
        "2 devices\n  Contoso.Aircraft.AircraftModel: 2\n  ExtraSmall: 1\n  Small: 1\n",
        "",
    );
}

#[test]
fn problems_go_to_stderr_with_line_and_column() {
    check(
        b"a,M.X\nb c,M.X\na,M.X,,,small\n",
        1,
        "1 device\n  M.X: 1\n  default tier: 1\n",
        "fleet.csv:2:1: `b c` isn't a valid device name. A device name cannot contain a space. The letters A-Z and a-z, digits, and . _ : - are allowed.\n\
         fleet.csv:3:1: `a` is already used in line 1. Rename this device or remove one of the two rows.\n\
         fleet.csv:3:9: `small` is not a pricing tier. Did you mean Small? Use exactly ExtraSmall, Small, Medium or Large, or leave it blank for the default tier.\n",
    );
}

#[test]
fn warnings_go_to_stderr_and_are_no_failure() {
    check(
        "a,M.X,Z\u{fffd}rich\nA,M.X\n".as_bytes(),
        0,
        "2 devices\n  M.X: 2\n  default tier: 2\n",
        "fleet.csv:1:7: warning: `Z\u{fffd}rich` has lost characters: each `\u{fffd}` replaces one. Export the file again as UTF-8 from the original system, or upload it as it is.\n\
         fleet.csv:2:1: warning: `A` differs from the device name in line 1 only in letter case. If both are one device, remove one of the rows.\n",
    );
}

#[test]
fn unknown_columns_are_one_problem_or_ignored() {
    let file = b"No.,Device name,Serial,Model name\n1,a,7,M.X\n";
    check(
        file,
        1,
        "1 device\n  M.X: 1\n  default tier: 1\n",
        "fleet.csv:1:1: `No.` and `Serial` are not known columns. The columns are Device name, Model name, Device friendly name, Description, Pricing tier; Line and Error are ignored. Rename or remove these columns, or ignore them. (--ignore-unknown-columns)\n",
    );
    check_with(&["--ignore-unknown-columns"], file, 0, "1 device\n  M.X: 1\n  default tier: 1\n", "");
    let file = b"Device name,Model name,Groups\na,M.X,g\n";
    check(
        file,
        1,
        "1 device\n  M.X: 1\n  default tier: 1\n",
        "fleet.csv:1:24: `Groups` looks like a device group, which is not a column of a registration file. Remove it, and choose the group in the Device group field of the Register devices dialog. (--ignore-unknown-columns)\n",
    );
    check_with(&["--ignore-unknown-columns"], file, 0, "1 device\n  M.X: 1\n  default tier: 1\n", "");
}

#[test]
fn a_header_in_other_words_is_one_problem() {
    check(
        b"name,model,serial\na,M.X,7\nb,M.X,8\n",
        1,
        "0 devices\n",
        "fleet.csv:1:1: The first row looks like a header with other column names: `name`, `model` and `serial`. Use the column names Device name, Model name, Device friendly name, Description, Pricing tier; or map the columns in the portal's Register devices dialog.\n",
    );
}

#[test]
fn a_file_that_is_not_there() {
    let output = Command::new(env!("CARGO_BIN_EXE_muster")).args(["check", "/nowhere/fleet.csv"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).unwrap();
    if !stderr.starts_with("muster: /nowhere/fleet.csv cannot be read:") {
        panic!("{stderr}");
    }
}
