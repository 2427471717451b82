//! What the program says about itself: pages of diagnostics, completions, manual pages.

use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory;

use crate::cli::Cli;
use crate::error::CliError;
use crate::terminal::print;

/// `kro explain CODE`: the page of a diagnostic.
pub fn explain(code: &str) -> Result<ExitCode, CliError> {
    let page = kro_diagnostics::codes::explain(code).ok_or_else(|| CliError::UnknownCode(code.to_owned()))?;
    print(page)?;
    Ok(ExitCode::SUCCESS)
}

/// `kro completion SHELL`
pub fn complete(shell: clap_complete::Shell) -> Result<ExitCode, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "kro", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}

/// `kro man`: the page of the program, or with a folder the pages of all commands.
pub fn print_man(folder: Option<&Path>) -> Result<ExitCode, CliError> {
    if let Some(folder) = folder {
        let write = |cause| CliError::Write { path: folder.to_owned(), cause };
        std::fs::create_dir_all(folder).map_err(write)?;
        clap_mangen::generate_to(Cli::command(), folder).map_err(write)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut page = Vec::new();
    let rendered = clap_mangen::Man::new(Cli::command()).render(&mut page);
    rendered.map_err(|cause| CliError::Write { path: "standard output".into(), cause })?;
    print(&String::from_utf8_lossy(&page))?;
    Ok(ExitCode::SUCCESS)
}
