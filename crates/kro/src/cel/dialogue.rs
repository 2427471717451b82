//! Expressions one after the other, with variables that stay.

use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;

use kro_celwire::World;

use super::report;
use crate::error::CliError;
use crate::terminal::{BOLD, DIM, RESET};

const HELP: &str = "EXPRESSION         its value, type and cost
NAME = EXPRESSION  keeps the value under a name
:type EXPRESSION   its type only
:vars              all variables and their types
:functions [PART]  all functions, or those with PART in their names
:help, :quit";

/// Reads lines of standard input until it ends.
pub fn run(mut world: World) -> Result<ExitCode, CliError> {
    let asks = std::io::stdin().is_terminal();
    if asks {
        anstream::println!("{DIM}Expressions of kro; :help shows what else there is{RESET}");
    }
    prompt(asks);
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|cause| CliError::Read { path: "-".into(), cause })?;
        if matches!(line.trim(), ":quit" | ":q") {
            break;
        }
        follow(&mut world, line.trim());
        prompt(asks);
    }
    Ok(ExitCode::SUCCESS)
}

fn prompt(asks: bool) {
    if asks {
        anstream::print!("cel> ");
        let _ = std::io::stdout().flush(); // a prompt that cannot be shown stops nobody
    }
}

fn follow(world: &mut World, line: &str) {
    let (command, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    match command {
        "" => {}
        ":help" | ":h" => anstream::println!("{HELP}"),
        ":vars" => list_variables(world),
        ":functions" => list_functions(world, rest.trim()),
        ":type" | ":t" => report::describe(world, rest),
        _ if command.starts_with(':') => anstream::println!("there is no {command}; :help shows what there is"),
        _ => match assignment(line) {
            Some((name, text)) => {
                if let Some((ty, value)) = report::evaluate(world, text) {
                    world.define(name, ty, value);
                }
            }
            None => drop(report::evaluate(world, line)),
        },
    }
}

/// `NAME = EXPRESSION`; the language itself has no `=`.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let (name, text) = line.split_once('=')?;
    let name = name.trim_end();
    let is_name = name.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_')
        && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
    (is_name && !text.starts_with('=')).then_some((name, text))
}

fn list_variables(world: &World) {
    for name in world.environment.variable_names() {
        if let Some(variable) = world.environment.variable(&name) {
            anstream::println!("{BOLD}{name}{RESET} {}", variable.ty);
        }
    }
}

fn list_functions(world: &World, part: &str) {
    let names = world.environment.function_names();
    let shown = names.iter().filter(|name| name.contains(part) && !name.starts_with(['@', '_', '!', '-']));
    for function in shown.filter_map(|name| world.environment.function(name)) {
        for overload in &function.overloads {
            let mut params = overload.params.iter().map(ToString::to_string);
            let receiver = if overload.member { params.next().map(|param| format!("({param}).")) } else { None };
            let (receiver, params) = (receiver.unwrap_or_default(), params.collect::<Vec<_>>().join(", "));
            anstream::println!("{receiver}{BOLD}{}{RESET}({params}) -> {}", function.name, overload.result);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::assignment;

    #[test]
    fn assignments_are_told_from_expressions() {
        assert_eq!(assignment("x = 1 + 2"), Some(("x", " 1 + 2")));
        assert_eq!(assignment("a_1=b == c"), Some(("a_1", "b == c")));
        for line in ["x == 1", "x <= 1", "a.b = 1", "'a=b'", "1 = 2", "f(x) != y", ""] {
            assert_eq!(assignment(line), None, "{line}");
        }
    }
}
