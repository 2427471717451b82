//! Diagnostics as people and machines see them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use insta::assert_snapshot;
use kro_diagnostics::{
    Code, Counts, Diagnostic, Diagnostics, FileId, Fix, SourceMap, Span, Style, codes, render_github, render_json,
    render_junit, render_sarif, render_text,
};
use kro_value::FieldPath;

const TEXT: &str = "apiVersion: kro.run/v1alpha1\nspec:\n  réplicas: 1\n  other: \"${a + b}\"\n  réplicas: 2\n";

fn sample() -> (SourceMap, Diagnostics) {
    let mut sources = SourceMap::new();
    let file = sources.add("app/rgd.yaml", TEXT);
    let second = sources.add("other.yaml", "kind: X\n");
    let find = |part: &str, from: usize| {
        let start = from + TEXT[from..].find(part).unwrap();
        Span::new(file, start, start + part.len())
    };
    let mut diagnostics = Diagnostics::new();
    diagnostics.push(
        Diagnostic::error(codes::yaml::DUPLICATE_KEY, "duplicate key \"réplicas\"")
            .about("ResourceGraphDefinition/app")
            .at(FieldPath::fields(["spec", "réplicas"]))
            .spanned(find("réplicas", 60))
            .labelled("the key again")
            .also(find("réplicas", 0), "first written here")
            .also(Span::new(second, 0, 4), "and in another file")
            .note("keys are compared as they are read")
            .help("remove one of the two")
            .fix(Fix { title: "remove it".into(), span: find("  réplicas: 2\n", 0), replacement: String::new() }),
    );
    diagnostics.push(
        Diagnostic::warning(Code(9999), "50% of <it>, \"quoted\": odd\nsecond line")
            .about("deployment")
            .at(FieldPath::parse("spec.containers[0].image").unwrap()),
    );
    diagnostics.push(Diagnostic::error(codes::yaml::SYNTAX, "nowhere"));
    (sources, diagnostics)
}

#[test]
fn text() {
    let (sources, diagnostics) = sample();
    assert_snapshot!(render_text(&sources, &diagnostics, Style::default()));
}

#[test]
fn text_has_colours_only_when_asked_for() {
    let (sources, diagnostics) = sample();
    assert!(render_text(&sources, &diagnostics, Style { color: true, width: 80 }).contains("\u{1b}["));
    assert!(!render_text(&sources, &diagnostics, Style::default()).contains('\u{1b}'));
}

#[test]
fn json() {
    let (sources, diagnostics) = sample();
    assert_snapshot!(render_json(&sources, &diagnostics));
}

#[test]
fn sarif() {
    let (sources, diagnostics) = sample();
    let log = kro_value::from_json(&render_sarif(&sources, &diagnostics)).unwrap();
    let mut run = log.get("runs").and_then(|runs| runs.as_list()).unwrap()[0].clone();
    assert_eq!(run.at(&["tool", "driver", "rules"]).unwrap().as_list().unwrap().len(), 2);
    run.remove_at(&["tool"]);
    assert_snapshot!(kro_value::to_json_pretty(&run));
}

#[test]
fn github() {
    let (sources, diagnostics) = sample();
    assert_snapshot!(render_github(&sources, &diagnostics));
}

#[test]
fn junit() {
    let (sources, diagnostics) = sample();
    assert_snapshot!(render_junit(&sources, &diagnostics));
}

#[test]
fn counts() {
    let (_, diagnostics) = sample();
    assert_eq!(Counts::of(&diagnostics).to_string(), "2 errors, 1 warning");
    assert_eq!(Counts::default().to_string(), "no problems");
}

#[test]
fn spans_that_fit_no_text_are_survived() {
    let mut sources = SourceMap::new();
    let file = sources.add("é.yaml", "é\r\nb\t: 1\n");
    for (file, start, end) in [(file, 1, 1), (file, 0, 99), (file, 99, 99), (file, 3, 3), (FileId(7), 0, 1)] {
        let mut diagnostics = Diagnostics::new();
        let span = Span::new(file, start, end);
        let fix = Fix { title: "mend".into(), span, replacement: "x".to_owned() };
        diagnostics.push(Diagnostic::error(Code(1), "m").spanned(span).also(span, "again").fix(fix));
        assert!(render_text(&sources, &diagnostics, Style::default()).contains("error[KRO0001]: m"));
        assert!(!render_json(&sources, &diagnostics).is_empty());
        assert!(!render_sarif(&sources, &diagnostics).is_empty());
        assert!(!render_github(&sources, &diagnostics).is_empty());
    }
}
