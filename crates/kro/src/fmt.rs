//! `kro fmt`: YAML files in one layout.

use std::path::PathBuf;
use std::process::ExitCode;

use kro_diagnostics::{SourceMap, Style, render_text};
use similar::TextDiff;

use crate::cli::FmtArguments;
use crate::error::CliError;
use crate::input::{list_files, read_file, read_stdin};
use crate::terminal::{self, print};
use crate::{check, replace};

/// What became of one text.
enum Outcome {
    Formatted,
    Changed(String),
    Malformed,
}

/// Formats what is named. The exit code is 1 when a file is malformed, or would change where nothing may be written.
pub fn run(arguments: &FmtArguments) -> Result<ExitCode, CliError> {
    let mut is_fine = true;
    for path in arguments.sources.named()? {
        if path.as_os_str() == "-" {
            is_fine &= format_stdin(arguments)?;
            continue;
        }
        for file in list_files(&path, arguments.sources.recursive)? {
            // JSON has layouts of its own.
            if path == file || file.extension().is_none_or(|extension| extension != "json") {
                is_fine &= format_file(file, arguments)?;
            }
        }
    }
    Ok(if is_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn format_file(file: PathBuf, arguments: &FmtArguments) -> Result<bool, CliError> {
    let text = read_file(&file)?;
    let name = file.to_string_lossy();
    match format(&name, &text) {
        Outcome::Formatted => Ok(true),
        Outcome::Malformed => Ok(false),
        Outcome::Changed(new) if arguments.check || arguments.diff => {
            show(&name, &text, &new, arguments)?;
            Ok(false)
        }
        Outcome::Changed(new) => {
            replace::write(&file, &new).map_err(|cause| CliError::Write { path: file.clone(), cause })?;
            print(&format!("{name}\n"))?;
            Ok(true)
        }
    }
}

/// Standard input goes to standard output.
fn format_stdin(arguments: &FmtArguments) -> Result<bool, CliError> {
    let text = read_stdin()?;
    let writes_nothing = arguments.check || arguments.diff;
    match format("<stdin>", &text) {
        Outcome::Malformed => Ok(false),
        Outcome::Formatted if writes_nothing => Ok(true),
        Outcome::Formatted => print(&text).map(|()| true),
        Outcome::Changed(new) if writes_nothing => show("<stdin>", &text, &new, arguments).map(|()| false),
        Outcome::Changed(new) => print(&new).map(|()| true),
    }
}

fn format(name: &str, text: &str) -> Outcome {
    match kro_yaml::format(text) {
        Ok(new) if new == text => Outcome::Formatted,
        Ok(new) => Outcome::Changed(new),
        Err(diagnostics) => {
            let mut sources = SourceMap::new();
            sources.add(name, text);
            let (width, _) = terminal::size();
            let diagnostics = diagnostics.into_iter().map(check::with_help).fold(Default::default(), check::collect);
            anstream::eprint!("{}", render_text(&sources, &diagnostics, Style { color: true, width }));
            Outcome::Malformed
        }
    }
}

/// Says what would change.
fn show(name: &str, old: &str, new: &str, arguments: &FmtArguments) -> Result<(), CliError> {
    if !arguments.diff {
        return print(&format!("{name}\n"));
    }
    let difference = TextDiff::from_lines(old, new);
    print(&difference.unified_diff().context_radius(3).header(name, name).to_string())
}
