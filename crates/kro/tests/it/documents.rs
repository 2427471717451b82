//! What documents show is what the program does.

use crate::{err, kro, out, root};

/// Runs every command of a `console` block that starts with `$ kro validate` and compares all it prints.
#[test]
fn pictures_of_errors_are_from_real_runs() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let blocks = readme.split("```console\n").skip(1).filter_map(|block| block.split("```").next());
    let mut shown = 0;
    for block in blocks {
        let Some((command, text)) = block.split_once('\n') else { continue };
        let Some(arguments) = command.strip_prefix("$ kro validate ") else { continue };
        let arguments: Vec<&str> = ["validate"].into_iter().chain(arguments.split(' ')).collect();
        let output = kro(&arguments);
        let printed = out(&output) + &err(&output);
        assert_eq!(text.trim_end(), printed.trim_end(), "README.md shows something else for {command}");
        shown += 1;
    }
    assert_eq!(shown, 1, "README.md has no picture");
}

/// Runs every `$ kro cel -e 'EXPRESSION'` of the page about expressions that shows what it prints.
#[test]
fn expressions_on_the_command_line_give_what_their_page_shows() {
    let page = std::fs::read_to_string(root().join("docs/cel.md")).unwrap();
    let blocks = page.split("```console\n").skip(1).filter_map(|block| block.split("```").next());
    let mut shown = 0;
    for block in blocks {
        let Some((command, text)) = block.split_once('\n') else { continue };
        let Some(quoted) = command.strip_prefix("$ kro cel -e '") else { continue };
        let output = kro(&["cel", "-e", quoted.trim_end_matches('\'')]);
        let printed = out(&output) + &err(&output);
        assert_eq!(text.trim_end(), printed.trim_end(), "docs/cel.md shows something else for {command}");
        shown += 1;
    }
    assert_eq!(shown, 2, "docs/cel.md has other examples");
}

/// The files of variables and values on that page are right, and the expression over them is true.
#[test]
fn variables_from_files_are_as_their_page_shows() {
    let page = std::fs::read_to_string(root().join("docs/cel.md")).unwrap();
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = |name: &str| {
        let start = page.find(&format!("# {name}:")).unwrap();
        let text = page[start..].split("```").next().unwrap();
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (environment, bindings) = (file("env.yaml"), file("bindings.yaml"));
    let command = "$ kro cel --env env.yaml --bindings bindings.yaml -e '";
    let expression = page.split(command).nth(1).and_then(|rest| rest.split('\'').next()).unwrap();
    let output = kro(&["cel", "--env", &environment, "--bindings", &bindings, "-e", expression]);
    assert!(out(&output).starts_with("true\n"), "{}{}", out(&output), err(&output));
}
