use std::collections::BTreeMap;

use granit_parser::{Event, Parser, StrInput, Tag, options};
use kro_diagnostics::{Diagnostic, FileId, Span, codes};
use kro_value::{Str, Value, format_smolstr};

use crate::merge::MappingBuilder;
use crate::text::TextMap;
use crate::{ALIAS_NODES_MAX, DEPTH_MAX, Document, Entry, Node, Parsed, Scalar, ScalarStyle, TEXT_BYTES_MAX};
use crate::{scalar, syntax};

/// Reads a stream of YAML documents. Spans point into `file`, whose text this must be.
///
/// Never fails: what is wrong is in [`Parsed::diagnostics`].
pub fn parse(text: &str, file: FileId) -> Parsed {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("the text has {} bytes; at most {TEXT_BYTES_MAX} are read", text.len());
        let mut parsed = Parsed::default();
        parsed.diagnostics.push(Diagnostic::error(codes::yaml::LIMIT, message).spanned(Span::new(file, 0, 0)));
        return parsed;
    }
    let mut options = options! {
        emit_unresolved_aliases: true,
        // As libyaml does, which Kubernetes reads YAML with.
        block_scalar_eof_without_line_feed: true,
        bom_inside_document_as_content: true,
        flow_nesting_limit: DEPTH_MAX,
        block_nesting_limit: DEPTH_MAX,
    };
    options.set_emit_comments(false);
    let parser = Parser::new_from_str_with_options(text, options);
    Reader { text, file, parsed: Parsed::default(), tree: Tree::default() }.read(parser)
}

/// Builds documents from events.
struct Reader<'a> {
    text: &'a str,
    file: FileId,
    parsed: Parsed,
    tree: Tree,
}

/// What is open in the current document.
#[derive(Default)]
struct Tree {
    frames: Vec<Frame>,
    anchors: BTreeMap<usize, Node>,
    expanded: usize,
    root: Option<Node>,
}

struct Frame {
    span: Span,
    anchor: usize,
    content: Content,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping { builder: MappingBuilder, key: Option<Key>, span: Option<Span> },
}

/// A key that waits for its value.
enum Key {
    Text(Str, Span),
    Merge(Span),
    /// Reported already; its value is dropped.
    Unusable,
}

/// The rest of the document is not worth reading.
struct Abandon;

impl<'a> Reader<'a> {
    fn read(mut self, mut parser: Parser<'a, StrInput<'a>>) -> Parsed {
        while let Some(next) = parser.next_event() {
            let outcome = match next {
                Ok((event, span)) => self.event(event, &span),
                Err(error) => {
                    self.report(syntax::diagnostic(&error, self.text, self.file));
                    Err(Abandon)
                }
            };
            if outcome.is_err() {
                self.tree = Tree::default();
                if !parser.proceed_next_document().unwrap_or(false) {
                    break;
                }
            }
        }
        self.parsed
    }

    fn event(&mut self, event: Event<'a>, span: &granit_parser::Span) -> Result<(), Abandon> {
        let span = self.span(span);
        match event {
            Event::DocumentStart(..) => self.tree = Tree::default(),
            Event::DocumentEnd => self.finish_document(),
            Event::Alias(id) => self.alias(id, span)?,
            Event::UnresolvedAlias(name) => {
                let message = format!("unknown anchor '{name}' referenced");
                self.report(Diagnostic::error(codes::yaml::ALIAS, message).spanned(span));
                self.complete(null(span), 0)?;
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.scalar(&text, scalar_style(style), anchor, tag.as_deref(), span)?;
            }
            Event::SequenceStart(_, anchor, _) => self.open(span, anchor, Content::Sequence(Vec::new()))?,
            Event::MappingStart(_, anchor, _) => {
                let content = Content::Mapping { builder: MappingBuilder::default(), key: None, span: None };
                self.open(span, anchor, content)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span)?,
            _ => {}
        }
        Ok(())
    }

    fn span(&self, span: &granit_parser::Span) -> Span {
        let range = span.byte_range().unwrap_or(0..0);
        Span::new(self.file, range.start, range.end)
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.parsed.diagnostics.push(diagnostic);
    }

    fn finish_document(&mut self) {
        let tree = std::mem::take(&mut self.tree);
        let empty = |node: &Node| node.value().is_null() && node.span.start == node.span.end;
        if let Some(root) = tree.root.filter(|root| !empty(root)) {
            self.parsed.documents.push(Document { root });
        }
    }

    fn open(&mut self, span: Span, anchor: usize, content: Content) -> Result<(), Abandon> {
        if self.tree.frames.len() >= DEPTH_MAX {
            self.report(syntax::too_deep(span));
            return Err(Abandon);
        }
        self.tree.frames.push(Frame { span, anchor, content });
        Ok(())
    }

    fn close(&mut self, end: Span) -> Result<(), Abandon> {
        let Some(frame) = self.tree.frames.pop() else { return Ok(()) };
        let flow = frame.span.end > frame.span.start;
        let node = match frame.content {
            Content::Sequence(items) => {
                let inner = items.first().zip(items.last()).map(|(first, last)| first.span.cover(last.span));
                Node::sequence(extent(frame.span, end, flow, inner), items)
            }
            Content::Mapping { builder, span, .. } => {
                Node::mapping(extent(frame.span, end, flow, span), builder.finish())
            }
        };
        self.complete(node, frame.anchor)
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<(), Abandon> {
        let Some(anchor) = self.tree.anchors.get(&id) else {
            let message = format!("anchor '{}' value contains itself", self.source(span).trim_start_matches('*'));
            self.report(Diagnostic::error(codes::yaml::ALIAS, message).spanned(span));
            return self.complete(null(span), 0);
        };
        let node = Node { span, ..anchor.clone() };
        self.tree.expanded += node.nodes;
        if self.tree.expanded > ALIAS_NODES_MAX {
            let message = format!("document contains excessive aliasing: more than {ALIAS_NODES_MAX} values");
            self.report(Diagnostic::error(codes::yaml::LIMIT, message).spanned(span));
            return Err(Abandon);
        }
        if self.tree.frames.len() + node.height > DEPTH_MAX + 1 {
            self.report(syntax::too_deep(span));
            return Err(Abandon);
        }
        self.complete(node, 0)
    }

    fn source(&self, span: Span) -> &'a str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result<(), Abandon> {
        let raw = self.source(span);
        let map = TextMap::new(style, text, raw, span.start as usize);
        let span = Span { end: span.end - u32::try_from(raw.len() - raw.trim_end().len()).unwrap_or(0), ..span };
        let tag = tag.map(short_tag);
        let plain = style == ScalarStyle::Plain && tag.is_none();
        let typed = match &tag {
            None if !plain => Ok(Value::from(text)),
            tag => scalar::typed(tag.as_deref(), text),
        };
        if self.expects_key() && (plain || tag.as_deref() == Some("!!merge")) {
            self.note_anchor(anchor, || {
                Node::scalar(span, Scalar { text: text.into(), style, map }, Value::from(text))
            });
            self.plain_key(text, span);
            return Ok(());
        }
        let value = typed.unwrap_or_else(|message| {
            self.report(
                Diagnostic::error(codes::yaml::SCALAR, message).spanned(span).help("quote it when text is meant"),
            );
            Value::Null
        });
        self.complete(Node::scalar(span, Scalar { text: text.into(), style, map }, value), anchor)
    }

    fn expects_key(&self) -> bool {
        matches!(self.tree.frames.last(), Some(Frame { content: Content::Mapping { key: None, .. }, .. }))
    }

    fn note_anchor(&mut self, anchor: usize, node: impl FnOnce() -> Node) {
        if anchor > 0 {
            self.tree.anchors.insert(anchor, node());
        }
    }

    fn plain_key(&mut self, text: &str, span: Span) {
        let key = if text == "<<" {
            Key::Merge(span)
        } else {
            match scalar::key(text) {
                Ok(key) => {
                    if matches!(key.as_str(), "true" | "false") && !text.eq_ignore_ascii_case(&key) {
                        self.report(boolean_key(text, &key, span));
                    }
                    Key::Text(key, span)
                }
                Err(message) => self.unusable_key(message, span),
            }
        };
        self.set_key(key);
    }

    fn unusable_key(&mut self, message: String, span: Span) -> Key {
        self.report(Diagnostic::error(codes::yaml::KEY, message).spanned(span).help("quote the key"));
        Key::Unusable
    }

    fn set_key(&mut self, new: Key) {
        if let Some(Frame { content: Content::Mapping { key, .. }, .. }) = self.tree.frames.last_mut() {
            *key = Some(new);
        }
    }

    /// A node is complete: it becomes the root, an item, a key or the value of the key that waits.
    fn complete(&mut self, node: Node, anchor: usize) -> Result<(), Abandon> {
        self.note_anchor(anchor, || node.clone());
        if self.expects_key() {
            let key = match key_text(node.value()) {
                Ok(text) => Key::Text(text, node.span),
                Err(message) => self.unusable_key(message, node.span),
            };
            self.set_key(key);
            return Ok(());
        }
        match self.tree.frames.last_mut().map(|frame| &mut frame.content) {
            None => self.tree.root = Some(node),
            Some(Content::Sequence(items)) => items.push(node),
            Some(Content::Mapping { builder, key, span }) => {
                let diagnostics = &mut self.parsed.diagnostics;
                let key_span = match key.take() {
                    Some(Key::Text(key, key_span)) => {
                        builder.insert(Entry { key, key_span, value: node.clone() }, diagnostics);
                        key_span
                    }
                    Some(Key::Merge(key_span)) => {
                        builder.merge(&node, key_span, diagnostics);
                        key_span
                    }
                    Some(Key::Unusable) | None => node.span,
                };
                *span = Some(span.map_or(key_span, |span| span.cover(key_span)).cover(node.span));
            }
        }
        Ok(())
    }
}

/// The bytes of a collection: with its brackets, or from the first to the last of what it holds.
fn extent(start: Span, end: Span, flow: bool, inner: Option<Span>) -> Span {
    match inner {
        Some(inner) if !flow => inner,
        _ => start.cover(end),
    }
}

fn null(span: Span) -> Node {
    let scalar = Scalar { text: Str::default(), style: ScalarStyle::Plain, map: TextMap::Verbatim(span.start) };
    Node::scalar(span, scalar, Value::Null)
}

/// The text of a key that is no plain scalar.
fn key_text(value: &Value) -> Result<Str, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Int(_) => Ok(format_smolstr!("{value}")),
        Value::Float(float) => Ok(crate::number::float_key(*float)),
        Value::Null => Err("a key cannot be null".to_owned()),
        Value::List(_) => Err("a key cannot be a sequence".to_owned()),
        Value::Map(_) => Err("a key cannot be a mapping".to_owned()),
    }
}

fn boolean_key(text: &str, key: &str, span: Span) -> Diagnostic {
    Diagnostic::warning(codes::yaml::BOOLEAN_KEY, format!("the key `{text}` is read as \"{key}\""))
        .spanned(span)
        .note("Kubernetes reads YAML 1.1, in which y, n, yes, no, on and off are booleans")
        .help(format!("write \"{text}\" in quotes, or `{key}`"))
}

fn short_tag(tag: &Tag) -> String {
    match tag.suffix_in_namespace("tag:yaml.org,2002:") {
        Some(suffix) => format!("!!{suffix}"),
        None => tag.to_string(),
    }
}

fn scalar_style(style: granit_parser::ScalarStyle) -> ScalarStyle {
    match style {
        granit_parser::ScalarStyle::Plain => ScalarStyle::Plain,
        granit_parser::ScalarStyle::SingleQuoted => ScalarStyle::SingleQuoted,
        granit_parser::ScalarStyle::DoubleQuoted => ScalarStyle::DoubleQuoted,
        granit_parser::ScalarStyle::Literal => ScalarStyle::Literal,
        granit_parser::ScalarStyle::Folded => ScalarStyle::Folded,
    }
}
