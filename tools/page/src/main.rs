//! Turns a compiled WASM module into the files that a browser loads.
//!
//! `muster-page-tool IN.wasm FOLDER NAME` writes `NAME.js` and `NAME_bg.wasm`, as the program wasm-bindgen does.
//! `muster-page-tool --split IN.wasm FOLDER NAME` first takes the functions marked `#[wasm_split]` out of the module:
//! each part becomes a file that is loaded when it is needed. The module must have been linked with `--emit-relocs`.

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};
use wasm_bindgen_cli_support::Bindgen;
use wasm_split_cli_support::{Options, transform};

fn main() -> ExitCode {
    let mut arguments: Vec<_> = env::args().skip(1).collect();
    let is_split = arguments.first().is_some_and(|first| first == "--split");
    if is_split {
        arguments.remove(0);
    }
    let [input, folder, name] = &*arguments else {
        eprintln!("usage: muster-page-tool [--split] IN.wasm FOLDER NAME");
        return ExitCode::from(2);
    };
    match run(Path::new(input), Path::new(folder), name, is_split) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("muster-page-tool: {input}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(input: &Path, folder: &Path, name: &str, is_split: bool) -> Result<(), Box<dyn Error>> {
    let mut bindgen = Bindgen::new();
    bindgen.web(true)?.typescript(false).omit_default_module_path(false).out_name(name);
    if !is_split {
        return bind(bindgen.input_path(input), folder, name);
    }
    let main = split(input, folder, name)?;
    // The parts share the stack pointer and the table of functions with the main module, which exports them.
    bind(bindgen.input_path(&main).keep_lld_exports(true), folder, name)?;
    Ok(fs::remove_file(main)?)
}

/// Writes the parts into the folder, and gives the path of what remains.
fn split(input: &Path, folder: &Path, name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let module = fs::read(input)?;
    let main = folder.join(format!("{name}.unbound.wasm"));
    let main_module = format!("./{name}.js");
    let mut options = Options::new(&module);
    options.output_dir = folder;
    options.main_out_path = &main;
    options.main_module = &main_module;
    options.link_name = "./parts.js";
    transform(options)?;
    Ok(main)
}

/// Writes the module and its script. What the script gives the module has names such as `__wbg_add_cf82c8d153d93ae1`,
/// which do not compress: shorter ones save 5 kB of what a browser loads.
fn bind(bindgen: &mut Bindgen, folder: &Path, name: &str) -> Result<(), Box<dyn Error>> {
    let mut output = bindgen.generate_output()?;
    let glue = format!("./{name}_bg.js");
    let mut renamed = Vec::new();
    for import in output.wasm_mut().imports.iter_mut().filter(|import| import.module == glue) {
        let short = format!("i{}", renamed.len());
        renamed.push((std::mem::replace(&mut import.name, short.clone()), short));
    }
    output.emit(folder)?;
    let script = folder.join(format!("{name}.js"));
    let mut text = strip(&fs::read_to_string(&script)?);
    for (long, short) in renamed {
        // Each is the key of one function of the object that the module is given.
        let (from, to) = (format!("\n{long}:"), format!("\n{short}:"));
        if text.matches(&from).count() != 1 {
            return Err(format!("{long} is not one key of {name}.js").into());
        }
        text = text.replacen(&from, &to, 1);
    }
    Ok(fs::write(script, text)?)
}

/// The script without comments and indentation.
fn strip(script: &str) -> String {
    let mut text = String::with_capacity(script.len());
    let mut is_comment = false;
    for line in script.lines().map(str::trim_start) {
        is_comment |= line.starts_with("/**");
        if !is_comment && !line.starts_with("//") {
            text.push_str(line);
            text.push('\n');
        }
        is_comment &= !line.ends_with("*/");
    }
    text
}
