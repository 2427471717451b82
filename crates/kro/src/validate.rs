//! `kro validate`: what is wrong with definitions, with no cluster.

use std::process::ExitCode;

use kro_diagnostics::{Diagnostics, render_github, render_json, render_junit, render_sarif};

use crate::check::check;
use crate::cli::{ReportFormat, ValidateArguments};
use crate::error::CliError;
use crate::input::Input;

/// Compiles all that is named; the exit code tells whether it is refused.
pub fn run(arguments: &ValidateArguments) -> Result<ExitCode, CliError> {
    // `kro validate rgd -f FILE` is how the Go implementation spells it.
    let named = arguments.paths.iter().filter(|path| path.as_os_str() != "rgd" || path.exists());
    let paths: Vec<_> = named.chain(&arguments.files).cloned().collect();
    if paths.is_empty() {
        return Err(CliError::NothingNamed);
    }
    let input = Input::read(&paths)?;
    let checked = check(&input);
    let refused = match arguments.output {
        ReportFormat::Text => {
            let refused = checked.report(&input);
            if !refused {
                anstream::println!("{} documents are valid", input.documents.len());
            }
            refused
        }
        format => {
            println!("{}", render(format, &input, &checked.diagnostics));
            checked.diagnostics.has_errors()
        }
    };
    Ok(if refused { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn render(format: ReportFormat, input: &Input, diagnostics: &Diagnostics) -> String {
    let render = match format {
        ReportFormat::Text | ReportFormat::Json => render_json,
        ReportFormat::Sarif => render_sarif,
        ReportFormat::Github => render_github,
        ReportFormat::Junit => render_junit,
    };
    render(&input.sources, diagnostics)
}

/// `kro explain CODE`: the page of a diagnostic.
pub fn explain(code: &str) -> Result<ExitCode, CliError> {
    let page =
        kro_diagnostics::codes::explain(&code.to_uppercase()).ok_or_else(|| CliError::UnknownCode(code.to_owned()))?;
    println!("{page}");
    Ok(ExitCode::SUCCESS)
}
