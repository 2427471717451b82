use std::ops::Range;

/// One YAML block of a document with the outputs that are expected of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The headings above it, joined by ` / `.
    pub name: String,
    /// The line of the document on which the block's text begins, from 1.
    pub line: usize,
    /// The text of the block.
    pub text: String,
    /// The blocks that follow it in the same section.
    pub outputs: Vec<Output>,
}

/// A block that holds an expected output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The info string of its fence.
    pub name: String,
    /// Its text.
    pub text: String,
    /// The bytes of its text in the document.
    pub range: Range<usize>,
    /// The line of the document on which its text begins, from 1.
    pub line: usize,
}

/// The cases of a Markdown document.
pub fn parse_cases(markdown: &str) -> Vec<Case> {
    let mut reader = Reader::default();
    let mut offset = 0;
    for (index, line) in markdown.split_inclusive('\n').enumerate() {
        reader.take(markdown, line, index + 1, offset);
        offset += line.len();
    }
    reader.cases
}

#[derive(Default)]
struct Reader {
    headings: Vec<String>,
    cases: Vec<Case>,
    /// True when a block belongs to the last case.
    in_section: bool,
    fence: Option<Fence>,
}

struct Fence {
    ticks: String,
    info: String,
    start: usize,
    line: usize,
}

impl Reader {
    fn take(&mut self, markdown: &str, line: &str, number: usize, offset: usize) {
        let trimmed = line.trim_end();
        if let Some(fence) = self.fence.take() {
            if trimmed == fence.ticks {
                self.close(markdown, fence, offset);
            } else {
                self.fence = Some(fence);
            }
            return;
        }
        let ticks = trimmed.len() - trimmed.trim_start_matches('`').len();
        if ticks >= 3 {
            let (ticks, info) = trimmed.split_at(ticks);
            let start = offset + line.len();
            self.fence = Some(Fence { ticks: ticks.to_owned(), info: info.trim().to_owned(), start, line: number + 1 });
        } else if let Some(heading) = trimmed.strip_prefix('#') {
            self.heading(heading);
        }
    }

    fn heading(&mut self, heading: &str) {
        let title = heading.trim_start_matches('#');
        let level = heading.len() - title.len();
        self.headings.truncate(level);
        self.headings.push(title.trim().to_owned());
        self.in_section = false;
    }

    fn close(&mut self, markdown: &str, fence: Fence, end: usize) {
        let range = fence.start..end;
        let text = markdown[range.clone()].to_owned();
        if fence.info == "yaml" {
            let name = self.headings.join(" / ");
            self.cases.push(Case { name, line: fence.line, text, outputs: Vec::new() });
            self.in_section = true;
        } else if let Some(case) = self.cases.last_mut().filter(|_| self.in_section && !fence.info.is_empty()) {
            case.outputs.push(Output { name: fence.info, text, range, line: fence.line });
        }
    }
}
