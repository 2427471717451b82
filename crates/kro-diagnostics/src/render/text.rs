use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Patch, Renderer, Snippet};

use super::context;
use crate::{Diagnostic, Diagnostics, FileId, Fix, Severity, SourceFile, SourceMap, Span};

/// How the text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Colours by ANSI escapes.
    pub color: bool,
    /// Columns of the terminal; longer source lines are cut around what is pointed at.
    pub width: usize,
}

impl Default for Style {
    /// Without colours, 140 columns wide.
    fn default() -> Self {
        Self { color: false, width: 140 }
    }
}

/// All diagnostics with the source they point at, each ending in an empty line.
///
/// A diagnostic whose span is in none of the sources, or that has none, names its object and field path instead.
pub fn render_text(sources: &SourceMap, diagnostics: &Diagnostics, style: Style) -> String {
    let renderer = if style.color { Renderer::styled() } else { Renderer::plain() }.term_width(style.width);
    let mut out = String::new();
    for diagnostic in diagnostics.iter() {
        out.push_str(&renderer.render(&report(sources, diagnostic)));
        out.push_str("\n\n");
    }
    out
}

fn report<'a>(sources: &'a SourceMap, diagnostic: &'a Diagnostic) -> Vec<Group<'a>> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(&*diagnostic.message).id(diagnostic.code.to_string());
    let snippets = snippets(sources, diagnostic);
    let context = context(diagnostic);
    let mut group = Group::with_title(title);
    if !snippets.is_empty() {
        group = group.elements(snippets);
        if !context.is_empty() {
            group = group.element(Level::NOTE.with_name(Some("in")).message(context));
        }
    } else if !context.is_empty() {
        group = group.element(Origin::path(context));
    }
    group = group.elements(diagnostic.notes.iter().map(|note| Level::NOTE.message(&**note)));
    group = group.elements(diagnostic.help.iter().map(|help| Level::HELP.message(&**help)));
    std::iter::once(group).chain(diagnostic.fixes.iter().filter_map(|fix| fix_group(sources, fix))).collect()
}

/// A place with what is to be seen there.
type Mark<'a> = (Span, AnnotationKind, &'a str);

/// One snippet per file, that of the main place first.
fn snippets<'a>(sources: &'a SourceMap, diagnostic: &'a Diagnostic) -> Vec<Snippet<'a, Annotation<'a>>> {
    let main = diagnostic.span.iter().map(|span| (*span, AnnotationKind::Primary, &*diagnostic.label));
    let others = diagnostic.labels.iter().map(|label| (label.span, AnnotationKind::Context, &*label.text));
    let mut files: Vec<(FileId, Vec<Mark<'a>>)> = Vec::new();
    for mark in main.chain(others) {
        match files.iter_mut().find(|(file, _)| *file == mark.0.file) {
            Some((_, marks)) => marks.push(mark),
            None => files.push((mark.0.file, vec![mark])),
        }
    }
    files.into_iter().filter_map(|(file, marks)| Some(snippet(sources.file(file)?, &marks))).collect()
}

fn snippet<'a>(file: &'a SourceFile, marks: &[Mark<'a>]) -> Snippet<'a, Annotation<'a>> {
    let window = Window::around(file, marks.iter().map(|(span, ..)| *span));
    let annotation = |(span, kind, label): &Mark<'a>| {
        kind.span(window.locate(*span)).label(Some(*label).filter(|label| !label.is_empty()))
    };
    window.snippet(file).annotations(marks.iter().map(annotation).collect::<Vec<_>>())
}

fn fix_group<'a>(sources: &'a SourceMap, fix: &'a Fix) -> Option<Group<'a>> {
    let file = sources.file(fix.span.file)?;
    let window = Window::around(file, std::iter::once(fix.span));
    let patch = Patch::new(window.locate(fix.span), &*fix.replacement);
    Some(Level::HELP.secondary_title(&*fix.title).element(window.snippet(file).patch(patch)))
}

/// The lines of a file that matter. Rendering looks through the whole text it is given, so it gets only these.
struct Window<'a> {
    text: &'a str,
    start: usize,
    line: usize,
}

impl<'a> Window<'a> {
    fn around(file: &'a SourceFile, spans: impl Iterator<Item = Span>) -> Self {
        let text = &file.text;
        let (mut first, mut last) = (text.len(), 0);
        for span in spans {
            first = first.min(span.start as usize);
            last = last.max(span.end as usize);
        }
        let (first, last) = (boundary(text, first), boundary(text, last.max(first)));
        let start = text[..first].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[last..].find('\n').map_or(text.len(), |newline| last + newline);
        Self { text: &text[start..end], start, line: file.line_column(first).line }
    }

    fn locate(&self, span: Span) -> Range<usize> {
        let place = |offset: u32| boundary(self.text, (offset as usize).saturating_sub(self.start));
        place(span.start)..place(span.end).max(place(span.start))
    }

    fn snippet<T: Clone>(&self, file: &'a SourceFile) -> Snippet<'a, T> {
        Snippet::source(self.text).line_start(self.line).path(&*file.name)
    }
}

/// The nearest character boundary at or before an offset.
fn boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}
