//! `kro cel`: expressions on the command line, in a dialogue, or as a server of JSON Lines.

mod dialogue;
mod report;

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use kro_celwire::{Session, World};
use kro_diagnostics::FileId;
use kro_value::{Value, to_json};

use crate::cli::CelArguments;
use crate::error::CliError;

pub fn run(arguments: &CelArguments) -> Result<ExitCode, CliError> {
    if arguments.jsonl {
        return serve(arguments);
    }
    let world = open(arguments)?;
    match &arguments.expression {
        Some(text) => Ok(if report::evaluate(&world, text).is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
        None => dialogue::run(world),
    }
}

/// Answers every line of standard input with one of standard output.
fn serve(arguments: &CelArguments) -> Result<ExitCode, CliError> {
    let text = |path: Option<&Path>| path.map_or_else(|| Ok(String::new()), read);
    let environments = text(arguments.envs.as_deref())?;
    let schemas = text(arguments.schemas.as_deref())?;
    let mut session = Session::new(&environments, &schemas)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut questions = BufReader::new(std::io::stdin().lock());
    let mut line = String::new();
    while questions.read_line(&mut line).map_err(|cause| CliError::Read { path: "-".into(), cause })? > 0 {
        let answer = if line.trim().is_empty() { String::new() } else { session.answer(&line) + "\n" };
        // who waits for an answer before the next question gets it; who does not costs no call per line
        let flushed = |out: &mut dyn Write, waits: bool| if waits { out.flush() } else { Ok(()) };
        let written = out.write_all(answer.as_bytes()).and_then(|()| flushed(&mut out, questions.buffer().is_empty()));
        written.map_err(|cause| CliError::Write { path: "-".into(), cause })?;
        line.clear();
    }
    Ok(ExitCode::SUCCESS)
}

/// The environment of `--env` with the variables of `--bindings`.
fn open(arguments: &CelArguments) -> Result<World, CliError> {
    let description = arguments.env.as_deref().map(read_document).transpose()?.unwrap_or_default();
    let mut world = World::read(&to_json(&description))?;
    if let Some(path) = &arguments.bindings {
        let bindings = read_document(path)?;
        let Some(bindings) = bindings.as_map() else {
            return Err(CliError::NoMapping(path.clone()));
        };
        for (name, value) in bindings.iter() {
            world.define_plain(name, value)?;
        }
    }
    Ok(world)
}

fn read(path: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(path).map_err(|cause| CliError::Read { path: path.to_owned(), cause })
}

/// The first document of a file of YAML or JSON.
fn read_document(path: &Path) -> Result<Value, CliError> {
    let parsed = kro_yaml::parse(&read(path)?, FileId(0));
    if let Some(diagnostic) = parsed.diagnostics.iter().find(|diagnostic| diagnostic.is_error()) {
        return Err(CliError::Malformed { path: path.to_owned(), message: diagnostic.message.clone() });
    }
    Ok(parsed.documents.first().map(|document| document.root.value().clone()).unwrap_or_default())
}
