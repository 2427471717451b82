//! `kro generate`: what definitions stand for.

use std::process::ExitCode;
use std::sync::Arc;

use clap::ValueEnum;
use kro_graph::diagram::{to_dot, to_html, to_mermaid, to_svg};
use kro_graph::sample::sample_instance;
use kro_graph::{Graph, InstanceApi};
use kro_value::{Value, to_json_pretty};
use kro_yaml::to_yaml_stream;

use crate::cli::{DiagramFormat, GenerateArguments, GenerateCommand, ObjectFormat};
use crate::cluster_kinds::check_with_cluster;
use crate::error::CliError;
use crate::input::Input;
use crate::terminal::print;

/// Says which program made an object.
const ANNOTATION_CLI_VERSION: &str = "kro.run/cli-version";

/// Compiles what is named and prints what was asked for. What is wrong goes to standard error.
pub fn run(command: &GenerateCommand) -> Result<ExitCode, CliError> {
    match command {
        GenerateCommand::Crd(arguments) => generate(arguments, |graphs| print_objects(arguments, graphs, crd)),
        GenerateCommand::Instance(arguments) => {
            generate(arguments, |graphs| print_objects(arguments, graphs, sample_instance))
        }
        GenerateCommand::Diagram(arguments) => {
            generate(arguments, |graphs| print_diagram(arguments.format.unwrap_or_default(), graphs))
        }
    }
}

fn generate<F: ValueEnum + Clone + Send + Sync>(
    arguments: &GenerateArguments<F>,
    print: impl FnOnce(&[Arc<Graph>]) -> Result<(), CliError>,
) -> Result<ExitCode, CliError> {
    let mut input = Input::of(&arguments.sources, &arguments.compile)?;
    let checked = check_with_cluster(&mut input, &arguments.compile.options(), &arguments.compile)?;
    if checked.report(&input) {
        return Ok(ExitCode::FAILURE);
    }
    let is_wanted = |graph: &Graph| arguments.name.as_ref().is_none_or(|name| graph.name == *name);
    let graphs: Vec<Arc<Graph>> =
        checked.graphs.into_iter().map(|(_, graph)| graph).filter(|graph| is_wanted(graph)).collect();
    if graphs.is_empty() {
        let of_name = arguments.name.as_ref().map(|name| format!(" of the name {name}")).unwrap_or_default();
        return Err(CliError::NothingToGenerate(format!("there is no ResourceGraphDefinition{of_name}")));
    }
    print(&graphs)?;
    Ok(ExitCode::SUCCESS)
}

fn print_objects(
    arguments: &GenerateArguments<ObjectFormat>,
    graphs: &[Arc<Graph>],
    make: fn(&InstanceApi) -> Value,
) -> Result<(), CliError> {
    let objects: Vec<Value> = graphs.iter().filter_map(|graph| graph.instance.as_ref()).map(make).collect();
    if objects.is_empty() {
        let message = "a definition without a schema serves no kind of its own";
        return Err(CliError::NothingToGenerate(message.to_owned()));
    }
    print(&match arguments.format.unwrap_or_default() {
        ObjectFormat::Yaml => to_yaml_stream(&objects),
        ObjectFormat::Json => format!("{}\n", to_json_pretty(&one_object(objects))),
    })
}

/// JSON has no streams of documents: several objects are a List.
fn one_object(mut objects: Vec<Value>) -> Value {
    if objects.len() == 1 {
        return objects.swap_remove(0);
    }
    Value::map([("apiVersion", "v1".into()), ("kind", "List".into()), ("items", Value::list(objects))])
}

fn crd(api: &InstanceApi) -> Value {
    let mut crd = api.crd.clone();
    crd.set_at(&["metadata", "annotations", ANNOTATION_CLI_VERSION], crate::version().into());
    crd
}

fn print_diagram(format: DiagramFormat, graphs: &[Arc<Graph>]) -> Result<(), CliError> {
    let [graph] = graphs else {
        let names: Vec<&str> = graphs.iter().map(|graph| graph.name.as_str()).collect();
        let message = format!("a diagram is of one definition; choose with --name: {}", names.join(", "));
        return Err(CliError::NothingToGenerate(message));
    };
    print(&match format {
        DiagramFormat::Html => to_html(graph),
        DiagramFormat::Svg => to_svg(graph),
        DiagramFormat::Mermaid => to_mermaid(graph),
        DiagramFormat::Dot => to_dot(graph),
    })
}
