use granit_parser::{ErrorKind, ScanError};
use kro_diagnostics::{Diagnostic, FileId, Span, codes};

use crate::DEPTH_MAX;

/// What is wrong with the structure of the text.
pub(crate) fn diagnostic(error: &ScanError, text: &str, file: FileId) -> Diagnostic {
    let offset = error.marker().byte_offset().unwrap_or(0).min(text.len());
    let length =
        text.get(offset..).and_then(|rest| rest.chars().next()).filter(|next| *next != '\n').map_or(0, char::len_utf8);
    let span = Span::new(file, offset, offset + length);
    if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
        return too_deep(span);
    }
    let diagnostic = Diagnostic::error(codes::yaml::SYNTAX, error.info().to_owned()).spanned(span);
    match help(error.kind(), line_at(text, offset)) {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// The error for nesting beyond the limit.
pub(crate) fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error(codes::yaml::LIMIT, format!("nested deeper than {DEPTH_MAX} levels")).spanned(span)
}

fn line_at(text: &str, offset: usize) -> &str {
    let start = text[..offset].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[offset..].find('\n').map_or(text.len(), |newline| offset + newline);
    &text[start..end]
}

fn help(kind: &ErrorKind, line: &str) -> Option<&'static str> {
    let expression = line.contains("${");
    match kind {
        ErrorKind::TabNotAllowed | ErrorKind::TabInBlockIndentation | ErrorKind::TabInIndentation => {
            Some("indent with spaces")
        }
        ErrorKind::UnexpectedCharacter { character: '\t' } => Some("indent with spaces"),
        ErrorKind::UnexpectedCharacter { .. } => Some("quote a value that begins with this character"),
        _ if line.trim_start_matches(' ').starts_with('\t') => Some("indent with spaces"),
        ErrorKind::UnclosedQuotedScalar => Some("close the quote; the text it begins is not ended"),
        ErrorKind::DuplicateVersionDirective | ErrorKind::UnsupportedYamlMajorVersion => None,
        _ if expression => Some("quote a value that holds an expression: '${...}'"),
        ErrorKind::MappingValueNotAllowed => Some("quote a value that holds `: `, or put the key on a line of its own"),
        _ => None,
    }
}
