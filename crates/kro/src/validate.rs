//! `kro validate`: what is wrong with definitions, with no cluster.

use std::process::ExitCode;

use kro_diagnostics::{Diagnostics, render_github, render_json, render_junit, render_sarif};
use kro_graph::CompileOptions;

use crate::check::Checked;
use crate::cli::{CompileArguments, ReportFormat, ValidateArguments};
use crate::cluster_kinds::check_with_cluster;
use crate::compatibility::{compare_with_file, compare_with_served};
use crate::error::CliError;
use crate::input::Input;
use crate::terminal::print;

/// Compiles all that is named; the exit code tells whether it is refused.
pub fn run(arguments: &ValidateArguments) -> Result<ExitCode, CliError> {
    let mut input = Input::of(&arguments.sources, &arguments.compile)?;
    let options = arguments.compile.options();
    let mut checked = check_with_cluster(&mut input, &options, &arguments.compile)?;
    if arguments.compile.asks_cluster() {
        checked.add(compare_with_served(&input.served_crds, &checked)?);
    }
    if let Some(earlier) = &arguments.against {
        checked.add(compare_with_file(earlier, &checked, &options)?);
    }
    match arguments.output {
        ReportFormat::Text => report(&checked, &input, arguments.sources.is_legacy())?,
        format => print(&render(format, &input, &checked.diagnostics))?,
    }
    Ok(if checked.diagnostics.has_errors() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn report(checked: &Checked, input: &Input, is_legacy: bool) -> Result<(), CliError> {
    if checked.report(input) {
        return Ok(());
    }
    if is_legacy {
        // Scripts may wait for the words of the Go implementation.
        return print("Validation successful! The ResourceGraphDefinition is valid.\n");
    }
    let documents = match input.documents.len() {
        1 => "1 document is valid".to_owned(),
        count => format!("{count} documents are valid"),
    };
    let nothing = if checked.graphs.is_empty() { "; none is a ResourceGraphDefinition" } else { "" };
    print(&format!("{documents}{nothing}\n"))
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

impl CompileArguments {
    /// What the flags say.
    pub fn options(&self) -> CompileOptions {
        CompileOptions { omit_function: self.feature_gates.cel_omit_function, ..CompileOptions::default() }
    }

    /// Naming a cluster means to ask it.
    pub fn asks_cluster(&self) -> bool {
        self.cluster || self.kubeconfig.is_some() || self.context.is_some()
    }
}
