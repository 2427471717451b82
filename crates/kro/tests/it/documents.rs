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
